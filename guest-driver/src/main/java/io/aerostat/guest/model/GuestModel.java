package io.aerostat.guest.model;

import io.aerostat.guest.balloon.BalloonDriver;
import io.aerostat.guest.mm.MemoryNode;
import io.aerostat.guest.mm.PageMover;
import io.aerostat.guest.page.BuddyAllocator;
import io.aerostat.guest.task.ProcessListing;
import io.aerostat.guest.task.TaskTable;
import io.aerostat.guest.workload.PressureWorkload;
import io.aerostat.virtio.driver.DriverTransport;
import io.aerostat.virtio.driver.HandshakeFailure;
import io.aerostat.virtio.memory.GuestMemory;
import io.aerostat.virtio.memory.RamRegion;
import io.aerostat.virtio.spec.balloon.PageFrame;

import org.jspecify.annotations.Nullable;

/**
 * A guest that is squeezed and feels it: processes on a {@link MemoryNode}, and a balloon driver
 * that takes its pages there.
 *
 * <pre>
 *   processes ──▶ MemoryNode ◀── BalloonDriver ◀── host
 *        │            │  │              ▲
 *      tasks          │  └─ no memory ──┤ release hints, deflate on OOM
 *                     └─ compaction ────┘ migrate
 * </pre>
 *
 * <p>Nothing runs by itself: {@link #step} does a stretch of work at a time of the virtual clock.
 * With equal options and equal steps two guests do the same. One thread's.
 */
public final class GuestModel {
    /** Linux gives back so much at a time when it is out of memory. */
    private static final long OOM_PAGES = 256;

    private final MemoryNode node;
    private final TaskTable tasks;
    private final BalloonDriver driver;
    private final BalloonWorker worker;
    private final CompactionDaemon compaction;
    private final PressureWorkload processes;

    /**
     * A guest that has booted but for its balloon: {@link #startBalloon}.
     *
     * @param memory its RAM: one region
     * @param balloon the way to its balloon device
     */
    public GuestModel(
            GuestMemory memory, DriverTransport balloon, GuestOptions options, long nowNs) {
        if (memory.regionCount() != 1) {
            throw new IllegalArgumentException(
                    "this guest takes one RAM region: regions=" + memory.regions());
        }
        RamRegion ram = memory.region(0);
        BuddyAllocator pages =
                new BuddyAllocator(ram.gpa() >>> PageFrame.SHIFT, ram.length() >>> PageFrame.SHIFT);
        this.node = new MemoryNode(memory, pages, options.memory());
        this.tasks = new TaskTable(nowNs);
        this.driver =
                new BalloonDriver(
                        memory,
                        node.balloonPages(),
                        balloon,
                        options.driver(),
                        new NodeStatistics(node, () -> driver().missingPages()));
        this.worker = new BalloonWorker(driver, tasks);
        this.compaction = new CompactionDaemon(node, tasks);
        this.processes = new PressureWorkload(node, tasks, options.processes(), options.seed());
        node.useRelief(this::relieve);
        node.useMover(new BallooningMover());
    }

    private long relieve(long pages) {
        long wanted = Math.max(pages, OOM_PAGES);
        long released = driver.releaseHinted(wanted);
        if (released > 0) {
            return released;
        }
        driver.deflateOnOom(wanted);
        // Whoever asked for it: what the device has yet to confirm is free soon.
        return driver.isolatedPages() + driver.deflatingPages();
    }

    /** Brings the balloon up. Null, or why it failed. */
    public @Nullable HandshakeFailure startBalloon() {
        return driver.start();
    }

    /**
     * Lets the driver and all processes do a bounded piece of work.
     *
     * @param nowNs the virtual clock in nanoseconds, not before the last step's
     */
    public void step(long nowNs) {
        tasks.advanceTo(nowNs);
        worker.step(nowNs);
        compaction.step();
        processes.step(nowNs);
    }

    /** Lets the driver alone work, while the processes' time stands still. 0 if it did nothing. */
    public int stepBalloon(long nowNs) {
        return worker.step(nowNs);
    }

    /** What {@code ps -eo pid,stat,comm,wchan} prints now. */
    public String ps() {
        return ProcessListing.of(tasks);
    }

    /** Its memory. */
    public MemoryNode memory() {
        return node;
    }

    /** Its tasks. */
    public TaskTable tasks() {
        return tasks;
    }

    /** Its balloon driver. */
    public BalloonDriver driver() {
        return driver;
    }

    /** What its processes do. */
    public PressureWorkload processes() {
        return processes;
    }

    private final class BallooningMover implements PageMover {
        @Override
        public boolean owns(int pfn) {
            return driver.owns(pfn);
        }

        @Override
        public boolean move(int pfn) {
            return driver.migrate(pfn);
        }
    }
}
