package io.aerostat.virtio.spec;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Every offset, size and flag of the split ring as a literal number of VIRTIO 1.4, 2.7. */
final class RingLayoutTest {
    @ParameterizedTest
    @DisplayName("parts have the sizes of the standard (SPLIT-DESC-02)")
    @CsvSource({
        "1, 16, 8, 14",
        "4, 64, 14, 38",
        "128, 2048, 262, 1030",
        "256, 4096, 518, 2054",
        "1024, 16384, 2054, 8198",
        "32768, 524288, 65542, 262150"
    })
    void partsHaveTheSizesOfTheStandard(int size, int descriptors, int available, int used) {
        assertEquals(descriptors, DescriptorLayout.offset(size));
        assertEquals(available, AvailableRingLayout.length(size));
        assertEquals(used, UsedRingLayout.length(size));
    }

    @ParameterizedTest
    @DisplayName("event words follow the last entry (SPLIT-DESC-11)")
    @CsvSource({
        "1, 6, 12",
        "4, 12, 36",
        "128, 260, 1028",
        "256, 516, 2052",
        "1024, 2052, 8196",
        "32768, 65540, 262148"
    })
    void eventWordsFollowTheLastEntry(int size, int usedEvent, int availEvent) {
        assertEquals(usedEvent, AvailableRingLayout.usedEventOffset(size));
        assertEquals(availEvent, UsedRingLayout.availEventOffset(size));
    }

    @Test
    void descriptorFieldsLieWhereTheStandardPutsThem() {
        assertEquals(0, DescriptorLayout.ADDRESS_OFFSET);
        assertEquals(8, DescriptorLayout.LENGTH_OFFSET);
        assertEquals(12, DescriptorLayout.FLAGS_OFFSET);
        assertEquals(14, DescriptorLayout.NEXT_OFFSET);
        assertEquals(16, DescriptorLayout.LENGTH);
    }

    @Test
    void descriptorFlagsAreThoseOfTheStandard() {
        assertEquals(1, DescriptorLayout.NEXT_FLAG);
        assertEquals(2, DescriptorLayout.WRITE_FLAG);
        assertEquals(4, DescriptorLayout.INDIRECT_FLAG);
    }

    @Test
    void descriptorsAreSixteenBytesApart() {
        assertEquals(0, DescriptorLayout.offset(0));
        assertEquals(16, DescriptorLayout.offset(1));
        assertEquals(524272, DescriptorLayout.offset(32767));
    }

    @Test
    void offsetOfTheLargestDescriptorIndexDoesNotOverflow() {
        assertEquals(34359738352L, DescriptorLayout.offset(Integer.MAX_VALUE));
    }

    @Test
    void availableRingFieldsLieWhereTheStandardPutsThem() {
        assertEquals(0, AvailableRingLayout.FLAGS_OFFSET);
        assertEquals(2, AvailableRingLayout.IDX_OFFSET);
        assertEquals(4, AvailableRingLayout.RING_OFFSET);
        assertEquals(4, AvailableRingLayout.entryOffset(0));
        assertEquals(6, AvailableRingLayout.entryOffset(1));
        assertEquals(65538, AvailableRingLayout.entryOffset(32767));
    }

    @Test
    void usedRingFieldsLieWhereTheStandardPutsThem() {
        assertEquals(0, UsedRingLayout.FLAGS_OFFSET);
        assertEquals(2, UsedRingLayout.IDX_OFFSET);
        assertEquals(4, UsedRingLayout.RING_OFFSET);
        assertEquals(4, UsedRingLayout.elementOffset(0));
        assertEquals(12, UsedRingLayout.elementOffset(1));
        assertEquals(262140, UsedRingLayout.elementOffset(32767));
    }

    @Test
    @DisplayName("a used element is id le32, len le32 (SPLIT-DESC-06)")
    void usedElementIsIdThenLength() {
        assertEquals(0, UsedRingLayout.ELEMENT_ID_OFFSET);
        assertEquals(4, UsedRingLayout.ELEMENT_LENGTH_OFFSET);
        assertEquals(8, UsedRingLayout.ELEMENT_LENGTH);
    }

    @Test
    void suppressionFlagsAreBitZero() {
        assertEquals(1, AvailableRingLayout.NO_INTERRUPT_FLAG);
        assertEquals(1, UsedRingLayout.NO_NOTIFY_FLAG);
    }

    @Test
    @DisplayName("alignments are 16, 2 and 4 (SPLIT-DRV-01, SPLIT-DRV-02, SPLIT-DRV-03)")
    void alignmentsAreThoseOfTheStandard() {
        assertEquals(16, DescriptorLayout.ALIGNMENT);
        assertEquals(2, AvailableRingLayout.ALIGNMENT);
        assertEquals(4, UsedRingLayout.ALIGNMENT);
    }

    @Test
    void limitsAreThoseOfTheStandard() {
        assertEquals(32768, QueueLimits.MAX_SIZE);
        assertEquals(4294967296L, QueueLimits.MAX_CHAIN_BYTES);
    }

    @ParameterizedTest
    @DisplayName("powers of two up to 32768 are queue sizes (SPLIT-DESC-01)")
    @ValueSource(
            ints = {1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768})
    void acceptsPowersOfTwo(int size) {
        assertEquals(true, QueueLimits.isValidSize(size));
    }

    @Test
    @DisplayName("nothing else from -70000 to 70000 is a queue size (SPLIT-DESC-01)")
    void sixteenSizesAreValid() {
        int valid = 0;

        for (int size = -70000; size <= 70000; size++) {
            valid += QueueLimits.isValidSize(size) ? 1 : 0;
        }

        assertEquals(16, valid);
    }

    @ParameterizedTest
    @ValueSource(ints = {Integer.MIN_VALUE, Integer.MAX_VALUE, 1 << 30, -1, 0, 65535, 65536})
    void refusesExtremeSizes(int size) {
        assertEquals(false, QueueLimits.isValidSize(size));
    }
}
