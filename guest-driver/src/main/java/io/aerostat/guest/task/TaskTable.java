package io.aerostat.guest.task;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;

/**
 * All tasks of the guest, and every move they make.
 *
 * <p>Two tasks are there from the start, and never end: init (pid 1), the parent of processes and
 * of orphans, and kthreadd (pid 2), the parent of kernel threads. Both reap a child as soon as it
 * ends.
 *
 * <p>A task that ends becomes a zombie, until its parent asks for it ({@link #waitForChild}, {@link
 * #reap}); a parent that said it doesn't care ({@link #ignoreChildren}) has no zombies. What a
 * signal would do to an uninterruptible sleeper happens when it wakes.
 *
 * <p>Timeouts fire in {@link #advanceTo}: earliest first, those of one jiffy in the order the tasks
 * went to sleep. Everything follows from the calls, so that a run can be repeated.
 *
 * <p>Moves that {@link TaskState#canBecome} forbids are the caller's mistake, as is anything done
 * to a task that has ended: IllegalStateException. One thread's.
 */
public final class TaskTable {
    /** One more than the highest pid. */
    public static final int PID_LIMIT = 32_768;

    private final Jiffies clock;
    private final PidTable pids = new PidTable();
    private final SleepTimers timers = new SleepTimers();
    private final WaitQueue childWait;
    private final Task init;
    private final Task kthreadd;

    private @Nullable Task current;

    /**
     * The tasks of a guest that has just booted: init and kthreadd, asleep.
     *
     * @param nowNs the virtual clock in nanoseconds, from any origin
     */
    public TaskTable(long nowNs) {
        clock = new Jiffies(nowNs);
        childWait = newWaitQueue("do_wait");
        init = add("init", false, null);
        kthreadd = add("kthreadd", true, null);
        sleep(init, childWait, TaskState.INTERRUPTIBLE);
        sleep(kthreadd, newWaitQueue("kthreadd"), TaskState.INTERRUPTIBLE);
    }

    // the clock

    /** The clock. Go on with {@link #advanceTo}, so that timeouts fire. */
    public Jiffies clock() {
        return clock;
    }

    /**
     * Goes on to a time and wakes those whose timeout is over.
     *
     * @param nowNs the virtual clock in nanoseconds
     * @return how many it woke
     * @throws IllegalArgumentException if that is before the time it was at
     */
    public int advanceTo(long nowNs) {
        clock.advanceTo(nowNs);
        int woken = 0;
        Task due = timers.due(clock.count64());
        while (due != null) {
            due.timedOut = true;
            endSleep(due);
            woken++;
            due = timers.due(clock.count64());
        }
        return woken;
    }

    // birth

    /** A wait queue whose sleepers are in the kernel function {@code name}. */
    public WaitQueue newWaitQueue(String name) {
        return new WaitQueue(this, name);
    }

    /**
     * A new process, running.
     *
     * @param parent a process that has not ended
     * @param name its name, cut to 15 characters
     */
    public Task spawn(Task parent, String name) {
        if (parent.isKernelThread()) {
            throw new IllegalStateException("a kernel thread has no processes: parent=" + parent);
        }
        return add(name, false, requireAlive(parent));
    }

    /** A new kernel thread, running; its parent is kthreadd. */
    public Task spawnKernelThread(String name) {
        return add(name, true, kthreadd);
    }

    private Task add(String name, boolean kernel, @Nullable Task parent) {
        Task task = new Task(pids.next(), name, kernel, parent, clock.nowNs());
        pids.enter(task);
        if (parent != null) {
            parent.children.add(task);
        }
        return task;
    }

    // running and sleeping

    /**
     * Says which task the processor runs.
     *
     * @param task a running task, or null for none: the processor idles
     */
    public void switchTo(@Nullable Task task) {
        if (task != null && task.state() != TaskState.RUNNING) {
            throw new IllegalStateException("only a running task gets the processor: task=" + task);
        }
        current = task;
    }

