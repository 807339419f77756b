package io.aerostat.virtio.queue;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.aerostat.virtio.testkit.GuestRam;
import io.aerostat.virtio.testkit.RingBytes;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

import java.util.stream.Stream;

/** Who is notified when: flags and event indices, both ways, and the second look after arming. */
final class SuppressionTest {
    private static final int SIZE = 4;

    static Stream<GuestRam.Kind> kinds() {
        return Rings.kinds();
    }

    private static RingBytes ring(GuestRam.Kind kind) {
        RingBytes ring = Rings.ring(Rings.ram(kind), SIZE);
        for (int i = 0; i < SIZE; i++) {
            ring.descriptor(i, Rings.DATA, 8, 0, 0);
        }
        return ring;
    }

    /** The driver makes a buffer available, the device uses it. */
    private static void use(RingBytes ring, DeviceQueue device) {
        ring.offer(0);
        device.poll();
        device.complete(0, 0);
    }

    @ParameterizedTest
    @DisplayName("device, flags: bit 0 alone decides (SPLIT-DEV-09, SPLIT-DEV-10, SPLIT-DEV-11)")
    @CsvSource({"0, true", "1, false", "0xFFFE, true", "0xFFFF, false"})
    void deviceInterruptsByTheFlag(String flags, boolean interrupt) {
        for (int event = 65534; event < 65540; event++) {
            RingBytes ring = ring(GuestRam.Kind.BYTE_ARRAY);
            DeviceQueue device = Rings.device(ring, Rings.NONE_NEGOTIATED);
            ring.availableFlags(Integer.decode(flags));
            ring.usedEvent(event);
            use(ring, device);

            assertEquals(interrupt, device.publish(), "used_event=" + event);
        }
    }

    @ParameterizedTest
    @DisplayName("driver, flags: bit 0 alone decides (SPLIT-DRV-24, SPLIT-DRV-25, SPLIT-DRV-26)")
    @CsvSource({"0, true", "1, false", "0xFFFE, true", "0xFFFF, false"})
    void driverKicksByTheFlag(String flags, boolean kick) {
        for (int event = 65534; event < 65540; event++) {
            RingBytes ring = ring(GuestRam.Kind.BYTE_ARRAY);
            DriverQueue driver = Rings.driver(ring, Rings.NONE_NEGOTIATED);
            ring.usedFlags(Integer.decode(flags));
            ring.availEvent(event);
            driver.add(Rings.DATA, 8, false);

            assertEquals(kick, driver.publish(), "avail_event=" + event);
        }
    }

    /** Each used_event around the batch, for batches of 1 to 4, at the start and at the wrap. */
    @ParameterizedTest
    @DisplayName("device, EVENT_IDX: on the crossing alone (SPLIT-DEV-12, -13, -14)")
    @ValueSource(ints = {0, 5, 65530, 65533, 65534, 65535})
    void deviceInterruptsOnTheCrossingAlone(int from) {
        RingBytes ring = ring(GuestRam.Kind.BYTE_ARRAY);
        DeviceQueue device = Rings.device(ring, Rings.EVENT);
        ring.availableFlags(1);
        int idx = 0;
        for (; idx < from; idx++) {
            use(ring, device);
            device.publish();
        }
        for (int round = 0; round < 400; round++) {
            int batch = 1 + round % SIZE;
            int ahead = round / SIZE % 12 - 6;
            for (int i = 0; i < batch; i++) {
                use(ring, device);
            }
            ring.usedEvent(idx + ahead);

            boolean interrupt = device.publish();

            boolean expected = ahead >= 0 && ahead < batch;
            assertEquals(expected, interrupt, "idx=" + idx + " ahead=" + ahead + " of " + batch);
            idx += batch;
        }
    }

    @ParameterizedTest
    @DisplayName("driver, EVENT_IDX: on the crossing alone (SPLIT-DRV-27, -28, -29)")
    @ValueSource(ints = {0, 5, 65530, 65533, 65534, 65535})
    void driverKicksOnTheCrossingAlone(int from) {
        RingBytes ring = ring(GuestRam.Kind.BYTE_ARRAY);
        DriverQueue driver = Rings.driver(ring, Rings.EVENT);
        ring.usedFlags(1);
        int idx = 0;
        for (; idx < from; idx++) {
            driver.add(Rings.DATA, 8, false);
            driver.publish();
            ring.giveBack(ring.availableEntry(idx % SIZE), 0);
            driver.poll();
        }
        for (int round = 0; round < 400; round++) {
            int batch = 1 + round % SIZE;
            int ahead = round / SIZE % 12 - 6;
            for (int i = 0; i < batch; i++) {
                driver.add(Rings.DATA, 8, false);
            }
            ring.availEvent(idx + ahead);

            boolean kick = driver.publish();

            boolean expected = ahead >= 0 && ahead < batch;
            assertEquals(expected, kick, "idx=" + idx + " ahead=" + ahead + " of " + batch);
            for (int i = 0; i < batch; i++) {
                ring.giveBack(ring.availableEntry((idx + i) % SIZE), 0);
                driver.poll();
            }
            idx += batch;
        }
    }

    @ParameterizedTest
    @DisplayName("flags are 0 or 1 without EVENT_IDX (SPLIT-DRV-16, SPLIT-DEV-18)")
    @MethodSource("kinds")
    void flagsSayWhetherToNotify(GuestRam.Kind kind) {
        RingBytes ring = ring(kind);
        DriverQueue driver = Rings.driver(ring, Rings.NONE_NEGOTIATED);
        DeviceQueue device = Rings.device(ring, Rings.NONE_NEGOTIATED);

        driver.disarm();
        device.disarm();
        String disarmed = ring.availableFlags() + " " + ring.usedFlags();
        driver.armAndRecheck();
        device.armAndRecheck();
        String armed = ring.availableFlags() + " " + ring.usedFlags();

        assertEquals("1 1", disarmed);
        assertEquals("0 0", armed);
        assertEquals("0 0", ring.usedEvent() + " " + ring.availEvent());
    }

