package io.aerostat.virtio.queue;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.sun.management.ThreadMXBean;

import io.aerostat.virtio.memory.RamAccess;
import io.aerostat.virtio.testkit.GuestRam;
import io.aerostat.virtio.testkit.RingBytes;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

import java.lang.management.ManagementFactory;
import java.util.stream.Stream;

/**
 * From add to taking back, on every kind of RAM: not one byte is allocated.
 *
 * <p>The JVM charges the thread a few hundred bytes once in a while when it swaps compiled code in
 * or out. So rounds are counted in windows, and one must be clean: what each round allocates is in
 * every window.
 */
final class AllocationTest {
    private static final int WINDOWS = 50;
    private static final int ROUNDS = 4_000;

    static Stream<Arguments> kindsAndFeatures() {
        return GuestRam.kinds()
                .flatMap(
                        kind ->
                                Stream.of(Rings.NONE_NEGOTIATED, Rings.EVENT, Rings.BOTH)
                                        .map(features -> Arguments.of(kind, features)));
    }

    @ParameterizedTest
    @MethodSource("kindsAndFeatures")
    void aCycleOfDriverAndDeviceAllocatesNothing(GuestRam.Kind kind, long features) {
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        long self = Thread.currentThread().getId();
        Cycle cycle = new Cycle(kind, features);
        long allocated = Long.MAX_VALUE;

        int windows = 0;
        while (allocated != 0 && windows < WINDOWS) {
            long before = threads.getThreadAllocatedBytes(self);
            cycle.play(ROUNDS);
            allocated = threads.getThreadAllocatedBytes(self) - before;
            windows++;
        }

        assertEquals(0, allocated, "bytes in " + ROUNDS + " rounds");
        assertEquals(windows * ROUNDS, cycle.rounds, "rounds in which all went as it should");
    }

    /** Two buffers a round: a single one, and a chain whose elements are read and written. */
    private static final class Cycle {
        private final DriverQueue driver;
        private final DeviceQueue device;
        private final RamAccess element;
        private final int[] numbers = new int[64];
        private final long[] gpas = {Rings.DATA, Rings.DATA + 4000, Rings.DATA + 8000};
        private final long[] lengths = {256, 256, 64};
        private int rounds;

        Cycle(GuestRam.Kind kind, long features) {
            GuestRam ram = Rings.ram(kind);
            RingBytes ring = Rings.ring(ram, 16);
            IndirectTables tables =
                    new IndirectTables(ram.memory(), Rings.DATA + 5 * GuestRam.PAGE - 32, 16, 4);
            driver = new DriverQueue(ram.memory(), ring.addresses(), features, tables);
            device = Rings.device(ring, features);
            element = new RamAccess(ram.memory());
        }

        void play(int count) {
            for (int i = 0; i < count; i++) {
                boolean added =
                        driver.add(Rings.DATA, 256, false) >= 0
                                && driver.add(gpas, lengths, 2, 1) >= 0;
                driver.publish();
                device.disarm();
                while (device.poll() == DeviceQueue.CHAIN) {
                    work(device.chain());
                }
                device.publish();
                boolean offered = device.armAndRecheck();
                driver.disarm();
                int first = driver.poll();
                int second = driver.poll();
                int none = driver.poll();
                boolean back = first >= 0 && second >= 0 && none == DriverQueue.NONE;
                boolean more = driver.armAndRecheck();
                rounds += added && back && !offered && !more ? 1 : 0;
            }
        }

        private void work(ChainCursor chain) {
            while (chain.next() == ChainCursor.ELEMENT) {
                element.map(chain.gpa(), chain.length());
                int count = (int) chain.length() / Integer.BYTES;
                if (chain.isWritable()) {
                    element.putInts(0, numbers, 0, count);
                    element.fill(0, 8, (byte) 1);
                } else {
                    element.getInts(0, numbers, 0, count);
                }
            }
            device.complete(chain.head(), 0);
        }
    }
}
