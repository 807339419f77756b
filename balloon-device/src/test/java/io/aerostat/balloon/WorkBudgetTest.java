package io.aerostat.balloon;

import static io.aerostat.balloon.BalloonRig.DEFLATE;
import static io.aerostat.balloon.BalloonRig.INFLATE;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.aerostat.balloon.handler.BalloonCounter;
import io.aerostat.virtio.spec.Feature;
import io.aerostat.virtio.testkit.RingBytes;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.util.Arrays;

/** A pass is bounded whatever a guest makes long. */
final class WorkBudgetTest {
    private static final int BUDGET = 64;

    private final BalloonRig rig = new BalloonRig(BalloonOptions.DEFAULT.withWorkBudget(BUDGET));

    /** Page numbers that the device has looked at, whatever came of them. */
    private long looked() {
        return rig.counter(BalloonCounter.PAGES_INFLATED)
                + rig.counter(BalloonCounter.PAGES_INFLATED_TWICE)
                + rig.counter(BalloonCounter.PAGES_OUTSIDE_RAM)
                + rig.counter(BalloonCounter.PAGES_OF_LIVE_RING);
    }

    private int[] manyPages(int count) {
        int[] pfns = new int[count];
        Arrays.setAll(pfns, i -> i % 5 == 0 ? -1 - i : rig.data(i * 7 % 400));
        return pfns;
    }

    @Test
    void aRequestOf65536PagesTakesManyBoundedPasses() {
        rig.start();
        rig.offer(INFLATE, manyPages(1 << 16));
        rig.kick(INFLATE);
        int passes = 0;
        long before = 0;

        while (rig.poll() != 0) {
            long pages = looked() - before;
            assertTrue(pages <= BUDGET, "pages in one pass: " + pages);
            before = looked();
            passes++;
        }

        assertEquals(1, rig.reap(INFLATE));
        assertEquals(1 << 16, looked());
        // The element and its end cost a unit each.
        assertEquals(((1 << 16) + 2 + BUDGET - 1) / BUDGET, passes);
    }

    @Test
    void theOtherQueueIsServedBetweenThePassesOfALongRequest() {
        rig.start();
        rig.inflate(rig.dataRun(401, 1));
        rig.offer(INFLATE, manyPages(10_000));
        rig.kick(INFLATE);
        rig.poll();

        rig.offer(DEFLATE, rig.data(401));
        rig.kick(DEFLATE);
        rig.poll();

        assertEquals(1, rig.reap(DEFLATE));
        assertEquals(0, rig.reap(INFLATE));
        assertEquals(2 * BUDGET - 1 + 1, looked());
    }

    @Test
    void noInterruptIsSentForAPassThatReturnsNothing() {
        rig.start();
        rig.offer(INFLATE, manyPages(1000));
        rig.kick(INFLATE);
        rig.poll();
        int early = rig.takeInterrupts();

        rig.settle();

        assertEquals(0, early);
        assertEquals(1, rig.takeInterrupts());
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 64, 65_536})
    void everyBudgetComesToTheSameEnd(int budget) {
        BalloonRig other = new BalloonRig(BalloonOptions.DEFAULT.withWorkBudget(budget)).start();
        int[] pfns = manyPages(777);

        other.inflate(pfns);
        other.inflate(other.dataRun(0, 3));
        other.deflate(pfns);

        // 777 numbers, each fifth outside RAM; the others name 400 pages in turn, some twice.
        long pages = Arrays.stream(pfns).filter(pfn -> pfn >= 0).distinct().count();
        long inflated = other.counter(BalloonCounter.PAGES_INFLATED);
        assertEquals(2, other.counter(BalloonCounter.INFLATE_REQUESTS));
        assertEquals(1, other.counter(BalloonCounter.DEFLATE_REQUESTS));
        assertEquals(pages, other.counter(BalloonCounter.PAGES_DEFLATED));
        assertEquals(inflated - pages, other.device.ledgerPages());
        assertEquals(2 * 156, other.counter(BalloonCounter.PAGES_OUTSIDE_RAM));
    }

    @Test
    void aRequestOfTinyElementsIsNotFree() {
        rig.start();
        int bytes = 1024;
        long table = rig.gpa(BalloonRig.INDIRECT_PAGE);
        long request = rig.write(rig.dataRun(0, bytes / 4));
        for (int i = 0; i < bytes; i++) {
            int flags = i + 1 < bytes ? RingBytes.NEXT : 0;
            RingBytes.descriptorAt(rig.ram, table + 16L * i, request + i, 1, flags, i + 1);
        }
        rig.rings[INFLATE].descriptor(0, table, 16L * bytes, RingBytes.INDIRECT, 0);
        rig.rings[INFLATE].offer(0);
        rig.kick(INFLATE);
        int passes = 0;
        long before = 0;

        while (rig.poll() != 0) {
            // Four elements and a page number make five units.
            assertTrue(looked() - before <= BUDGET / 5 + 1, "pages in one pass");
            before = looked();
            passes++;
        }

        assertEquals(bytes / 4, looked());
        assertEquals((bytes + bytes / 4 + 1 + BUDGET - 1) / BUDGET, passes);
    }

    @Test
    void requestsWithoutPagesAreNotFree() {
        rig.start();
        long writable = rig.write(0);
        for (int i = 0; i < BalloonRig.QUEUE_SIZE; i++) {
            rig.offer(INFLATE, writable, 4, true);
        }
        rig.kick(INFLATE);
        int most = 0;

        while (rig.poll() != 0) {
            most = Math.max(most, rig.reap(INFLATE));
        }

        assertEquals(BUDGET / 2, most);
        assertEquals(BalloonRig.QUEUE_SIZE, rig.counter(BalloonCounter.INFLATE_REQUESTS));
    }

    @Test
    void aGuestThatKeepsARequestComingDoesNotKeepTheOwner() {
        rig.start(BalloonRig.ALL_FEATURES & ~Feature.EVENT_IDX);
        // Before a pass can end, the guest has made the next request available.
        rig.reclaimer.duringDiscard(() -> rig.offer(INFLATE, rig.data(0)));
        rig.offer(INFLATE, rig.data(0));
        rig.kick(INFLATE);

        int work = rig.poll();

        assertTrue(work > 0, "more work is waiting");
        assertEquals(1, rig.reap(INFLATE));
    }

    @Test
    void refusesABudgetThatIsNoBudget() {
        BalloonOptions options = BalloonOptions.DEFAULT;

        assertThrows(IllegalArgumentException.class, () -> options.withWorkBudget(0));
        assertThrows(IllegalArgumentException.class, () -> options.withWorkBudget(65_537));
        assertThrows(IllegalArgumentException.class, () -> options.withQueueSize(0));
        assertThrows(IllegalArgumentException.class, () -> options.withQueueSize(96));
        assertThrows(IllegalArgumentException.class, () -> options.withQueueSize(65_536));
    }
}
