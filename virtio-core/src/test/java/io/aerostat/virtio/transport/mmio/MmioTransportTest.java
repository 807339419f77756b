package io.aerostat.virtio.transport.mmio;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.aerostat.virtio.driver.DriverHandshake;
import io.aerostat.virtio.driver.HandshakeFailure;
import io.aerostat.virtio.queue.DriverQueue;
import io.aerostat.virtio.queue.QueueAddresses;
import io.aerostat.virtio.spec.Feature;
import io.aerostat.virtio.spec.MmioRegister;
import io.aerostat.virtio.testkit.EchoDevice;
import io.aerostat.virtio.testkit.EchoMachine;
import io.aerostat.virtio.testkit.RecordingWindow;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import java.util.List;

/** What a driver does on the bus, access by access (VIRTIO 1.4, 4.2.2.2, 4.2.3). */
final class MmioTransportTest {
    private static final long KNOWN = Feature.VERSION_1 | Feature.EVENT_IDX;
    private static final QueueAddresses PLACE = new QueueAddresses(8, 0x1_0000, 0x1_0080, 0x1_0098);

    private final EchoMachine machine = new EchoMachine();
    private final RecordingWindow bus = new RecordingWindow(machine.device);
    private final MmioTransport transport = new MmioTransport(bus);
    private final DriverHandshake handshake = new DriverHandshake(transport);

    private HandshakeFailure negotiate() {
        return handshake.negotiate(EchoDevice.DEVICE_ID, KNOWN, 0);
    }

    @Test
    @DisplayName("MMIO-DRV-26, -27, -31, -14, -15, MMIO-DESC-14, INIT-DRV-01 to -08: bus log")
    void bringsADeviceUpInTheOrderOfTheStandard() {
        negotiate();
        handshake.enableQueue(0, PLACE);
        handshake.finish();

        assertEquals(
                List.of(
                        // magic, version, device id
                        "R 000",
                        "R 004",
                        "R 008",
                        // reset
                        "W 070 = 0",
                        "R 070",
                        // ACKNOWLEDGE, DRIVER
                        "R 070",
                        "W 070 = 1",
                        "R 070",
                        "W 070 = 3",
                        // offered features, accepted features
                        "W 014 = 0",
                        "R 010",
                        "W 014 = 1",
                        "R 010",
                        "W 024 = 0",
                        "W 020 = 20000000",
                        "W 024 = 1",
                        "W 020 = 1",
                        // FEATURES_OK, and does it stay?
                        "R 070",
                        "W 070 = b",
                        "R 070",
                        // queue 0: not ready, how large
                        "W 030 = 0",
                        "R 044",
                        "W 030 = 0",
                        "R 034",
                        // size, addresses, ready
                        "W 030 = 0",
                        "W 038 = 8",
                        "W 080 = 10000",
                        "W 084 = 0",
                        "W 090 = 10080",
                        "W 094 = 0",
                        "W 0a0 = 10098",
                        "W 0a4 = 0",
                        "W 044 = 1",
                        // DRIVER_OK, and is the device well?
                        "R 070",
                        "W 070 = f",
                        "R 070"),
                bus.lines());
    }

    @Test
    void givesAddressesInTwoWords() {
        transport.enableQueue(
                1,
                new QueueAddresses(
                        4, 0x1234_5678_9abc_def0L, 0xfedc_ba98_7654_3210L, 0x8000_0000L));

        assertEquals(
                List.of(
                        "W 030 = 1",
                        "W 038 = 4",
                        "W 080 = 9abcdef0",
                        "W 084 = 12345678",
                        "W 090 = 76543210",
                        "W 094 = fedcba98",
                        "W 0a0 = 80000000",
                        "W 0a4 = 0",
                        "W 044 = 1"),
                bus.lines());
    }

    @Test
    @DisplayName("MMIO-DRV-01 to -04, -07, -30: documented registers, their way, 32 bits, aligned")
    void accessesRegistersAsDocumented() {
        playAWholeSession();

        for (RecordingWindow.Access access : bus.log()) {
            assertEquals(4, access.width(), access::toString);
            assertEquals(0, access.offset() % 4, access::toString);
            if (access.offset() < MmioRegister.CONFIG_OFFSET) {
                MmioRegister register = MmioRegister.at(access.offset());
                assertNotNull(register, access::toString);
                assertTrue(allows(register, access.isRead()), access::toString);
                assertTrue(!register.name().startsWith("SHM"), access::toString);
            } else {
                long end = MmioRegister.CONFIG_OFFSET + EchoDevice.CONFIG_BYTES;
                assertTrue(access.offset() < end, access::toString);
            }
        }
    }

