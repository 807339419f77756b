package io.aerostat.virtio.device;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.aerostat.virtio.snapshot.SnapshotException;
import io.aerostat.virtio.snapshot.SnapshotReader;
import io.aerostat.virtio.snapshot.SnapshotWriter;
import io.aerostat.virtio.testkit.Spin;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.IntConsumer;

/**
 * The generation, alone and against a writer (CFG-DESC-02, MMIO-DESC-13, MMIO-DEV-08).
 *
 * <p>The races show their bug, in most runs if not in all, when ConfigSpace answers the odd
 * generation as it is, has no odd phase, or changes the generation on one side of the store alone;
 * and when it stores or loads a field in pieces.
 */
final class ConfigGenerationTest {
    private static final int ROUNDS = 2_000_000;
    private static final int ROUNDS_BETWEEN_RESTS = 100_000;

    @Test
    void isEvenWhileNothingChanges() {
        ConfigSpace config = new ConfigSpace(8, 0);

        config.set(0, 1);
        config.set(4, 1);

        assertEquals(0, config.generation() & 1);
    }

    @Test
    void staysTheSameWhileNothingChanges() {
        ConfigSpace config = new ConfigSpace(8, 0);

        int before = config.generation();
        config.read(0, 8);

        assertEquals(before, config.generation());
    }

    private static byte[] saved(int generation, int unsettled) {
        SnapshotWriter out = new SnapshotWriter();
        out.writeInt(2);
        out.writeInt(0x11);
        out.writeInt(0x22);
        out.writeInt(generation);
        out.writeInt(unsettled);
        return out.finish();
    }

    private static void restore(ConfigSpace config, byte[] saved) throws SnapshotException {
        config.prepareRestore(SnapshotReader.open(saved)).run();
    }

    /** The odd number that was answered last too: a driver may be between its two reads. */
    @Test
    void goesOnAfterARestoreWhereItWas() throws SnapshotException {
        ConfigSpace config = new ConfigSpace(8, 0);
        config.set(0, 1);
        byte[] saved = saved(4, 41);

        restore(config, saved);
        SnapshotWriter again = new SnapshotWriter();
        config.save(again);

        assertEquals(4, config.generation());
        assertEquals(0x2200000011L, config.read(0, 8));
        assertArrayEquals(saved, again.finish());
    }

    @Test
    void refusesGenerationsThatNoSpaceAtRestHas() {
        ConfigSpace config = new ConfigSpace(8, 0);

        assertThrows(SnapshotException.class, () -> restore(config, saved(3, 41)));
        assertThrows(SnapshotException.class, () -> restore(config, saved(4, 40)));
        assertThrows(SnapshotException.class, () -> restore(new ConfigSpace(12, 0), saved(4, 41)));
        assertEquals(0, config.read(0, 8));
    }

    @Test
    void changesWithEveryChange() {
        ConfigSpace config = new ConfigSpace(8, 0);
        int before = config.generation();

        config.set(0, 1);
        int between = config.generation();
        config.set(4, 1);

        assertNotEquals(before, between);
        assertNotEquals(between, config.generation());
        assertNotEquals(before, config.generation());
    }

    // The writer sets the first field, then the second: at no time is the second ahead, or more
    // than one behind.
    @Test
    @Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
    void neverLetsADriverAcceptAMixedPair() throws InterruptedException {
        ConfigSpace config = new ConfigSpace(8, 0);

        Race race =
                new Race(
                        round -> {
                            config.set(0, round);
                            config.set(4, round);
                        });

        race.run(
                () -> {
                    int before = config.generation();
                    int first = (int) config.read(0, 4);
                    int second = (int) config.read(4, 4);
                    if (config.generation() != before) {
                        return false;
                    }
                    int ahead = first - second;
                    assertTrue(ahead == 0 || ahead == 1, () -> first + " with " + second);
                    return true;
                });
    }

    @Test
    @Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
    void neverLetsADriverAcceptAFieldThatItReadInTwoHalvesOfTwoVersions()
            throws InterruptedException {
        ConfigSpace config = new ConfigSpace(4, 0);

        Race race = new Race(round -> config.set(0, (round & 0xFFFF) * 0x1_0001));

        race.run(
                () -> {
                    int before = config.generation();
                    int low = (int) config.read(0, 2);
                    int high = (int) config.read(2, 2);
                    if (config.generation() != before) {
                        return false;
                    }
                    assertEquals(low, high);
                    return true;
                });
    }

    @Test
    @Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
    void neverShowsHalfAFieldInOneRead() throws InterruptedException {
        ConfigSpace config = new ConfigSpace(8, 0);

        Race race = new Race(round -> config.set(4, (round & 0xFFFF) * 0x1_0001));

        race.run(
                () -> {
                    long field = config.read(0, 8) >>> 32;
                    assertEquals(field & 0xFFFF, field >>> 16);
                    return true;
                });
    }

    @Test
    @Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
    void neverShowsTheOwnerHalfOfWhatTheDriverWroteAtOnce() throws InterruptedException {
        ConfigSpace config = new ConfigSpace(8, -1);

        Race race = new Race(round -> config.write(0, 8, (long) (round & 0xFFFF) * 0x1_0001));

        race.run(
                () -> {
                    int field = config.get(0);
                    assertEquals(field & 0xFFFF, field >>> 16);
                    return true;
                });
    }

    private interface Reader {
        /** Reads once; answers whether it accepted what it read. */
        boolean read();
    }

    /**
     * A writer thread of {@link #ROUNDS} rounds against the caller as the reader. Now and then the
     * writer rests until the reader has accepted something.
     */
    private static final class Race {
        private final IntConsumer writer;
        private final AtomicBoolean stop = new AtomicBoolean();
        private final AtomicLong accepted = new AtomicLong();

        Race(IntConsumer writer) {
            this.writer = writer;
        }

        void run(Reader reader) throws InterruptedException {
            Thread thread = new Thread(this::write, "writer");
            thread.start();
            try {
                while (thread.isAlive()) {
                    accepted.addAndGet(reader.read() ? 1 : 0);
                }
            } finally {
                stop.set(true);
                thread.join();
            }
        }

        private void write() {
            for (int round = 1; round <= ROUNDS && !stop.get(); round++) {
                writer.accept(round);
                if (round % ROUNDS_BETWEEN_RESTS == 0) {
                    long before = accepted.get();
                    Spin.until(() -> accepted.get() != before || stop.get());
                }
            }
        }
    }
}
