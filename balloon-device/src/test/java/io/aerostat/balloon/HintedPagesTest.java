package io.aerostat.balloon;

import static io.aerostat.balloon.BalloonRig.ALL_FEATURES;
import static io.aerostat.balloon.BalloonRig.DATA_PAGE;
import static io.aerostat.balloon.BalloonRig.HINTS;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.aerostat.balloon.handler.BalloonCounter;
import io.aerostat.balloon.range.PageLedger;
import io.aerostat.virtio.queue.QueueFault;
import io.aerostat.virtio.testkit.RingBytes;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Which pages are hinted, and which a copy of the memory may leave out. */
@DisplayName("BALLOON-DRV-27, -30, BALLOON-DEV-09: hinted pages")
final class HintedPagesTest {
    private static final int COMMAND_OFFSET = 8;
    private static final int PAGE = 4096;

    private final BalloonRig rig = new BalloonRig();
    private final FreePageHinting hinting = rig.device.hinting();

    @AfterEach
    void nothingWasEverDiscarded() {
        assertEquals(List.of(), rig.reclaimer.takeDiscards());
    }

    private int field() {
        return rig.transport.readConfig(COMMAND_OFFSET);
    }

    private void serve() {
        rig.kick(HINTS);
        rig.settle();
    }

    /** The driver says under which command it sends what follows. */
    private void say(int command) {
        rig.offer(HINTS, rig.write(command), 4, false);
        serve();
    }

    private void hint(int first, int pages) {
        rig.offer(HINTS, rig.gpa(DATA_PAGE + first), (long) pages * PAGE, true);
        serve();
    }

    private int startRound() {
        hinting.start();
        rig.settle();
        return field();
    }

    private List<String> hinted() {
        List<String> ranges = new ArrayList<>();
        hinting.forEachHintedRange((pfn, pages) -> ranges.add(pfn + "+" + pages));
        return ranges;
    }

    private List<String> skippable(PageLedger written) {
        List<String> ranges = new ArrayList<>();
        rig.device
                .ballooned()
                .forEachSkippableRange(written, (pfn, pages) -> ranges.add(pfn + "+" + pages));
        return ranges;
    }

    @Test
    void hintsMayComeInOneChainWithTheirCommand() {
        rig.start(ALL_FEATURES);
        int id = startRound();
        long[] gpas = {rig.write(id), rig.gpa(DATA_PAGE), rig.gpa(DATA_PAGE + 9)};

        rig.offer(HINTS, gpas, new long[] {4, PAGE, 2 * PAGE}, 1, 2);
        serve();

        assertEquals(List.of(rig.range(0, 1), rig.range(9, 2)), hinted());
    }

    @Test
    void elementsThatAreNotWholePagesAreRoundedInwards() {
        rig.start(ALL_FEATURES);
        say(startRound());
        rig.offer(HINTS, rig.gpa(DATA_PAGE) + 1, 3 * PAGE, true);
        rig.offer(HINTS, rig.gpa(DATA_PAGE + 10), 100, true);
        serve();

        assertEquals(List.of(rig.range(1, 2)), hinted());
        assertEquals(Map.of(BalloonCounter.MALFORMED_HINTS, 2L), rig.anomalies());
    }

    @Test
    void aPageHintedTwiceCountsOnce() {
        rig.start(ALL_FEATURES);
        say(startRound());
        hint(0, 4);
        hint(2, 4);

        assertEquals(6, hinting.hintedPages());
        assertEquals(6, rig.counter(BalloonCounter.PAGES_HINTED));
    }

    @Test
    void ringsAreNeverSkippable() {
        rig.start(ALL_FEATURES);
        say(startRound());
        rig.offer(HINTS, rig.gpa(0), (long) DATA_PAGE * PAGE, true);
        serve();

        assertEquals(List.of(rig.pfn(6) + "+" + 87), hinted());
        assertEquals(Map.of(BalloonCounter.PAGES_OF_LIVE_RING, 9L), rig.anomalies());
    }

    @Test
    void theSkipMapIsTheBalloonAndTheHintsThatWereNotWritten() {
        rig.start(ALL_FEATURES);
        say(startRound());
        hint(0, 20);
        PageLedger written = new PageLedger(rig.ram.memory());
        written.add(rig.data(5), 3);
        written.add(rig.data(30), 2);
        assertEquals(List.of(rig.range(0, 5), rig.range(8, 12)), skippable(written));

        rig.inflate(rig.data(6), rig.data(40));
        rig.reclaimer.takeDiscards();

        assertEquals(
                List.of(rig.range(0, 5), rig.range(6, 1), rig.range(8, 12), rig.range(40, 1)),
                skippable(written));
        assertEquals(List.of(rig.range(0, 20)), hinted(), "the map is a copy");
        assertEquals(2, rig.device.ledgerPages());
        rig.deflate(rig.data(6), rig.data(40));
        assertEquals(List.of(rig.range(0, 5), rig.range(8, 12)), skippable(written));
    }

    @Test
    void aPassIsBoundedByWhatItMarks() {
        BalloonRig small = new BalloonRig(BalloonOptions.DEFAULT.withWorkBudget(64));
        small.start(ALL_FEATURES);
        for (int i = 0; i < 100; i++) {
            small.offer(HINTS, small.gpa(DATA_PAGE + i), PAGE, true);
        }
        small.kick(HINTS);
        int most = 0;
        int passes = 0;

        while (small.poll() != 0) {
            most = Math.max(most, small.reap(HINTS));
            passes++;
        }

        assertTrue(most <= 4, "buffers in one pass: " + most);
        assertTrue(passes > 20, "passes: " + passes);
    }

    @Test
    void aBrokenChainIsAFault() {
        rig.start(ALL_FEATURES);
        say(startRound());
        RingBytes ring = rig.rings[HINTS];
        ring.descriptor(9, rig.gpa(DATA_PAGE), PAGE, RingBytes.WRITE | RingBytes.NEXT, 10);
        ring.descriptor(10, 0, PAGE, RingBytes.WRITE, 0);
        ring.offer(9);
        serve();

        rig.assertFault(QueueFault.ELEMENT_OUTSIDE_RAM);
    }
}