    private static boolean allows(MmioRegister register, boolean read) {
        return switch (register.access()) {
            case READ -> read;
            case WRITE -> !read;
            case READ_WRITE -> true;
        };
    }

    /** Everything that a transport can do, for good and for bad. */
    private void playAWholeSession() {
        negotiate();
        DriverQueue queue = new DriverQueue(machine.memory, PLACE, KNOWN, null);
        handshake.enableQueue(0, PLACE);
        handshake.enableQueue(7, PLACE);
        handshake.finish();
        machine.offer(queue, 0, 1);
        transport.kick(0);
        machine.pollAll();
        transport.acknowledge(transport.interruptCauses());
        transport.configGeneration();
        for (int offset = 0; offset < EchoDevice.CONFIG_BYTES; offset += 4) {
            transport.readConfig(offset);
            transport.writeConfig(offset, -1);
        }
        handshake.fail(HandshakeFailure.NO_MEMORY);
        transport.reset();
    }

    @Test
    void writesNoMoreThanThirtyTwoBits() {
        transport.writeConfig(EchoDevice.DRIVER_FIELD, -1);
        transport.driverFeatures(-1);

        assertEquals(
                List.of(
                        "W 108 = ffffffff",
                        "W 024 = 0",
                        "W 020 = ffffffff",
                        "W 024 = 1",
                        "W 020 = ffffffff"),
                bus.lines());
    }

    @Test
    @DisplayName("INIT-DRV-10, INIT-DRV-14, INIT-DRV-11: no kick, no configuration write too early")
    void writesNeitherConfigurationNorKickUntilItIsUp() {
        negotiate();
        handshake.enableQueue(0, PLACE);
        handshake.finish();

        assertEquals(List.of(), bus.written(MmioRegister.QUEUE_NOTIFY));
        assertTrue(bus.log().stream().allMatch(a -> a.offset() < MmioRegister.CONFIG_OFFSET));
    }

