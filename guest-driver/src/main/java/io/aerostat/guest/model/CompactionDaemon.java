package io.aerostat.guest.model;

import io.aerostat.guest.mm.MemoryNode;
import io.aerostat.guest.task.Jiffies;
import io.aerostat.guest.task.Task;
import io.aerostat.guest.task.TaskState;
import io.aerostat.guest.task.TaskTable;
import io.aerostat.guest.task.WaitQueue;

/**
 * kcompactd0: sees to it that there is a free block of 2 MiB while there is enough free memory for
 * one, by moving pages out of the way; ballooned ones too.
 */
final class CompactionDaemon {
    /** What a huge page needs. */
    private static final int ORDER = 9;

    /** So many pages are free for each of the block's before it is worth the trouble. */
    private static final int FREE_FACTOR = 4;

    private static final long LOOK_NS = 500_000_000L;

    /** For a block that cannot be had now. */
    private static final int ATTEMPTS = 64;

    private final MemoryNode node;
    private final TaskTable tasks;
    private final Task task;
    private final WaitQueue wait;
    private int attempts;

    CompactionDaemon(MemoryNode node, TaskTable tasks) {
        this.node = node;
        this.tasks = tasks;
        this.wait = tasks.newWaitQueue("kcompactd");
        this.task = tasks.spawnKernelThread("kcompactd0");
        sleep();
    }

    /** Does a bounded piece of work, if it is time and there is reason. The clock was advanced. */
    void step() {
        if (task.state() != TaskState.RUNNING) {
            return;
        }
        tasks.switchTo(task);
        boolean done = !isWorthwhile() || node.compact(ORDER) || ++attempts >= ATTEMPTS;
        tasks.switchTo(null);
        if (done) {
            attempts = 0;
            sleep();
        }
    }

    private boolean isWorthwhile() {
        long enough = node.watermarks().highPages() + ((long) FREE_FACTOR << ORDER);
        return node.largestFreeOrder() < ORDER && node.freePages() > enough;
    }

    private void sleep() {
        tasks.sleep(task, wait, TaskState.INTERRUPTIBLE, (int) Jiffies.timeoutOfNs(LOOK_NS));
    }
}
