package io.aerostat.guest.task;

import org.jspecify.annotations.Nullable;

import java.util.Comparator;
import java.util.PriorityQueue;

/** Who is to be woken when: earliest first, those of one jiffy in the order they were started. */
final class SleepTimers {
    private static final Comparator<Task> EARLIEST =
            Comparator.<Task>comparingLong(task -> task.wakeAtJiffies)
                    .thenComparingLong(task -> task.sleepNumber);

    private final PriorityQueue<Task> running = new PriorityQueue<>(EARLIEST);
    private long started;

    /** Starts a task's timer, unless it is NO_TIMEOUT. Jiffies are those that don't wrap. */
    void start(Task task, long wakeAtJiffies) {
        task.wakeAtJiffies = wakeAtJiffies;
        task.sleepNumber = started++;
        if (wakeAtJiffies != Task.NO_TIMEOUT) {
            running.add(task);
        }
    }

    /** Stops a task's timer, if it runs. */
    void cancel(Task task) {
        if (task.wakeAtJiffies != Task.NO_TIMEOUT) {
            running.remove(task);
            task.wakeAtJiffies = Task.NO_TIMEOUT;
        }
    }

    /** The first task whose time has come; its timer still runs. Or null. */
    @Nullable Task due(long nowJiffies) {
        Task first = running.peek();
        return first != null && first.wakeAtJiffies <= nowJiffies ? first : null;
    }
}
