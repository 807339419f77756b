package io.aerostat.guest.page;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.aerostat.guest.page.FreePagesModel.Block;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import java.util.Comparator;
import java.util.List;
import java.util.Random;
import java.util.stream.LongStream;

/**
 * Random allocations, frees of whole blocks and of pieces, and callers' mistakes, step by step
 * against {@link FreePagesModel}.
 *
 * <p>The seeds are fixed, so a build tells the same every time. A failure names its seed; {@code
 * -Daerostat.page.seed=N} runs that one alone, or any other.
 */
final class BuddyAllocatorModelTest {

    private static final String SEED_PROPERTY = "aerostat.page.seed";
    private static final long SEEDS = 40;
    private static final int STEPS = 3000;

    /** How long the test goes on mostly allocating, or mostly freeing. */
    private static final int PHASE_STEPS = 150;

    static LongStream seeds() {
        Long replayed = Long.getLong(SEED_PROPERTY);
        return replayed != null ? LongStream.of(replayed) : LongStream.range(0, SEEDS);
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void agreesWithABitSetOfFreePagesAtEveryStep(long seed) {
        new Run(seed).play();
    }

    /** One seed's allocator and model, side by side. */
    private static final class Run {

        private final long seed;
        private final Random random;
        private final int firstPfn;
        private final int pages;
        private final BuddyAllocator allocator;
        private final FreePagesModel model;
        private int step;

        Run(long seed) {
            this.seed = seed;
            random = new Random(seed);
            firstPfn = random.nextInt(3000);
            pages = 1 + random.nextInt(random.nextBoolean() ? 100 : 6000);
            allocator = new BuddyAllocator(firstPfn, pages);
            model = new FreePagesModel(firstPfn, pages);
        }

        void play() {
            for (step = 0; step < STEPS; step++) {
                boolean growing = step / PHASE_STEPS % 2 == 0;
                int dice = random.nextInt(10);
                if (dice == 0) {
                    freeAnything();
                } else if (dice < 3 || dice < 8 == growing) {
                    allocate();
                } else if (model.hasAllocatedPages()) {
                    free(allocatedBlock());
                }
                assertSame();
            }
            freeEverything();
            assertDrainsLikeTheModel();
        }

        private void allocate() {
            int order = randomOrder();
            int expected = model.allocate(order);
            assertEquals(expected, allocator.allocate(order), where("allocate, order=" + order));
        }

        private void free(Block block) {
            allocator.free(block.pfn(), block.order());
            model.free(block);
        }

        /** A block picked blindly, even outside the span: freed if it may be, else refused. */
        private void freeAnything() {
            int pfn = firstPfn - 20 + random.nextInt(pages + 40);
            int order = random.nextInt(BuddyAllocator.MAX_ORDER + 3) - 1;
            boolean aligned = random.nextBoolean() && order >= 0;
            Block block = new Block(aligned ? pfn & -(1 << order) : pfn, order);
            if (!model.isBlockOfTheSpan(block)) {
                assertRefused(IllegalArgumentException.class, block);
            } else if (!model.isAllocated(block)) {
                assertRefused(IllegalStateException.class, block);
            } else {
                free(block);
            }
        }

        /** The largest allocated block of a random order or less around an allocated page. */
        private Block allocatedBlock() {
            int pfn = model.allocatedPfnFrom(firstPfn + random.nextInt(pages));
            Block block = new Block(pfn, 0);
            for (int order = random.nextInt(BuddyAllocator.MAX_ORDER + 1); order > 0; order--) {
                Block larger = new Block(pfn & -(1 << order), order);
                if (model.isBlockOfTheSpan(larger) && model.isAllocated(larger)) {
                    block = larger;
                    break;
                }
            }
            return block;
        }

        private void freeEverything() {
            while (model.hasAllocatedPages()) {
                free(allocatedBlock());
                assertSame();
            }
        }

        private void assertSame() {
            assertEquals(model.freePages(), allocator.freePages(), where("freePages"));
            assertEquals(
                    model.largestFreeOrder(),
                    allocator.largestFreeOrder(),
                    where("largestFreeOrder"));
        }

        private void assertRefused(Class<? extends Exception> type, Block block) {
            assertThrows(
                    type,
                    () -> allocator.free(block.pfn(), block.order()),
                    where("free, " + block));
        }

        private void assertDrainsLikeTheModel() {
            List<Block> expected = new FreePagesModel(firstPfn, pages).freeBlocks();
            List<Block> drained = BuddyAllocatorTest.drain(allocator);
            drained.sort(Comparator.comparingInt(Block::pfn));
            assertEquals(expected, drained, where("free blocks"));
            assertEquals(0, allocator.freePages(), where("freePages"));
        }

        /** Small orders mostly, all of them sometimes. */
        private int randomOrder() {
            int bound = random.nextInt(BuddyAllocator.MAX_ORDER + 1);
            return random.nextInt(bound + 1);
        }

        private String where(String what) {
            return what
                    + (": step=" + step)
                    + (", firstPfn=" + firstPfn)
                    + (", pages=" + pages)
                    + (", seed=" + seed)
                    + (" (replay: -D" + SEED_PROPERTY + "=" + seed + ")");
        }
    }
}
