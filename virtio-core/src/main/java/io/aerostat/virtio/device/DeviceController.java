package io.aerostat.virtio.device;

import io.aerostat.virtio.memory.GuestMemory;
import io.aerostat.virtio.queue.DeviceQueue;
import io.aerostat.virtio.queue.QueueAddresses;
import io.aerostat.virtio.queue.QueueFault;
import io.aerostat.virtio.spec.DeviceStatus;
import io.aerostat.virtio.spec.Feature;

import org.jspecify.annotations.Nullable;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

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
 * count and, the first time, a log line.
 */
public final class DeviceController {
    private static final int MAX_QUEUES = 63;
    private static final long CONFIG_WRITTEN_BIT = 1L << MAX_QUEUES;

    private final GuestMemory memory;
    private final VirtioDevice device;
    private final Interrupts interrupts;
    private final Interrupts whileUp = new WhileUp();
    private final Doorbell doorbell;
    private final OwnerMailbox mailbox;
    private final int queueCount;

    private final AtomicInteger status = new AtomicInteger();

    /** Bit q: queue q was kicked; the highest bit: configuration was written. */
    private final AtomicLong pending = new AtomicLong();

    /** A reset waits for the end of the pass; the pass ends early and says nothing any more. */
    private volatile boolean resetting;

    private final FaultCounts faults = new FaultCounts();

    // The register thread's.
    private final FeatureNegotiation negotiation;
    private final @Nullable QueueAddresses[] enabled;

    // The owner's.
    private final @Nullable DeviceQueue[] rings;
    private boolean live;
    private boolean configChangeUntold;
    private long features;

    /**
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
        long offered = device.offeredFeatures();
        boolean honoured = (offered & ~(Feature.SUPPORTED_MASK | Feature.DEVICE_TYPE_MASK)) == 0;
        if (!honoured || (offered & Feature.VERSION_1) == 0 || device.queueCount() > MAX_QUEUES) {
            throw new IllegalArgumentException(
                    "a device offers VERSION_1, nothing that is not implemented, and has at most "
                            + MAX_QUEUES
                            + " queues: offered=0x"
                            + Long.toHexString(offered)
                            + ", queues="
                            + device.queueCount());
        }
        this.memory = memory;
        this.device = device;
        this.interrupts = interrupts;
        this.doorbell = doorbell;
        this.negotiation = new FeatureNegotiation(device);
        this.mailbox = new OwnerMailbox(ownership, doorbell);
        this.queueCount = device.queueCount();
        this.enabled = new @Nullable QueueAddresses[queueCount];
        this.rings = new @Nullable DeviceQueue[queueCount];
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
        if ((status.get() & DeviceStatus.FEATURES_OK_FLAG) != 0) {
            return;
        }
        negotiation.accept(word, bits);
    }

    /** The device status field. Any thread. */
    public int status() {
        return status.get();
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
        int before = status.get();
        int added = value & DeviceStatus.DRIVER_WRITABLE_MASK & ~before;
        if ((added & DeviceStatus.FEATURES_OK_FLAG) != 0 && !negotiation.isAcceptable()) {
            added &= ~DeviceStatus.FEATURES_OK_FLAG;
        }
        if (((before | added) & DeviceStatus.FEATURES_OK_FLAG) == 0) {
            added &= ~DeviceStatus.DRIVER_OK_FLAG;
        }
        addStatus(added);
        if ((added & DeviceStatus.DRIVER_OK_FLAG) != 0) {
            mailbox.handOver(this::goLive);
            doorbell.ring();
        }
    }

    // The owner may add DEVICE_NEEDS_RESET at any time.
    private void addStatus(int flags) {
        status.getAndAccumulate(flags, (bits, more) -> bits | more);
    }

    /** Resets the device (2.4): when this returns no queue is live and nothing is negotiated. */
    public void reset() {
        resetting = true;
        mailbox.handOver(this::goDown);
        negotiation.reset();
        for (int queue = 0; queue < queueCount; queue++) {
            enabled[queue] = null;
        }
        status.set(0);
    }

    /** One more than the highest queue index that the device may have. */
    public int queueCount() {
        return queueCount;
    }

    /** Largest size of a queue; 0 if there is no such queue, whatever the index. */
    public int queueSizeMax(int queue) {
        return isQueue(queue) ? device.queueSizeMax(queue, negotiation.accepted()) : 0;
    }

    /**
     * The driver enables a queue. Whether its place is a valid one is looked at when it goes live.
     * Ignored for a queue that does not exist or is enabled.
     */
    public void enableQueue(int queue, QueueAddresses addresses) {
        if (queueSizeMax(queue) == 0 || enabled[queue] != null) {
            return;
        }
        enabled[queue] = addresses;
        if ((status.get() & DeviceStatus.DRIVER_OK_FLAG) != 0) {
            mailbox.handOver(() -> startQueue(queue, addresses));
            doorbell.ring();
        }
    }

    /** The driver stops a queue: when this returns its ring is not touched any more. */
    public void disableQueue(int queue) {
        if (!isQueueEnabled(queue)) {
            return;
        }
        enabled[queue] = null;
        mailbox.handOver(() -> stopQueue(queue));
    }

    /** Tells whether the driver has enabled a queue. */
    public boolean isQueueEnabled(int queue) {
        return isQueue(queue) && enabled[queue] != null;
    }

    private boolean isQueue(int queue) {
        return queue >= 0 && queue < queueCount;
    }

