package io.aerostat.virtio.transport.mmio;

import static io.aerostat.virtio.testkit.EchoMachine.DRIVER_OK;
import static io.aerostat.virtio.testkit.EchoMachine.FEATURES_OK;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.aerostat.virtio.queue.DriverQueue;
import io.aerostat.virtio.queue.QueueAddresses;
import io.aerostat.virtio.spec.Feature;
import io.aerostat.virtio.spec.MmioRegister;
import io.aerostat.virtio.testkit.DeviceLog;
import io.aerostat.virtio.testkit.EchoDevice;
import io.aerostat.virtio.testkit.EchoMachine;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

import java.util.List;

/**
 * The register map seen by a guest (VIRTIO 1.4, 4.2.2). Offsets are literals on purpose: the
 * standard's, not ours.
 */
final class MmioRegistersTest {
    private static final long FEATURES = Feature.VERSION_1 | EchoDevice.EXTRA_QUEUE;

    private final EchoMachine machine = new EchoMachine();
    private final MmioDevice device = machine.device;

    private long load(int offset) {
        return device.load(offset, 4);
    }

    private void store(int offset, long value) {
        device.store(offset, 4, value);
    }

    @ParameterizedTest
    @CsvSource({"0x000, 0x74726976", "0x004, 2", "0x008, 42", "0x00c, 0x4F524541"})
    @DisplayName("MMIO-DEV-01, MMIO-DEV-02: magic, version, and who it is")
    void identifiesItself(String offset, String expected) {
        assertEquals(Long.decode(expected), load(Integer.decode(offset)));
    }

