package io.aerostat.virtio.queue;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import io.aerostat.virtio.memory.RamAccess;
import io.aerostat.virtio.testkit.GuestRam;
import io.aerostat.virtio.testkit.HostileDriver;
import io.aerostat.virtio.testkit.RingBytes;
import io.aerostat.virtio.testkit.Seeds;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.stream.LongStream;

/**
 * A device on rings that {@link HostileDriver} writes: it throws nothing, takes a bounded number of
 * steps, shows only elements that are RAM, and does the same on every kind of RAM.
 */
final class HostileFuzzTest {
    private static final int[] SIZES = {1, 2, 4, 16, 64};
    private static final int STEPS = 1500;

    /** Kinds whose RAM lies at the same addresses, so that one seed means the same on each. */
    private static final List<GuestRam.Kind> KINDS =
            GuestRam.kinds().filter(kind -> kind != GuestRam.Kind.WITH_HOLE).toList();

    static LongStream seeds() {
        return Seeds.first(60);
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void nothingThatADriverWritesGetsThrough(long seed) {
        Run first = new Run(seed, KINDS.get(0));
        first.play();
        for (GuestRam.Kind kind : KINDS) {
            Run other = new Run(seed, kind);

            other.play();

            String where = KINDS.get(0) + ", " + kind + ", " + Seeds.replay(seed);
            assertEquals(first.trace, other.trace, where);
            assertEquals(first.memory(), other.memory(), where);
        }
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void nothingGetsThroughIntoAHole(long seed) {
        Run run = new Run(seed, GuestRam.Kind.WITH_HOLE);

        run.play();

        assertTrue(run.elements > 0, Seeds.replay(seed));
    }

    /** That the driver is hostile enough: every fault of a ring comes up, and good work too. */
    @Test
    void everyFaultComesUp() {
        Set<QueueFault> faults = EnumSet.noneOf(QueueFault.class);
        int elements = 0;
        for (long seed = 0; seed < 60; seed++) {
            Run run = new Run(seed, GuestRam.Kind.BYTE_ARRAY);
            run.play();
            faults.addAll(run.faults);
            elements += run.elements;
        }

        Set<QueueFault> expected =
                EnumSet.range(QueueFault.AVAILABLE_INDEX_JUMP, QueueFault.INDIRECT_OUTSIDE_RAM);
        expected.remove(QueueFault.CHAIN_TOO_LONG);
        expected.removeAll(faults);
        assertEquals(Set.of(), expected);
        assertTrue(elements > 10_000, "elements=" + elements);
    }

    private static final class Run {
        private final long seed;
        private final GuestRam ram;
        private final RingBytes ring;
        private final HostileDriver driver;
        private final RamAccess element;
        private final long features;
        private final Set<QueueFault> faults = EnumSet.noneOf(QueueFault.class);
        private final List<Integer> held = new ArrayList<>();
        private DeviceQueue device;
        private long trace;
        private int elements;

        Run(long seed, GuestRam.Kind kind) {
            this.seed = seed;
            Random random = new Random(seed);
            ram = Rings.ram(kind);
            ring = Rings.ring(ram, SIZES[random.nextInt(SIZES.length)]);
            features = random.nextInt(4) == 0 ? Rings.EVENT : Rings.BOTH;
            driver = new HostileDriver(random, ring, Rings.DATA + GuestRam.PAGE - 64);
            element = new RamAccess(ram.memory());
            device = Rings.device(ring, features);
        }

        void play() {
            for (int step = 0; step < STEPS; step++) {
                driver.step();
                if (step % 3 == 0) {
                    drain();
                }
            }
        }

        /** One pass of a device. Never longer than the queue and its longest chains allow. */
        private void drain() {
            int chains = 0;
            held.forEach(head -> device.complete(head, 0));
            held.clear();
            int code = device.poll();
            while (code == DeviceQueue.CHAIN) {
                chains++;
                check(chains <= ring.size(), "chains in a pass");
                if (walk(device.chain())) {
                    giveBack(device.chain().head());
                }
                code = device.poll();
            }
            note(device.publish() ? 1 : 0);
            note(device.armAndRecheck() ? 1 : 0);
            QueueFault fault = device.fault();
            if (fault != null) {
                note(fault.ordinal());
                faults.add(fault);
                restart();
            }
        }

        /** Most at once, some in the next pass. */
        private void giveBack(int head) {
            if (head % 5 == 0) {
                held.add(head);
            } else {
                device.complete(head, 0);
            }
        }

        /** Touches both ends of every element; whether the chain is good to its end. */
        private boolean walk(ChainCursor chain) {
            int steps = 0;
            int code = chain.next();
            while (code == ChainCursor.ELEMENT) {
                check(++steps <= ring.size() + DeviceQueue.INDIRECT_CAP, "elements in a chain");
                check(element.map(chain.gpa(), chain.length()), "an element is RAM");
                note(element.getByte(0) + element.getByte(chain.length() - 1));
                note(chain.gpa() ^ chain.length());
                if (chain.isWritable() && outsideTheRing(chain.gpa())) {
                    element.putByte(0, (byte) steps);
                }
                elements++;
                code = chain.next();
            }
            return code == ChainCursor.END;
        }

        private boolean outsideTheRing(long gpa) {
            return gpa >= ring.end() || gpa < ring.addresses().descriptorTable();
        }

        private void restart() {
            ring.availableIdx(0);
            ring.usedIdx(0);
            held.clear();
            device = Rings.device(ring, features);
        }

        private void note(long value) {
            trace = trace * 31 + value;
        }

        private int memory() {
            return Arrays.hashCode(ram.bytes(ram.base(), ram.length()));
        }

        private void check(boolean fact, String what) {
            if (!fact) {
                fail("not so: " + what + ", " + Seeds.replay(seed));
            }
        }
    }
}
