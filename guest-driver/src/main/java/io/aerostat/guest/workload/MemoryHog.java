package io.aerostat.guest.workload;

import io.aerostat.guest.mm.AddressSpace;
import io.aerostat.guest.mm.FaultOutcome;
import io.aerostat.guest.mm.MemoryNode;
import io.aerostat.guest.task.Jiffies;
import io.aerostat.guest.task.Task;
import io.aerostat.guest.task.TaskState;
import io.aerostat.guest.task.TaskTable;
import io.aerostat.guest.task.WaitQueue;

/**
 * A process that wants a lot of memory at once: it writes one page after the other, until it has
 * all that it wants, or is killed. Then it sits on them.
 */
public final class MemoryHog {
    private final TaskTable tasks;
    private final Task task;
    private final AddressSpace space;
    private final WaitQueue throttled;
    private final WaitQueue done;
    private final int pagesPerStep;
    private int written;

    /**
     * A process that has nothing yet.
     *
     * @param name its comm
     * @param pages how many pages it wants
     * @param pagesPerStep how many it writes in a step at most
     */
    public MemoryHog(MemoryNode node, TaskTable tasks, String name, int pages, int pagesPerStep) {
        this.tasks = tasks;
        this.task = tasks.spawn(tasks.init(), name);
        this.space = node.newAddressSpace(task.pid(), pages);
        this.throttled = tasks.newWaitQueue("reclaim_throttle");
        this.done = tasks.newWaitQueue("do_sys_pause");
        this.pagesPerStep = pagesPerStep;
    }

    /** Goes on; the clock of its tasks has been advanced. */
    public void step() {
        if (space.isKilled() && !task.state().isExited()) {
            tasks.kill(task);
        }
        for (int i = 0; i < pagesPerStep && task.state() == TaskState.RUNNING; i++) {
            if (written == space.pages()) {
                tasks.sleep(task, done, TaskState.INTERRUPTIBLE);
                return;
            }
            FaultOutcome outcome = space.write(written);
            switch (outcome) {
                case NONE, MINOR, MAJOR -> written++;
                case AGAIN ->
                        tasks.sleep(
                                task,
                                throttled,
                                TaskState.UNINTERRUPTIBLE,
                                (int) Jiffies.timeoutOfNs(Jiffies.NS_PER_JIFFY));
                case KILLED -> tasks.kill(task);
            }
        }
    }

    /** Ends it, and frees what it has. */
    public void exit() {
        if (!task.state().isExited()) {
            tasks.kill(task);
        }
        space.exit();
    }

    /** Pages that it has written. */
    public int writtenPages() {
        return written;
    }

    /** Tells whether it has all that it wants. */
    public boolean hasAll() {
        return written == space.pages();
    }

    /** Tells whether it was killed for want of memory. */
    public boolean isKilled() {
        return space.isKilled();
    }
}
