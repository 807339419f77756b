package io.aerostat.guest.task;

import org.jspecify.annotations.Nullable;

import java.util.Collection;
import java.util.Collections;
import java.util.TreeMap;

/** Tasks by pid. Pids are given in rising order, and again from 300 on after the highest. */
final class PidTable {
    /** Pids below are for what runs from boot on. */
    private static final int RECYCLED_PID = 300;

    private final TreeMap<Integer, Task> byPid = new TreeMap<>();
    private int last;

    /** The pid for the next task. */
    int next() {
        for (int tries = 0; tries < TaskTable.PID_LIMIT; tries++) {
            last = last + 1 < TaskTable.PID_LIMIT ? last + 1 : RECYCLED_PID;
            if (!byPid.containsKey(last)) {
                return last;
            }
        }
        throw new IllegalStateException("no pid is free: tasks=" + byPid.size());
    }

    void enter(Task task) {
        byPid.put(task.pid(), task);
    }

    void leave(Task task) {
        byPid.remove(task.pid());
    }

    @Nullable Task find(int pid) {
        return byPid.get(pid);
    }

    /** A view of all tasks by ascending pid. */
    Collection<Task> tasks() {
        return Collections.unmodifiableCollection(byPid.values());
    }
}
