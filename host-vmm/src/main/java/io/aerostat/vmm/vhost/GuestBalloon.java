package io.aerostat.vmm.vhost;

import io.aerostat.balloon.BalloonDevice;
import io.aerostat.balloon.BalloonOptions;
import io.aerostat.balloon.handler.BalloonCounter;
import io.aerostat.balloon.handler.BalloonCounters;
import io.aerostat.balloon.range.PageReclaimer;
import io.aerostat.virtio.device.DeviceController;
import io.aerostat.virtio.device.FaultScope;
import io.aerostat.virtio.device.Interrupts;
import io.aerostat.virtio.device.Ownership;
import io.aerostat.virtio.queue.QueueAddresses;
import io.aerostat.virtio.snapshot.SnapshotException;
import io.aerostat.virtio.snapshot.SnapshotReader;
import io.aerostat.virtio.snapshot.SnapshotWriter;
import io.aerostat.virtio.spec.DeviceStatus;
import io.aerostat.virtio.spec.Feature;
import io.aerostat.vmm.vhost.message.ProtocolFeature;
import io.aerostat.vmm.vhost.message.ProtocolViolation;
import io.aerostat.vmm.vm.BalloonControl;
import io.aerostat.vmm.vm.DriverState;
import io.aerostat.vmm.vm.GuestSize;

import org.agrona.concurrent.NanoClock;
import org.jspecify.annotations.Nullable;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;

/**
 * A guest's balloon over all that a front-end may do to it: RAM that is mapped anew, drivers that
 * come and go, connections that end.
 *
 * <p>A front-end does not say when a driver resets the device, nor when a new kernel boots. It
 * says, when a driver starts, where each ring goes on. An inflate ring that goes on where it
 * stopped, and not at 0, belongs to the driver that was there before: its pages are still in the
 * balloon, and the device goes on with what it knew. So do all rings together if the inflate ring
 * has stopped at 0. Any other driver is a new one, to which no page is in the balloon.
 *
 * <p>Belongs to the guest's thread, but for {@link #driver}, {@link #residentBytes} and {@link
 * #discardCalls}.
 */
final class GuestBalloon {
    private static final Logger LOGGER = System.getLogger(VhostUserGuest.class.getName());

    private static final int UP_TO_FEATURES_OK =
            DeviceStatus.ACKNOWLEDGE_FLAG
                    | DeviceStatus.DRIVER_FLAG
                    | DeviceStatus.FEATURES_OK_FLAG;

    /** In {@link #features} and {@link #upFeatures}. */
    private static final long NONE = 0;

    /** The inflate queue's number, in every numbering. */
    private static final int INFLATE = 0;

    private final String guest;
    private final BalloonOptions options;
    private final BalloonControl control;
    private final NanoClock clock;
    private final BalloonCounters counters = new BalloonCounters();

    /** What the driver has accepted, or nothing since it negotiates. */
    private long features = NONE;

    /** What the device was brought up with, or nothing. */
    private long upFeatures = NONE;

    /** A driver has negotiated since the device was brought up. */
    private boolean negotiatedAnew;

    /** Where each queue stopped, 0 if it never ran for the driver that is up. */
    private final int[] stoppedAt = new int[BalloonDevice.QUEUE_COUNT];

    /** Queues ran until their RAM was exchanged: nothing has to prove that they go on. */
    private boolean ranUntilNow;

    /** What the log was told of this connection's drivers. */
    private final Set<String> toldAlready = new HashSet<>();

    private @Nullable Machine machine;
    private @Nullable Parked parked;

    private volatile DriverState driver = DriverState.ABSENT;
    private volatile @Nullable FrontEndMemory ram;
    private final AtomicLong earlierDiscardCalls = new AtomicLong();

    /** A device on one memory table. */
    private record Machine(FrontEndMemory ram, BalloonDevice device, DeviceController controller) {}

    /**
     * A device whose RAM has gone.
     *
     * @param state all that it knew
     * @param features what it was up with
     * @param stoppedAt where each of its queues stopped
     * @param pages in the balloon
     */
    @SuppressWarnings("ArrayRecordComponent") // Never compared, and read once.
    private record Parked(byte[] state, long features, int[] stoppedAt, long pages) {}

    /**
     * A balloon without RAM.
     *
     * @param guest its name
     * @param control is told when there is a balloon, and when not
     */
    GuestBalloon(String guest, BalloonOptions options, BalloonControl control, NanoClock clock) {
        this.guest = guest;
        this.options = options;
        this.control = control;
        this.clock = clock;
    }

