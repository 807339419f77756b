package io.aerostat.memory.backend;

import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.sun.management.ThreadMXBean;

import io.aerostat.balloon.range.PageRanges;
import io.aerostat.memory.os.LinuxMemory;

import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import java.lang.management.ManagementFactory;

/** Giving pages back allocates nothing once it is compiled, or what Java cannot do without. */
final class DiscardAllocationTest {
    // How long the compiler takes depends on the machine's load; what allocates in compiled code
    // does so in every window.
    private static final int WINDOWS = 100;
    private static final int ROUNDS = 10_000;
    private static final int PAGES = 16;

    // One range, and four.
    private static final int CALLS = 5 * ROUNDS;

    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    @BeforeAll
    static void needsLinux() {
        assumeTrue(LinuxMemory.isSupported(), "native memory is given back on Linux alone");
    }

    @ParameterizedTest
    @MethodSource("io.aerostat.memory.backend.BackendKind#ofSmallestUnits")
    void discardAllocatesNothing(BackendKind kind) {
        // Java has no unload of a part but through an object for the part, which may be as small
        // as it likes.
        long allowed = kind.maker() == BackendKind.Maker.UNLOAD ? 48L * CALLS : 0;
        try (TestRam ram = new TestRam(kind.map((long) PAGES * kind.unitBytes()))) {
            PageRanges one = ram.ranges(0, 4);
            PageRanges several = ram.everySecondPage(4);

            long allocated = allocatedBytes(ram, one, several);
            for (int i = 1; i < WINDOWS && allocated > allowed; i++) {
                allocated = allocatedBytes(ram, one, several);
            }

            assertTrue(allocated <= allowed, "allocated=" + allocated);
        }
    }

    private static long allocatedBytes(TestRam ram, PageRanges one, PageRanges several) {
        long before = THREADS.getCurrentThreadAllocatedBytes();
        discard(ram, one, several, ROUNDS);
        return THREADS.getCurrentThreadAllocatedBytes() - before;
    }

    private static void discard(TestRam ram, PageRanges one, PageRanges several, int rounds) {
        for (int i = 0; i < rounds; i++) {
            ram.reclaimer.discard(one);
            ram.reclaimer.discard(several);
            ram.reclaimer.reuse(several);
        }
    }
}