    @ParameterizedTest
    @CsvSource({"0, 0x30000003", "1, 1", "2, 0", "3, 0", "-1, 0", "-2147483648, 0"})
    @DisplayName("MMIO-DESC-03: DeviceFeatures shows the word that was selected")
    void showsTheSelectedWordOfTheOffer(int selector, String expected) {
        store(0x014, selector & 0xFFFF_FFFFL);

        assertEquals(Long.decode(expected), load(0x010));
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    @DisplayName("MMIO-DESC-04: DriverFeatures goes to the word that was selected")
    void takesFeatureWordsInEitherOrder(boolean lowFirst) {
        int first = lowFirst ? 0 : 1;

        store(0x024, first);
        store(0x020, lowFirst ? 0x2000_0001 : 1);
        store(0x024, 1 - first);
        store(0x020, lowFirst ? 1 : 0x2000_0001);

        assertEquals(0x1_2000_0001L, machine.controller().driverFeatures());
    }

    @Test
    @DisplayName("MMIO-DESC-05: QueueSel keeps queues apart")
    void setsUpTwoQueuesInTurn() {
        QueueAddresses first = machine.place(0);
        QueueAddresses second = QueueAddresses.inBlock(4, EchoMachine.RING_SPACING);
        machine.negotiate(FEATURES);
        DriverQueue zero = new DriverQueue(machine.memory, first, FEATURES, null);
        DriverQueue one = new DriverQueue(machine.memory, second, FEATURES, null);

        machine.describe(0, first);
        machine.describe(1, second);
        store(0x030, 0);
        store(0x044, 1);
        assertEquals(1, load(0x044));
        store(0x030, 1);
        assertEquals(0, load(0x044));
        store(0x044, 1);
        machine.status(DRIVER_OK);
        machine.offer(zero, 0, 0x11);
        machine.offer(one, 1, 0x22);
        machine.pollAll();

        assertEquals(0x11, machine.answer(0));
        assertEquals(0x22, machine.answer(1));
        assertTrue(machine.echo.told().contains("enabled 1 size 4"));
    }

    @ParameterizedTest
    @CsvSource({"0, 8", "1, 8", "2, 8", "3, 0", "63, 0", "64, 0", "-1, 0", "-2147483648, 0"})
    @DisplayName("MMIO-DESC-06: QueueSizeMax is 0 for a queue that does not exist")
    void tellsTheLargestSizeOfAQueue(int queue, int expected) {
        machine.negotiate(FEATURES);

        store(0x030, queue & 0xFFFF_FFFFL);

        assertEquals(expected, load(0x034));
    }

    @Test
    @DisplayName("MMIO-DESC-07: QueueReady reads back what was written")
    void readsBackQueueReady() {
        machine.negotiate(FEATURES);

        machine.enable(0);
        assertEquals(1, load(0x044));
        store(0x044, 0);
        assertEquals(0, load(0x044));
    }

    @ParameterizedTest
    @ValueSource(ints = {3, 64, -1, Integer.MIN_VALUE})
    void hasNoQueueRegistersForAQueueThatIsNotThere(int queue) {
        machine.negotiate(FEATURES);

        machine.describe(queue, machine.place(0));
        store(0x044, 1);

        assertEquals(0, load(0x044));
        store(0x030, 0);
        assertEquals(0, load(0x044));
    }

    @Test
    void locksSizeAndAddressesWhileTheQueueIsReady() {
        DriverQueue queue = machine.bringUp(FEATURES);
        machine.describe(0, new QueueAddresses(3, -1, -1, -1));

        store(0x044, 0);
        DriverQueue again = machine.driverQueue(0, FEATURES);
        store(0x044, 1);
        machine.offer(again, 0, 0x1122);
        machine.pollAll();

        assertEquals(DRIVER_OK, machine.status());
        assertEquals(0x1122, machine.answer(0));
        assertEquals(8, queue.size());
    }

    @Test
    void givesAQueueWhoseSizeWasNotWrittenTheLargest() {
        QueueAddresses place = machine.place(0);
        machine.negotiate(FEATURES);
        store(0x080, place.descriptorTable());
        store(0x090, place.availableRing());
        store(0x0a0, place.usedRing());
        store(0x044, 1);

        machine.status(DRIVER_OK);

        assertTrue(machine.echo.told().contains("enabled 0 size 8"));
    }

    @ParameterizedTest
    @ValueSource(ints = {0x084, 0x094, 0x0a4})
    void takesAddressesOfSixtyFourBits(int highWord) {
        machine.negotiate(FEATURES);
        machine.describe(0, machine.place(0));
        store(highWord, 1);
        store(0x044, 1);

        try (DeviceLog log = new DeviceLog()) {
            machine.status(DRIVER_OK);
            assertEquals(1, log.lineCount());
        }

        assertEquals(DRIVER_OK | EchoMachine.NEEDS_RESET, machine.status());
    }

    @Test
    @DisplayName("MMIO-DESC-12: there is no shared memory")
    void readsAllOnesForEverySharedMemoryRegion() {
        store(0x0ac, 7);

        for (int offset = 0x0b0; offset <= 0x0bc; offset += 4) {
            assertEquals(0xFFFF_FFFFL, load(offset));
        }
    }

    @Test
    @DisplayName("MMIO-DEV-10: QueueReset reads 0; RING_RESET is not on offer")
    void ignoresQueueReset() {
        machine.bringUp(FEATURES);

        store(0x0c0, 1);

        assertEquals(0, load(0x0c0));
        assertEquals(1, load(0x044));
    }

    @Test
    @DisplayName("MMIO-DESC-22: ADMIN_VQ is not on offer")
    void offersNothingThatMmioLacks() {
        assertEquals(0, machine.controller().offeredFeatures() & 1L << 41);
    }

    @Test
    @DisplayName("MMIO-DEV-06, MMIO-DEV-07: reset clears InterruptStatus and every QueueReady")
    void resetClearsWhatTheStandardNames() {
        machine.bringUp(FEATURES);
        machine.enable(1);
        machine.enable(2);
        machine.controller().configChanged();

        store(0x070, 0);
        machine.acceptFeatures(FEATURES);

        assertEquals(0, load(0x060));
        for (int queue = 0; queue < 3; queue++) {
            store(0x030, queue);
            assertEquals(0, load(0x044), "queue=" + queue);
        }
        assertFalse(machine.irq.level());
    }

    @Test
    void resetForgetsSelectors() {
        store(0x014, 1);
        store(0x024, 1);
        store(0x030, 3);

        store(0x070, 0);
        store(0x020, 2);

        assertEquals(0x3000_0003L, load(0x010));
        assertEquals(2, machine.controller().driverFeatures());
        assertEquals(8, load(0x034));
    }

    @Test
    void resetForgetsWhatWasSaidAboutQueues() {
        machine.describe(0, QueueAddresses.inBlock(4, EchoMachine.RING_SPACING));

        device.reset();
        machine.negotiate(FEATURES);
        store(0x090, 0x80);
        store(0x0a0, 0x100);
        store(0x044, 1);
        machine.status(DRIVER_OK);

        assertTrue(machine.echo.told().contains("enabled 0 size 8"));
        assertEquals(DRIVER_OK, machine.status());
    }

    @Test
    void aResetFromOutsideIsAReset() {
        machine.bringUp(FEATURES);

        device.reset();

        assertEquals(0, load(0x070));
        assertEquals(0, load(0x044));
    }

    @ParameterizedTest
    @ValueSource(longs = {2, 3, 0x100, 0xFFFF_FFFFL})
    void takesNoOtherValueForQueueReady(long value) {
        machine.negotiate(FEATURES);
        machine.describe(0, machine.place(0));

        store(0x044, value);

        assertEquals(0, load(0x044));
    }

    @ParameterizedTest
    @EnumSource(MmioRegister.class)
    void answersAlignedAccessesOfItsWidthAlone(MmioRegister register) {
        machine.bringUp(FEATURES);
        int offset = register.offset();

        for (int width : new int[] {1, 2}) {
            assertEquals(0, device.load(offset, width), "width=" + width);
        }
        for (int shift = 1; shift < 4; shift++) {
            assertEquals(0, device.load(offset + shift, 4), "shift=" + shift);
            assertEquals(0, device.load(offset + shift, 8), "shift=" + shift);
        }
    }

    @ParameterizedTest
    @EnumSource(MmioRegister.class)
    void ignoresWritesOfOtherWidthsAndAlignments(MmioRegister register) {
        machine.bringUp(FEATURES);
        List<String> told = machine.echo.told();
        int offset = register.offset();

        for (long value : new long[] {0, 1, -1}) {
            device.store(offset, 1, value);
            device.store(offset, 2, value);
            for (int shift = 1; shift < 4; shift++) {
                device.store(offset + shift, 4, value);
                device.store(offset + shift, 8, value);
            }
        }

        assertEquals(told, machine.echo.told());
        assertEquals(DRIVER_OK, machine.status());
        assertEquals(FEATURES, machine.controller().driverFeatures());
    }

    @ParameterizedTest
    @EnumSource(MmioRegister.class)
    void keepsToTheDirectionOfEachRegister(MmioRegister register) {
        machine.bringUp(FEATURES);
        machine.controller().configChanged();
        long before = load(register.offset());

        switch (register.access()) {
            case WRITE -> assertEquals(0, before);
            case READ -> {
                store(register.offset(), ~before);
                assertEquals(before, load(register.offset()));
            }
            case READ_WRITE -> assertTrue(before != 0);
        }
    }

    @Test
    void hasNothingBetweenTheRegisters() {
        machine.bringUp(FEATURES);
        List<String> told = machine.echo.told();

        for (int offset = 0; offset < MmioRegister.CONFIG_OFFSET; offset += 4) {
            if (MmioRegister.at(offset) == null) {
                store(offset, 0xFFFF_FFFFL);
                assertEquals(0, load(offset), "offset=" + offset);
            }
        }

        assertEquals(told, machine.echo.told());
    }

    @Test
    void takesAnAlignedSixtyFourBitAccessAsTwo() {
        device.store(0x010, 8, 1L << 32);
        device.store(0x020, 8, 1L << 32 | 2);

        assertEquals(1, device.load(0x010, 8));
        assertEquals(0x2_7472_6976L, device.load(0x000, 8));
        assertEquals(2, machine.controller().driverFeatures());
    }

    @Test
    @DisplayName("MMIO-DESC-02: the configuration is byte addressable from 0x100")
    void showsTheConfigurationFromOffset100() {
        machine.echo.config().set(0, 0x0403_0201);
        machine.echo.config().set(12, 0x7F);

        assertEquals(1, device.load(0x100, 1));
        assertEquals(0x0302, device.load(0x101, 2));
        assertEquals(0x7F, device.load(0x10c, 8));
        assertEquals(0, device.load(0x110, 8));
        assertEquals(0, device.load(0x1fc, 4));
    }

    @Test
    void writesTheDriversPartOfTheConfiguration() {
        device.store(0x108, 2, 0x1234);
        device.store(0x100, 4, 0x1234);
        machine.pollAll();

        assertEquals(0x1234, machine.echo.config().get(8));
        assertEquals(0, machine.echo.config().get(0));
        assertEquals(List.of("attached", "configWritten"), machine.echo.told());
    }

    @Test
    @DisplayName("MMIO-DESC-13, MMIO-DEV-08: ConfigGeneration changes with the configuration")
    void changesTheGenerationWithTheConfiguration() {
        long before = load(0x0fc);

        machine.echo.config().set(0, 1);

        assertEquals(before + 2, load(0x0fc));
        assertEquals(before + 2, load(0x0fc));
    }

    @Test
    void windowHasRoomForTheRegistersAndTheLargestConfiguration() {
        assertEquals(0x100 + 256, MmioDevice.WINDOW_BYTES);
        assertEquals(FEATURES_OK, 11);
    }
}
