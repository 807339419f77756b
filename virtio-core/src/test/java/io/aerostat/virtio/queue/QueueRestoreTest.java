package io.aerostat.virtio.queue;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.aerostat.virtio.memory.RamAccess;
import io.aerostat.virtio.memory.RamRegion;
import io.aerostat.virtio.snapshot.SnapshotException;
import io.aerostat.virtio.snapshot.SnapshotReader;
import io.aerostat.virtio.snapshot.SnapshotWriter;
import io.aerostat.virtio.testkit.GuestRam;
import io.aerostat.virtio.testkit.HostileDriver;
import io.aerostat.virtio.testkit.RingBytes;
import io.aerostat.virtio.testkit.Seeds;
import io.aerostat.virtio.testkit.SnapshotBytes;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.LongStream;

/** A device's queue that is saved and goes on as another object. */
final class QueueRestoreTest {
    private static final long DATA = Rings.DATA;
    private static final long TABLE = DATA + 2 * GuestRam.PAGE;

    private static byte[] saved(DeviceQueue device) {
        SnapshotWriter out = new SnapshotWriter();
        device.save(out);
        return out.finish();
    }

    private static DeviceQueue restored(RingBytes ring, long features, byte[] saved)
            throws SnapshotException {
        SnapshotReader in = SnapshotReader.open(saved);
        DeviceQueue device =
                DeviceQueue.restored(ring.ram().memory(), ring.addresses(), features, in);
        in.end();
        return device;
    }

    private static DeviceQueue successor(RingBytes ring, long features, DeviceQueue device) {
        try {
            return restored(ring, features, saved(device));
        } catch (SnapshotException e) {
            throw new AssertionError(e);
        }
    }

    private static String element(ChainCursor chain) {
        return (chain.isWritable() ? "w" : "r") + (chain.gpa() - DATA) + "+" + chain.length();
    }

    /** Six elements in 8 direct descriptors. */
    private static void offerDirect(RingBytes ring) {
        for (int i = 0; i < 6; i++) {
            int flags = (i < 4 ? 0 : RingBytes.WRITE) | (i < 5 ? RingBytes.NEXT : 0);
            ring.descriptor(i, DATA + 16L * i, i + 1, flags, i + 1);
        }
        ring.offer(0);
    }