    // any thread

    /** How far the driver has come. */
    DriverState driver() {
        return driver;
    }

    /** Bytes that the host has to provide for the guest's RAM now, or unknown. */
    long residentBytes() {
        FrontEndMemory now = ram;
        return now == null ? PageReclaimer.UNKNOWN : now.residentBytes();
    }

    /** System calls made to give memory back, on all memory tables. */
    long discardCalls() {
        return earlierDiscardCalls.get()
                + control.attached().map(now -> now.device().reclaimer().discardCalls()).orElse(0L);
    }

    // the guest's thread

    void driver(DriverState state) {
        driver = state;
    }

    /** The features on offer. */
    long offeredFeatures() {
        return BalloonDevice.offeredFeatures(options);
    }

    /** The RAM, or null while there is none. */
    @Nullable FrontEndMemory ram() {
        return ram;
    }

    /**
     * The guest's RAM is another one from now on. No queue may run.
     *
     * @param ran whether queues ran until now, for this exchange alone
     * @throws ProtocolViolation if no balloon can work on it
     */
    void memory(FrontEndMemory next, Interrupts interrupts, boolean ran) throws ProtocolViolation {
        try {
            park();
            ranUntilNow = ran;
            attach(next, interrupts);
        } finally {
            if (machine == null) {
                next.close();
            }
        }
    }

    private void attach(FrontEndMemory next, Interrupts interrupts) throws ProtocolViolation {
        BalloonDevice device;
        try {
            device = new BalloonDevice(next.memory(), next.reclaimer(), options, counters);
        } catch (IllegalArgumentException | OutOfMemoryError e) {
            // A file in memory is as large as somebody says, and what we keep of its pages is not.
            throw new ProtocolViolation("memory table is refused: " + e.getMessage());
        }
        DeviceController controller =
                new DeviceController(
                        next.memory(),
                        device,
                        interrupts,
                        Ownership.REGISTER_THREAD,
                        () -> {},
                        FaultScope.QUEUE);
        machine = new Machine(next, device, controller);
        ram = next;
        control.attach(
                new BalloonControl.Attached(
                        new GuestSize(next.memory().bytes()), device, this::driver));
        // The driver may look at its target before this thread comes round.
        controller.poll(clock.nanoTime());
    }

    /** The guest has gone, and its RAM with it. It may come again. */
    void gone() {
        driver = DriverState.ABSENT;
        features = NONE;
        ranUntilNow = false;
        toldAlready.clear();
        park();
    }

    /** Keeps what the device knows, and lets go of its RAM. */
    private void park() {
        Machine last = machine;
        if (last == null) {
            return;
        }
        machine = null;
        control.detach();
        try {
            if (upFeatures != NONE) {
                forgetParked();
                parked =
                        new Parked(
                                saved(last.controller()),
                                upFeatures,
                                stoppedAt.clone(),
                                last.device().ledgerPages());
            }
        } finally {
            upFeatures = NONE;
            earlierDiscardCalls.addAndGet(last.device().reclaimer().discardCalls());
            ram = null;
            last.ram().close();
        }
    }

    private static byte[] saved(DeviceController controller) {
        SnapshotWriter out = new SnapshotWriter();
        controller.betweenPasses(() -> controller.save(out));
        return out.finish();
    }

    /** The driver that had these pages is gone for good: they are the guest's again. */
    private void forgetParked() {
        Parked last = parked;
        if (last != null) {
            counters.add(BalloonCounter.PAGES_RETURNED_BY_RESET, last.pages());
            parked = null;
        }
    }

    /**
     * A driver negotiates. No queue may run.
     *
     * @param accepted what it takes, with or without {@link ProtocolFeature#PRESENT}
     * @return whether the device can work with it
     */
    boolean negotiate(long accepted) {
        long taken = accepted & ~ProtocolFeature.PRESENT;
        boolean modern = (taken & Feature.VERSION_1) != 0;
        features = modern ? taken : NONE;
        negotiatedAnew = true;
        ranUntilNow = false;
        if (!modern) {
            tell("its driver wants the legacy interface, which is not offered", "");
        }
        return modern;
    }

    /** Says what a driver does wrong; once in a connection, since it may do so for ever. */
    private void tell(String what, @Nullable String details) {
        if (toldAlready.add(what)) {
            LOGGER.log(Level.WARNING, "guest {0}: {1}{2}", guest, what, details);
        }
    }

