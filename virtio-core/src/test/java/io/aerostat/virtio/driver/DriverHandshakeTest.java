package io.aerostat.virtio.driver;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.aerostat.virtio.queue.QueueAddresses;
import io.aerostat.virtio.spec.Feature;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import java.util.List;

/** The steps of bringing a device up (VIRTIO 1.4, 3.1.1), and where they may end. */
final class DriverHandshakeTest {
    private static final int DEVICE_ID = 42;
    private static final long KNOWN = Feature.VERSION_1 | Feature.EVENT_IDX | 1;
    private static final QueueAddresses PLACE = QueueAddresses.inBlock(8, 0x1000);

    private final ScriptedTransport device = new ScriptedTransport();
    private final DriverHandshake handshake = new DriverHandshake(device);

    private HandshakeFailure negotiate() {
        return handshake.negotiate(DEVICE_ID, KNOWN, 0);
    }

    private HandshakeFailure bringUp() {
        HandshakeFailure failure = negotiate();
        if (failure == null) {
            failure = handshake.enableQueue(0, PLACE);
        }
        return failure != null ? failure : handshake.finish();
    }

    @Test
    @DisplayName("INIT-DRV-01 to INIT-DRV-08, STATUS-DRV-01: the steps come in order")
    void goesStepByStep() {
        HandshakeFailure failure = bringUp();

        assertNull(failure);
        assertEquals(
                List.of(
                        "probe 42",
                        "reset",
                        "status 1",
                        "status 3",
                        "offer?",
                        "features 0x120000001",
                        "status 11",
                        "status? 11",
                        "enabled? 0",
                        "sizeMax? 0",
                        "enable 0",
                        "status 15",
                        "status? 15"),
                device.steps());
    }

    @Test
    @DisplayName("STATUS-DRV-02: no status bit is ever turned off by a write")
    void addsToWhatTheStatusFieldSays() {
        device.foreignStatus = 0x20;

        bringUp();

        assertEquals(List.of(0x21, 0x23, 0x2b, 0x2f), device.statusWrites);
    }

    @Test
    @DisplayName("FEAT-DRV-01, FEAT-DRV-09: takes what is offered, and does without the rest")
    void takesNothingThatIsNotOffered() {
        device.offered = Feature.VERSION_1 | 1;

        HandshakeFailure failure = negotiate();

        assertNull(failure);
        assertEquals(Feature.VERSION_1 | 1, device.accepted);
        assertEquals(Feature.VERSION_1 | 1, handshake.features());
    }

    @Test
    @DisplayName("FEAT-DRV-04 to FEAT-DRV-08, FEAT-DRV-11: takes nothing that it does not know")
    void takesNothingThatItDoesNotKnow() {
        device.offered = -1;

        HandshakeFailure failure = negotiate();

        assertNull(failure);
        assertEquals(KNOWN, device.accepted);
    }

    @Test
    void takesVersion1ThoughTheCallerForgotIt() {
        HandshakeFailure failure = handshake.negotiate(DEVICE_ID, 0, 0);

        assertNull(failure);
        assertEquals(Feature.VERSION_1, handshake.features());
    }

    @Test
    void takesWhatIsRequiredThoughItIsNotSaidToBeKnown() {
        HandshakeFailure failure = handshake.negotiate(DEVICE_ID, 0, Feature.EVENT_IDX);

        assertNull(failure);
        assertEquals(Feature.VERSION_1 | Feature.EVENT_IDX, handshake.features());
    }

    @ParameterizedTest
    @EnumSource(
            value = HandshakeFailure.class,
            names = {"NOT_VIRTIO", "VERSION_UNKNOWN", "NO_DEVICE", "OTHER_DEVICE"})
    void leavesAloneWhatIsNotItsDevice(HandshakeFailure found) {
        device.absent = found;

        HandshakeFailure failure = negotiate();

        assertEquals(found, failure);
        assertEquals(List.of("probe 42"), device.steps());
    }

