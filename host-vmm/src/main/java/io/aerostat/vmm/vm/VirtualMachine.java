package io.aerostat.vmm.vm;

import io.aerostat.balloon.BalloonDevice;
import io.aerostat.balloon.stats.Contradiction;
import io.aerostat.balloon.stats.GuestStatistics;
import io.aerostat.memory.backend.MemoryBackend;
import io.aerostat.virtio.device.DeviceController;
import io.aerostat.virtio.device.Ownership;
import io.aerostat.virtio.memory.GuestMemory;
import io.aerostat.virtio.spec.DeviceStatus;
import io.aerostat.virtio.transport.mmio.InterruptLine;
import io.aerostat.virtio.transport.mmio.MmioDevice;
import io.aerostat.virtio.transport.mmio.RegisterWindow;
import io.aerostat.vmm.thread.DoorbellIdle;
import io.aerostat.vmm.thread.OwnerThread;
import io.aerostat.vmm.vm.SetMemoryOutcome.Reason;

import org.agrona.concurrent.Agent;
import org.agrona.concurrent.NanoClock;
import org.jspecify.annotations.Nullable;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.BitSet;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Function;

/**
 * A virtual machine as its host has it: RAM, and a balloon device on a virtio-mmio window.
 *
 * <p>Who runs the device is chosen at the start. {@link #start} gives it a thread of its own.
 * {@link #stepped} gives it none: the caller steps it together with the guest on one thread, by a
 * clock that the caller sets; tests and simulations do.
 *
 * <p>{@link #setMemory} and the figures may be called from any thread; the register window belongs
 * to the guest's.
 */
public final class VirtualMachine implements AutoCloseable {
    private static final Logger LOGGER = System.getLogger(VirtualMachine.class.getName());

    /** Where RAM starts for the guest. */
    private static final long RAM_GPA = 0;

    /** How long a promise waits unless it is told otherwise. */
    public static final Duration DEADLINE = Duration.ofSeconds(30);

    private static final long LONGEST_PAUSE_NS = TimeUnit.MILLISECONDS.toNanos(10);

    private final VmOptions options;
    private final NanoClock clock;
    private final MemoryBackend backend;
    private final @Nullable BalloonDevice balloon;
    private final @Nullable MmioDevice mmio;
    private final @Nullable BalloonControl control;
    private final @Nullable OwnerThread owner;
    private final AtomicBoolean closed = new AtomicBoolean();

    private VirtualMachine(
            VmOptions options, InterruptLine line, NanoClock clock, boolean ownThread) {
        this.options = options;
        this.clock = clock;
        this.backend = options.ram().map(options.maximum().bytes(), RAM_GPA);
        if (options.balloon().isEmpty()) {
            balloon = null;
            mmio = null;
            control = null;
            owner = null;
            return;
        }
        DoorbellIdle idle = new DoorbellIdle(LONGEST_PAUSE_NS);
        balloon = new BalloonDevice(backend.memory(), backend.reclaimer(), options.balloon().get());
        Ownership ownership = ownThread ? Ownership.OWN_THREAD : Ownership.REGISTER_THREAD;
        mmio = new MmioDevice(backend.memory(), balloon, line, ownership, idle);
        DeviceController controller = mmio.controller();
        control = new BalloonControl(controller::execute, clock, options.floor());
        control.attach(
                new BalloonControl.Attached(
                        options.maximum(), balloon, () -> driverState(controller)));
        owner = ownThread ? OwnerThread.start(new DeviceAgent(), idle, this::onError) : null;
    }

    private static DriverState driverState(DeviceController controller) {
        int status = controller.status();
        if ((status & DeviceStatus.DEVICE_NEEDS_RESET_FLAG) != 0) {
            return DriverState.BROKEN;
        }
        return (status & DeviceStatus.DRIVER_OK_FLAG) == 0 ? DriverState.ABSENT : DriverState.UP;
    }

    /**
     * Starts a virtual machine whose device has a thread of its own.
     *
     * @param line the balloon's interrupt line into the guest
     */
    public static VirtualMachine start(VmOptions options, InterruptLine line) {
        return new VirtualMachine(options, line, System::nanoTime, true);
    }

    /**
     * Makes a virtual machine whose device runs when {@link #step} is called.
     *
     * @param line the balloon's interrupt line into the guest
     * @param clock what deadlines are measured by
     */
    public static VirtualMachine stepped(VmOptions options, InterruptLine line, NanoClock clock) {
        return new VirtualMachine(options, line, clock, false);
    }

    // what it is

    /** How it was made. */
    public VmOptions options() {
        return options;
    }

    /** The guest's RAM. Not to be used after {@link #close}. */
    public GuestMemory memory() {
        return backend.memory();
    }

    /** What the RAM is made of, and what the kernel says about it. */
    public MemoryBackend backend() {
        return backend;
    }

    /** The balloon device, or empty. */
    public Optional<BalloonDevice> balloon() {
        return Optional.ofNullable(balloon);
    }

    /** The balloon's registers as the guest's processor sees them, or empty. */
    public Optional<RegisterWindow> balloonWindow() {
        return Optional.ofNullable(mmio);
    }

