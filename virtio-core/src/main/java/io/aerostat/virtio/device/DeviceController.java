package io.aerostat.virtio.device;

import io.aerostat.virtio.memory.GuestMemory;
import io.aerostat.virtio.memory.RamRegion;
import io.aerostat.virtio.queue.DeviceQueue;
import io.aerostat.virtio.queue.QueueAddresses;
import io.aerostat.virtio.queue.QueueFault;
import io.aerostat.virtio.snapshot.SnapshotException;
import io.aerostat.virtio.snapshot.SnapshotReader;
import io.aerostat.virtio.snapshot.SnapshotWriter;
import io.aerostat.virtio.spec.DeviceStatus;
import io.aerostat.virtio.spec.Feature;

import java.util.concurrent.atomic.AtomicReference;

/**
 * Runs a device: the state machine between a transport and a {@link VirtioDevice} (VIRTIO 1.4, 2.1,
 * 2.2, 2.4, 3.1).
 *
 * <pre>
 *   register thread                              owner
 *   status, features, queue set-up   ──▶ goes live, starts and stops queues      handed over: the call returns when it is done
 *   kick, configuration write        ──▶ pending bits + doorbell ──▶ poll()      coalesced, never waits
 *   any thread: execute(command)     ──▶ mailbox      + doorbell ──▶ poll()
 * </pre>
 *
 * <p>The register thread is whichever one makes the guest's register accesses, one at a time. The
 * owner is the thread that calls {@link #poll}: the same one or another, see {@link Ownership}.
 * Nothing that a guest does makes any method throw.
 *
 * <p>A broken ring stops this device and no other: DEVICE_NEEDS_RESET, a configuration interrupt, a
 * count and, the first time, a log line. Under {@link FaultScope#QUEUE} it stops that queue alone.
 */
public final class DeviceController {
    private static final int IDENTITY_SECTION = 1;
    private static final int STATE_SECTION = 2;
    private static final int CONFIG_SECTION = 3;
    private static final int DEVICE_SECTION = 4;

    private final GuestMemory memory;
    private final VirtioDevice device;
    private final Ownership ownership;
    private final Doorbell doorbell;
    private final OwnerMailbox mailbox;
    private final QueueTable queues;
    private final DeviceAgent agent;

    // The register thread's.
    private final FeatureNegotiation negotiation;

    /** A look at the driver's wishes is in the mailbox. Of whoever is inside a pass. */
    private boolean settlePosted;

    /**
     * A controller whose device needs a reset when any of its rings is broken.
     *
     * @param memory the guest's RAM
     * @param device what to run
     * @param interrupts how to reach the driver
     * @param ownership who calls {@link #poll}
     * @param doorbell is rung when {@link #poll} has something to do
     */
    public DeviceController(
            GuestMemory memory,
            VirtioDevice device,
            Interrupts interrupts,
            Ownership ownership,
            Doorbell doorbell) {
        this(memory, device, interrupts, ownership, doorbell, FaultScope.DEVICE);
    }

    /** A controller; {@code faultScope} says what a broken ring takes down with it. */
    public DeviceController(
            GuestMemory memory,
            VirtioDevice device,
            Interrupts interrupts,
            Ownership ownership,
            Doorbell doorbell,
            FaultScope faultScope) {
        long offered = device.offeredFeatures();
        boolean honoured = (offered & ~(Feature.SUPPORTED_MASK | Feature.DEVICE_TYPE_MASK)) == 0;
        boolean tooMany = device.queueCount() > DeviceAgent.MAX_QUEUES;
        if (!honoured || (offered & Feature.VERSION_1) == 0 || tooMany) {
            throw new IllegalArgumentException(
                    "a device offers VERSION_1, nothing that is not implemented, and has at most "
                            + DeviceAgent.MAX_QUEUES
                            + " queues: offered=0x"
                            + Long.toHexString(offered)
                            + ", queues="
                            + device.queueCount());
        }
        this.memory = memory;
        this.device = device;
        this.ownership = ownership;
        this.doorbell = doorbell;
        this.negotiation = new FeatureNegotiation(device);
        this.mailbox = new OwnerMailbox(ownership, doorbell);
        this.queues = new QueueTable(memory, device);
        this.agent = new DeviceAgent(device, queues, negotiation, interrupts, faultScope);
        device.attached(this);
    }

    // the register thread

