package io.aerostat.guest.mm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.aerostat.guest.mm.frame.VmCounter;
import io.aerostat.guest.page.PageAllocator;
import io.aerostat.virtio.testkit.Seeds;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Deque;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.LongStream;

/**
 * Random accesses, frees, inflations, deflations, compactions and deaths, against a model that only
 * knows which pages exist. After each step every page frame has exactly one use; every page that is
 * read is checked; nothing below the min watermark is given out; and what the balloon's allocator
 * promises it keeps.
 */
final class MemoryNodeModelTest {
    private static final int PAGES = 600;
    private static final int SPACE_PAGES = 400;
    private static final int STEPS = 6000;
    private static final int AUDIT_STEPS = 97;

    static LongStream seeds() {
        return Seeds.first(12);
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void neitherLosesNorInventsAPage(long seed) {
        new Run(seed).play();
    }

    private static final class Run implements PageMover {
        final SplittableRandom random;
        final String where;
        final MemoryRig rig;
        final PageAllocator balloon;
        final List<AddressSpace> spaces = new ArrayList<>();
        final List<BitSet> model = new ArrayList<>();
        final List<Integer> ballooned = new ArrayList<>();
        final Deque<Integer> leaving = new ArrayDeque<>();
        int nextId = 1;

        Run(long seed) {
            where = Seeds.replay(seed);
            random = new SplittableRandom(seed);
            rig =
                    new MemoryRig(
                            PAGES,
                            MemoryRig.options()
                                    .withSwapPages(random.nextInt(300))
                                    .withFiles(2, 300)
                                    .withSwappiness(random.nextInt(201))
                                    .withSeed(seed));
            balloon = rig.node.balloonPages();
            rig.node.useMover(this);
            if (random.nextBoolean()) {
                rig.node.useRelief(this::deflate);
            }
            for (int i = 0; i < 3; i++) {
                spaces.add(rig.node.newAddressSpace(nextId++, SPACE_PAGES));
                model.add(new BitSet());
            }
        }

        void play() {
            int target = 0;
            for (int step = 0; step < STEPS; step++) {
                if (step % 500 == 0) {
                    target = random.nextInt(PAGES);
                }
                int dice = random.nextInt(100);
                if (dice < 60) {
                    access(random.nextInt(spaces.size()));
                } else if (dice < 80) {
                    followTarget(target);
                } else if (dice < 88) {
                    rig.node.reclaimInBackground(random.nextInt(20));
                } else if (dice < 92) {
                    rig.node.compact(random.nextInt(8));
                } else if (dice < 99) {
                    settle(random.nextInt(10));
                } else {
                    replace(random.nextInt(spaces.size()));
                }
                assertConserved(step);
            }
            checkEverything();
            releaseEverything();
        }

        private void access(int number) {
            AddressSpace space = spaces.get(number);
            BitSet exists = model.get(number);
            int page = random.nextInt(SPACE_PAGES);
            switch (random.nextInt(5)) {
                case 0 -> after(number, space.readFile(random.nextInt(2), random.nextInt(300)));
                case 1 -> {
                    assertEquals(exists.get(page), space.free(page), where);
                    exists.clear(page);
                }
                default -> {
                    boolean existed = exists.get(page);
                    boolean present = space.isPresent(page);
                    FaultOutcome outcome =
                            random.nextBoolean() ? space.write(page) : space.read(page);
                    if (outcome.isPresent()) {
                        assertEquals(!existed, outcome == FaultOutcome.MINOR, where);
                        assertEquals(present, outcome == FaultOutcome.NONE, where);
                        exists.set(page);
                    }
                    after(number, outcome);
                }
            }
        }

        /** Whoever was killed has nothing any more, and a successor. */
        private void after(int number, FaultOutcome outcome) {
            assertEquals(outcome == FaultOutcome.KILLED, spaces.get(number).isKilled(), where);
            for (int i = 0; i < spaces.size(); i++) {
                if (spaces.get(i).isKilled()) {
                    assertEquals(0, spaces.get(i).anonymousPages(), where);
                    replace(i);
                }
            }
        }

        private void replace(int number) {
            spaces.get(number).exit();
            spaces.set(number, rig.node.newAddressSpace(nextId++, SPACE_PAGES));
            model.get(number).clear();
        }

        private void followTarget(int target) {
            if (ballooned.size() > target) {
                deflate(random.nextInt(8));
                return;
            }
            int order = balloon.largestFreeOrder();
            long killed = rig.count(VmCounter.OOM_KILL);
            if (order == PageAllocator.NONE) {
                assertEquals(PageAllocator.NONE, balloon.allocate(0), where);
                return;
            }
            int asked = Math.min(order, random.nextInt(5));
            int pfn = balloon.allocate(asked);
            assertTrue(pfn != PageAllocator.NONE, where + ": promised " + order);
            for (int i = 0; i < 1 << asked; i++) {
                ballooned.add(pfn + i);
            }
            assertTrue(rig.node.freePages() + rig.node.isolatedPages() >= 4, where + ": below min");
            assertEquals(killed, rig.count(VmCounter.OOM_KILL), where);
        }

        private long deflate(long pages) {
            long freed = 0;
            while (freed < pages && !ballooned.isEmpty()) {
                int last = ballooned.size() - 1;
                int picked = random.nextInt(ballooned.size());
                balloon.free(ballooned.set(picked, ballooned.get(last)), 0);
                ballooned.remove(/* index */ last);
                freed++;
            }
            return freed;
        }

        @Override
        public boolean owns(int pfn) {
            return ballooned.contains(pfn);
        }

        @Override
        public boolean move(int pfn) {
            int target = balloon.allocate(0);
            if (target == PageAllocator.NONE) {
                return false;
            }
            // Looked up only now: the allocation may have reclaimed, but never takes our pages.
            ballooned.set(ballooned.indexOf(pfn), target);
            leaving.add(pfn);
            return true;
        }

        private void settle(int pages) {
            for (int i = 0; i < pages && !leaving.isEmpty(); i++) {
                balloon.free(leaving.remove(), 0);
            }
        }

        private void assertConserved(int step) {
            assertEquals(ballooned.size() + leaving.size(), rig.node.balloonedPages(), where);
            long resident = 0;
            long swapped = 0;
            for (int i = 0; i < spaces.size(); i++) {
                assertEquals(model.get(i).cardinality(), spaces.get(i).anonymousPages(), where);
                resident += spaces.get(i).residentPages();
                swapped += spaces.get(i).swappedPages();
            }
            assertEquals(resident, rig.node.anonymousPages(), where);
            assertEquals(swapped, rig.node.swapUsedPages(), where);
            assertEquals(0, rig.node.reservedPages(), where);
            if (step % AUDIT_STEPS == 0) {
                rig.assertConserved(where + ": step=" + step);
            }
            assertEquals(
                    PAGES - rig.node.freePages() - rig.node.isolatedPages(),
                    rig.count(VmCounter.PGALLOC_NORMAL) - rig.count(VmCounter.PGFREE),
                    where);
        }

        private void checkEverything() {
            for (int i = 0; i < spaces.size(); i++) {
                for (int page = 0; page < SPACE_PAGES; page++) {
                    if (model.get(i).get(page)) {
                        spaces.get(i).read(page);
                        if (spaces.get(i).isKilled()) {
                            break;
                        }
                    }
                }
            }
            assertEquals(0, rig.count(VmCounter.CORRUPTED), where + rig.events);
        }

        private void releaseEverything() {
            settle(Integer.MAX_VALUE);
            deflate(Integer.MAX_VALUE);
            spaces.forEach(AddressSpace::exit);
            assertEquals(
                    PAGES,
                    rig.node.freePages() + rig.node.isolatedPages() + rig.node.cachePages(),
                    where);
            assertEquals(0, rig.node.swapUsedPages(), where);
            rig.assertConserved(where);
        }
    }
}
