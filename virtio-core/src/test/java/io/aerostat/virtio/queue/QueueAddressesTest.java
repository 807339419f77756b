package io.aerostat.virtio.queue;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.aerostat.virtio.memory.GuestMemory;
import io.aerostat.virtio.testkit.GuestRam;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** RAM is 0x10000 to 0x50000. */
final class QueueAddressesTest {
    private final GuestMemory memory = GuestRam.of(GuestRam.Kind.BYTE_ARRAY, 0x40000).memory();

    @ParameterizedTest
    @DisplayName("judges what a driver chose (SPLIT-DESC-01, SPLIT-DRV-01 to 03)")
    @CsvSource(
            nullValues = "null",
            value = {
                "4, 0x10000, 0x10040, 0x10050, null",
                "1, 0x10000, 0x10010, 0x10018, null",
                "4, 0x10000, 0x20002, 0x30004, null",
                "0, 0x10000, 0x10040, 0x10050, SIZE_INVALID",
                "3, 0x10000, 0x10040, 0x10050, SIZE_INVALID",
                "-4, 0x10000, 0x10040, 0x10050, SIZE_INVALID",
                "-0x80000000, 0x10000, 0x10040, 0x10050, SIZE_INVALID",
                "65536, 0x10000, 0x10040, 0x10050, SIZE_INVALID",
                "4, 0x10008, 0x10040, 0x10050, RING_MISALIGNED",
                "4, 0x10001, 0x10040, 0x10050, RING_MISALIGNED",
                "4, 0x10000, 0x10041, 0x10050, RING_MISALIGNED",
                "4, 0x10000, 0x10040, 0x10052, RING_MISALIGNED",
                "4, 0x10000, 0x10040, 0x10051, RING_MISALIGNED",
                "4, -1, 0x10040, 0x10050, RING_MISALIGNED",
                "4, 0xfff0, 0x10040, 0x10050, RING_OUTSIDE_RAM",
                "4, 0x4ffc0, 0x10040, 0x10050, null",
                "4, 0x4ffd0, 0x10040, 0x10050, RING_OUTSIDE_RAM",
                "4, 0x10000, 0x4fff2, 0x10050, null",
                "4, 0x10000, 0x4fff4, 0x10050, RING_OUTSIDE_RAM",
                "4, 0x10000, 0x10040, 0x4ffd8, null",
                "4, 0x10000, 0x10040, 0x4ffdc, RING_OUTSIDE_RAM",
                "4, 0x10000, 0x10040, 0, RING_OUTSIDE_RAM",
                "4, -0x10, 0x10040, 0x10050, RING_OUTSIDE_RAM",
                "4, 0x10000, 0x7ffffffffffffffe, 0x10050, RING_OUTSIDE_RAM",
                "4, 0x10000, 0x10040, -0x8000000000000000, RING_OUTSIDE_RAM",
                "32768, 0x10000, 0x10000, 0x10000, RING_OUTSIDE_RAM"
            })
    void judges(String size, String table, String available, String used, QueueFault fault) {
        QueueAddresses addresses =
                new QueueAddresses(
                        Integer.decode(size),
                        Long.decode(table),
                        Long.decode(available),
                        Long.decode(used));

        assertEquals(fault, addresses.faultIn(memory));
    }

    @ParameterizedTest
    @CsvSource({
        "1, 0x10000, 0x10010, 0x10018, 38",
        "4, 0x10000, 0x10040, 0x10050, 118",
        "256, 0x10000, 0x11000, 0x11208, 6670",
        "32768, 0x10000, 0x90000, 0xa0008, 851982"
    })
    void placesThePartsInABlock(int size, String gpa, String available, String used, long bytes) {
        QueueAddresses expected =
                new QueueAddresses(
                        size, Long.decode(gpa), Long.decode(available), Long.decode(used));

        assertEquals(expected, QueueAddresses.inBlock(size, Long.decode(gpa)));
        assertEquals(bytes, QueueAddresses.blockBytes(size));
    }
}
