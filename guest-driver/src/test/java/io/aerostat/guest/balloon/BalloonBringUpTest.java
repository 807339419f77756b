package io.aerostat.guest.balloon;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.aerostat.virtio.spec.DescriptorLayout;
import io.aerostat.virtio.spec.Feature;
import io.aerostat.virtio.spec.MmioRegister;
import io.aerostat.virtio.spec.UsedRingLayout;
import io.aerostat.virtio.spec.balloon.BalloonFeature;
import io.aerostat.virtio.spec.balloon.QueueNumbering;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

import java.util.List;

/** The order in which the device is brought up, seen from the bus. */
final class BalloonBringUpTest {
    private static final long EVERY_BALLOON_BIT =
            BalloonFeature.MUST_TELL_HOST
                    | BalloonFeature.STATS_VQ
                    | BalloonFeature.DEFLATE_ON_OOM
                    | BalloonFeature.FREE_PAGE_HINT
                    | BalloonFeature.PAGE_POISON
                    | BalloonFeature.PAGE_REPORTING;

    private static BalloonRig offering(long features, int configBytes) {
        return new BalloonRig(BalloonRig.OPTIONS, features, configBytes);
    }

    private static int firstStoreFrom(BalloonRig rig, MmioRegister first, MmioRegister last) {
        List<RegisterLog.Access> log = rig.bus.accesses();
        for (int i = 0; i < log.size(); i++) {
            long offset = log.get(i).offset();
            if (log.get(i).isStore() && offset >= first.offset() && offset <= last.offset()) {
                return i;
            }
        }
        return -1;
    }

    @Test
    @DisplayName("STATUS-DRV-01, -02, INIT-DRV-01, -02, -03, -05, -08: the order of status bits")
    void setsTheStatusBitsInOrder() {
        BalloonRig rig = new BalloonRig();

        rig.driver.start();

        assertEquals(List.of(0L, 1L, 3L, 11L, 15L), rig.bus.stores(MmioRegister.STATUS));
    }

    @Test
    @DisplayName("INIT-DRV-04, -11: features are accepted between DRIVER and FEATURES_OK only")
    void acceptsFeaturesBetweenDriverAndFeaturesOk() {
        BalloonRig rig = new BalloonRig();

        rig.driver.start();

        List<RegisterLog.Access> log = rig.bus.accesses();
        int driver = rig.bus.indexOfStore(MmioRegister.STATUS, 3);
        int featuresOk = rig.bus.indexOfStore(MmioRegister.STATUS, 11);
        for (int i = 0; i < log.size(); i++) {
            boolean accepts =
                    log.get(i).isStore()
                            && log.get(i).offset() == MmioRegister.DRIVER_FEATURES.offset();
            assertTrue(!accepts || (i > driver && i < featuresOk), "access " + i);
        }
    }

    @Test
    @DisplayName("INIT-DRV-06: FEATURES_OK is read back before queues are set up")
    void readsFeaturesOkBack() {
        BalloonRig rig = new BalloonRig();

        rig.driver.start();

        int featuresOk = rig.bus.indexOfStore(MmioRegister.STATUS, 11);
        RegisterLog.Access next = rig.bus.accesses().get(featuresOk + 1);
        assertEquals(new RegisterLog.Access(false, MmioRegister.STATUS.offset(), 11), next);
    }

    @Test
    @DisplayName("INIT-DRV-06: a driver whose features were refused sets up no queue")
    void stopsWhenFeaturesAreRefused() {
        BalloonRig rig = new BalloonRig();
        rig.device.refusesFeatures = true;

        rig.driver.start();

        assertEquals(-1, firstStoreFrom(rig, MmioRegister.QUEUE_SEL, MmioRegister.QUEUE_NOTIFY));
    }

    @Test
    @DisplayName("INIT-DRV-07, -08, BALLOON-DESC-06: both queues are ready before DRIVER_OK")
    void setsBothQueuesUpBeforeDriverOk() {
        BalloonRig rig = new BalloonRig();

        rig.driver.start();

        List<RegisterLog.Access> log = rig.bus.accesses();
        long ready =
                log
                        .subList(
                                rig.bus.indexOfStore(MmioRegister.STATUS, 11),
                                rig.bus.indexOfStore(MmioRegister.STATUS, 15))
                        .stream()
                        .filter(RegisterLog.Access::isStore)
                        .filter(access -> access.offset() == MmioRegister.QUEUE_READY.offset())
                        .count();
        assertEquals(2, ready);
        assertEquals(List.of(1L, 1L), rig.bus.stores(MmioRegister.QUEUE_READY));
    }

    @Test
    @DisplayName("INIT-DRV-14, -10: no kick and no configuration write before DRIVER_OK")
    void kicksNoQueueBeforeDriverOk() {
        BalloonRig rig = new BalloonRig();
        rig.device.target(300);

        rig.started();
        rig.settle();

        int driverOk = rig.bus.indexOfStore(MmioRegister.STATUS, 15);
        int kick = firstStoreFrom(rig, MmioRegister.QUEUE_NOTIFY, MmioRegister.QUEUE_NOTIFY);
        List<Long> configWritten =
                rig.bus.accesses().subList(0, driverOk).stream()
                        .filter(RegisterLog.Access::isStore)
                        .map(RegisterLog.Access::offset)
                        .filter(offset -> offset >= MmioRegister.CONFIG_OFFSET)
                        .toList();
        assertTrue(kick > driverOk, "kick at " + kick);
        assertEquals(List.of(), configWritten);
    }