    /** The same six, the last four of them in a table. */
    private static void offerIndirect(RingBytes ring) {
        ring.descriptor(0, DATA, 1, RingBytes.NEXT, 1);
        ring.descriptor(1, DATA + 16, 2, RingBytes.NEXT, 2);
        ring.descriptor(2, TABLE, 64, RingBytes.INDIRECT, 0);
        for (int i = 0; i < 4; i++) {
            int flags = (i < 2 ? 0 : RingBytes.WRITE) | (i < 3 ? RingBytes.NEXT : 0);
            RingBytes.descriptorAt(
                    ring.ram(), TABLE + 16L * i, DATA + 16L * (i + 2), i + 3, flags, i + 1);
        }
        ring.offer(0);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void goesOnInsideAChainAtAnyElement(boolean indirect) {
        RingBytes ring = Rings.ring(Rings.ram(GuestRam.Kind.BYTE_ARRAY), 8);
        if (indirect) {
            offerIndirect(ring);
        } else {
            offerDirect(ring);
        }
        DeviceQueue device = successor(ring, Rings.BOTH, Rings.device(ring, Rings.BOTH));
        List<String> elements = new ArrayList<>();

        device.poll();
        device = successor(ring, Rings.BOTH, device);
        while (device.chain().next() == ChainCursor.ELEMENT) {
            device = successor(ring, Rings.BOTH, device);
            elements.add(element(device.chain()));
        }
        device = successor(ring, Rings.BOTH, device);
        int head = device.chain().head();
        device.complete(head, 0);
        device = successor(ring, Rings.BOTH, device);
        device.publish();

        assertEquals(List.of("r0+1", "r16+2", "r32+3", "r48+4", "w64+5", "w80+6"), elements);
        assertEquals(1, ring.usedIdx());
        assertEquals(0, head);
    }

    @Test
    void goesOnAtTheLastElementOfATableThatIsNoRamAnyMore() {
        GuestRam ram = Rings.ram(GuestRam.Kind.WITH_HOLE);
        RingBytes ring = Rings.ring(ram, 8);
        RamRegion behindTheHole = ram.memory().region(1);
        long table = behindTheHole.gpa();
        ring.descriptor(0, table, 32, RingBytes.INDIRECT, 0);
        RingBytes.descriptorAt(ram, table, DATA, 8, RingBytes.NEXT, 1);
        RingBytes.descriptorAt(ram, table + 16, DATA + 16, 8, 0, 0);
        ring.offer(0);
        DeviceQueue device = Rings.device(ring, Rings.BOTH);
        device.poll();
        device.chain().next();
        device.chain().next();

        ram.memory().detach(behindTheHole);
        device.memoryChanged();
        device = successor(ring, Rings.BOTH, device);

        assertEquals("r16+8", element(device.chain()));
        assertEquals(ChainCursor.END, device.chain().next());
    }

    @Test
    void knowsAgainWhichBuffersAreOut() {
        RingBytes ring = Rings.ring(Rings.ram(GuestRam.Kind.BYTE_ARRAY), 128);
        DeviceQueue before = Rings.device(ring, Rings.EVENT);
        for (int head : new int[] {127, 3, 64}) {
            ring.offer(head);
            before.poll();
        }
        before.complete(3, 0);

        DeviceQueue device = successor(ring, Rings.EVENT, before);

        assertTrue(device.isOut(127) && device.isOut(64) && !device.isOut(3));
        assertThrows(IllegalStateException.class, () -> device.complete(3, 0));
        device.complete(64, 0);
        device.publish();
        assertEquals(2, ring.usedIdx());
    }

    @ParameterizedTest
    @EnumSource(names = {"AVAILABLE_INDEX_JUMP", "HEAD_IN_USE", "ELEMENT_EMPTY"})
    void staysStoppedByItsFault(QueueFault fault) {
        RingBytes ring = Rings.ring(Rings.ram(GuestRam.Kind.BYTE_ARRAY), 4);
        DeviceQueue before = Rings.device(ring, Rings.EVENT);
        switch (fault) {
            case AVAILABLE_INDEX_JUMP -> ring.availableIdx(9);
            case HEAD_IN_USE -> {
                ring.descriptor(0, DATA, 8, 0, 0);
                ring.offer(0);
                ring.offer(0);
            }
            default -> {
                ring.descriptor(0, DATA, 0, 0, 0);
                ring.offer(0);
            }
        }
        while (before.poll() == DeviceQueue.CHAIN) {
            before.chain().next();
        }

        DeviceQueue device = successor(ring, Rings.EVENT, before);

        assertEquals(fault, device.fault());
        assertEquals(DeviceQueue.FAULT, device.poll());
        assertEquals(before.chain().head(), device.chain().head());
    }

    static LongStream seeds() {
        return Seeds.first(30);
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void aHostileDriverSeesNoDifference(long seed) {
        Run plain = new Run(seed, false);
        Run saving = new Run(seed, true);

        plain.play();
        saving.play();

        assertEquals(plain.trace, saving.trace, Seeds.replay(seed));
        assertTrue(plain.elements > 0 && plain.faults > 0, Seeds.replay(seed));
    }

    /**
     * Bytes with a good checksum and anything in them: refused, or a queue that keeps every promise
     * to its device.
     */
    @ParameterizedTest
    @MethodSource("seeds")
    void forgedBytesAreRefusedOrDoNoHarm(long seed) {
        Random random = new Random(seed);
        Run run = new Run(seed, false);
        int refused = 0;
        for (int i = 0; i < 300; i++) {
            run.step();
            byte[] forged = saved(run.device);
            for (int change = random.nextInt(3); change >= 0; change--) {
                forged[20 + random.nextInt(forged.length - 20)] = (byte) edge(random);
            }
            try {
                walkAll(run, restored(run.ring, run.features, SnapshotBytes.sealed(forged)));
            } catch (SnapshotException e) {
                refused++;
            }
        }

        assertTrue(refused > 0, Seeds.replay(seed));
    }

    private static int edge(Random random) {
        int[] edges = {0, 1, 2, 4, 7, 8, 15, 16, 127, 128, 255};
        return random.nextBoolean() ? random.nextInt() : edges[random.nextInt(edges.length)];
    }

    private static void walkAll(Run run, DeviceQueue device) {
        RamAccess element = new RamAccess(run.ring.ram().memory());
        int chains = 0;
        int code = DeviceQueue.CHAIN;
        while (code == DeviceQueue.CHAIN) {
            int elements = 0;
            while (device.chain().next() == ChainCursor.ELEMENT) {
                assertTrue(element.map(device.chain().gpa(), device.chain().length()));
                assertTrue(++elements <= run.ring.size() + DeviceQueue.INDIRECT_CAP);
            }
            assertTrue(++chains <= run.ring.size() + 1, Seeds.replay(run.seed));
            if (device.isOut(device.chain().head())) {
                device.complete(device.chain().head(), 0);
            }
            code = device.poll();
        }
    }

    /** A device that rests after each element, with a driver that does anything. */
    private static final class Run {
        private final long seed;
        private final boolean saves;
        private final RingBytes ring;
        private final HostileDriver driver;
        private final long features;
        private DeviceQueue device;
        private boolean inChain;
        private long trace;
        private int elements;
        private int faults;

        Run(long seed, boolean saves) {
            this.seed = seed;
            this.saves = saves;
            Random random = new Random(seed);
            ring = Rings.ring(Rings.ram(GuestRam.Kind.BYTE_ARRAY), 1 << random.nextInt(5));
            features = random.nextInt(4) == 0 ? Rings.EVENT : Rings.BOTH;
            driver = new HostileDriver(random, ring, DATA + GuestRam.PAGE - 64);
            device = Rings.device(ring, features);
        }

        void play() {
            for (int i = 0; i < 2000; i++) {
                step();
            }
        }

        void step() {
            driver.step();
            deviceStep();
            note(device.fault() == null ? -1 : device.fault().ordinal());
            if (device.fault() != null) {
                faults++;
                ring.availableIdx(0);
                ring.usedIdx(0);
                inChain = false;
                device = Rings.device(ring, features);
            }
            if (saves) {
                device = successor(ring, features, device);
            }
        }

        private void deviceStep() {
            if (!inChain) {
                inChain = device.poll() == DeviceQueue.CHAIN;
                note(inChain ? 1 : device.armAndRecheck() ? 2 : 3);
            } else if (device.chain().next() == ChainCursor.ELEMENT) {
                elements++;
                note(device.chain().gpa() * 31 + device.chain().length());
                note(device.chain().isAtLastElement() ? 1 : 0);
            } else if (device.fault() == null) {
                inChain = false;
                note(device.chain().head());
                device.complete(device.chain().head(), 0);
                note(device.publish() ? 1 : 0);
            }
        }

        private void note(long value) {
            trace = trace * 31 + value;
        }
    }
}
