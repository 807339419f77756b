package io.aerostat.guest.mm;

import static io.aerostat.guest.mm.FaultOutcome.AGAIN;
import static io.aerostat.guest.mm.FaultOutcome.KILLED;
import static io.aerostat.guest.mm.FaultOutcome.MINOR;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.aerostat.guest.mm.frame.VmCounter;
import io.aerostat.guest.page.PageAllocator;

import org.junit.jupiter.api.Test;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;

/** 256 pages, of which 4 are the min watermark, so that processes can have 252. */
final class OutOfMemoryTest {
    private final MemoryRig rig = new MemoryRig(256, MemoryRig.options().withFiles(1, 400));
    private final PageAllocator balloon = rig.node.balloonPages();
    private final Deque<Integer> ballooned = new ArrayDeque<>();

    private void inflate(int pages) {
        for (int i = 0; i < pages; i++) {
            ballooned.add(balloon.allocate(0));
        }
    }

    private long deflate(long pages) {
        long freed = 0;
        while (freed < pages && !ballooned.isEmpty()) {
            balloon.free(ballooned.remove(), 0);
            freed++;
        }
        return freed;
    }

    @Test
    void killsTheProcessWithTheMostPagesAndGoesOn() {
        AddressSpace small = rig.written(1, 100);
        AddressSpace large = rig.written(2, 152);
        AddressSpace wanting = rig.node.newAddressSpace(3, 10);

        assertEquals(MINOR, wanting.write(0));

        assertEquals(List.of("killed 2 152+0"), rig.events);
        assertEquals(1, rig.count(VmCounter.OOM_KILL));
        assertTrue(large.isKilled());
        assertEquals(0, large.anonymousPages());
        assertEquals(KILLED, large.read(0));
        assertEquals(KILLED, large.readFile(0, 0));
        assertFalse(small.isKilled());
        large.exit();
        rig.assertConserved("after a kill");
    }

    @Test
    void killsTheProcessItselfIfItIsTheLargest() {
        AddressSpace space = rig.node.newAddressSpace(1, 400);
        FaultOutcome outcome = MINOR;
        int page = 0;
        while (outcome == MINOR) {
            outcome = space.write(page++);
        }

        assertEquals(KILLED, outcome);
        assertEquals(253, page);
        assertEquals(256, rig.node.freePages());
        assertEquals(List.of("killed 1 252+0"), rig.events);
    }

    @Test
    void countsSwappedPagesAsTheProcess() {
        MemoryRig swapping = new MemoryRig(256, MemoryRig.options().withSwapPages(200));
        swapping.written(1, 240);
        swapping.written(2, 212);
        AddressSpace third = swapping.node.newAddressSpace(3, 10);

        assertEquals(MINOR, third.write(0));

        assertEquals(1, swapping.events.size());
        assertTrue(swapping.events.get(0).startsWith("killed 1 "), swapping.events.get(0));
    }

    @Test
    void killsTheReaderOfAFileWhenNobodyHasPages() {
        inflate(252);
        AddressSpace reader = rig.node.newAddressSpace(1, 10);

        assertEquals(KILLED, reader.readFile(0, 0));

        assertEquals(List.of("killed 1 0+0"), rig.events);
        rig.assertConserved("with no process left");
    }

    @Test
    void asksForReliefBeforeItKills() {
        inflate(200);
        AddressSpace space = rig.node.newAddressSpace(1, 400);
        rig.node.useRelief(this::deflate);

        for (int page = 0; page < 252; page++) {
            assertEquals(MINOR, space.write(page));
        }
        assertEquals(0, rig.count(VmCounter.OOM_KILL));
        assertEquals(0, rig.node.balloonedPages());
        assertEquals(200, rig.count(VmCounter.OOM_RELIEF_PAGES));

        assertEquals(KILLED, space.write(252));
        assertEquals(1, rig.count(VmCounter.OOM_KILL));
        assertEquals(0, rig.count(VmCounter.CORRUPTED));
    }

    @Test
    void killsWithoutReliefThoughTheBalloonIsFull() {
        inflate(200);
        AddressSpace space = rig.node.newAddressSpace(1, 400);
        for (int page = 0; page < 52; page++) {
            assertEquals(MINOR, space.write(page));
        }

        assertEquals(KILLED, space.write(52));
    }

    @Test
    void reclaimsBeforeItAsksForRelief() {
        AddressSpace space = rig.node.newAddressSpace(1, 400);
        rig.node.useRelief(
                pages -> {
                    throw new AssertionError("asked too early: pages=" + pages);
                });

        for (int index = 0; index < 400; index++) {
            space.readFile(0, index);
        }

        assertTrue(rig.count(VmCounter.ALLOCSTALL_NORMAL) > 0);
    }

    @Test
    void letsTheProcessWaitForMemoryThatWasPromised() {
        inflate(252);
        AddressSpace space = rig.node.newAddressSpace(1, 400);
        rig.node.useRelief(pages -> pages);

        assertEquals(AGAIN, space.write(0));
        assertEquals(AGAIN, space.readFile(0, 0));
        assertEquals(0, space.anonymousPages());
        deflate(1);

        assertEquals(MINOR, space.write(0));
        assertEquals(0, rig.count(VmCounter.OOM_KILL));
    }

    @Test
    void believesHimForEverWhoKeepsHisPromisesLate() {
        inflate(200);
        long[] promised = {0};
        rig.node.useRelief(
                pages -> {
                    promised[0] += 1;
                    return 1;
                });
        AddressSpace space = rig.node.newAddressSpace(1, 300);
        int written = 0;
        for (int round = 0; round < 40; round++) {
            FaultOutcome outcome = space.write(written);
            while (outcome == MINOR) {
                written++;
                outcome = space.write(written);
            }
            assertEquals(AGAIN, outcome);
            deflate(1);
        }

        assertEquals(40, promised[0]);
        assertEquals(List.of(), rig.events);
    }

    @Test
    void believesABrokenPromiseSixteenTimes() {
        inflate(252);
        AddressSpace space = rig.node.newAddressSpace(1, 400);
        rig.node.useRelief(pages -> pages);

        for (int i = 0; i < 16; i++) {
            assertEquals(AGAIN, space.write(0));
        }

        assertEquals(KILLED, space.write(0));
        assertEquals(17, rig.count(VmCounter.OOM_RELIEF));
    }
}