    /** The virtio device id. */
    public int deviceId() {
        return device.deviceId();
    }

    /** The features on offer. */
    public long offeredFeatures() {
        return device.offeredFeatures();
    }

    /** What the driver has accepted so far. */
    public long driverFeatures() {
        return negotiation.accepted();
    }

    /**
     * The driver accepts 32 features at once; ignored once FEATURES_OK is on (3.1.1).
     *
     * @param word which: 0 for bits 0 to 31, 1 for bits 32 to 63. Nothing is offered in words 2 and
     *     3, so whoever accepts it there is refused; further words do not exist
     */
    public void acceptFeatures(int word, int bits) {
        if ((agent.status() & DeviceStatus.FEATURES_OK_FLAG) != 0) {
            return;
        }
        negotiation.accept(word, bits);
    }

    /** The device status field. Any thread. */
    public int status() {
        return agent.status();
    }

    /**
     * The driver writes the status field. 0 resets the device, before this returns. Bits are never
     * turned off. FEATURES_OK stays off for a set that the device does not work with, DRIVER_OK
     * without FEATURES_OK.
     */
    public void writeStatus(int value) {
        if (value == 0) {
            reset();
            return;
        }
        int before = agent.status();
        int added = value & DeviceStatus.DRIVER_WRITABLE_MASK & ~before;
        if ((added & DeviceStatus.FEATURES_OK_FLAG) != 0 && !negotiation.isAcceptable()) {
            added &= ~DeviceStatus.FEATURES_OK_FLAG;
        }
        if (((before | added) & DeviceStatus.FEATURES_OK_FLAG) == 0) {
            added &= ~DeviceStatus.DRIVER_OK_FLAG;
        }
        agent.addStatus(added);
        if ((added & DeviceStatus.DRIVER_OK_FLAG) != 0) {
            agent.wishUp();
            settleOnOwner();
            workCame();
        }
    }

    /** Resets the device (2.4): when this returns no queue is live and nothing is negotiated. */
    public void reset() {
        agent.wishDown();
        settleOnOwner();
        negotiation.reset();
        device.config().clearDriverFields();
        queues.disableAll();
        agent.clearStatus();
    }

    // From inside a pass (an interrupt line that runs guest code) it is done when the pass ends,
    // for all changes at once: a guest that loops on a register must not fill the mailbox.
    private void settleOnOwner() {
        if (!mailbox.isInside()) {
            mailbox.handOver(agent::settle);
        } else if (!settlePosted) {
            settlePosted = true;
            mailbox.handOver(this::settlePosted);
        }
    }

    private void settlePosted() {
        settlePosted = false;
        agent.settle();
    }

    /** One more than the highest queue index that the device may have. */
    public int queueCount() {
        return queues.count();
    }

    /** Largest size of a queue; 0 if there is no such queue, whatever the index. */
    public int queueSizeMax(int queue) {
        return queues.isQueue(queue) ? device.queueSizeMax(queue, negotiation.accepted()) : 0;
    }

    /**
     * The driver enables a queue. Whether its place is a valid one is looked at when it goes live.
     * Ignored for a queue that does not exist or is enabled.
     */
    public void enableQueue(int queue, QueueAddresses addresses) {
        if (queueSizeMax(queue) == 0 || queues.isEnabled(queue)) {
            return;
        }
        queues.enable(queue, addresses);
        enabled(queue);
    }

    private void enabled(int queue) {
        if ((agent.status() & DeviceStatus.DRIVER_OK_FLAG) != 0) {
            agent.queueChanged(queue);
            settleOnOwner();
            workCame();
        }
    }

    /**
     * Has a queue go on that this device or another one has left, see {@link DeviceQueue#resumed}.
     * Like {@link #enableQueue} otherwise. For transports that can say so (vhost-user
     * SET_VRING_BASE); not part of a snapshot until the queue is live.
     *
     * @param index where the device that left it stood, 0 to 65535
     */
    public void resumeQueue(int queue, QueueAddresses addresses, int index) {
        if (queueSizeMax(queue) == 0 || queues.isEnabled(queue)) {
            return;
        }
        queues.resume(queue, addresses, index);
        enabled(queue);
    }

    /**
     * Stops a queue that is to go on later.
     *
     * @return where: what {@link #resumeQueue} wants
     */
    public int suspendQueue(int queue) {
        disableQueue(queue);
        return queues.isQueue(queue) ? queues.stoppedAt(queue) : 0;
    }

