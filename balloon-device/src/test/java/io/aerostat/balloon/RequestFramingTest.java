package io.aerostat.balloon;

import static io.aerostat.balloon.BalloonRig.ALL_FEATURES;
import static io.aerostat.balloon.BalloonRig.DEFLATE;
import static io.aerostat.balloon.BalloonRig.INFLATE;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.aerostat.balloon.handler.BalloonCounter;
import io.aerostat.virtio.spec.Feature;
import io.aerostat.virtio.testkit.GuestRam;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.util.Arrays;
import java.util.List;
import java.util.Map;

/** Requests cut into elements in every way: the framing means nothing (VIRTIO 1.4, 2.7.4). */
@DisplayName("SPLIT-DEV-01, -03, -05: framing of requests")
final class RequestFramingTest {
    private static final long DIRECT = ALL_FEATURES & ~Feature.INDIRECT_DESC;

    @ParameterizedTest
    @ValueSource(longs = {ALL_FEATURES, DIRECT})
    void aRequestOfFourPagesCutAtAnyPlacesIsTheSame(long features) {
        BalloonRig rig = new BalloonRig().start(features);
        for (int cuts = 0; cuts < 1 << 15; cuts += 37) {
            int[] pfns = {rig.data(7), rig.data(300), rig.data(8), rig.data(2)};

            offerCut(rig, INFLATE, pfns, cuts);
            rig.kick(INFLATE);
            rig.settle();

            assertEquals(1, rig.reap(INFLATE));
            assertEquals(
                    List.of(rig.range(2, 1), rig.range(7, 2), rig.range(300, 1)),
                    rig.reclaimer.takeDiscards(),
                    "cuts=" + Integer.toBinaryString(cuts));
            rig.deflate(pfns);
        }
        assertEquals(Map.of(), rig.anomalies());
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 5})
    void aRequestInBytesStopsAndGoesOnAnywhere(int budget) {
        BalloonRig rig = new BalloonRig(BalloonOptions.DEFAULT.withWorkBudget(budget)).start();
        int[] pfns = {rig.data(9), rig.data(300), rig.data(8), rig.data(2)};

        offerCut(rig, INFLATE, pfns, (1 << 15) - 1);
        rig.kick(INFLATE);
        rig.settle();

        assertEquals(1, rig.reap(INFLATE));
        assertEquals(4, rig.counter(BalloonCounter.PAGES_INFLATED));
        assertEquals(Map.of(), rig.anomalies());
    }

    /** An element ends after byte i if bit i of {@code cuts} is on. */
    private static void offerCut(BalloonRig rig, int queue, int[] pfns, int cuts) {
        long gpa = rig.write(pfns);
        int bytes = pfns.length * Integer.BYTES;
        long[] gpas = new long[bytes];
        long[] lengths = new long[bytes];
        int element = 0;
        gpas[0] = gpa;
        for (int i = 0; i < bytes; i++) {
            lengths[element]++;
            if ((cuts >>> i & 1) != 0 && i + 1 < bytes) {
                gpas[++element] = gpa + i + 1;
            }
        }
        rig.offer(queue, gpas, lengths, element + 1, 0);
    }

    @Test
    void aPageNumberMayLieInTwoElementsThatAreFarApart() {
        BalloonRig rig = new BalloonRig().start();
        long low = rig.write(0);
        long high = rig.gpa(BalloonRig.DATA_PAGE - 1);
        rig.ram.putLe16(low, rig.data(5));
        rig.ram.putLe16(high, rig.data(5) >>> 16);

        rig.offer(INFLATE, new long[] {low, high}, new long[] {2, 2}, 2, 0);
        rig.kick(INFLATE);
        rig.settle();

        assertEquals(List.of(rig.range(5, 1)), rig.reclaimer.takeDiscards());
    }

    @Test
    void anElementMayStartAtAnyAddress() {
        BalloonRig rig = new BalloonRig().start();
        long gpa = rig.write(0, 0, 0) + 3;
        rig.ram.putLe32(gpa, rig.data(1));
        rig.ram.putLe32(gpa + 4, rig.data(4));

        rig.offer(INFLATE, gpa, 8, false);
        rig.kick(INFLATE);
        rig.settle();

        assertEquals(List.of(rig.range(1, 1), rig.range(4, 1)), rig.reclaimer.takeDiscards());
    }

    @Test
    void anElementMaySpanRegions() {
        GuestRam ram = GuestRam.of(GuestRam.Kind.ADJACENT_REGIONS, 512 * 4096);
        // Regions of a page each end at page 16: the indirect tables' room, unused here.
        BalloonRig rig = new BalloonRig(ram, BalloonOptions.DEFAULT, 4096).start(DIRECT);
        long gpa = rig.gpa(9) + 4096 - 6;
        for (int i = 0; i < 3; i++) {
            ram.putLe32(gpa + 4L * i, rig.data(10 * i));
        }

        rig.offer(INFLATE, gpa, 12, false);
        rig.kick(INFLATE);
        rig.settle();

        assertEquals(
                List.of(rig.range(0, 1), rig.range(10, 1), rig.range(20, 1)),
                rig.reclaimer.takeDiscards());
    }

    @ParameterizedTest
    @ValueSource(longs = {ALL_FEATURES, DIRECT})
    void whatTheDeviceCouldWriteIsNeitherReadNorWritten(long features) {
        BalloonRig rig = new BalloonRig().start(features);
        long readable = rig.write(rig.data(3));
        long writable = rig.write(rig.data(4), rig.data(5));
        rig.offer(INFLATE, new long[] {readable, writable}, new long[] {4, 8}, 1, 1);
        byte[] before = rig.snapshot();

        rig.kick(INFLATE);
        rig.settle();

        assertEquals(1, rig.reap(INFLATE));
        rig.assertOnlyDiscarded(before, rig.data(3));
        assertEquals(1, rig.device.ledgerPages());
        assertEquals(Map.of(), rig.anomalies());
    }

    @ParameterizedTest
    @ValueSource(ints = {INFLATE, DEFLATE})
    void aRequestThatIsAllWritableIsReturnedAndMeansNothing(int queue) {
        BalloonRig rig = new BalloonRig().start();
        long writable = rig.write(rig.data(4), rig.data(5));
        rig.offer(queue, writable, 8, true);
        byte[] before = rig.snapshot();

        rig.kick(queue);
        rig.settle();

        assertEquals(1, rig.reap(queue));
        rig.assertOnlyDiscarded(before);
        assertEquals(1, rig.counters().size());
    }

    @Test
    void anIncompleteNumberBeforeAWritablePartIsIgnoredAndCounted() {
        BalloonRig rig = new BalloonRig().start();
        long gpa = rig.write(rig.data(4), rig.data(5));

        rig.offer(INFLATE, new long[] {gpa, gpa + 6}, new long[] {6, 2}, 1, 1);
        rig.kick(INFLATE);
        rig.settle();

        assertEquals(List.of(rig.range(4, 1)), rig.reclaimer.takeDiscards());
        assertEquals(Map.of(BalloonCounter.PARTIAL_PAGE_NUMBERS, 1L), rig.anomalies());
    }

    @Test
    void anIncompleteNumberDoesNotRunOnIntoTheNextRequest() {
        BalloonRig rig = new BalloonRig().start();
        long odd = rig.write(rig.data(4), -1);
        rig.offer(INFLATE, odd, 7, false);
        rig.offer(INFLATE, rig.data(6));

        rig.kick(INFLATE);
        rig.settle();

        assertEquals(2, rig.reap(INFLATE));
        assertEquals(List.of(rig.range(4, 1), rig.range(6, 1)), rig.reclaimer.takeDiscards());
        assertEquals(Map.of(BalloonCounter.PARTIAL_PAGE_NUMBERS, 1L), rig.anomalies());
    }

    @Test
    void aLongElementIsReadInPiecesWithoutAGap() {
        BalloonRig rig = new BalloonRig(BalloonOptions.DEFAULT.withWorkBudget(1 << 16)).start();
        int[] pfns = new int[5000];
        Arrays.setAll(pfns, i -> i % 2 == 0 ? rig.data(i / 2 % 380) : rig.data(380 - i / 2 % 380));
        Arrays.fill(pfns, 4900, 5000, rig.data(400));

        rig.inflate(pfns);

        assertEquals(List.of(rig.range(0, 381), rig.range(400, 1)), rig.reclaimer.takeDiscards());
        assertEquals(5000 - 382, rig.counter(BalloonCounter.PAGES_INFLATED_TWICE));
    }
}
