package io.aerostat.guest.balloon;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.aerostat.virtio.driver.HandshakeFailure;
import io.aerostat.virtio.spec.Feature;
import io.aerostat.virtio.spec.MmioRegister;
import io.aerostat.virtio.spec.balloon.BalloonFeature;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.StringJoiner;

/** The order in which the whole balloon is brought up, as literal registers and values. */
final class BalloonFullBringUpTest {
    private static final Map<Long, String> STORES =
            Map.of(
                    0x70L, "status",
                    0x30L, "queue",
                    0x44L, "ready",
                    0x50L, "kick",
                    0x104L, "actual",
                    0x10CL, "poison");

    /** What the driver writes, without queue addresses and features. */
    private static String story(BalloonRig rig) {
        StringJoiner story = new StringJoiner(" ");
        String last = "";
        for (RegisterLog.Access access : rig.bus.accesses()) {
            String name = access.isStore() ? STORES.get(access.offset()) : null;
            String said = name + "=" + access.value();
            // A queue is selected several times.
            if (name != null && !said.equals(last)) {
                story.add(said);
                last = said;
            }
        }
        return story.toString();
    }

    @Test
    @DisplayName("BALLOON-DESC-06, -07: the order of 5.5.5 with every feature")
    void bringsUpEverythingInTheOrderOfTheStandard() {
        BalloonRig rig = BalloonRig.filling(85, BalloonRig.EVERY_FEATURE);

        rig.driver.start();
        rig.step();

        assertEquals(
                "status=0 status=1 status=3 status=11"
                        + " queue=0 ready=1 queue=1 ready=1 queue=2 ready=1 queue=3 ready=1"
                        + " poison=85 queue=4 ready=1 status=15 kick=2 actual=0",
                story(rig));
        assertEquals(BalloonRig.EVERY_FEATURE, rig.driver.features() & 0xFF);
    }

    @ParameterizedTest
    @CsvSource({
        "0, queue=0 ready=1 queue=1 ready=1 status=15 actual=0",
        "2, queue=0 ready=1 queue=1 ready=1 queue=2 ready=1 status=15 kick=2 actual=0",
        "8, queue=0 ready=1 queue=1 ready=1 queue=2 ready=1 status=15 actual=0",
        "16, queue=0 ready=1 queue=1 ready=1 poison=85 status=15 actual=0",
        "48, queue=0 ready=1 queue=1 ready=1 poison=85 queue=2 ready=1 status=15 actual=0",
        "34, queue=0 ready=1 queue=1 ready=1 queue=2 ready=1 status=15 kick=2 actual=0",
        "10, queue=0 ready=1 queue=1 ready=1 queue=2 ready=1 queue=3 ready=1 status=15 kick=2"
                + " actual=0"
    })
    @DisplayName("BALLOON-DESC-06: what is not negotiated is not set up")
    void setsUpWhatIsNegotiated(long features, String after) {
        BalloonRig rig = BalloonRig.filling(85, features);

        rig.driver.start();
        rig.step();

        assertEquals("status=0 status=1 status=3 status=11 " + after, story(rig));
    }

    @Test
    @DisplayName("CFG-DRV-04: the hint field is read only if it exists")
    void readsTheHintFieldOnlyIfNegotiated() {
        List<Boolean> reads = new ArrayList<>();
        for (long features : new long[] {0, BalloonFeature.FREE_PAGE_HINT}) {
            BalloonRig rig = BalloonRig.with(features).started();
            rig.device.target(5);
            rig.settle();
            reads.add(rig.bus.accesses().stream().anyMatch(access -> access.offset() == 0x108));
        }

        assertEquals(List.of(false, true), reads);
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2, 3, 4})
    void failsIfTheQueueOfANegotiatedFeatureIsMissing(int queue) {
        BalloonRig rig = BalloonRig.without(BalloonFeature.PAGE_POISON);
        rig.device.missingQueue = queue;

        HandshakeFailure failure = rig.driver.start();

        assertEquals(HandshakeFailure.QUEUE_MISSING, failure);
        assertEquals(BalloonRig.RAM_PAGES, rig.pages.freePages());
        List<Long> status = rig.bus.stores(MmioRegister.STATUS);
        assertEquals(List.of(0L, 1L, 3L, 11L, 139L), status.subList(0, 5));
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2, 3, 4, 5, 6})
    void leavesNothingBehindWithoutMemory(int allocations) {
        BalloonRig rig = BalloonRig.without(BalloonFeature.PAGE_POISON);
        rig.pressure.refuseAfter(allocations);

        HandshakeFailure failure = rig.driver.start();

        assertEquals(HandshakeFailure.NO_MEMORY, failure);
        assertEquals(BalloonRig.RAM_PAGES, rig.pages.freePages());
        assertEquals(0, rig.driver.pinnedPages());
    }

    @Test
    void freesAllThatItPinned() {
        BalloonRig rig =
                new BalloonRig(
                        BalloonRig.OPTIONS,
                        ScriptedBalloon.OFFER | Feature.INDIRECT_DESC | BalloonRig.EVERY_FEATURE,
                        16);
        rig.started();
        long pinned = rig.driver.pinnedPages();

        rig.driver.remove();
        rig.settle();

        assertTrue(pinned > 4, "pinned=" + pinned);
        assertEquals(BalloonRig.RAM_PAGES, rig.pages.freePages());
    }
}