    /** The driver stops a queue: when this returns its ring is not touched any more. */
    public void disableQueue(int queue) {
        if (!isQueueEnabled(queue)) {
            return;
        }
        queues.disable(queue);
        agent.queueChanged(queue);
        settleOnOwner();
    }

    /** Tells whether the driver has enabled a queue. */
    public boolean isQueueEnabled(int queue) {
        return queues.isEnabled(queue);
    }

    /**
     * The driver kicks a queue. Any number is welcome; one that is no live queue does nothing. A
     * kick before DRIVER_OK is not lost: all queues are looked at when it goes on.
     */
    public void notifyQueue(int queue) {
        if (queues.isQueue(queue)) {
            agent.requestService(queue);
            workCame();
        }
    }

    /** The driver has given the owner something to do. */
    private void workCame() {
        if (ownership == Ownership.NOTIFY_DRIVEN) {
            workAtOnce();
        } else {
            doorbell.ring();
        }
    }

    // A write from inside a pass (an interrupt line that runs guest code) finds the mailbox busy:
    // whoever is in the pass has the doorbell rung for what it left.
    private void workAtOnce() {
        if (!mailbox.tryEnter()) {
            return;
        }
        try {
            mailbox.drain();
            agent.passAtOnce();
            mailbox.drain();
        } finally {
            mailbox.leave();
        }
        if (hasWork()) {
            doorbell.ring();
        }
    }

    /** Reads the configuration space, see {@link ConfigSpace#read}. */
    public long readConfig(long offset, int width) {
        return device.config().read(offset, width);
    }

    /** Writes the driver's part of the configuration space, see {@link ConfigSpace#write}. */
    public void writeConfig(long offset, int width, long value) {
        if (device.config().write(offset, width, value)) {
            agent.configWritten();
            // Not looked at in between the bytes of a field that are written one by one.
            doorbell.ring();
        }
    }

    /** The configuration's generation, see {@link ConfigSpace#generation}. */
    public int configGeneration() {
        return device.config().generation();
    }

    // standing still, saving and restoring: the register thread, but not from inside a pass

    /**
     * Makes the device stand still: when this returns the current pass has finished, and until
     * {@link #resume} no queue is served and the device does not look at the clock, so that nothing
     * writes guest RAM. Time goes on meanwhile, and counts afterwards. Kicks and configuration
     * writes are kept. Commands are run, a reset is a reset, and the device stays drained over
     * both. Once or often is the same.
     *
     * @throws IllegalStateException if called from inside a pass or a command
     */
    public void drain() {
        betweenPasses(() -> agent.drained(true));
    }

    /**
     * Lets a drained device go on with what has come meanwhile.
     *
     * @throws IllegalStateException if called from inside a pass or a command
     */
    public void resume() {
        runBetweenPasses(() -> agent.drained(false));
        doorbell.ring();
    }

    /**
     * Runs an action between two passes, on the owner, and returns when it has run: it sees the
     * state of both threads at rest, and of RAM as it is now. The owner's own thread may call, too.
     * Rings the doorbell if something is left to do.
     *
     * @throws IllegalStateException if called from inside a pass or a command; if another thread is
     *     in one that should not be, and the action was not run; or if it threw on the owner's
     *     thread
     */
    public void betweenPasses(Runnable action) {
        runBetweenPasses(action);
        // An interrupt line that runs guest code may have left something.
        if (hasWork()) {
            doorbell.ring();
        }
    }

    private void runBetweenPasses(Runnable action) {
        if (mailbox.isInside()) {
            throw new IllegalStateException("not from inside a pass: deviceId=" + deviceId());
        }
        boolean ran =
                mailbox.handOverOrRefuse(
                        () -> {
                            // Another device on this RAM may have changed it.
                            agent.lookAtMemory();
                            action.run();
                        });
        if (!ran) {
            throw new IllegalStateException(
                    "the owner failed, or another thread is in a pass: deviceId=" + deviceId());
        }
    }

    /**
     * Attaches RAM where it is absent. When this returns the guest may use it. A machine with
     * several devices on one memory attaches between the passes of them all, see {@link
     * GuestMemory#attach}.
     *
     * @throws IllegalArgumentException if there is no place for it
     * @throws IllegalStateException if RAM is there already, or if called from inside a pass or a
     *     command
     */
    public void attach(RamRegion region) {
        changeMemory(() -> memory.attach(region));
    }