    @Test
    @DisplayName("MMIO-DRV-08: a wrong magic is left alone")
    void leavesAWrongMagicAlone() {
        bus.lie(MmioRegister.MAGIC_VALUE, 0x7472_6977);

        assertEquals(HandshakeFailure.NOT_VIRTIO, negotiate());
        assertEquals(List.of("R 000"), bus.lines());
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 3, -1})
    @DisplayName("MMIO-DRV-10: another version is left alone")
    void leavesAnotherVersionAlone(int version) {
        bus.lie(MmioRegister.VERSION, version);

        assertEquals(HandshakeFailure.VERSION_UNKNOWN, negotiate());
        assertEquals(List.of("R 000", "R 004"), bus.lines());
    }

    @Test
    @DisplayName("MMIO-DRV-12, -13, -28, -29: nothing is accessed after DeviceID 0")
    void leavesAnEmptySlotAlone() {
        bus.lie(MmioRegister.DEVICE_ID, 0);

        assertEquals(HandshakeFailure.NO_DEVICE, negotiate());
        assertEquals(List.of("R 000", "R 004", "R 008"), bus.lines());
    }

    @Test
    void leavesADeviceOfAnotherTypeAlone() {
        bus.lie(MmioRegister.DEVICE_ID, 5);

        assertEquals(HandshakeFailure.OTHER_DEVICE, negotiate());
        assertEquals(List.of("R 000", "R 004", "R 008"), bus.lines());
    }

    @ParameterizedTest
    @CsvSource({
        "STATUS, 3, FEATURES_REFUSED",
        "DEVICE_FEATURES, 0, FEATURE_MISSING",
        "QUEUE_READY, 1, QUEUE_IN_USE",
        "QUEUE_SIZE_MAX, 4, QUEUE_MISSING",
        "QUEUE_SIZE_MAX, 0, QUEUE_MISSING"
    })
    @DisplayName("INIT-DRV-12, INIT-DRV-13: FAILED is the last that a failed driver writes")
    void setsFailedLast(MmioRegister register, int lie, HandshakeFailure expected) {
        RegisterWindow afterReset =
                register == MmioRegister.STATUS ? new StuckAfterReset(bus, lie) : bus;
        if (register != MmioRegister.STATUS) {
            bus.lie(register, lie);
        }
        DriverHandshake driver = new DriverHandshake(new MmioTransport(afterReset));

        HandshakeFailure failure = driver.negotiate(EchoDevice.DEVICE_ID, KNOWN, 0);
        if (failure == null) {
            failure = driver.enableQueue(0, PLACE);
        }

        RecordingWindow.Access last = bus.log().get(bus.log().size() - 1);
        assertEquals(expected, failure);
        assertEquals(0x70, last.offset());
        assertEquals(128, last.value() & 128);
    }

    /** A device whose status is 0 after a reset and never goes beyond {@code most}. */
    private record StuckAfterReset(RegisterWindow device, int most) implements RegisterWindow {
        @Override
        public long load(long offset, int width) {
            long value = device.load(offset, width);
            return offset == MmioRegister.STATUS.offset() ? value & most : value;
        }

        @Override
        public void store(long offset, int width, long value) {
            device.store(offset, width, value);
        }
    }

    @Test
    @DisplayName("RESET-DRV-01: a reset is done when the status reads 0")
    void waitsForTheEndOfAReset() {
        int[] left = {3};
        RecordingWindow slow =
                new RecordingWindow(
                        new RegisterWindow() {
                            @Override
                            public long load(long offset, int width) {
                                return left[0]-- > 0 ? 15 : 0;
                            }

                            @Override
                            public void store(long offset, int width, long value) {}
                        });

        boolean reset = new MmioTransport(slow).reset();

        assertTrue(reset);
        assertEquals(List.of("W 070 = 0", "R 070", "R 070", "R 070", "R 070"), slow.lines());
    }

    @Test
    @DisplayName("RESET-DRV-01: a device that never reads 0 does not keep its driver for ever")
    void givesUpOnAResetThatDoesNotEnd() {
        int[] reads = {0};
        RegisterWindow stuck =
                new RegisterWindow() {
                    @Override
                    public long load(long offset, int width) {
                        reads[0]++;
                        return 15;
                    }

                    @Override
                    public void store(long offset, int width, long value) {}
                };

        boolean reset = new MmioTransport(stuck).reset();

        assertFalse(reset);
        assertEquals(1_000_000, reads[0]);
    }

    @Test
    @DisplayName("MMIO-DRV-20, MMIO-DRV-22: undefined interrupt causes are ignored")
    void seesAndAcknowledgesDefinedCausesAlone() {
        bus.lie(MmioRegister.INTERRUPT_STATUS, -2);

        int causes = transport.interruptCauses();
        transport.acknowledge(-1);

        assertEquals(2, causes);
        assertEquals(List.of(3L), bus.written(MmioRegister.INTERRUPT_ACK));
    }

    @Test
    @DisplayName("MMIO-DESC-08: a kick carries the queue's index")
    void kicksByIndex() {
        transport.kick(0);
        transport.kick(4);

        assertEquals(List.of(0L, 4L), bus.written(MmioRegister.QUEUE_NOTIFY));
    }

    @Test
    void seesTheWholeOfferWhateverWasSelected() {
        machine.write(MmioRegister.DEVICE_FEATURES_SEL, 7);

        assertEquals(EchoDevice.OFFERED, transport.deviceFeatures());
    }

    @Test
    void seesTheSignBitOfEveryWord() {
        bus.lie(MmioRegister.DEVICE_FEATURES, 0x8000_0001);

        assertEquals(0x8000_0001_8000_0001L, transport.deviceFeatures());
    }

    @Test
    @DisplayName("CFG-DRV-03: the generation tells of a change between two reads")
    void seesConfigurationAndGeneration() {
        int before = transport.configGeneration();
        machine.echo.config().set(4, 0xdead_beef);

        assertEquals(0xdead_beef, transport.readConfig(4));
        assertTrue(before != transport.configGeneration());
    }

    @Test
    void asksForTheQueueThatIsMeant() {
        machine.enable(1);

        assertTrue(transport.isQueueEnabled(1));
        assertTrue(!transport.isQueueEnabled(0));
        assertEquals(0, transport.queueSizeMax(2));
        assertNull(MmioRegister.at(0x0c0));
    }
}
