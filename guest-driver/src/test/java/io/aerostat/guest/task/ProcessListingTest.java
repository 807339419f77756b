package io.aerostat.guest.task;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

final class ProcessListingTest {
    @Test
    void printsWhatPsPrints() {
        TaskTable tasks = new TaskTable(0);
        Task kswapd = tasks.spawnKernelThread("kswapd0");
        tasks.sleep(kswapd, tasks.newWaitQueue("kswapd"), TaskState.INTERRUPTIBLE);
        Task shell = tasks.spawn(tasks.init(), "sh");
        Task java = tasks.spawn(shell, "java");
        tasks.sleep(java, tasks.newWaitQueue("folio_wait_bit_common"), TaskState.UNINTERRUPTIBLE);
        tasks.exit(tasks.spawn(shell, "true"));
        tasks.exit(tasks.spawn(shell, "pool_workqueue_release"));
        tasks.stop(tasks.spawn(shell, "vi"));
        tasks.trace(tasks.spawn(shell, "debuggee-of-gdb"));

        assertEquals(
                """
                  PID STAT COMMAND         WCHAN
                    1 S    init            do_wait
                    2 S    kthreadd        kthreadd
                    3 S    kswapd0         kswapd
                    4 R    sh              -
                    5 D    java            folio_wait_bit_common
                    6 Z    true <defunct>  -
                    7 Z    pool_ <defunct> -
                    8 T    vi              do_signal_stop
                    9 t    debuggee-of-gdb ptrace_stop
                """,
                ProcessListing.of(tasks));
    }
}