    /**
     * Detaches RAM. When this returns nothing of this device touches it, and it may be unmapped; a
     * queue that lies in it, or has a buffer in work there, is broken as by a fault of the driver.
     * A machine with several devices on one memory detaches between the passes of them all, see
     * {@link GuestMemory#detach}.
     *
     * @throws IllegalArgumentException if it is not RAM of this guest
     * @throws IllegalStateException if called from inside a pass or a command
     */
    public void detach(RamRegion region) {
        changeMemory(() -> memory.detach(region));
    }

    private void changeMemory(Runnable change) {
        AtomicReference<RuntimeException> refusal = new AtomicReference<>();
        betweenPasses(
                () -> {
                    try {
                        change.run();
                        agent.lookAtMemory();
                    } catch (IllegalArgumentException | IllegalStateException e) {
                        refusal.set(e);
                    }
                });
        RuntimeException refused = refusal.get();
        if (refused != null) {
            throw refused;
        }
    }

    /** Writes the state of controller and device. Only {@link #betweenPasses}. */
    public void save(SnapshotWriter out) {
        MachineIdentity identity = new MachineIdentity(memory, device);
        out.section(IDENTITY_SECTION, identity::save);
        out.section(STATE_SECTION, agent.state()::save);
        out.section(CONFIG_SECTION, device.config()::save);
        out.section(DEVICE_SECTION, device::save);
    }

    /**
     * Reads and checks a state, and changes nothing. Only {@link #betweenPasses}.
     *
     * @return puts controller and device in this state, whatever they were in, and rings the
     *     doorbell; to be run in the same action
     * @throws SnapshotException if it cannot be the state of this device
     */
    public Runnable prepareRestore(SnapshotReader in) throws SnapshotException {
        new MachineIdentity(memory, device).require(in.section(IDENTITY_SECTION));
        ControllerState state = ControllerState.restored(memory, device, in.section(STATE_SECTION));
        SnapshotReader config = in.section(CONFIG_SECTION);
        Runnable configState = device.config().prepareRestore(config);
        config.end();
        SnapshotReader own = in.section(DEVICE_SECTION);
        Runnable deviceState =
                device.prepareRestore(own, new RestoredQueues(state.queues(), state.features()));
        own.end();
        in.end();
        return () -> {
            agent.become(state, configState, deviceState);
            doorbell.ring();
        };
    }

    // any thread

    /** Brings a command to the device's owner, which runs it in its next {@link #poll}. */
    public void execute(Runnable command) {
        mailbox.post(command);
    }

    /** How often a queue of this device has shown a fault. */
    public long faultCount(QueueFault fault) {
        return agent.faultCount(fault);
    }

    /**
     * The owner will call {@link #poll} no more: what is handed over from now on runs on the thread
     * that hands it over.
     */
    public void ownerStopped() {
        mailbox.ownerStopped();
    }

    // the owner

    /**
     * Does what is waiting: commands, what is due by the clock, configuration writes, and one
     * bounded pass over each kicked queue; while drained, commands alone.
     *
     * @param nowNs the owner's clock in nanoseconds, from any origin, never running backwards: a
     *     device measures deadlines and periods by it
     * @return 0 if nothing is left to do until the doorbell rings or time matters; otherwise call
     *     again. Periods, rates and holds have no bell: call from time to time too, every 10 ms for
     *     a rate. A call from inside a pass does nothing and answers 0.
     */
    public int poll(long nowNs) {
        if (!mailbox.tryEnterAsOwner()) {
            return 0;
        }
        int work;
        try {
            work = mailbox.drain();
            work += agent.pass(nowNs);
            // Register writes from inside the pass take effect here.
            work += mailbox.drain();
        } finally {
            mailbox.leave();
        }
        // Looked at last: whoever came in between was turned away at the door.
        return work + (hasWork() ? 1 : 0);
    }

    private boolean hasWork() {
        return agent.hasWork() || !mailbox.isEmpty();
    }

    /** Has a queue served in this pass or the next, as if it had been kicked. The owner only. */
    public void requestService(int queue) {
        agent.requestService(queue);
    }

    /**
     * Tells the driver that the configuration has changed: at once, or when it is ready. The owner
     * only.
     */
    public void configChanged() {
        agent.configChanged();
    }
}
