package io.aerostat.memory.own;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.sun.management.ThreadMXBean;

import io.aerostat.balloon.range.PageRanges;
import io.aerostat.memory.os.LinuxMemory;

import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

import java.lang.management.ManagementFactory;

/** Giving an embedder's pages back allocates nothing once it is compiled. */
final class AdviceAllocationTest {
    // How long the compiler takes depends on the machine's load; what allocates in compiled code
    // does so in every window.
    private static final int WINDOWS = 100;
    private static final int ROUNDS = 10_000;

    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    @BeforeAll
    static void needsLinux() {
        assumeTrue(LinuxMemory.isSupported(), "memory is given back on Linux alone");
    }

    @Test
    void discardAllocatesNothing() {
        try (OwnRam ram = OwnRam.of(OwnRam.Kind.ALIGNED_SLICE, 16)) {
            AdviceReclaimer reclaimer = AdviceReclaimer.of(ram.memory);
            PageRanges ranges = ram.ranges(0, 4, 6, 1, 8, 8);

            long allocated = allocatedBytes(reclaimer, ranges);
            for (int i = 1; i < WINDOWS && allocated != 0; i++) {
                allocated = allocatedBytes(reclaimer, ranges);
            }

            assertEquals(0, allocated);
        }
    }

    private static long allocatedBytes(AdviceReclaimer reclaimer, PageRanges ranges) {
        long before = THREADS.getCurrentThreadAllocatedBytes();
        for (int i = 0; i < ROUNDS; i++) {
            reclaimer.discard(ranges);
            reclaimer.reuse(ranges);
        }
        return THREADS.getCurrentThreadAllocatedBytes() - before;
    }
}