    /** The task that the processor runs, or null if it idles. */
    public @Nullable Task current() {
        return current;
    }

    /**
     * Sends a running task to sleep, until it is woken.
     *
     * @param state INTERRUPTIBLE or UNINTERRUPTIBLE
     */
    public void sleep(Task task, WaitQueue queue, TaskState state) {
        beginSleep(task, queue, state, Task.NO_TIMEOUT);
    }

    /**
     * Sends a running task to sleep, until it is woken or a number of jiffies is over.
     *
     * @param state INTERRUPTIBLE or UNINTERRUPTIBLE
     * @param timeoutJiffies at least 0, which means: until the clock is next looked at
     */
    public void sleep(Task task, WaitQueue queue, TaskState state, int timeoutJiffies) {
        if (timeoutJiffies < 0) {
            throw new IllegalArgumentException(
                    "a timeout is not negative: timeoutJiffies=" + timeoutJiffies);
        }
        beginSleep(task, queue, state, clock.count64() + timeoutJiffies);
    }

    private void beginSleep(Task task, WaitQueue queue, TaskState state, long wakeAtJiffies) {
        if (!state.isSleeping()) {
            throw new IllegalArgumentException("not a state of a sleeper: state=" + state);
        }
        move(task, state);
        task.waitQueue(queue);
        task.timedOut = false;
        queue.add(task);
        timers.start(task, wakeAtJiffies);
    }

    /**
     * Wakes a sleeper. It then does what a signal asked of it meanwhile: stop, or end.
     *
     * @return false if it wasn't asleep: nothing has changed then
     */
    public boolean wake(Task task) {
        if (!task.state().isSleeping()) {
            return false;
        }
        endSleep(task);
        return true;
    }

    private void endSleep(Task task) {
        leaveQueue(task);
        if (task.killPending) {
            end(task);
        } else if (task.stopPending) {
            task.stopPending = false;
            move(task, TaskState.STOPPED);
        }
    }

    private void leaveQueue(Task task) {
        WaitQueue queue = task.waitQueue();
        if (queue != null) {
            queue.remove(task);
        }
        task.waitQueue(null);
        timers.cancel(task);
        move(task, TaskState.RUNNING);
    }

    // signals and tracing

    /**
     * Stops a process (SIGSTOP). An interruptible sleeper's sleep is over; an uninterruptible one
     * stops when it wakes.
     */
    public void stop(Task task) {
        requireSignals(task);
        switch (task.state()) {
            case UNINTERRUPTIBLE -> task.stopPending = true;
            case STOPPED -> {}
            default -> {
                interrupt(task);
                move(task, TaskState.STOPPED);
            }
        }
    }

    /** Lets a stopped process go on (SIGCONT); one that isn't stopped does so anyway. */
    public void resume(Task task) {
        requireSignals(task);
        task.stopPending = false;
        if (task.state() == TaskState.STOPPED) {
            move(task, TaskState.RUNNING);
        }
    }

    /** Stops a process for its tracer. It must not be in an uninterruptible sleep. */
    public void trace(Task task) {
        requireSignals(task);
        interrupt(task);
        move(task, TaskState.TRACED);
    }

    /** Lets a traced process go on. */
    public void untrace(Task task) {
        if (task.state() != TaskState.TRACED) {
            throw new IllegalStateException("the task is not traced: task=" + task);
        }
        move(task, TaskState.RUNNING);
    }

    /**
     * Ends a process from outside (SIGKILL), whatever it is at; an uninterruptible sleeper ends
     * when it wakes.
     */
    public void kill(Task task) {
        requireSignals(task);
        switch (task.state()) {
            case UNINTERRUPTIBLE -> task.killPending = true;
            case INTERRUPTIBLE, STOPPED, TRACED -> {
                interrupt(task);
                if (task.state() != TaskState.RUNNING) {
                    move(task, TaskState.RUNNING);
                }
                end(task);
            }
            default -> end(task);
        }
    }

