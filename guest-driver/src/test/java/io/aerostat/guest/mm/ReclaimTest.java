package io.aerostat.guest.mm;

import static io.aerostat.guest.mm.FaultOutcome.MAJOR;
import static io.aerostat.guest.mm.FaultOutcome.NONE;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.aerostat.guest.mm.frame.VmCounter;

import org.junit.jupiter.api.Test;

/** 256 pages, of which 4, 8 and 16 are the watermarks. */
final class ReclaimTest {
    private static final MemoryOptions OPTIONS =
            MemoryRig.options().withSwapPages(100).withFiles(1, 400);

    private static AddressSpace readFile(MemoryRig rig, int pages) {
        AddressSpace space = rig.node.newAddressSpace(1, 300);
        for (int index = 0; index < pages; index++) {
            space.readFile(0, index);
        }
        return space;
    }

    @Test
    void wakesBelowTheLowWatermarkAndSleepsAtTheHighOne() {
        MemoryRig rig = new MemoryRig(256, OPTIONS);
        AddressSpace space = readFile(rig, 248);
        assertFalse(rig.node.isReclaimingInBackground());
        assertEquals(0, rig.node.reclaimInBackground(100));

        space.readFile(0, 248);
        assertTrue(rig.node.isReclaimingInBackground());
        assertEquals(5, rig.node.reclaimInBackground(5));
        assertTrue(rig.node.isReclaimingInBackground());
        assertEquals(4, rig.node.reclaimInBackground(100));

        assertFalse(rig.node.isReclaimingInBackground());
        assertEquals(16, rig.node.freePages());
        assertEquals(9, rig.count(VmCounter.PGSTEAL_KSWAPD));
        assertEquals(9, rig.count(VmCounter.PGSCAN_KSWAPD));
        assertEquals(1, rig.count(VmCounter.PAGEOUTRUN));
        assertEquals(0, rig.count(VmCounter.ALLOCSTALL_NORMAL));
        assertEquals(0, rig.count(VmCounter.PGSCAN_DIRECT));
    }

    @Test
    void sleepsWhenNothingCanBeReclaimed() {
        MemoryRig rig = new MemoryRig(256, MemoryRig.options());
        rig.written(1, 250);
        assertTrue(rig.node.isReclaimingInBackground());

        assertEquals(0, rig.node.reclaimInBackground(100));

        assertFalse(rig.node.isReclaimingInBackground());
    }

    @Test
    void makesWhoeverNeedsAPageBelowMinReclaimACluster() {
        MemoryRig rig = new MemoryRig(256, OPTIONS);
        AddressSpace space = readFile(rig, 252);
        assertEquals(4, rig.node.freePages());
        assertEquals(0, rig.count(VmCounter.ALLOCSTALL_NORMAL));

        space.readFile(0, 252);

        assertEquals(1, rig.count(VmCounter.ALLOCSTALL_NORMAL));
        assertEquals(32, rig.count(VmCounter.PGSTEAL_DIRECT));
        assertEquals(0, rig.count(VmCounter.PGSTEAL_KSWAPD));
        assertEquals(35, rig.node.freePages());
    }

    @Test
    void dropsTheOldestPagesButSparesThoseThatWereReadAgain() {
        MemoryRig rig = new MemoryRig(256, OPTIONS);
        AddressSpace space = readFile(rig, 252);
        for (int index = 0; index < 10; index++) {
            space.readFile(0, index);
        }

        space.readFile(0, 252);

        assertEquals(42, rig.count(VmCounter.PGSCAN_DIRECT));
        assertEquals(NONE, space.readFile(0, 0));
        assertEquals(NONE, space.readFile(0, 9));
        assertEquals(NONE, space.readFile(0, 42));
        assertEquals(MAJOR, space.readFile(0, 10));
        assertEquals(MAJOR, space.readFile(0, 41));
        assertEquals(2, rig.count(VmCounter.WORKINGSET_REFAULT_FILE));
    }

    @Test
    void doesNotSwapWhileThereIsIdleCache() {
        MemoryRig rig = new MemoryRig(256, OPTIONS);
        rig.written(2, 100);
        AddressSpace reader = readFile(rig, 152);

        for (int index = 152; index < 400; index++) {
            reader.readFile(0, index);
        }

        assertEquals(0, rig.count(VmCounter.PSWPOUT));
        assertEquals(100, rig.node.anonymousPages());
    }

    private static MemoryRig withAHotCache(int swappiness) {
        MemoryRig rig = new MemoryRig(256, OPTIONS.withSwappiness(swappiness));
        rig.written(2, 100);
        AddressSpace reader = readFile(rig, 100);
        for (int page = 0; page < 120; page++) {
            for (int index = 0; index < 100; index++) {
                reader.readFile(0, index);
            }
            reader.write(page);
        }
        return rig;
    }

    @Test
    void swapsIdlePagesOfProcessesRatherThanDropAHotCache() {
        MemoryRig never = withAHotCache(0);
        MemoryRig usual = withAHotCache(60);

        assertEquals(0, never.count(VmCounter.PSWPOUT));
        assertTrue(usual.count(VmCounter.PSWPOUT) > 0);
        assertTrue(
                usual.count(VmCounter.WORKINGSET_REFAULT_FILE)
                        < never.count(VmCounter.WORKINGSET_REFAULT_FILE) / 2,
                never.node.counters() + " against " + usual.node.counters());
    }

    @Test
    void goesOnWithTheCacheWhenTheSwapAreaIsFull() {
        MemoryRig rig = new MemoryRig(256, OPTIONS.withSwapPages(10).withSwappiness(200));
        rig.written(2, 100);
        AddressSpace reader = readFile(rig, 152);

        for (int page = 0; page < 162; page++) {
            reader.write(page);
        }

        assertEquals(10, rig.node.swapUsedPages());
        assertEquals(0, rig.count(VmCounter.OOM_KILL));
        assertEquals(0, rig.count(VmCounter.CORRUPTED));
        rig.assertConserved("with a full swap area");
    }

    @Test
    void countsWhatIsAvailable() {
        MemoryRig rig = new MemoryRig(256, OPTIONS);
        assertEquals(248, rig.node.availablePages());

        readFile(rig, 50);
        rig.written(2, 30);
        assertEquals(218, rig.node.availablePages());

        rig.written(3, 200);
        rig.node.newAddressSpace(4, 1).touch(0);
        assertEquals(
                Math.max(0, rig.node.freePages() - 8 + rig.node.cachePages()),
                rig.node.availablePages());
    }
}