    /**
     * A queue is ready to run.
     *
     * @param bases where the front-end says that each queue goes on
     * @return whether the device serves it now; it may have been stopped already, see {@link
     *     Interrupts#queueFailed}
     */
    boolean start(int queue, QueueAddresses addresses, int[] bases) {
        Machine now = machine;
        if (now == null || features == NONE || !bringUp(now, bases)) {
            return false;
        }
        now.controller().resumeQueue(queue, addresses, bases[queue]);
        return now.controller().isQueueEnabled(queue);
    }

    /** Stops a queue, whether it runs or is broken; where it stood. */
    int suspend(int queue) {
        if (machine == null) {
            return 0;
        }
        stoppedAt[queue] = machine.controller().suspendQueue(queue);
        return stoppedAt[queue];
    }

    private boolean bringUp(Machine now, int[] bases) {
        if (upFeatures != NONE && !negotiatedAnew) {
            return true;
        }
        negotiatedAnew = false;
        if (upFeatures == features && goesOn(bases, stoppedAt)) {
            return true;
        }
        Parked last = parked;
        boolean same =
                last != null
                        && last.features() == features
                        && (ranUntilNow || goesOn(bases, last.stoppedAt()));
        ranUntilNow = false;
        if (last != null && same && restore(now.controller(), last)) {
            parked = null;
            upFeatures = features;
            System.arraycopy(last.stoppedAt(), 0, stoppedAt, 0, stoppedAt.length);
            control.restored();
            // The driver may look at its target before this thread comes round.
            now.controller().poll(clock.nanoTime());
            return true;
        }
        forgetParked();
        return reset(now.controller());
    }

    private static boolean goesOn(int[] bases, int[] stoppedAt) {
        if (stoppedAt[INFLATE] != 0) {
            return bases[INFLATE] == stoppedAt[INFLATE];
        }
        return Arrays.equals(bases, stoppedAt) && Arrays.stream(bases).anyMatch(base -> base != 0);
    }

    private boolean restore(DeviceController controller, Parked last) {
        AtomicReference<SnapshotException> refused = new AtomicReference<>();
        controller.betweenPasses(
                () -> {
                    try {
                        controller.prepareRestore(SnapshotReader.open(last.state())).run();
                    } catch (SnapshotException e) {
                        refused.set(e);
                    }
                });
        SnapshotException reason = refused.get();
        if (reason != null) {
            tell("its balloon starts anew, its RAM is not what it was: ", reason.getMessage());
        }
        return reason == null;
    }

    private boolean reset(DeviceController controller) {
        controller.reset();
        Arrays.fill(stoppedAt, 0);
        controller.acceptFeatures(0, (int) features);
        controller.acceptFeatures(1, (int) (features >>> Integer.SIZE));
        controller.writeStatus(UP_TO_FEATURES_OK);
        boolean accepted = (controller.status() & DeviceStatus.FEATURES_OK_FLAG) != 0;
        if (accepted) {
            controller.writeStatus(UP_TO_FEATURES_OK | DeviceStatus.DRIVER_OK_FLAG);
            upFeatures = features;
        } else {
            upFeatures = NONE;
            tell(
                    "its driver accepts features that do not go together: 0x",
                    Long.toHexString(features));
        }
        return accepted;
    }

    /** The guest kicks a queue. */
    void kick(int queue) {
        if (machine != null) {
            machine.controller().notifyQueue(queue);
        }
    }

    /** Reads the configuration space; zeros while there is no RAM. */
    byte[] readConfig(int offset, int size) {
        byte[] bytes = new byte[size];
        if (machine != null) {
            for (int i = 0; i < size; i++) {
                bytes[i] = (byte) machine.controller().readConfig((long) offset + i, Byte.BYTES);
            }
        }
        return bytes;
    }

    /** Writes what is the driver's in the configuration space. */
    void writeConfig(int offset, byte[] bytes) {
        if (machine == null) {
            return;
        }
        for (int done = 0; done < bytes.length; done += Integer.BYTES) {
            int width = Math.min(Integer.BYTES, bytes.length - done);
            long value = 0;
            for (int i = 0; i < width; i++) {
                value |= Byte.toUnsignedLong(bytes[done + i]) << (i * Byte.SIZE);
            }
            machine.controller().writeConfig((long) offset + done, width, value);
        }
    }

    /** Runs the device once. 0 if there is nothing left to do. */
    int poll(long nowNs) {
        return machine == null ? 0 : machine.controller().poll(nowNs);
    }
}
