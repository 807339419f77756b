package io.aerostat.balloon.embedding;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.aerostat.balloon.embedding.TappedBus.Access;
import io.aerostat.balloon.embedding.guest.GuestMap;
import io.aerostat.balloon.embedding.guest.VirtioMmio;
import io.aerostat.virtio.testkit.Seeds;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import java.util.List;
import java.util.Random;

/**
 * A guest that has the device read and write the device's own registers: they are not RAM, and that
 * is all. Nothing recurs, nothing throws, and a reset helps.
 */
final class HostileGuestTest {
    private static final int[] AIMS = {
        VirtioMmio.QUEUE_NOTIFY, VirtioMmio.INTERRUPT_STATUS, VirtioMmio.STATUS, VirtioMmio.CONFIG
    };
    private static final int[] RING_PARTS = {
        VirtioMmio.QUEUE_DESC, VirtioMmio.QUEUE_DRIVER, VirtioMmio.QUEUE_DEVICE
    };

    private static int status(Example example) {
        return (int) example.bus().load(example.map().window() + VirtioMmio.STATUS, 4);
    }

    private static void assertNeedsReset(Example example) {
        assertTrue((status(example) & VirtioMmio.NEEDS_RESET) != 0, "DEVICE_NEEDS_RESET");
    }

    private static void assertWorksAfterAReset(Example example) {
        example.boot();
        example.inflateTo(300);
        assertEquals(300, example.balloon().ledgerPages());
    }

    @ParameterizedTest
    @EnumSource
    void aBufferAtTheDevicesOwnRegistersIsNotRam(Examples kind) {
        for (int offset : AIMS) {
            Example example = kind.make();
            example.boot();
            example.bus().forget();
            long window = example.map().window();

            example.guest().inflateFrom(window + offset, 4);
            example.attendToBalloon();

            List<Access> accesses = example.bus().accesses();
            assertEquals(List.of(new Access(true, VirtioMmio.QUEUE_NOTIFY, 4, 0)), accesses);
            assertNeedsReset(example);
            assertTrue(example.interrupts().isPending(), "a configuration change");
            assertEquals(0, example.balloon().ledgerPages());
            assertWorksAfterAReset(example);
        }
    }

    @ParameterizedTest
    @EnumSource
    void aBufferFromRamIntoTheRegistersIsNotRam(Examples kind) {
        Example example = kind.make();
        example.boot();
        GuestMap map = example.map();
        long endOfRam = map.ram() + map.ramBytes();

        example.guest().inflateFrom(endOfRam - 4, 8);
        example.settle();

        assertNeedsReset(example);
        assertWorksAfterAReset(example);
    }

    @ParameterizedTest
    @EnumSource
    void pagesOfTheRegistersAreNoPages(Examples kind) {
        Example example = kind.make();
        example.boot();
        long buffer = example.map().firstPage();
        example.bus().store(buffer, 4, example.map().window() >>> 12);
        example.bus().store(buffer + 4, 4, 0xFFFF_FFFFL);

        example.guest().inflateFrom(buffer, 8);
        example.settle();

        assertEquals(0, example.balloon().ledgerPages());
        assertEquals(2, example.balloon().counters().anomalies());
    }

    @ParameterizedTest
    @EnumSource
    void ringsAtTheDevicesOwnRegistersAreNotRam(Examples kind) {
        Example example = kind.make();

        bringUpWithRingAt(example, example.map().window());
        for (int kick = 0; kick < 10; kick++) {
            write(example, VirtioMmio.QUEUE_NOTIFY, 0);
            example.attendToBalloon();
        }

        assertNeedsReset(example);
        assertWorksAfterAReset(example);
    }

    @ParameterizedTest
    @EnumSource
    void anyAccessToTheWindowIsAnswered(Examples kind) {
        Seeds.first(5).forEach(seed -> accessAnything(kind.make(), seed));
    }

    private static void accessAnything(Example example, long seed) {
        Random random = new Random(seed);
        example.boot();
        for (int access = 0; access < 2_000; access++) {
            long address = example.map().window() + random.nextInt(0x210) - 8;
            int width = 1 << random.nextInt(4);
            if (random.nextBoolean()) {
                example.bus().load(address, width);
            } else {
                example.bus().store(address, width, random.nextLong());
            }
            if (random.nextInt(16) == 0) {
                example.attendToBalloon();
            }
        }
        write(example, VirtioMmio.STATUS, 0);
        assertEquals(0, status(example), Seeds.replay(seed));
        assertWorksAfterAReset(example);
    }

    private static void bringUpWithRingAt(Example example, long address) {
        write(example, VirtioMmio.STATUS, 0);
        int status = VirtioMmio.ACKNOWLEDGE | VirtioMmio.DRIVER;
        write(example, VirtioMmio.STATUS, status);
        write(example, VirtioMmio.DRIVER_FEATURES_SEL, 1);
        write(example, VirtioMmio.DRIVER_FEATURES, (int) (VirtioMmio.VERSION_1 >>> 32));
        status |= VirtioMmio.FEATURES_OK;
        write(example, VirtioMmio.STATUS, status);
        write(example, VirtioMmio.QUEUE_SEL, 0);
        write(example, VirtioMmio.QUEUE_SIZE, 4);
        for (int part : RING_PARTS) {
            write(example, part, (int) address);
            write(example, part + 4, (int) (address >>> 32));
        }
        write(example, VirtioMmio.QUEUE_READY, 1);
        write(example, VirtioMmio.STATUS, status | VirtioMmio.DRIVER_OK);
    }

    private static void write(Example example, int register, int value) {
        example.bus().store(example.map().window() + register, 4, value);
    }
}
