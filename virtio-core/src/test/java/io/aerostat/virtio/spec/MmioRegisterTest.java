package io.aerostat.virtio.spec;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The MMIO register map as literal numbers of VIRTIO 1.4, 4.2.2. */
final class MmioRegisterTest {
    @ParameterizedTest
    @CsvSource({
        "0x000, MAGIC_VALUE, READ",
        "0x004, VERSION, READ",
        "0x008, DEVICE_ID, READ",
        "0x00c, VENDOR_ID, READ",
        "0x010, DEVICE_FEATURES, READ",
        "0x014, DEVICE_FEATURES_SEL, WRITE",
        "0x020, DRIVER_FEATURES, WRITE",
        "0x024, DRIVER_FEATURES_SEL, WRITE",
        "0x030, QUEUE_SEL, WRITE",
        "0x034, QUEUE_SIZE_MAX, READ",
        "0x038, QUEUE_SIZE, WRITE",
        "0x044, QUEUE_READY, READ_WRITE",
        "0x050, QUEUE_NOTIFY, WRITE",
        "0x060, INTERRUPT_STATUS, READ",
        "0x064, INTERRUPT_ACK, WRITE",
        "0x070, STATUS, READ_WRITE",
        "0x080, QUEUE_DESC_LOW, WRITE",
        "0x084, QUEUE_DESC_HIGH, WRITE",
        "0x090, QUEUE_DRIVER_LOW, WRITE",
        "0x094, QUEUE_DRIVER_HIGH, WRITE",
        "0x0a0, QUEUE_DEVICE_LOW, WRITE",
        "0x0a4, QUEUE_DEVICE_HIGH, WRITE",
        "0x0ac, SHM_SEL, WRITE",
        "0x0b0, SHM_LEN_LOW, READ",
        "0x0b4, SHM_LEN_HIGH, READ",
        "0x0b8, SHM_BASE_LOW, READ",
        "0x0bc, SHM_BASE_HIGH, READ",
        "0x0fc, CONFIG_GENERATION, READ"
    })
    void registersLieWhereTheStandardPutsThem(
            String offset, MmioRegister register, MmioRegister.Access access) {
        assertEquals(Integer.decode(offset), register.offset());
        assertEquals(access, register.access());
        assertEquals(register, MmioRegister.at(Integer.decode(offset)));
    }

    /** All that the table above lists; QueueReset (0x0c0) comes with RING_RESET only. */
    @Test
    void thereAreNoOtherRegisters() {
        assertEquals(28, MmioRegister.values().length);
    }

    @Test
    void answersARegisterAtItsOwnOffsetOnly() {
        int found = 0;

        for (int offset = -0x400; offset < 0x400; offset++) {
            MmioRegister register = MmioRegister.at(offset);
            found += register != null && register.offset() == offset ? 1 : 0;
            found += register != null && register.offset() != offset ? 1000 : 0;
        }

        assertEquals(28, found);
    }

    @ParameterizedTest
    @ValueSource(
            longs = {
                Long.MIN_VALUE,
                Long.MAX_VALUE,
                -1,
                -4,
                0x100,
                0x104,
                0x1_0000_0000L,
                0x1_0000_0004L,
                0x8000_0000L,
                0x0c0,
                0x001,
                0x0fe
            })
    void answersNothingWhereNoneIsDocumented(long offset) {
        assertNull(MmioRegister.at(offset));
    }

    @Test
    void identityValuesAreThoseOfTheStandard() {
        assertEquals(0x74726976, MmioRegister.MAGIC);
        assertEquals(2, MmioRegister.MODERN_VERSION);
        assertEquals(0x100, MmioRegister.CONFIG_OFFSET);
    }
}
