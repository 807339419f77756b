package io.aerostat.guest.model;

import io.aerostat.guest.balloon.BalloonDriver;
import io.aerostat.guest.task.Task;
import io.aerostat.guest.task.TaskState;
import io.aerostat.guest.task.TaskTable;
import io.aerostat.guest.task.WaitQueue;

/**
 * The balloon driver as a task of the guest.
 *
 * <pre>
 *   S  tell_host        waits until the host confirms a request
 *   S  msleep           there was no page to give; it tries again
 *   S  balloon          has nothing to do
 * </pre>
 *
 * <p>It runs within a step alone: whoever looks between two finds it asleep.
 */
final class BalloonWorker {
    private final BalloonDriver driver;
    private final TaskTable tasks;
    private final Task task;
    private final WaitQueue confirmation;
    private final WaitQueue retry;
    private final WaitQueue work;

    BalloonWorker(BalloonDriver driver, TaskTable tasks) {
        this.driver = driver;
        this.tasks = tasks;
        this.confirmation = tasks.newWaitQueue("tell_host");
        this.retry = tasks.newWaitQueue("msleep");
        this.work = tasks.newWaitQueue("balloon");
        this.task = tasks.spawnKernelThread("vballoon");
        tasks.sleep(task, work, TaskState.INTERRUPTIBLE);
    }

    /** Lets the driver do what there is to do. 0 if nothing. */
    int step(long nowNs) {
        int done = driver.doWork(nowNs);
        if (done > 0) {
            tasks.wake(task);
            tasks.switchTo(task);
        }
        WaitQueue next = waitsFor();
        if (task.waitQueue() != next) {
            tasks.wake(task);
            tasks.sleep(task, next, TaskState.INTERRUPTIBLE);
        }
        tasks.switchTo(null);
        return done;
    }

    private WaitQueue waitsFor() {
        if (driver.inPossession() != driver.balloonedPages() || driver.deflatingPages() > 0) {
            return confirmation;
        }
        return driver.isOutOfPages() ? retry : work;
    }
}