    @Test
    @DisplayName("FEAT-DRV-10, INIT-DRV-12, INIT-DRV-13: FAILED, and no further, without a feature")
    void failsWithoutARequiredFeature() {
        device.offered = Feature.VERSION_1 | 1;

        HandshakeFailure failure = handshake.negotiate(DEVICE_ID, KNOWN, Feature.EVENT_IDX);

        assertEquals(HandshakeFailure.FEATURE_MISSING, failure);
        assertEquals(
                List.of("probe 42", "reset", "status 1", "status 3", "offer?", "status 131"),
                device.steps());
    }

    @Test
    void failsWithoutVersion1() {
        device.offered = Feature.EVENT_IDX | 1;

        HandshakeFailure failure = negotiate();

        assertEquals(HandshakeFailure.FEATURE_MISSING, failure);
    }

    @Test
    @DisplayName("INIT-DRV-06, INIT-DRV-12, INIT-DRV-13: FAILED when FEATURES_OK does not stay on")
    void failsWhenTheDeviceRefusesTheFeatures() {
        device.refusesFeatures = true;

        HandshakeFailure failure = negotiate();

        assertEquals(HandshakeFailure.FEATURES_REFUSED, failure);
        assertEquals(List.of("status 11", "status? 3", "status 131"), device.steps().subList(6, 9));
        assertEquals(9, device.steps().size());
        assertEquals(0, handshake.features());
    }

    @Test
    @DisplayName("MMIO-DESC-14: a queue in use is not set up")
    void failsWhenAQueueIsInUse() {
        device.queueEnabled = true;

        HandshakeFailure failure = bringUp();

        assertEquals(HandshakeFailure.QUEUE_IN_USE, failure);
        assertFalse(device.steps().contains("enable 0"));
        assertTrue(device.isFailed());
    }

    @Test
    @DisplayName("MMIO-DRV-16: no queue is set up larger than the device allows")
    void failsWhenAQueueIsTooSmall() {
        device.queueSizeMax = 4;

        HandshakeFailure failure = bringUp();

        assertEquals(HandshakeFailure.QUEUE_MISSING, failure);
        assertFalse(device.steps().contains("enable 0"));
        assertTrue(device.isFailed());
    }

    @Test
    void failsWhenAQueueDoesNotExist() {
        device.queueSizeMax = 0;

        HandshakeFailure failure = bringUp();

        assertEquals(HandshakeFailure.QUEUE_MISSING, failure);
    }

    @Test
    void failsWhenTheDeviceNeedsResetAtDriverOk() {
        device.breaksAtDriverOk = true;

        HandshakeFailure failure = bringUp();

        assertEquals(HandshakeFailure.NEEDS_RESET, failure);
        assertTrue(device.isFailed());
    }

    @Test
    void failsForAReasonOfTheDrivers() {
        negotiate();

        HandshakeFailure failure = handshake.fail(HandshakeFailure.NO_MEMORY);

        assertEquals(HandshakeFailure.NO_MEMORY, failure);
        assertEquals(11 | 128, device.status());
    }

    @Test
    void leavesAloneADeviceThatDoesNotFinishItsReset() {
        device.neverResets = true;

        HandshakeFailure failure = negotiate();

        assertEquals(HandshakeFailure.RESET_UNFINISHED, failure);
        assertEquals(List.of(), device.statusWrites);
        assertEquals(0, handshake.features());
    }

    @Test
    @DisplayName("STATUS-DRV-03: after FAILED the next attempt begins with a reset")
    void startsAgainWithAReset() {
        device.refusesFeatures = true;
        negotiate();
        device.refusesFeatures = false;
        device.clear();

        HandshakeFailure failure = bringUp();

        assertNull(failure);
        assertEquals(List.of("probe 42", "reset", "status 1"), device.steps().subList(0, 3));
        assertEquals(15, device.status());
    }

    @Test
    void forgetsTheFeaturesWhenItIsStartedAgain() {
        negotiate();
        device.refusesFeatures = true;

        negotiate();

        assertEquals(0, handshake.features());
    }

    @Test
    void passesOnHowLargeAQueueMayBe() {
        device.queueSizeMax = 256;

        assertEquals(256, handshake.queueSizeMax(3));
    }

    @ParameterizedTest
    @EnumSource(HandshakeFailure.class)
    void everyFailureSaysWhatHappened(HandshakeFailure failure) {
        assertFalse(failure.description().isBlank());
    }
}
