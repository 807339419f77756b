package io.aerostat.virtio.memory;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.aerostat.virtio.testkit.Seeds;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Random;
import java.util.concurrent.CyclicBarrier;
import java.util.stream.LongStream;

/** Pages of arrays: the values in them, which pages are there, and how they go. */
final class PagedArrayTest {
    private static final int PAGE = 4096;

    private final byte[][] pages = new byte[8][];
    private final PagedArray ram = new PagedArray(pages, PAGE);

    @Test
    void aPageThatIsNotThereReadsAsZerosAndStaysAway() {
        assertEquals(0, ram.load(PAGE, 8));
        assertEquals(0, ram.load(2 * PAGE - 1, 4));
        ram.loadInts(PAGE - 2, new int[2000], 0, 2000);

        assertEquals(0, ram.residentBytes(0, ram.length()));
    }

    @Test
    void aStoreMakesThePageThatItIsIn() {
        ram.store(2 * PAGE + 8, 4, 0x1122_3344);

        assertEquals(0x44, pages[2][8]);
        assertEquals(0x11, pages[2][11]);
        assertNull(pages[1]);
        assertNull(pages[3]);
        assertEquals(PAGE, ram.residentBytes(0, ram.length()));
    }

    @Test
    void aValueMayLieAcrossTwoPages() {
        ram.store(3 * PAGE - 3, 8, 0x8877_6655_4433_2211L);

        assertEquals(0x8877_6655_4433_2211L, ram.load(3 * PAGE - 3, 8));
        assertEquals(0x33, pages[2][PAGE - 1]);
        assertEquals(0x44, pages[3][0]);
    }

    static LongStream seeds() {
        return Seeds.first(4);
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void behavesAsOneArrayWould(long seed) {
        Random random = new Random(seed);
        int pageBytes = PAGE << random.nextInt(3);
        PagedArray paged = new PagedArray(new byte[4][], pageBytes);
        ByteBuffer model = ByteBuffer.allocate(4 * pageBytes).order(ByteOrder.LITTLE_ENDIAN);
        for (int i = 0; i < 20_000; i++) {
            int width = 1 << random.nextInt(4);
            int at = random.nextInt(model.capacity() - Long.BYTES);
            if (random.nextInt(8) == 0) {
                at = (1 + random.nextInt(3)) * pageBytes - random.nextInt(8);
            }
            if (random.nextBoolean()) {
                long value = random.nextLong();
                paged.store(at, width, value);
                for (int b = 0; b < width; b++) {
                    model.put(at + b, (byte) (value >>> (8 * b)));
                }
            } else {
                long mask = width == 8 ? -1 : (1L << (8 * width)) - 1;
                assertEquals(
                        model.getLong(at) & mask,
                        paged.load(at, width),
                        "at " + at + ", " + Seeds.replay(seed));
            }
        }
        int count = model.capacity() / 4 - 1;
        for (int shift = 0; shift < 4; shift++) {
            int[] all = new int[count + 2];
            paged.loadInts(shift, all, 1, count);
            for (int i = 0; i < count; i++) {
                assertEquals(model.getInt(shift + 4 * i), all[1 + i], Seeds.replay(seed));
            }
            assertEquals(0, all[0]);
            assertEquals(0, all[count + 1]);
        }
    }

    @Test
    void letsGoOfWholePages() {
        ram.fill(0, ram.length(), (byte) 7);

        assertEquals(2 * PAGE, ram.drop(3 * PAGE, 2 * PAGE));

        assertNotNull(pages[2]);
        assertNull(pages[3]);
        assertNull(pages[4]);
        assertNotNull(pages[5]);
        assertEquals(0, ram.load(4 * PAGE, 8));
        assertEquals(0, ram.drop(3 * PAGE, 2 * PAGE));
        assertEquals(6 * PAGE, ram.residentBytes(0, ram.length()));
    }

    @Test
    void refusesToLetGoOfAnythingButPagesOfIts() {
        ram.fill(0, ram.length(), (byte) 7);

        assertRefused(1, PAGE);
        assertRefused(0, PAGE + 1);
        assertRefused(-PAGE, PAGE);
        assertRefused(7 * PAGE, 2 * PAGE);
        assertRefused(0, -PAGE);
        assertRefused(PAGE, Long.MAX_VALUE - PAGE + 1);

        assertEquals(ram.length(), ram.residentBytes(0, ram.length()));
    }

    private void assertRefused(long offset, long bytes) {
        assertThrows(IllegalArgumentException.class, () -> ram.drop(offset, bytes));
        assertThrows(IllegalArgumentException.class, () -> ram.residentBytes(offset, bytes));
    }

    @Test
    void refusesPagesOfOddSizes() {
        byte[][] wrong = {new byte[PAGE], new byte[PAGE + 1]};

        assertThrows(IllegalArgumentException.class, () -> new PagedArray(wrong, PAGE));
        assertThrows(IllegalArgumentException.class, () -> new PagedArray(pages, 2048));
        assertThrows(IllegalArgumentException.class, () -> new PagedArray(pages, 5000));
    }

    @Test
    void usesTheTableOfItsEmbedder() {
        byte[] mine = new byte[PAGE];
        mine[5] = 9;

        pages[1] = mine;
        ram.store(PAGE + 6, 1, 8);

        assertEquals(9, ram.load(PAGE + 5, 1));
        assertSame(mine, pages[1]);
        assertEquals(8, mine[6]);
    }

    @Test
    void twoThreadsThatMakeAPageMakeTheSame() throws Exception {
        byte[][] table = new byte[2000][];
        PagedArray shared = new PagedArray(table, PAGE);
        CyclicBarrier start = new CyclicBarrier(2);
        Thread other =
                new Thread(
                        () -> {
                            try {
                                start.await();
                            } catch (Exception e) {
                                throw new IllegalStateException(e);
                            }
                            fillPages(shared, 8);
                        });
        other.start();
        start.await();
        fillPages(shared, 0);
        other.join();

        long[] expected = new long[4000];
        long[] found = new long[4000];
        for (int i = 0; i < 2000; i++) {
            expected[2 * i] = i + 1L;
            expected[2 * i + 1] = i + 1L;
            found[2 * i] = shared.load((long) i * PAGE, 8);
            found[2 * i + 1] = shared.load((long) i * PAGE + 8, 8);
        }
        assertArrayEquals(expected, found);
    }

    private static void fillPages(PagedArray shared, int place) {
        for (int i = 0; i < 2000; i++) {
            shared.store((long) i * PAGE + place, 8, i + 1L);
        }
    }
}