    /**
     * The driver kicks a queue. Any number is welcome; one that is no live queue does nothing. A
     * kick before DRIVER_OK is not lost: all queues are looked at when it goes on.
     */
    public void notifyQueue(int queue) {
        if (isQueue(queue)) {
            raise(1L << queue);
        }
    }

    /** Reads the configuration space, see {@link ConfigSpace#read}. */
    public long readConfig(long offset, int width) {
        return device.config().read(offset, width);
    }

    /** Writes the driver's part of the configuration space, see {@link ConfigSpace#write}. */
    public void writeConfig(long offset, int width, long value) {
        if (device.config().write(offset, width, value)) {
            raise(CONFIG_WRITTEN_BIT);
        }
    }

    /** The configuration's generation, see {@link ConfigSpace#generation}. */
    public int configGeneration() {
        return device.config().generation();
    }

    private void raise(long bit) {
        setPending(bit);
        doorbell.ring();
    }

    // any thread

    /** Brings a command to the device's owner, which runs it in its next {@link #poll}. */
    public void execute(Runnable command) {
        mailbox.post(command);
    }

    /** How often a queue of this device has shown a fault. */
    public long faultCount(QueueFault fault) {
        return faults.get(fault);
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
     * bounded pass over each kicked queue.
     *
     * @param nowNs the owner's clock in nanoseconds, from any origin, never running backwards: a
     *     device measures deadlines and periods by it
     * @return 0 if nothing is left to do until the doorbell rings; otherwise call again. A call
     *     from inside a pass does nothing and answers 0.
     */
    public int poll(long nowNs) {
        if (!mailbox.tryEnter()) {
            return 0;
        }
        int work;
        try {
            work = mailbox.drain();
            device.elapsed(nowNs);
            long bits = pending.get() == 0 ? 0 : pending.getAndSet(0);
            if ((bits & CONFIG_WRITTEN_BIT) != 0) {
                device.configWritten();
                work++;
            }
            work += serviceQueues(bits & ~CONFIG_WRITTEN_BIT);
            // Register writes from inside the pass take effect here.
            work += mailbox.drain();
        } finally {
            mailbox.leave();
        }
        // Looked at last: whoever came in between was turned away at the door.
        return work + (hasMore() ? 1 : 0);
    }

    private boolean hasMore() {
        return pending.get() != 0 || !mailbox.isEmpty();
    }

    private int serviceQueues(long kicked) {
        int work = 0;
        for (long rest = kicked; live && !resetting && rest != 0; rest &= rest - 1) {
            int queue = Long.numberOfTrailingZeros(rest);
            DeviceQueue ring = rings[queue];
            if (ring == null) {
                continue;
            }
            work++;
            switch (device.service(queue, ring, whileUp)) {
                case VirtioDevice.MORE -> setPending(1L << queue);
                case VirtioDevice.FAULT -> needsReset(queue, ring.fault());
                default -> {}
            }
        }
        return work;
    }

    private void setPending(long bit) {
        pending.getAndAccumulate(bit, (bits, more) -> bits | more);
    }

    /** Has a queue served in this pass or the next, as if it had been kicked. The owner only. */
    public void requestService(int queue) {
        setPending(1L << queue);
    }

    /**
     * Tells the driver that the configuration has changed: at once, or when it is ready. The owner
     * only.
     */
    public void configChanged() {
        if (live) {
            interrupts.configChanged();
        } else {
            configChangeUntold = true;
        }
    }

    private void goLive() {
        live = true;
        features = negotiation.accepted();
        device.activate(features);
        if (configChangeUntold) {
            configChangeUntold = false;
            interrupts.configChanged();
        }
        for (int queue = 0; queue < queueCount; queue++) {
            QueueAddresses addresses = enabled[queue];
            if (addresses != null) {
                startQueue(queue, addresses);
            }
        }
    }

    private void startQueue(int queue, QueueAddresses addresses) {
        if (!live || rings[queue] != null) {
            return;
        }
        QueueFault fault =
                addresses.size() > device.queueSizeMax(queue, features)
                        ? QueueFault.SIZE_INVALID
                        : addresses.faultIn(memory);
        if (fault != null) {
            needsReset(queue, fault);
            return;
        }
        rings[queue] = new DeviceQueue(memory, addresses, features);
        device.queueEnabled(queue, addresses);
        setPending(1L << queue);
    }

    private void stopQueue(int queue) {
        if (rings[queue] != null) {
            rings[queue] = null;
            device.queueDisabled(queue);
        }
    }

    private void goDown() {
        resetting = false;
        live = false;
        configChangeUntold = false;
        features = 0;
        for (int queue = 0; queue < queueCount; queue++) {
            rings[queue] = null;
        }
        pending.set(0);
        device.reset();
    }

    private void needsReset(int queue, @Nullable QueueFault fault) {
        live = false;
        if (resetting) {
            return;
        }
        addStatus(DeviceStatus.DEVICE_NEEDS_RESET_FLAG);
        interrupts.configChanged();
        if (fault != null) {
            faults.add(device.deviceId(), queue, fault);
        }
    }

    /** What a device says during a pass that a reset has overtaken is not passed on (2.4.1). */
    private final class WhileUp implements Interrupts {
        @Override
        public void usedBuffer(int queue) {
            if (!resetting) {
                interrupts.usedBuffer(queue);
            }
        }

        @Override
        public void configChanged() {
            if (!resetting) {
                interrupts.configChanged();
            }
        }
    }
}
