package io.aerostat.guest.balloon;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.aerostat.guest.balloon.BalloonDriver.State;
import io.aerostat.guest.page.BuddyAllocator;
import io.aerostat.guest.workload.PageWorkload;
import io.aerostat.virtio.driver.HandshakeFailure;
import io.aerostat.virtio.spec.MmioRegister;
import io.aerostat.virtio.testkit.GuestRam;

import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import java.util.List;

/** What went wrong once. */
final class BalloonRegressionTest {

    @ParameterizedTest
    @CsvSource({"100, 16", "3, 2", "-1, 16", "-2147483648, 16"})
    @DisplayName("MMIO-DRV-16: rounds a maximum that is no power of two down")
    void takesAPowerOfTwoOfWhateverTheDeviceHas(int deviceSize, int expected) {
        BalloonRig rig = new BalloonRig();
        rig.bus.falsify(
                MmioRegister.QUEUE_SIZE_MAX, max -> max == 0 ? 0 : deviceSize & 0xFFFF_FFFFL);

        HandshakeFailure failure = rig.driver.start();

        assertNull(failure);
        assertEquals(expected, rig.device.place(ScriptedBalloon.INFLATE).size());
    }

    @Test
    @DisplayName("BALLOON-DRV-14: actual is written after a reset took all pages back")
    void tellsADeviceThatRemembersActualThatTheBalloonIsEmpty() {
        BalloonRig rig = new BalloonRig();
        rig.device.keepsActualOverReset = true;
        rig.inflatedTo(300);
        rig.device.needReset();
        rig.step();
        rig.device.targetSilently(0);

        rig.waitForRetry();
        rig.settle();

        assertEquals(State.RUNNING, rig.driver.state());
        assertEquals(0, rig.device.actual());
    }

    @Test
    void isNotOutOfPagesWhileItHasNoDevice() {
        BalloonRig rig = new BalloonRig().started();
        rig.device.target(BalloonRig.RAM_PAGES);
        rig.settle();

        rig.device.needReset();
        rig.step();

        assertFalse(rig.driver.isOutOfPages());
    }

    @Test
    void countsGoingDownAsWork() {
        BalloonRig rig = new BalloonRig().started();
        rig.driver.remove();

        int work = rig.step();

        assertEquals(State.DOWN, rig.driver.state());
        assertNotEquals(0, work);
    }

    @Test
    @DisplayName("INIT-DRV-04: the feature registers are left alone after FEATURES_OK")
    void readsFeaturesBeforeFeaturesOkOnly() {
        BalloonRig rig = new BalloonRig();

        rig.driver.start();

        List<RegisterLog.Access> log = rig.bus.accesses();
        int featuresOk = rig.bus.indexOfStore(MmioRegister.STATUS, 11);
        assertTrue(
                log.subList(featuresOk, log.size()).stream()
                        .noneMatch(
                                access ->
                                        access.offset() == MmioRegister.DEVICE_FEATURES.offset()));
    }

    @ParameterizedTest
    @ValueSource(ints = {0, -1})
    @Timeout(value = 5, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
    void refusesRunsOfNoPages(int runPages) {
        GuestRam ram = GuestRam.of(GuestRam.Kind.BYTE_ARRAY, 16 * GuestRam.PAGE);
        PageWorkload workload =
                new PageWorkload(ram.memory(), new BuddyAllocator(ram.base() >>> 12, 16), 1);
        workload.grow(8);

        Assertions.assertThrows(IllegalArgumentException.class, () -> workload.shrink(4, runPages));
    }
}
