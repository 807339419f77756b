package io.aerostat.guest.workload;

import io.aerostat.guest.mm.AddressSpace;
import io.aerostat.guest.mm.FaultOutcome;
import io.aerostat.guest.mm.MemoryNode;
import io.aerostat.guest.task.Task;

import java.util.SplittableRandom;

/**
 * What one process does to its memory: bursts of accesses, most of them to a hot part that wanders;
 * growth and shrinking towards a size that is drawn anew for each burst; files read in between, a
 * few pages of them most of the time.
 */
final class PressureProcess {
    /** How many faces the dice has: the chances below are in thousandths. */
    private static final int DICE = 1000;

    private static final int FILE_READS = 100;
    private static final int RESIZES = 500;
    private static final int COLD_ACCESSES = 90;
    private static final int WANDERINGS = 5;
    private static final int WRITES = 400;
    private static final int PAGES_PER_RESIZE = 16;
    private static final int ACCESSES_PER_BURST = 200;
    private static final int HOT_FILE_SHARE = 8;

    private final MemoryNode node;
    private final PressureOptions options;
    private final SplittableRandom random;
    private final Task task;
    private final AddressSpace space;

    private int size;
    private int wantedSize;
    private int hotFirst;
    private int burst;

    PressureProcess(MemoryNode node, PressureOptions options, Task task, SplittableRandom random) {
        this.node = node;
        this.options = options;
        this.random = random;
        this.task = task;
        this.space = node.newAddressSpace(task.pid(), options.pagesPerProcess());
        this.size = options.hotPages();
        beginBurst();
    }

    Task task() {
        return task;
    }

    AddressSpace space() {
        return space;
    }

    /** Draws how long the next burst is, and how large the process gets by it. */
    void beginBurst() {
        burst = 1 + random.nextInt(2 * ACCESSES_PER_BURST);
        wantedSize = random.nextInt(options.hotPages(), options.pagesPerProcess() + 1);
    }

    boolean isBurstOver() {
        return burst == 0;
    }

    /** One access. */
    FaultOutcome access() {
        burst--;
        if (random.nextInt(DICE) < FILE_READS
                && node.options().files() > 0
                && node.options().pagesPerFile() > 0) {
            return readFile();
        }
        if (random.nextInt(DICE) < RESIZES) {
            resize();
        }
        if (random.nextInt(DICE) < WANDERINGS) {
            hotFirst = random.nextInt(size - options.hotPages() + 1);
        }
        boolean cold = random.nextInt(DICE) < COLD_ACCESSES;
        int page = cold ? random.nextInt(size) : hotFirst + random.nextInt(options.hotPages());
        boolean write = random.nextInt(DICE) < WRITES;
        return write ? space.write(page) : space.read(page);
    }

    private FaultOutcome readFile() {
        int file = random.nextInt(node.options().files());
        int pages = node.options().pagesPerFile();
        int hot = Math.max(1, pages / HOT_FILE_SHARE);
        return space.readFile(file, random.nextInt(random.nextInt(2) == 0 ? pages : hot));
    }

    /** Pages that it grows by are accessed by and by; those that it shrinks by are freed. */
    private void resize() {
        int next = Math.min(wantedSize, size + PAGES_PER_RESIZE);
        next = Math.max(next, size - PAGES_PER_RESIZE);
        for (int page = next; page < size; page++) {
            space.free(page);
        }
        size = next;
        hotFirst = Math.min(hotFirst, size - options.hotPages());
    }
}
