package io.aerostat.virtio.queue;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.aerostat.virtio.queue.QueueModel.Buffer;
import io.aerostat.virtio.queue.QueueModel.Used;
import io.aerostat.virtio.testkit.GuestRam;
import io.aerostat.virtio.testkit.RingBytes;
import io.aerostat.virtio.testkit.Seeds;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.stream.LongStream;

/**
 * Random operations on a driver queue and a device queue over the same RAM, step by step against
 * {@link QueueModel}: every size, kind of RAM and feature set, picked by the seed.
 */
final class QueueModelTest {
    private static final int[] SIZES = {1, 2, 4, 16, 64, 256, 1024};
    private static final int TABLE_LENGTH = 3;

    static LongStream seeds() {
        return Seeds.first(100);
    }

    /** Every fifth seed starts shortly before its indices pass 65536. */
    @ParameterizedTest
    @MethodSource("seeds")
    void agreesWithPlainCollectionsAtEveryStep(long seed) {
        Random random = new Random(seed);
        int size = SIZES[random.nextInt(SIZES.length)];
        Run run = new Run(seed, random, size);
        if (seed % 5 == 0) {
            run.fastForward(65536 - random.nextInt(2 * size));
        }

        run.play(1200);
    }

    /** One seed's queues and model, side by side. */
    private static final class Run {
        private final long seed;
        private final Random random;
        private final GuestRam ram;
        private final RingBytes ring;
        private final DriverQueue driver;
        private final DeviceQueue device;
        private final QueueModel model;
        private final boolean indirect;
        private int step;

        Run(long seed, Random random, int size) {
            this.seed = seed;
            this.random = random;
            GuestRam.Kind[] kinds = GuestRam.kinds().toArray(GuestRam.Kind[]::new);
            ram = GuestRam.of(kinds[random.nextInt(kinds.length)], 64 * GuestRam.PAGE);
            ring = RingBytes.at(ram, size, ram.base() + GuestRam.PAGE - 32);
            long[] features = {
                Rings.NONE_NEGOTIATED, Rings.EVENT, Rings.INDIRECT, Rings.BOTH, Rings.EVENT
            };
            long negotiated = features[random.nextInt(features.length)];
            indirect = (negotiated & Rings.INDIRECT) == Rings.INDIRECT;
            long room = ram.base() + 16L * GuestRam.PAGE;
            IndirectTables tables = new IndirectTables(ram.memory(), room, size, TABLE_LENGTH);
            driver = new DriverQueue(ram.memory(), ring.addresses(), negotiated, tables);
            device = new DeviceQueue(ram.memory(), ring.addresses(), negotiated);
            model = new QueueModel(size, (negotiated & Rings.EVENT) == Rings.EVENT);
        }

        /** One buffer after the other, out and back. */
        void fastForward(int buffers) {
            for (int i = 0; i < buffers; i++) {
                addSingle();
                same(model.publishAdded(), driver.publish(), "kick");
                take(1);
                complete(1);
                same(model.publishCompleted(), device.publish(), "interrupt");
                takeBack(1);
            }
        }

        void play(int steps) {
            for (step = 0; step < steps; step++) {
                switch (random.nextInt(14)) {
                    case 0, 1, 2 -> add(1 + random.nextInt(8));
                    case 3 -> addOneChain(1 + random.nextInt(Math.min(6, ring.size())));
                    case 4, 5 -> same(model.publishAdded(), driver.publish(), "kick");
                    case 6 -> takeBack(1 + random.nextInt(12));
                    case 7 -> driverArmsOrDisarms();
                    case 8, 9 -> take(1 + random.nextInt(8));
                    case 10, 11 -> complete(random.nextInt(8));
                    case 12 -> same(model.publishCompleted(), device.publish(), "interrupt");
                    default -> deviceArmsOrDisarms();
                }
                checkTheRing();
            }
        }

        private void add(int count) {
            for (int i = 0; i < count; i++) {
                if (random.nextInt(3) == 0) {
                    addOneChain(1 + random.nextInt(Math.min(4, ring.size())));
                } else {
                    addSingle();
                }
            }
        }

