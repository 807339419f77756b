package io.aerostat.guest.task;

import static io.aerostat.guest.task.TaskState.DEAD;
import static io.aerostat.guest.task.TaskState.INTERRUPTIBLE;
import static io.aerostat.guest.task.TaskState.RUNNING;
import static io.aerostat.guest.task.TaskState.STOPPED;
import static io.aerostat.guest.task.TaskState.TRACED;
import static io.aerostat.guest.task.TaskState.UNINTERRUPTIBLE;
import static io.aerostat.guest.task.TaskState.ZOMBIE;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

import java.util.ArrayList;
import java.util.List;

final class TaskTableTest {
    private static final long JIFFY = Jiffies.NS_PER_JIFFY;

    private final TaskTable tasks = new TaskTable(0);
    private final WaitQueue queue = tasks.newWaitQueue("folio_wait_bit_common");

    private Task process(String name) {
        return tasks.spawn(tasks.init(), name);
    }

    @Test
    void bootsWithInitAndKthreaddAsleep() {
        assertEquals(1, tasks.init().pid());
        assertEquals(2, tasks.kthreadd().pid());
        assertEquals(INTERRUPTIBLE, tasks.init().state());
        assertEquals("do_wait", tasks.init().wchan());
        assertEquals("kthreadd", tasks.kthreadd().wchan());
        assertEquals(0, tasks.init().parentPid());
        assertNull(tasks.current());
    }

    @Test
    void givesEachTaskAPidAParentAndAStartTime() {
        tasks.advanceTo(5 * JIFFY);

        Task shell = process("sh");
        Task child = tasks.spawn(shell, "a-name-of-more-than-15");
        Task worker = tasks.spawnKernelThread("kswapd0");

        assertEquals(List.of(3, 4, 5), List.of(shell.pid(), child.pid(), worker.pid()));
        assertEquals("a-name-of-more-", child.name());
        assertEquals(3, child.parentPid());
        assertEquals(2, worker.parentPid());
        assertEquals(5 * JIFFY, child.startNs());
        assertTrue(worker.isKernelThread());
        assertSame(child, tasks.find(4));
    }

    @Test
    void startsPidsAgainAt300AndSkipsThoseInUse() {
        Task held = process("held");
        while (held.pid() != 301) {
            tasks.exit(held);
            held = process("held");
        }
        Task last = process("short");
        while (last.pid() != TaskTable.PID_LIMIT - 1) {
            tasks.exit(last);
            last = process("short");
        }

        assertEquals(300, process("first").pid());
        assertEquals(302, process("second").pid());
    }

    @Test
    void refusesATaskMoreThanThereArePids() {
        for (int pid = 3; pid < TaskTable.PID_LIMIT; pid++) {
            process("many");
        }

        assertThrows(IllegalStateException.class, () -> process("one too many"));
    }

    @Test
    void wakesASleeperOnce() {
        Task task = process("sleeper");
        tasks.sleep(task, queue, UNINTERRUPTIBLE);

        assertEquals("folio_wait_bit_common", task.wchan());
        assertSame(queue, task.waitQueue());
        assertTrue(tasks.wake(task));
        assertEquals(RUNNING, task.state());
        assertEquals("-", task.wchan());
        assertEquals(0, queue.sleepers());
        assertFalse(task.isTimedOut());
        assertFalse(tasks.wake(task));
    }

    @Test
    void firesATimeoutInTheJiffyItIsDueAcrossTheWrap() {
        Task task = process("sleeper");
        tasks.sleep(task, queue, INTERRUPTIBLE, 300 * Jiffies.HZ + 1);

        assertEquals(0, tasks.advanceTo(300_000_000_000L + JIFFY - 1));
        assertEquals(INTERRUPTIBLE, task.state());
        assertEquals(1, tasks.advanceTo(300_000_000_000L + JIFFY));
        assertEquals(RUNNING, task.state());
        assertTrue(task.isTimedOut());
        assertEquals(0, queue.sleepers());
    }

    @Test
    void forgetsTheTimeoutOfASleeperThatWasWoken() {
        Task task = process("sleeper");
        tasks.sleep(task, queue, INTERRUPTIBLE, 10);
        tasks.wake(task);
        tasks.sleep(task, queue, INTERRUPTIBLE);

        assertEquals(0, tasks.advanceTo(100 * JIFFY));
        assertEquals(INTERRUPTIBLE, task.state());
    }

