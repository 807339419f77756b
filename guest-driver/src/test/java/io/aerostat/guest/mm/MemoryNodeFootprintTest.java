package io.aerostat.guest.mm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;

import io.aerostat.guest.mm.frame.VmCounter;
import io.aerostat.guest.page.PageAllocator;

import org.junit.jupiter.api.Test;

import java.lang.management.ManagementFactory;

/** What faults, reclaim, swapping, compaction and the balloon's pages cost on the Java heap. */
final class MemoryNodeFootprintTest {
    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    private static final int WARM_UP_ROUNDS = 60;
    private static final int ROUNDS = 20;

    /** The JVM itself may allocate a little in any batch; what our code does shows in all. */
    private static final int BATCHES = 8;

    private final MemoryRig rig =
            new MemoryRig(1024, MemoryRig.options().withSwapPages(1000).withFiles(1, 400));
    private final PageAllocator balloon = rig.node.balloonPages();
    private final AddressSpace space = rig.node.newAddressSpace(1, 1000);
    private final int[] blocks = new int[700];

    /** The balloon takes 700 pages and gives them back, while a process uses all of its own. */
    private void round() {
        int taken = 0;
        while (taken < blocks.length && balloon.largestFreeOrder() != PageAllocator.NONE) {
            blocks[taken++] = balloon.allocate(0);
        }
        access();
        for (int i = 0; i < taken; i++) {
            balloon.free(blocks[i], 0);
        }
        access();
        for (int page = 0; page < 900; page += 3) {
            space.free(page);
        }
        rig.node.compact(5);
        rig.node.reclaimInBackground(100);
    }

    private void access() {
        for (int page = 0; page < 900; page++) {
            space.write(page);
        }
        for (int index = 0; index < 400; index++) {
            space.readFile(0, index);
        }
    }

    @Test
    void isNothing() {
        for (int i = 0; i < WARM_UP_ROUNDS; i++) {
            round();
        }

        long least = Long.MAX_VALUE;
        for (int batch = 0; batch < BATCHES && least != 0; batch++) {
            long before = THREADS.getThreadAllocatedBytes(Thread.currentThread().getId());
            for (int i = 0; i < ROUNDS; i++) {
                round();
            }
            long after = THREADS.getThreadAllocatedBytes(Thread.currentThread().getId());
            least = Math.min(least, after - before);
        }

        assertEquals(0, least);
        assertTrue(rig.count(VmCounter.PSWPIN) > 0);
        assertTrue(rig.count(VmCounter.PGMIGRATE_SUCCESS) > 0);
        assertTrue(rig.count(VmCounter.PGSTEAL_DIRECT) > 0);
        assertEquals(0, rig.count(VmCounter.OOM_KILL));
        assertEquals(0, rig.count(VmCounter.CORRUPTED));
    }
}