        private void addSingle() {
            long gpa = ram.base() + random.nextInt(ram.length() - 100);
            long length = 1L + random.nextInt(100);
            boolean writable = random.nextBoolean();
            int free = model.freeDescriptors();

            int head = driver.add(gpa, length, writable);

            added(
                    head,
                    free,
                    new Buffer(
                            head, List.of(text(gpa, length, writable)), 1, writable ? length : 0));
        }

        private void addOneChain(int elements) {
            int readable = random.nextInt(elements + 1);
            long[] gpas = new long[elements];
            long[] lengths = new long[elements];
            List<String> texts = new ArrayList<>();
            long writableBytes = 0;
            for (int i = 0; i < elements; i++) {
                gpas[i] = ram.base() + random.nextInt(ram.length() - 100);
                lengths[i] = 1L + random.nextInt(100);
                writableBytes += i < readable ? 0 : lengths[i];
                texts.add(text(gpas[i], lengths[i], i >= readable));
            }
            boolean inTable = indirect && elements > 1 && elements <= TABLE_LENGTH;
            int free = model.freeDescriptors();

            int head = driver.add(gpas, lengths, readable, elements - readable);

            added(head, free, new Buffer(head, texts, inTable ? 1 : elements, writableBytes));
        }

        private void added(int head, int free, Buffer buffer) {
            if (buffer.descriptors() > free) {
                same(DriverQueue.FULL, head, "head of a buffer that does not fit");
                return;
            }
            same(true, head >= 0 && head < ring.size() && !model.isOut(head), "a free head");
            model.add(buffer);
        }

        private void takeBack(int count) {
            for (int i = 0; i < count; i++) {
                Used expected = model.takeBack();
                int head = driver.poll();
                same(expected == null ? DriverQueue.NONE : expected.head(), head, "head back");
                if (expected != null) {
                    same(expected.length(), driver.usedLength(), "used length");
                }
            }
        }

        private void take(int count) {
            for (int i = 0; i < count; i++) {
                Buffer expected = model.take();
                int code = device.poll();
                same(expected == null ? DeviceQueue.NONE : DeviceQueue.CHAIN, code, "poll");
                if (expected != null) {
                    same(expected.head(), device.chain().head(), "head");
                    same(expected.elements(), walk(device.chain()), "elements");
                }
            }
        }

        private static List<String> walk(ChainCursor chain) {
            List<String> texts = new ArrayList<>();
            while (chain.next() == ChainCursor.ELEMENT) {
                texts.add(text(chain.gpa(), chain.length(), chain.isWritable()));
            }
            return texts;
        }

        private static String text(long gpa, long length, boolean writable) {
            return gpa + "+" + length + (writable ? "w" : "r");
        }

        private void complete(int count) {
            for (int i = 0; i < count && !model.inWork().isEmpty(); i++) {
                Buffer buffer = model.inWork().get(random.nextInt(model.inWork().size()));
                int written = random.nextInt((int) buffer.writable() + 1);
                device.complete(buffer.head(), written);
                model.complete(buffer, written);
            }
        }

        private void driverArmsOrDisarms() {
            if (random.nextInt(3) == 0) {
                driver.disarm();
                model.driverDisarms();
            } else {
                same(model.driverArms(), driver.armAndRecheck(), "driver armed");
            }
        }

        private void deviceArmsOrDisarms() {
            if (random.nextInt(3) == 0) {
                device.disarm();
                model.deviceDisarms();
            } else {
                same(model.deviceArms(), device.armAndRecheck(), "device armed");
            }
        }

        private void checkTheRing() {
            same(model.availableIdx(), ring.availableIdx(), "avail.idx");
            same(model.usedIdx(), ring.usedIdx(), "used.idx");
            same(model.freeDescriptors(), driver.freeDescriptors(), "free descriptors");
            same(model.inFlight(), driver.inFlight(), "in flight");
            same(null, driver.fault(), "driver fault");
            same(null, device.fault(), "device fault");
        }

        private void same(Object expected, Object actual, String what) {
            if (!Objects.equals(expected, actual)) {
                assertEquals(expected, actual, what + ", step=" + step + ", " + Seeds.replay(seed));
            }
        }
    }
}
