package io.aerostat.virtio.spec;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Status bits, feature bits, interrupt causes and ids as literal numbers of VIRTIO 1.4. */
final class NegotiationConstantsTest {
    private static final long VERSION_1 = 0x1_0000_0000L;

    @Test
    void statusBitsAreThoseOfTheStandard() {
        assertEquals(1, DeviceStatus.ACKNOWLEDGE_FLAG);
        assertEquals(2, DeviceStatus.DRIVER_FLAG);
        assertEquals(4, DeviceStatus.DRIVER_OK_FLAG);
        assertEquals(8, DeviceStatus.FEATURES_OK_FLAG);
        assertEquals(64, DeviceStatus.DEVICE_NEEDS_RESET_FLAG);
        assertEquals(128, DeviceStatus.FAILED_FLAG);
    }

    @Test
    void driverWritesAllStatusBitsButTheDevicesOwn() {
        assertEquals(1 + 2 + 4 + 8 + 128, DeviceStatus.DRIVER_WRITABLE_MASK);
    }

    @Test
    void featureBitsAreThoseOfTheStandard() {
        assertEquals(0x1000_0000L, Feature.INDIRECT_DESC);
        assertEquals(0x2000_0000L, Feature.EVENT_IDX);
        assertEquals(0x1_0000_0000L, Feature.VERSION_1);
    }

    @Test
    void nothingIsSupportedThatIsNotImplemented() {
        assertEquals(0x1_3000_0000L, Feature.SUPPORTED_MASK);
    }

    /** Bits 0 to 23, 42 and 50 to 63; bit 41 is ADMIN_VQ for every device. */
    @Test
    void deviceTypeBitsAreThoseOfTheStandard() {
        assertEquals(0xFFFC_0400_00FF_FFFFL, Feature.DEVICE_TYPE_MASK);
    }

    @Test
    void interruptCausesAreThoseOfTheStandard() {
        assertEquals(1, InterruptStatus.USED_BUFFER_FLAG);
        assertEquals(2, InterruptStatus.CONFIG_CHANGE_FLAG);
        assertEquals(3, InterruptStatus.DEFINED_MASK);
    }

    @Test
    void deviceIdsAreThoseOfTheStandard() {
        assertEquals(0, DeviceType.NONE);
        assertEquals(5, DeviceType.BALLOON);
    }

    @ParameterizedTest
    @DisplayName("only offered features, VERSION_1 among them, are a valid set")
    @CsvSource({
        // accepted, offered (hex), valid
        "100000000, 100000000, true",
        "100000000, 13000003f, true",
        "13000003f, 13000003f, true",
        "130000001, 13000003f, true",
        "0, 0, false",
        "0, 100000000, false",
        "30000000, 130000000, false",
        "100000000, 0, false",
        "110000000, 100000000, false",
        "100000001, 100000000, false",
        "8000000100000000, 100000000, false"
    })
    void judgesAcceptedFeatures(String accepted, String offered, boolean valid) {
        long features = Long.parseUnsignedLong(accepted, 16);

        boolean answer = Feature.isValidSubset(features, Long.parseUnsignedLong(offered, 16));

        assertEquals(valid, answer);
    }

    @Test
    void eachSingleBitThatWasNotOfferedIsRefused() {
        for (int bit = 0; bit < 64; bit++) {
            long features = VERSION_1 | 1L << bit;
            boolean valid = Feature.isValidSubset(features, VERSION_1);

            assertEquals(bit == 32, valid, "bit=" + bit);
        }
    }
}
