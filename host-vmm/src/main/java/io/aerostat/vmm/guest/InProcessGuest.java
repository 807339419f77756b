package io.aerostat.vmm.guest;

import io.aerostat.guest.balloon.BalloonDriver;
import io.aerostat.guest.balloon.BalloonDriverOptions;
import io.aerostat.guest.page.BuddyAllocator;
import io.aerostat.guest.workload.PageWorkload;
import io.aerostat.virtio.driver.HandshakeFailure;
import io.aerostat.virtio.memory.GuestMemory;
import io.aerostat.virtio.memory.RamRegion;
import io.aerostat.virtio.spec.balloon.PageFrame;
import io.aerostat.virtio.transport.mmio.InterruptLine;
import io.aerostat.virtio.transport.mmio.MmioTransport;
import io.aerostat.virtio.transport.mmio.RegisterWindow;
import io.aerostat.vmm.thread.DoorbellIdle;
import io.aerostat.vmm.thread.OwnerThread;

import org.agrona.concurrent.Agent;
import org.agrona.concurrent.NanoClock;
import org.jctools.queues.atomic.MpscUnboundedAtomicArrayQueue;
import org.jspecify.annotations.Nullable;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;

/**
 * A guest whose processor is a thread of this process. All of it, allocator, driver and workload,
 * belongs to that thread; {@link #call} brings work there.
 */
public final class InProcessGuest implements AutoCloseable {
    /**
     * The guest's interrupt controller: an interrupt wakes its processor, which finds the causes in
     * the device's registers.
     */
    public static final class Interrupts implements InterruptLine {
        private final DoorbellIdle processor = new DoorbellIdle(LONGEST_PAUSE_NS);

        /** A controller whose processor is not running yet. */
        public Interrupts() {}

        @Override
        public void set(boolean level) {
            if (level) {
                processor.ring();
            }
        }
    }

    private static final Logger LOGGER = System.getLogger(InProcessGuest.class.getName());
    private static final long LONGEST_PAUSE_NS = TimeUnit.MILLISECONDS.toNanos(10);
    private static final int COMMAND_CHUNK = 16;

    private final NanoClock clock;
    private final Interrupts interrupts;
    private final BuddyAllocator pages;
    private final PageWorkload workload;
    private final @Nullable BalloonDriver driver;
    private final MpscUnboundedAtomicArrayQueue<Runnable> commands =
            new MpscUnboundedAtomicArrayQueue<>(COMMAND_CHUNK);
    private @Nullable OwnerThread processor;

    /**
     * A guest that does not run yet: {@link #start}, or {@link #step} by hand.
     *
     * @param memory its RAM: one region
     * @param window the balloon's registers, or empty if there is no balloon
     * @param interrupts its interrupt controller, which the device was given as its line
     * @param seed of the workload
     */
    public InProcessGuest(
            GuestMemory memory,
            Optional<RegisterWindow> window,
            Interrupts interrupts,
            BalloonDriverOptions options,
            long seed,
            NanoClock clock) {
        if (memory.regionCount() != 1) {
            throw new IllegalArgumentException(
                    "this guest takes one RAM region: regions=" + memory.regions());
        }
        RamRegion ram = memory.region(0);
        this.clock = clock;
        this.interrupts = interrupts;
        this.pages =
                new BuddyAllocator(ram.gpa() >>> PageFrame.SHIFT, ram.length() >>> PageFrame.SHIFT);
        this.workload = new PageWorkload(memory, pages, seed);
        this.driver =
                window.map(
                                registers ->
                                        new BalloonDriver(
                                                memory,
                                                pages,
                                                new MmioTransport(registers),
                                                options))
                        .orElse(null);
    }

    /** Starts the guest's processor. */
    public void start() {
        processor =
                OwnerThread.start(
                        new ProcessorAgent(), interrupts.processor, InProcessGuest::onError);
    }

    /** Runs the guest once; for guests without a processor thread. 0 if there was nothing to do. */
    public int step() {
        return runCommands() + (driver == null ? 0 : driver.doWork(clock.nanoTime()));
    }

    private int runCommands() {
        int count = 0;
        for (Runnable command = commands.poll(); command != null; command = commands.poll()) {
            command.run();
            count++;
        }
        return count;
    }

    /**
     * Boots: brings the balloon up, if there is one. Completes with null, or with why it failed.
     */
    public CompletableFuture<@Nullable HandshakeFailure> boot() {
        return call(guest -> guest.driver == null ? null : guest.driver.start());
    }

    /** Runs something on the guest's processor. */
    public <T extends @Nullable Object> CompletableFuture<T> call(
            Function<InProcessGuest, T> work) {
        CompletableFuture<T> future = new CompletableFuture<>();
        commands.add(
                () -> {
                    try {
                        future.complete(work.apply(this));
                    } catch (RuntimeException | Error e) {
                        future.completeExceptionally(e);
                    }
                });
        interrupts.processor.ring();
        return future;
    }

    /** What {@code free} says. The processor only. */
    public FreeMemory free() {
        long ballooned = driver == null ? 0 : driver.inPossession();
        long total = pages.totalPages() - ballooned;
        long free = pages.freePages() + (driver == null ? 0 : driver.heldPages());
        return new FreeMemory(
                total << PageFrame.SHIFT,
                (total - free) << PageFrame.SHIFT,
                free << PageFrame.SHIFT);
    }

    /** What uses its memory. The processor only. */
    public PageWorkload workload() {
        return workload;
    }

    /** Its balloon driver, or empty. The processor only. */
    public Optional<BalloonDriver> driver() {
        return Optional.ofNullable(driver);
    }

    private static void onError(Throwable error) {
        LOGGER.log(Level.ERROR, "the guest failed", error);
    }

    /** Stops the processor where it is; what was called and not begun runs before that. */
    @Override
    public void close() {
        if (processor != null) {
            processor.close();
            runCommands();
        }
    }

    private final class ProcessorAgent implements Agent {
        @Override
        public int doWork() {
            return step();
        }

        @Override
        public String roleName() {
            return "aerostat-guest";
        }
    }
}