    /**
     * What the guest has now: its RAM without what is in the balloon by the device's ledger. Never
     * less than a page, whatever a guest claims to have given.
     */
    public GuestSize currentMemory() {
        long inBalloon = balloon == null ? 0 : balloon.ledgerPages();
        return new BalloonSize(Math.min(inBalloon, options.maximum().pages() - 1))
                .guestWithin(options.maximum());
    }

    // the promises

    /** As {@link #setMemory(GuestSize, Duration)}, waiting for {@link #DEADLINE}. */
    public CompletableFuture<SetMemoryOutcome> setMemory(GuestSize size) {
        return setMemory(size, DEADLINE);
    }

    /**
     * Asks the guest to have {@code size} from now on. A later call supersedes this one; a deadline
     * that passes does not: the target stands, and the guest may still follow.
     *
     * @param size up to the maximum
     * @param deadline how long to wait for the guest, up to {@link BalloonControl#LONGEST_DEADLINE}
     * @return completes when the guest has the size, or it is clear why not; what depends on it
     *     runs on another thread than the device's
     * @throws IllegalArgumentException if the size is above the maximum, or the deadline is
     *     negative or too long
     */
    public CompletableFuture<SetMemoryOutcome> setMemory(GuestSize size, Duration deadline) {
        if (size.compareTo(options.maximum()) > 0) {
            throw new IllegalArgumentException(
                    "size must not be above the maximum: size="
                            + size.bytes()
                            + ", maximum="
                            + options.maximum().bytes());
        }
        return control == null
                ? CompletableFuture.completedFuture(new SetMemoryOutcome.Refused(Reason.NO_DEVICE))
                : control.setMemory(size, deadline);
    }

    /**
     * Asks the guest for new statistics.
     *
     * @param deadline how long to wait for the guest, up to {@link BalloonControl#LONGEST_DEADLINE}
     * @return completes with the guest's figures, or with why there are none; what depends on it
     *     runs on another thread than the device's
     */
    public CompletableFuture<StatisticsOutcome> statistics(Duration deadline) {
        return control == null
                ? CompletableFuture.completedFuture(
                        new StatisticsOutcome.Unanswered(StatisticsOutcome.Reason.NO_DEVICE))
                : control.statistics(deadline);
    }

    /**
     * What in a guest's figures contradicts what the host knows: its RAM, and how much of it the
     * kernel has in memory now. So ask soon. What contradicts the balloon, the device counts itself
     * when figures arrive. Slow: it asks the kernel about each page. Any thread.
     */
    public Set<Contradiction> contradictionsIn(GuestStatistics figures) {
        return Contradiction.in(figures, options.maximum().bytes(), 0, backend.residentBytes());
    }

    /**
     * How many ballooned bytes the host, asked now, does not have in memory. Slow: it asks the
     * kernel about each page.
     *
     * @return completes with bytes, or with {@link io.aerostat.balloon.range.PageReclaimer#UNKNOWN}
     */
    public CompletableFuture<Long> verifiedBytes() {
        return ask(device -> device.ballooned().verifiedBytes(), 0L);
    }

    /** The numbers of the pages in the balloon, by the device's ledger. */
    public CompletableFuture<BitSet> balloonedPages() {
        return ask(
                device -> {
                    BitSet numbers = new BitSet();
                    device.ballooned()
                            .forEachRange(
                                    (pfn, pages) ->
                                            numbers.set(
                                                    Math.toIntExact(pfn),
                                                    Math.toIntExact(pfn + pages)));
                    return numbers;
                },
                new BitSet());
    }

    private <T> CompletableFuture<T> ask(Function<BalloonDevice, T> question, T withoutBalloon) {
        return control == null
                ? CompletableFuture.completedFuture(withoutBalloon)
                : control.ask(question, withoutBalloon);
    }

    // the owner

    /** Runs the device of a {@link #stepped} machine once. 0 if there was nothing to do. */
    public int step() {
        if (owner != null) {
            throw new IllegalStateException("the device has a thread of its own");
        }
        if (closed.get()) {
            throw new IllegalStateException(
                    "the virtual machine is closed: name=" + options.name());
        }
        return runDevice();
    }

    private int runDevice() {
        if (mmio == null || control == null) {
            return 0;
        }
        int work = mmio.controller().poll(clock.nanoTime());
        control.check(clock.nanoTime());
        return work;
    }

    private void onError(Throwable error) {
        LOGGER.log(Level.ERROR, "the balloon device of " + options.name() + " failed", error);
    }

    /** Stops the device and unmaps the RAM. The guest must have stopped: its memory is gone. */
    @Override
    public void close() {
        if (!closed.compareAndSet(false, true)) {
            return;
        }
        try {
            stopDevice();
        } finally {
            backend.close();
        }
    }

    private void stopDevice() {
        if (mmio == null || control == null) {
            return;
        }
        if (owner != null) {
            owner.close();
            mmio.controller().ownerStopped();
        }
        control.close();
        mmio.controller().poll(clock.nanoTime());
    }

    private final class DeviceAgent implements Agent {
        @Override
        public int doWork() {
            return runDevice();
        }

        @Override
        public String roleName() {
            return "aerostat-balloon-" + options.name();
        }
    }
}