    @Test
    void firesTimeoutsByTimeAndThenInTheOrderOfSleeping() {
        List<Task> sleepers = new ArrayList<>();
        WaitQueue children = tasks.newWaitQueue("order");
        for (int timeout : new int[] {7, 3, 7, 3}) {
            Task parent = process("parent" + sleepers.size());
            tasks.sleep(parent, children, UNINTERRUPTIBLE, timeout);
            // Killed ones end as they wake, and so leave a trace of the order: their children's.
            sleepers.add(parent);
        }
        Task watcher = process("watcher");
        List<Task> heirs = new ArrayList<>();
        for (Task parent : sleepers) {
            heirs.add(tasks.spawn(parent, "heir-of-" + parent.name()));
            tasks.kill(parent);
        }

        tasks.advanceTo(7 * JIFFY);

        List<Task> inherited = new ArrayList<>(TaskTable.childrenOf(tasks.init()));
        inherited.remove(watcher);
        assertEquals(List.of(heirs.get(1), heirs.get(3), heirs.get(0), heirs.get(2)), inherited);
    }

    @Test
    void wakesFirstComeFirst() {
        Task first = process("first");
        Task second = process("second");
        Task third = process("third");
        tasks.sleep(second, queue, UNINTERRUPTIBLE);
        tasks.sleep(first, queue, INTERRUPTIBLE);
        tasks.sleep(third, queue, INTERRUPTIBLE);

        assertTrue(queue.wakeOne());
        assertEquals(List.of(INTERRUPTIBLE, RUNNING, INTERRUPTIBLE), states(first, second, third));
        assertEquals(2, queue.wakeAll());
        assertEquals(List.of(RUNNING, RUNNING, RUNNING), states(first, second, third));
        assertFalse(queue.wakeOne());
    }

    private static List<TaskState> states(Task... some) {
        List<TaskState> states = new ArrayList<>();
        for (Task task : some) {
            states.add(task.state());
        }
        return states;
    }

    @Test
    void stopsASleeperAndLetsItGoOnAwake() {
        Task task = process("sleeper");
        tasks.sleep(task, queue, INTERRUPTIBLE, 5);

        tasks.stop(task);
        tasks.stop(task);
        tasks.advanceTo(9 * JIFFY);

        assertEquals(STOPPED, task.state());
        assertEquals("do_signal_stop", task.wchan());
        assertEquals(0, queue.sleepers());
        tasks.resume(task);
        assertEquals(RUNNING, task.state());
    }

    @Test
    void stopsAnUninterruptibleSleeperWhenItWakes() {
        Task stopped = process("stopped");
        Task resumed = process("resumed");
        tasks.sleep(stopped, queue, UNINTERRUPTIBLE);
        tasks.sleep(resumed, queue, UNINTERRUPTIBLE);

        tasks.stop(stopped);
        tasks.stop(resumed);
        tasks.resume(resumed);
        assertEquals(UNINTERRUPTIBLE, stopped.state());
        queue.wakeAll();

        assertEquals(STOPPED, stopped.state());
        assertEquals(RUNNING, resumed.state());
    }

    @Test
    void tracesARunningAStoppedAndASleepingTask() {
        Task running = process("running");
        Task stopped = process("stopped");
        Task sleeping = process("sleeping");
        tasks.stop(stopped);
        tasks.sleep(sleeping, queue, INTERRUPTIBLE);

        for (Task task : List.of(running, stopped, sleeping)) {
            tasks.trace(task);
            assertEquals(TRACED, task.state());
            assertEquals("ptrace_stop", task.wchan());
            assertFalse(tasks.wake(task));
            tasks.untrace(task);
            assertEquals(RUNNING, task.state());
        }
    }

    @Test
    void keepsAZombieUntilItsParentAsks() {
        Task parent = process("parent");
        Task child = tasks.spawn(parent, "child");

        tasks.exit(child);

        assertEquals(ZOMBIE, child.state());
        assertSame(child, tasks.find(child.pid()));
        assertSame(child, tasks.waitForChild(parent));
        assertEquals(DEAD, child.state());
        assertNull(tasks.find(child.pid()));
        assertThrows(IllegalStateException.class, () -> tasks.waitForChild(parent));
    }