    @Test
    @DisplayName("BALLOON-DRV-01, RSVD-DRV-01: takes MUST_TELL_HOST and VERSION_1")
    void takesWhatItKnows() {
        BalloonRig rig = new BalloonRig().started();

        long taken = rig.device.features;

        assertEquals(ScriptedBalloon.OFFER, taken);
    }

    @Test
    @DisplayName("FEAT-DRV-04..08, -11, BALLOON-DRV-02, -03: takes nothing that it doesn't know")
    void takesNothingThatItDoesNotKnow() {
        BalloonRig rig = offering(Feature.SUPPORTED_MASK | EVERY_BALLOON_BIT, 16);
        rig.bus.falsify(MmioRegister.DEVICE_FEATURES, word -> 0xFFFF_FFFFL);

        rig.started().inflatedTo(100);

        long ofTheBalloon =
                EVERY_BALLOON_BIT & ~(BalloonFeature.DEFLATE_ON_OOM | BalloonFeature.PAGE_POISON);
        assertEquals(Feature.SUPPORTED_MASK | ofTheBalloon, rig.device.features);
    }

    @Test
    @DisplayName("FEAT-DRV-01, -09: works with VERSION_1 alone")
    void worksWithoutAnyOtherFeature() {
        BalloonRig rig = offering(Feature.VERSION_1, 16).inflatedTo(300);

        rig.device.target(0);
        rig.settle();

        assertEquals(Feature.VERSION_1, rig.device.features);
        assertEquals(0, rig.device.actual());
    }

    @Test
    @DisplayName("CFG-DRV-06: a configuration space of 8 bytes is enough")
    void needsNoMoreThanTargetAndActual() {
        BalloonRig rig = offering(ScriptedBalloon.OFFER, 8).inflatedTo(300);

        long actual = rig.device.actual();

        assertEquals(300, actual);
    }

    @ParameterizedTest
    @ValueSource(ints = {16, 256})
    @DisplayName("CFG-DRV-04, -05, BALLOON-DESC-05: leaves the optional fields alone")
    void leavesOtherConfigurationFieldsAlone(int configBytes) {
        BalloonRig rig =
                new BalloonRig(
                        BalloonRig.OPTIONS.withFeatures(BalloonFeature.MUST_TELL_HOST),
                        Feature.VERSION_1 | EVERY_BALLOON_BIT,
                        configBytes);

        rig.inflatedTo(300);
        rig.driver.remove();
        rig.settle();

        assertEquals(
                List.of(),
                rig.bus.accesses().stream()
                        .filter(access -> access.offset() >= MmioRegister.CONFIG_OFFSET + 8)
                        .toList());
    }

    @ParameterizedTest
    @EnumSource
    @DisplayName("BALLOON-DESC-02: inflate is queue 0 and deflate queue 1, however queues count")
    void findsItsQueuesUnderEveryNumbering(QueueNumbering numbering) {
        BalloonRig rig =
                new BalloonRig(
                        BalloonRig.OPTIONS
                                .withNumbering(numbering)
                                .withFeatures(BalloonFeature.MUST_TELL_HOST),
                        Feature.VERSION_1 | EVERY_BALLOON_BIT,
                        16);

        rig.inflatedTo(300);
        rig.device.target(100);
        rig.settle();

        assertEquals(
                List.of(0L),
                rig.bus.stores(MmioRegister.QUEUE_NOTIFY).stream()
                        .filter(queue -> queue != 1)
                        .distinct()
                        .toList());
        assertEquals(100, rig.device.actual());
    }

    @Test
    @DisplayName("SPLIT-DRV-01, -02, -03: ring parts are aligned, and the queues apart")
    void placesTheRingsApartAndAligned() {
        BalloonRig rig = new BalloonRig().started();

        var inflate = rig.device.place(ScriptedBalloon.INFLATE);
        var deflate = rig.device.place(ScriptedBalloon.DEFLATE);

        assertEquals(0, inflate.descriptorTable() % DescriptorLayout.ALIGNMENT);
        assertEquals(0, inflate.availableRing() % 2);
        assertEquals(0, inflate.usedRing() % UsedRingLayout.ALIGNMENT);
        assertNotEquals(inflate.descriptorTable() >>> 12, deflate.descriptorTable() >>> 12);
    }

    @Test
    @DisplayName("SPLIT-DRV-23: rings start as zeros, whatever their memory held")
    void zeroesTheRingsBeforeTheDeviceSeesThem() {
        BalloonRig rig = new BalloonRig();
        rig.ram.fill(rig.ram.base(), rig.ram.length(), 0xA5);

        rig.inflatedTo(300);

        assertEquals(0, rig.driver.restarts());
        assertEquals(0, rig.device.ring(ScriptedBalloon.INFLATE).usedFlags());
    }

    @ParameterizedTest
    @CsvSource({"16, 4, 4", "128, 16, 10", "256, 9, 12"})
    void pinsTheSmallestBlocksThatHoldRingsAndBuffers(int size, int inFlight, int expected) {
        BalloonRig rig =
                new BalloonRig(
                        BalloonDriverOptions.DEFAULT.withRequests(
                                new BalloonDriverOptions.Requests(size, inFlight, 256)));
        rig.device.queueSizeMax = 256;

        rig.driver.start();

        assertEquals(expected, rig.driver.pinnedPages());
    }
}
