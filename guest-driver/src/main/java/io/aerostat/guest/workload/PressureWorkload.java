package io.aerostat.guest.workload;

import io.aerostat.guest.mm.FaultOutcome;
import io.aerostat.guest.mm.MemoryNode;
import io.aerostat.guest.mm.frame.VmCounter;
import io.aerostat.guest.task.Jiffies;
import io.aerostat.guest.task.Task;
import io.aerostat.guest.task.TaskState;
import io.aerostat.guest.task.TaskTable;
import io.aerostat.guest.task.WaitQueue;

import java.util.SplittableRandom;

/**
 * Several processes that want more memory than there may be, and kswapd; all of them tasks, so that
 * a listing shows who waits for what.
 *
 * <pre>
 *   a process     R  between steps of a burst
 *                 S  hrtimer_nanosleep        between bursts
 *                 D  folio_wait_bit_common    after a major fault, as long as the disk takes
 *                 D  reclaim_throttle         memory was promised
 *   kswapd0       R  reclaiming in the background
 *                 S  kswapd                   otherwise
 * </pre>
 *
 * <p>Every page that is read is checked; what is wrong is counted, and told to the memory's {@link
 * io.aerostat.guest.mm.MemoryEvents}. A process that was killed is replaced in the next step.
 *
 * <p>Everything follows from the seed and the steps' times: a run can be repeated. One thread's.
 */
public final class PressureWorkload {
    private final MemoryNode node;
    private final TaskTable tasks;
    private final PressureOptions options;
    private final SplittableRandom random;
    private final PressureProcess[] processes;
    private final Task kswapd;
    private final WaitQueue kswapdWait;
    private final WaitQueue disk;
    private final WaitQueue throttled;
    private final WaitQueue pause;

    private long accesses;
    private long replaced;
    private boolean stopped;

    /** Spawns the processes, which have no memory yet, and kswapd0. */
    public PressureWorkload(MemoryNode node, TaskTable tasks, PressureOptions options, long seed) {
        this.node = node;
        this.tasks = tasks;
        this.options = options;
        this.random = new SplittableRandom(seed);
        this.disk = tasks.newWaitQueue("folio_wait_bit_common");
        this.throttled = tasks.newWaitQueue("reclaim_throttle");
        this.pause = tasks.newWaitQueue("hrtimer_nanosleep");
        this.kswapdWait = tasks.newWaitQueue("kswapd");
        this.kswapd = tasks.spawnKernelThread("kswapd0");
        tasks.sleep(kswapd, kswapdWait, TaskState.INTERRUPTIBLE);
        this.processes = new PressureProcess[options.processes()];
        for (int i = 0; i < processes.length; i++) {
            processes[i] = newProcess(i);
        }
    }

    private PressureProcess newProcess(int place) {
        Task task = tasks.spawn(tasks.init(), "worker" + place);
        return new PressureProcess(node, options, task, random.split());
    }

    /**
     * Goes on to a time and lets everybody who can run do a bounded piece of work.
     *
     * @param nowNs the virtual clock in nanoseconds, not before the last step's
     * @return how many accesses to memory there were
     */
    public int step(long nowNs) {
        tasks.advanceTo(nowNs);
        if (stopped) {
            return 0;
        }
        int done = 0;
        for (int i = 0; i < processes.length; i++) {
            if (isOver(processes[i])) {
                processes[i] = newProcess(i);
                replaced++;
            }
            done += run(processes[i]);
        }
        runKswapd();
        tasks.switchTo(null);
        accesses += done;
        return done;
    }

    private void runKswapd() {
        if (node.isReclaimingInBackground() && tasks.wake(kswapd)) {
            // Reclaims from the next step on: until then others run.
            return;
        }
        if (kswapd.state() == TaskState.RUNNING) {
            tasks.switchTo(kswapd);
            node.reclaimInBackground(options.backgroundPagesPerStep());
            if (!node.isReclaimingInBackground()) {
                tasks.sleep(kswapd, kswapdWait, TaskState.INTERRUPTIBLE);
            }
        }
    }

    /** Brings the fates of a process's memory and its task together; tells whether it is gone. */
    private boolean isOver(PressureProcess process) {
        Task task = process.task();
        if (!task.state().isExited() && process.space().isKilled()) {
            tasks.kill(task);
        }
        if (!task.state().isExited()) {
            return false;
        }
        process.space().exit();
        return true;
    }

    private int run(PressureProcess process) {
        Task task = process.task();
        int done = 0;
        if (task.state() == TaskState.RUNNING) {
            tasks.switchTo(task);
            while (done < options.accessesPerStep() && task.state() == TaskState.RUNNING) {
                done++;
                after(process, process.access());
            }
        }
        return done;
    }

    private void after(PressureProcess process, FaultOutcome outcome) {
        Task task = process.task();
        switch (outcome) {
            case MAJOR -> waitFor(task, disk, options.diskNs());
            case AGAIN -> waitFor(task, throttled, Jiffies.NS_PER_JIFFY);
            case KILLED -> tasks.kill(task);
            case NONE, MINOR -> {
                if (process.isBurstOver()) {
                    long pauseNs = (long) (options.pauseNs() * 2 * random.nextDouble());
                    tasks.sleep(task, pause, TaskState.INTERRUPTIBLE, timeout(pauseNs));
                }
            }
        }
        if (process.isBurstOver()) {
            process.beginBurst();
        }
    }

    private void waitFor(Task task, WaitQueue queue, long ns) {
        tasks.sleep(task, queue, TaskState.UNINTERRUPTIBLE, timeout(ns));
    }

    private static int timeout(long ns) {
        return (int) Math.min(Jiffies.timeoutOfNs(ns), Integer.MAX_VALUE);
    }

    /** Ends all processes and frees their memory, except for cached files. Nothing runs after. */
    public void stop() {
        if (stopped) {
            return;
        }
        stopped = true;
        for (PressureProcess process : processes) {
            if (!process.task().state().isExited()) {
                tasks.kill(process.task());
            }
            process.space().exit();
        }
    }

    /** Accesses to memory so far. */
    public long accesses() {
        return accesses;
    }

    /** Processes that ended and were replaced, nearly always because they were killed. */
    public long replacedProcesses() {
        return replaced;
    }

    /** Pages whose content was not what had been written. */
    public long corruptedPages() {
        return node.counters().get(VmCounter.CORRUPTED);
    }
}