    @Test
    void reapsForAParentThatSleepsInWaitAndWakesIt() {
        Task parent = process("parent");
        Task child = tasks.spawn(parent, "child");

        assertNull(tasks.waitForChild(parent));
        assertEquals("do_wait", parent.wchan());
        tasks.exit(child);

        assertEquals(DEAD, child.state());
        assertEquals(RUNNING, parent.state());
    }

    @Test
    void leavesNoZombieOfAParentThatIgnoresItsChildren() {
        Task parent = process("parent");
        Task child = tasks.spawn(parent, "child");
        tasks.ignoreChildren(parent);

        tasks.exit(child);

        assertEquals(DEAD, child.state());
        assertNull(tasks.find(child.pid()));
        assertEquals(List.of(), TaskTable.childrenOf(parent));
    }

    @Test
    void givesOrphansToInitWhichReapsTheZombiesAmongThem() {
        Task parent = process("parent");
        Task living = tasks.spawn(parent, "living");
        Task zombie = tasks.spawn(parent, "zombie");
        tasks.exit(zombie);

        tasks.exit(parent);

        assertEquals(DEAD, parent.state());
        assertEquals(DEAD, zombie.state());
        assertEquals(1, living.parentPid());
        assertEquals(List.of(living), TaskTable.childrenOf(tasks.init()));
        tasks.exit(living);
        assertEquals(2, tasks.tasks().size());
    }

    @Test
    void killsAtOnceWhateverIsNotInAnUninterruptibleSleep() {
        Task sleeping = process("sleeping");
        Task stopped = process("stopped");
        Task traced = process("traced");
        Task running = process("running");
        tasks.sleep(sleeping, queue, INTERRUPTIBLE, 3);
        tasks.stop(stopped);
        tasks.trace(traced);

        for (Task task : List.of(sleeping, stopped, traced, running)) {
            tasks.kill(task);
            assertEquals(DEAD, task.state(), task.name());
        }
        assertEquals(0, queue.sleepers());
        assertEquals(0, tasks.advanceTo(9 * JIFFY));
    }

    @Test
    void killsAnUninterruptibleSleeperWhenItWakes() {
        Task task = process("sleeper");
        tasks.sleep(task, queue, UNINTERRUPTIBLE, 2);

        tasks.kill(task);
        assertEquals(UNINTERRUPTIBLE, task.state());
        tasks.advanceTo(2 * JIFFY);

        assertEquals(DEAD, task.state());
    }

    @Test
    void takesTheProcessorFromATaskThatNoLongerRuns() {
        Task task = process("runner");
        tasks.switchTo(task);
        assertSame(task, tasks.current());

        tasks.sleep(task, queue, INTERRUPTIBLE);

        assertNull(tasks.current());
        assertThrows(IllegalStateException.class, () -> tasks.switchTo(task));
    }

    @Test
    void refusesWhatATaskCannotDo() {
        Task sleeper = process("sleeper");
        tasks.sleep(sleeper, queue, UNINTERRUPTIBLE);
        Task dead = process("dead");
        tasks.exit(dead);
        Task running = process("running");
        Task kernel = tasks.spawnKernelThread("kswapd0");

        List<Runnable> mistakes =
                List.of(
                        () -> tasks.sleep(sleeper, queue, INTERRUPTIBLE),
                        () -> tasks.exit(sleeper),
                        () -> tasks.trace(sleeper),
                        () -> tasks.exit(dead),
                        () -> tasks.kill(dead),
                        () -> tasks.stop(dead),
                        () -> tasks.spawn(dead, "child"),
                        () -> tasks.untrace(running),
                        () -> tasks.reap(running),
                        () -> tasks.kill(kernel),
                        () -> tasks.stop(kernel),
                        () -> tasks.spawn(kernel, "child"),
                        () -> tasks.kill(tasks.init()),
                        () -> tasks.stop(tasks.init()),
                        () -> tasks.exit(tasks.kthreadd()));
        for (int i = 0; i < mistakes.size(); i++) {
            assertThrows(IllegalStateException.class, mistakes.get(i)::run, "mistake " + i);
        }
        assertThrows(IllegalArgumentException.class, () -> tasks.sleep(running, queue, STOPPED));
        assertThrows(
                IllegalArgumentException.class,
                () -> tasks.sleep(running, queue, INTERRUPTIBLE, -1));
        assertEquals(INTERRUPTIBLE, tasks.init().state());
        assertEquals(UNINTERRUPTIBLE, sleeper.state());
    }
}
