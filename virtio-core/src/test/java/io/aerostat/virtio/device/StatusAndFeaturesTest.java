package io.aerostat.virtio.device;

import static io.aerostat.virtio.testkit.EchoMachine.DRIVER;
import static io.aerostat.virtio.testkit.EchoMachine.DRIVER_OK;
import static io.aerostat.virtio.testkit.EchoMachine.FEATURES_OK;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.aerostat.virtio.spec.Feature;
import io.aerostat.virtio.testkit.EchoDevice;
import io.aerostat.virtio.testkit.EchoMachine;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.util.List;

/** The status field and what may be negotiated (VIRTIO 1.4, 2.1, 2.2, 3.1.1). */
final class StatusAndFeaturesTest {
    private static final int VERSION_1_BIT = 32;

    private final EchoMachine machine = new EchoMachine();
    private final DeviceController controller = machine.controller();

    private static void accept(DeviceController controller, long features) {
        controller.acceptFeatures(0, (int) features);
        controller.acceptFeatures(1, (int) (features >>> 32));
    }

    private int statusAfterFeaturesOk(long features) {
        accept(controller, features);
        controller.writeStatus(FEATURES_OK);
        return controller.status();
    }

    @Test
    @DisplayName("STATUS-DESC-01: status is 0 from power-on")
    void statusIsZeroAtFirst() {
        assertEquals(0, controller.status());
    }

    @Test
    void statusShowsEachStepOfAGoodDriver() {
        accept(controller, Feature.VERSION_1);

        controller.writeStatus(1);
        assertEquals(1, controller.status());
        controller.writeStatus(3);
        assertEquals(3, controller.status());
        controller.writeStatus(11);
        assertEquals(11, controller.status());
        controller.writeStatus(15);
        assertEquals(15, controller.status());
    }

    @Test
    void statusBitsAreNotTurnedOffButByZero() {
        accept(controller, Feature.VERSION_1);
        controller.writeStatus(FEATURES_OK);

        controller.writeStatus(128);

        assertEquals(FEATURES_OK | 128, controller.status());
    }

    @ParameterizedTest
    @ValueSource(ints = {16, 32, 64, 0x100, Integer.MIN_VALUE})
    void statusBitsThatAreNotTheDriversStayOff(int bit) {
        controller.writeStatus(DRIVER | bit);

        assertEquals(DRIVER, controller.status());
    }

    @Test
    void statusIsNotResetByAWriteOfForeignBits() {
        controller.writeStatus(DRIVER);

        controller.writeStatus(64);

        assertEquals(DRIVER, controller.status());
    }

    @Test
    @DisplayName("FEAT-DEV-02: every valid subset of the offer is agreed to")
    void agreesToEverySubsetWithVersion1() {
        for (long features = 0; features < 1L << 33; features = nextSubset(features)) {
            controller.reset();

            int status = statusAfterFeaturesOk(features | Feature.VERSION_1);

            assertEquals(FEATURES_OK, status, "features=0x" + Long.toHexString(features));
        }
    }

    private static long nextSubset(long features) {
        long others = EchoDevice.OFFERED & ~Feature.VERSION_1;
        return features == others ? 1L << 33 : (features - others) & others;
    }

    @Test
    void agreesToNothingThatIsNotOffered() {
        for (int bit = 0; bit < 64; bit++) {
            controller.reset();
            boolean offered = (EchoDevice.OFFERED >>> bit & 1) != 0;

            int status = statusAfterFeaturesOk(1L << bit | Feature.VERSION_1);

            assertEquals(offered ? FEATURES_OK : DRIVER, status, "bit=" + bit);
        }
    }

    @Test
    void agreesToNothingWithoutVersion1() {
        assertEquals(DRIVER, statusAfterFeaturesOk(EchoDevice.OFFERED & ~Feature.VERSION_1));
    }

    @ParameterizedTest
    @ValueSource(ints = {2, 3, 4, 1000, -1, Integer.MIN_VALUE})
    void agreesToNoBitOfAFurtherWord(int word) {
        controller.acceptFeatures(word, 1);

        assertEquals(DRIVER, statusAfterFeaturesOk(Feature.VERSION_1));
    }

    @ParameterizedTest
    @ValueSource(ints = {2, 3, -1})
    void takesZeroForAFurtherWord(int word) {
        controller.acceptFeatures(word, 0);

        assertEquals(FEATURES_OK, statusAfterFeaturesOk(Feature.VERSION_1));
    }