    /** Ends an interruptible sleep early. */
    private void interrupt(Task task) {
        if (task.state() == TaskState.INTERRUPTIBLE) {
            leaveQueue(task);
        }
    }

    private static void requireSignals(Task task) {
        if (requireAlive(task).isKernelThread() || task.parent() == null) {
            throw new IllegalStateException(
                    "signals don't reach init and kernel threads: task=" + task);
        }
    }

    // death

    /**
     * A running task ends by itself. Its children become init's.
     *
     * @throws IllegalStateException if it is init or kthreadd, or doesn't run
     */
    public void exit(Task task) {
        if (task.state() != TaskState.RUNNING) {
            throw new IllegalStateException("only a running task exits: task=" + task);
        }
        end(task);
    }

    private void end(Task task) {
        Task parent = task.parent();
        if (parent == null) {
            throw new IllegalStateException("this task must not end: task=" + task);
        }
        orphanChildrenOf(task);
        if (parent.ignoresChildren) {
            move(task, TaskState.DEAD);
            forget(task, parent);
            return;
        }
        move(task, TaskState.ZOMBIE);
        boolean caresAtOnce = parent == init || parent == kthreadd;
        if (caresAtOnce || parent.waitQueue() == childWait) {
            bury(task, parent);
            if (!caresAtOnce) {
                wake(parent);
            }
        }
    }

    private void orphanChildrenOf(Task task) {
        for (Task child : new ArrayList<>(task.children)) {
            child.parent(init);
            init.children.add(child);
            if (child.state() == TaskState.ZOMBIE) {
                bury(child, init);
            }
        }
        task.children.clear();
    }

    /** Says that a process ignores SIGCHLD: its children don't become zombies, nor stay so. */
    public void ignoreChildren(Task parent) {
        requireAlive(parent).ignoresChildren = true;
    }

    /**
     * A process asks for a child that has ended (wait4).
     *
     * <p>If there is none yet, it sleeps interruptibly in {@code do_wait}. The first child to end
     * is then reaped, and it wakes.
     *
     * @param parent a running process that has children
     * @return the zombie that was reaped, the oldest first; or null if the process sleeps now
     */
    public @Nullable Task waitForChild(Task parent) {
        if (requireAlive(parent).children.isEmpty()) {
            throw new IllegalStateException("the task has no children: task=" + parent);
        }
        for (Task child : parent.children) {
            if (child.state() == TaskState.ZOMBIE) {
                bury(child, parent);
                return child;
            }
        }
        sleep(parent, childWait, TaskState.INTERRUPTIBLE);
        return null;
    }

    /** A process asks for one of its children by name: the zombie is dead and gone. */
    public void reap(Task zombie) {
        Task parent = zombie.parent();
        if (parent == null || zombie.state() != TaskState.ZOMBIE) {
            throw new IllegalStateException("only a zombie is reaped: task=" + zombie);
        }
        bury(zombie, parent);
    }

    private void bury(Task zombie, Task parent) {
        move(zombie, TaskState.DEAD);
        forget(zombie, parent);
    }

    private void forget(Task task, Task parent) {
        parent.children.remove(task);
        pids.leave(task);
    }

    private void move(Task task, TaskState next) {
        task.become(next);
        if (next != TaskState.RUNNING && current == task) {
            current = null;
        }
    }

    private static Task requireAlive(Task task) {
        if (task.state().isExited()) {
            throw new IllegalStateException("the task has ended: task=" + task);
        }
        return task;
    }

    // looking

    /** Pid 1. */
    public Task init() {
        return init;
    }

    /** Pid 2, the parent of kernel threads. */
    public Task kthreadd() {
        return kthreadd;
    }

    /** The task with a pid, or null. */
    public @Nullable Task find(int pid) {
        return pids.find(pid);
    }

    /** All tasks by ascending pid: a view that follows the table. */
    public Collection<Task> tasks() {
        return pids.tasks();
    }

    /** The living children and zombies of a task, oldest first, as they are now. */
    public static List<Task> childrenOf(Task task) {
        return List.copyOf(task.children);
    }
}
