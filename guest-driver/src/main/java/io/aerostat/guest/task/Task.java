package io.aerostat.guest.task;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.List;

/**
 * A process or a kernel thread. Made and moved by its {@link TaskTable}; others look.
 *
 * <p>A sleeping task is in exactly one wait queue; any other task is in none.
 */
public final class Task {
    /** Characters of a name that Linux keeps. */
    public static final int NAME_LENGTH = 15;

    static final long NO_TIMEOUT = Long.MAX_VALUE;

    private final int pid;
    private final String name;
    private final boolean kernel;
    private final long startNs;

    private TaskState state = TaskState.RUNNING;
    private @Nullable Task parent;
    private @Nullable WaitQueue waitQueue;

    // The table's notes.
    final List<Task> children = new ArrayList<>();
    boolean ignoresChildren;
    boolean stopPending;
    boolean killPending;
    boolean timedOut;
    long wakeAtJiffies = NO_TIMEOUT;
    long sleepNumber;

    Task(int pid, String name, boolean kernel, @Nullable Task parent, long startNs) {
        this.pid = pid;
        this.name = name.length() <= NAME_LENGTH ? name : name.substring(0, NAME_LENGTH);
        this.kernel = kernel;
        this.parent = parent;
        this.startNs = startNs;
    }

    /** The process id, from 1 on; free for another task once this one is dead. */
    public int pid() {
        return pid;
    }

    /** The name (comm): the first {@value #NAME_LENGTH} characters of what it was spawned with. */
    public String name() {
        return name;
    }

    /** Tells whether it is a kernel thread. Signals don't reach it. */
    public boolean isKernelThread() {
        return kernel;
    }

    /** What it is at. */
    public TaskState state() {
        return state;
    }

    /** The process that made it, or init once that has ended; null for init and kthreadd. */
    public @Nullable Task parent() {
        return parent;
    }

    /** The parent's process id; 0 for init and kthreadd. */
    public int parentPid() {
        return parent == null ? 0 : parent.pid;
    }

    /** Where it sleeps, or null. */
    public @Nullable WaitQueue waitQueue() {
        return waitQueue;
    }

    /** What the virtual clock showed when it was spawned, in nanoseconds. */
    public long startNs() {
        return startNs;
    }

    /** Tells whether its last sleep ended by its timeout. */
    public boolean isTimedOut() {
        return timedOut;
    }

    /**
     * The kernel function it waits in, as ps shows it: the wait queue's name for a sleeper; {@code
     * -} for a task that runs or has ended.
     */
    public String wchan() {
        WaitQueue queue = waitQueue;
        return switch (state) {
            case INTERRUPTIBLE, UNINTERRUPTIBLE -> queue == null ? "-" : queue.name();
            case STOPPED -> "do_signal_stop";
            case TRACED -> "ptrace_stop";
            case RUNNING, ZOMBIE, DEAD -> "-";
        };
    }

    void become(TaskState next) {
        if (!state.canBecome(next)) {
            throw new IllegalStateException(
                    "a task can't go there: task=" + this + ", next=" + next);
        }
        state = next;
    }

    void parent(Task next) {
        parent = next;
    }

    void waitQueue(@Nullable WaitQueue queue) {
        waitQueue = queue;
    }

    @Override
    public String toString() {
        return pid + " " + name + " " + state.letter();
    }
}