    @Test
    @DisplayName("FEAT-DEV-03: FEATURES_OK stays off for a set that the device cannot work with")
    void leavesFeaturesOkOffWhenTheDeviceRefuses() {
        EchoMachine picky = new EchoMachine(echo -> echo.refusing(EchoDevice.SPARE));
        accept(picky.controller(), Feature.VERSION_1 | EchoDevice.SPARE);

        picky.controller().writeStatus(FEATURES_OK);

        assertEquals(DRIVER, picky.controller().status());
    }

    @Test
    void takesACorrectedSetAfterARefusedOne() {
        assertEquals(DRIVER, statusAfterFeaturesOk(1L << 63 | Feature.VERSION_1));

        assertEquals(FEATURES_OK, statusAfterFeaturesOk(Feature.VERSION_1));
    }

    @Test
    @DisplayName("FEAT-DEV-05: what was agreed to once is agreed to again after a reset")
    void agreesAgainAfterEveryReset() {
        for (int i = 0; i < 100; i++) {
            assertEquals(FEATURES_OK, statusAfterFeaturesOk(EchoDevice.OFFERED));

            controller.writeStatus(0);
        }
    }

    @Test
    @DisplayName("FEAT-DESC-01: a negotiated set is replaced by a reset alone")
    void ignoresFeaturesAfterFeaturesOk() {
        accept(controller, Feature.VERSION_1 | EchoDevice.SPARE);
        controller.writeStatus(FEATURES_OK);

        accept(controller, Feature.VERSION_1);
        controller.writeStatus(DRIVER_OK);

        assertEquals(List.of("attached", "activate 0x100000002"), machine.echo.told());
    }

    @Test
    void forgetsAcceptedFeaturesAtReset() {
        accept(controller, EchoDevice.OFFERED);

        controller.writeStatus(0);

        assertEquals(0, controller.driverFeatures());
    }

    @Test
    void forgetsAFurtherWordAtReset() {
        controller.acceptFeatures(2, 1);

        controller.writeStatus(0);

        assertEquals(FEATURES_OK, statusAfterFeaturesOk(Feature.VERSION_1));
    }

    @Test
    void driverOkStaysOffWithoutFeaturesOk() {
        accept(controller, Feature.VERSION_1);

        controller.writeStatus(7);

        assertEquals(DRIVER, controller.status());
        assertEquals(List.of("attached"), machine.echo.told());
    }

    @Test
    void driverOkStaysOffWhenItComesWithARefusedSet() {
        controller.writeStatus(DRIVER_OK);

        assertEquals(DRIVER, controller.status());
        assertEquals(List.of("attached"), machine.echo.told());
    }

    @Test
    void activatesOnceHoweverOftenDriverOkIsWritten() {
        accept(controller, Feature.VERSION_1);
        controller.writeStatus(DRIVER_OK);

        controller.writeStatus(DRIVER_OK);
        controller.writeStatus(DRIVER_OK | 128);

        assertEquals(List.of("attached", "activate 0x100000000"), machine.echo.told());
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 3, 11, 15})
    @DisplayName("CFG-DEV-01, CFG-DEV-02, INIT-DRV-09: fields are readable in every state")
    void showsTheConfigurationInEveryState(int status) {
        machine.echo.config().set(0, 0x1234_5678);
        machine.echo.config().set(12, 0x9abc);

        accept(controller, Feature.VERSION_1);
        controller.writeStatus(status);

        assertEquals(0x1234_5678, controller.readConfig(0, 4));
        assertEquals(0x9abc, controller.readConfig(12, 4));
    }

    @ParameterizedTest
    @ValueSource(longs = {0, Feature.EVENT_IDX, ~Feature.VERSION_1})
    void refusesADeviceWithoutVersion1(long features) {
        assertThrows(
                IllegalArgumentException.class,
                () -> new EchoMachine(echo -> echo.offering(features)));
    }

    @Test
    void refusesADeviceOfSixtyFourQueues() {
        assertThrows(
                IllegalArgumentException.class,
                () -> new EchoMachine(echo -> echo.withQueues(64, 2)));
    }

    @Test
    void offersWhatTheDeviceOffers() {
        assertEquals(EchoDevice.OFFERED, controller.offeredFeatures());
        assertEquals(1L << VERSION_1_BIT, Feature.VERSION_1);
    }
}