    @ParameterizedTest
    @DisplayName("flags stay 0 with EVENT_IDX (SPLIT-DRV-18, SPLIT-DEV-20)")
    @MethodSource("kinds")
    void flagsStayZeroWithEventIndex(GuestRam.Kind kind) {
        RingBytes ring = ring(kind);
        DriverQueue driver = Rings.driver(ring, Rings.EVENT);
        DeviceQueue device = Rings.device(ring, Rings.EVENT);

        driver.disarm();
        device.disarm();
        String disarmed = ring.availableFlags() + " " + ring.usedFlags();
        driver.armAndRecheck();
        device.armAndRecheck();

        assertEquals("0 0", disarmed);
        assertEquals("0 0", ring.availableFlags() + " " + ring.usedFlags());
    }

    @ParameterizedTest
    @DisplayName("arming names the next index (SPLIT-DRV-19, SPLIT-DEV-21, SPLIT-DESC-11)")
    @MethodSource("kinds")
    void armingNamesTheNextIndex(GuestRam.Kind kind) {
        RingBytes ring = ring(kind);
        DriverQueue driver = Rings.driver(ring, Rings.EVENT);
        DeviceQueue device = Rings.device(ring, Rings.EVENT);
        for (int i = 0; i < 3; i++) {
            driver.add(Rings.DATA, 8, false);
        }
        driver.publish();
        for (int i = 0; i < 3; i++) {
            device.poll();
            device.complete(device.chain().head(), 0);
        }
        device.publish();
        driver.poll();
        driver.poll();

        device.armAndRecheck();
        driver.armAndRecheck();

        assertEquals(3, ring.availEvent());
        assertEquals(2, ring.usedEvent());
    }

    @ParameterizedTest
    @DisplayName("event indices run on past 65536")
    @ValueSource(ints = {1, 4, 256})
    void eachBufferIsAnnouncedToASideThatArmsEveryTime(int size) {
        RingBytes ring = Rings.ring(Rings.ram(GuestRam.Kind.BYTE_ARRAY), size);
        DriverQueue driver = Rings.driver(ring, Rings.EVENT);
        DeviceQueue device = Rings.device(ring, Rings.EVENT);
        for (int count = 0; count < 65536 + 10; count++) {
            boolean offered = device.armAndRecheck();
            boolean back = driver.armAndRecheck();
            driver.add(Rings.DATA, 8, false);
            boolean kick = driver.publish();
            device.poll();
            device.complete(device.chain().head(), 0);
            boolean interrupt = device.publish();
            driver.poll();

            assertTrue(!offered && !back && kick && interrupt, "count=" + count);
        }
    }

    /** Armed once and never again: one notification in 65536 buffers, not one each. */
    @Test
    void aSideThatDoesNotArmIsNotNotified() {
        RingBytes ring = ring(GuestRam.Kind.BYTE_ARRAY);
        DriverQueue driver = Rings.driver(ring, Rings.EVENT);
        DeviceQueue device = Rings.device(ring, Rings.EVENT);
        int kicks = 0;
        int interrupts = 0;
        for (int count = 0; count < 65536; count++) {
            driver.add(Rings.DATA, 8, false);
            kicks += driver.publish() ? 1 : 0;
            device.poll();
            device.complete(device.chain().head(), 0);
            interrupts += device.publish() ? 1 : 0;
            driver.poll();
        }

        assertEquals("1 1", kicks + " " + interrupts);
    }

    @ParameterizedTest
    @ValueSource(longs = {0, 1L << 29})
    void deviceSeesWhatCameBeforeItArmed(long features) {
        RingBytes ring = ring(GuestRam.Kind.BYTE_ARRAY);
        DeviceQueue device = Rings.device(ring, features);
        boolean empty = device.armAndRecheck();
        ring.offer(0);

        boolean something = device.armAndRecheck();

        assertFalse(empty);
        assertTrue(something);
        assertEquals(DeviceQueue.CHAIN, device.poll());
    }

    @ParameterizedTest
    @ValueSource(longs = {0, 1L << 29})
    void deviceRemembersWhatItSawEarlier(long features) {
        RingBytes ring = ring(GuestRam.Kind.BYTE_ARRAY);
        DeviceQueue device = Rings.device(ring, features);
        ring.offer(0);
        ring.offer(1);
        device.poll();

        boolean something = device.armAndRecheck();

        assertTrue(something);
        assertEquals(DeviceQueue.CHAIN, device.poll());
        assertFalse(device.armAndRecheck());
    }

    @ParameterizedTest
    @ValueSource(longs = {0, 1L << 29})
    void driverSeesWhatCameBackBeforeItArmed(long features) {
        RingBytes ring = ring(GuestRam.Kind.BYTE_ARRAY);
        DriverQueue driver = Rings.driver(ring, features);
        driver.add(Rings.DATA, 8, false);
        driver.publish();
        boolean nothing = driver.armAndRecheck();
        ring.giveBack(0, 0);

        boolean something = driver.armAndRecheck();

        assertFalse(nothing);
        assertTrue(something);
        assertEquals(0, driver.poll());
        assertFalse(driver.armAndRecheck());
    }

    @Test
    void publishingNothingWantsNoInterrupt() {
        DeviceQueue device = Rings.device(ring(GuestRam.Kind.BYTE_ARRAY), 0);

        boolean interrupt = device.publish();

        assertFalse(interrupt);
    }
}
