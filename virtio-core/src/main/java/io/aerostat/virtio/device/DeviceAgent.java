package io.aerostat.virtio.device;

import io.aerostat.virtio.memory.GuestMemory;
import io.aerostat.virtio.queue.DeviceQueue;
import io.aerostat.virtio.queue.QueueFault;
import io.aerostat.virtio.spec.DeviceStatus;

import org.jspecify.annotations.Nullable;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/**
 * The owner's part of a {@link DeviceController}: the life of a device from DRIVER_OK to a reset,
 * and the passes over its queues.
 *
 * <pre>
 *   register thread   wishes: down, up, queue q changed ──▶ settle()   all wishes since the last time
 *                     raise: queue q kicked, config     ──▶ pass()     one bounded piece of work
 * </pre>
 *
 * <p>Wishes are bits, so that however often a driver asks, there is one thing to do.
 */
final class DeviceAgent {
    static final int MAX_QUEUES = 63;

    private static final long CONFIG_WRITTEN_BIT = 1L << MAX_QUEUES;

    /** The driver has reset the device. */
    private static final int DOWN = 1;

    /** The driver has set DRIVER_OK; after {@link #DOWN}, if both are set. */
    private static final int UP = 1 << 1;

    private final GuestMemory memory;
    private final VirtioDevice device;
    private final QueueTable queues;
    private final FeatureNegotiation negotiation;
    private final Interrupts interrupts;
    private final FaultScope faultScope;
    private final Interrupts whileUp = new WhileUp();
    private final FaultCounts faults = new FaultCounts();

    /** The device status field: both threads add to it. */
    private final AtomicInteger status = new AtomicInteger();

    private final AtomicInteger wishes = new AtomicInteger();

    /** Bit q: the driver has enabled or disabled queue q. */
    private final AtomicLong changedQueues = new AtomicLong();

    /** Bit q: queue q was kicked; the highest bit: configuration was written. */
    private final AtomicLong pending = new AtomicLong();

    /** A reset waits for the end of the pass; the pass ends early and says nothing any more. */
    private volatile boolean resetting;

    /** Nothing is served. Written by the owner. */
    private volatile boolean drained;

    // The owner's.
    private int seenMemoryChanges;
    private boolean live;
    private boolean configChangeUntold;
    private long features;

    DeviceAgent(
            VirtioDevice device,
            QueueTable queues,
            FeatureNegotiation negotiation,
            Interrupts interrupts,
            FaultScope faultScope) {
        this.memory = queues.memory();
        this.device = device;
        this.queues = queues;
        this.negotiation = negotiation;
        this.interrupts = interrupts;
        this.faultScope = faultScope;
        this.seenMemoryChanges = memory.changes();
    }

    // any thread

    int status() {
        return status.get();
    }

    long faultCount(QueueFault fault) {
        return faults.get(fault);
    }

    // the register thread

    void addStatus(int flags) {
        // The owner may add DEVICE_NEEDS_RESET at any time.
        status.getAndAccumulate(flags, (bits, more) -> bits | more);
    }

    void clearStatus() {
        status.set(0);
    }

    void wishUp() {
        wishes.getAndAccumulate(UP, (bits, more) -> bits | more);
    }

    /** Takes back what was wished before: it would not outlive the reset. */
    void wishDown() {
        resetting = true;
        changedQueues.set(0);
        wishes.set(DOWN);
    }

    void queueChanged(int queue) {
        setBit(changedQueues, 1L << queue);
    }

    void configWritten() {
        setBit(pending, CONFIG_WRITTEN_BIT);
    }

    // the owner

    void requestService(int queue) {
        setBit(pending, 1L << queue);
    }

    private static void setBit(AtomicLong mask, long bit) {
        mask.getAndAccumulate(bit, (bits, more) -> bits | more);
    }

    void drained(boolean stands) {
        drained = stands;
    }

    /** Tells whether {@link #pass} has something to do. */
    boolean hasWork() {
        return !drained && pending.get() != 0;
    }

    int pass(long nowNs) {
        if (drained) {
            return 0;
        }
        lookAtMemory();
        device.elapsed(nowNs);
        return serve();
    }

    /** A pass in which no time goes by, for an owner who was not told the time. */
    int passAtOnce() {
        if (drained) {
            return 0;
        }
        lookAtMemory();
        return serve();
    }

    private int serve() {
        long bits = pending.get() == 0 ? 0 : pending.getAndSet(0);
        int work = 0;
        if ((bits & CONFIG_WRITTEN_BIT) != 0) {
            device.configWritten();
            work++;
        }
        return work + serviceQueues(bits & ~CONFIG_WRITTEN_BIT);
    }

    private int serviceQueues(long kicked) {
        int work = 0;
        long waiting = kicked;
        while (live && !resetting && waiting != 0) {
            int queue = device.firstOf(waiting);
            waiting &= ~(1L << queue);
            DeviceQueue ring = queues.ring(queue);
            if (ring == null) {
                continue;
            }
            work++;
            switch (device.service(queue, ring, whileUp)) {
                case VirtioDevice.MORE -> requestService(queue);
                case VirtioDevice.FAULT -> failed(queue, ring.fault());
                default -> {}
            }
        }
        return work;
    }

    /** Looks whether RAM has come or gone. */
    void lookAtMemory() {
        if (memory.changes() != seenMemoryChanges) {
            memoryChanged();
        }
    }

    /**
     * All rings must lie in RAM still. One that does not, or rests in a buffer that does not, is
     * let go of: a state that is saved later must not name its place.
     */
    private void memoryChanged() {
        seenMemoryChanges = memory.changes();
        device.memoryChanged();
        for (int queue = 0; queue < queues.count(); queue++) {
            DeviceQueue ring = queues.ring(queue);
            if (ring != null) {
                ring.memoryChanged();
                if (ring.fault() != null) {
                    letGoOf(queue, ring.fault());
                }
            }
        }
    }

    private void letGoOf(int queue, @Nullable QueueFault fault) {
        if (live) {
            failed(queue, fault);
        }
        queues.stop(queue);
    }

    void configChanged() {
        if (live) {
            interrupts.configChanged();
        } else {
            configChangeUntold = true;
        }
    }

    /** Does what the driver has wished since the last time, in the order it must have wished it. */
    void settle() {
        int wished = wishes.getAndSet(0);
        long changed = changedQueues.getAndSet(0);
        if ((wished & DOWN) != 0) {
            goDown();
        }
        for (long rest = changed; rest != 0; rest &= rest - 1) {
            // An enabled queue cannot be enabled: one that has a ring was disabled meanwhile.
            queues.stop(Long.numberOfTrailingZeros(rest));
        }
        if ((wished & UP) != 0) {
            goLive();
        }
        for (long rest = changed; rest != 0; rest &= rest - 1) {
            startQueue(Long.numberOfTrailingZeros(rest));
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
        for (int queue = 0; queue < queues.count(); queue++) {
            startQueue(queue);
        }
    }

    private void startQueue(int queue) {
        if (!live) {
            return;
        }
        QueueFault fault = queues.start(queue, features);
        if (fault != null) {
            failed(queue, fault);
        } else {
            requestService(queue);
        }
    }

    private void goDown() {
        resetting = false;
        live = false;
        configChangeUntold = false;
        features = 0;
        queues.forgetRings();
        pending.set(0);
        device.reset();
    }

    private void failed(int queue, @Nullable QueueFault fault) {
        boolean wholeDevice = faultScope == FaultScope.DEVICE;
        if (wholeDevice) {
            live = false;
        } else {
            queues.stop(queue);
        }
        if (resetting) {
            return;
        }
        if (wholeDevice) {
            addStatus(DeviceStatus.DEVICE_NEEDS_RESET_FLAG);
            interrupts.configChanged();
        } else {
            interrupts.queueFailed(queue);
        }
        if (fault != null) {
            faults.add(device.deviceId(), queue, fault, faultScope);
        }
    }

    // save and restore: between two passes

    /** The state as it is; not a copy. */
    ControllerState state() {
        boolean configWritten = (pending.get() & CONFIG_WRITTEN_BIT) != 0;
        return new ControllerState(
                status.get(), configChangeUntold, configWritten, negotiation, queues);
    }

    /**
     * Goes on from a saved state.
     *
     * @param configSpace puts the configuration space in its saved state
     * @param ownState does so for what the device itself knows
     */
    void become(ControllerState state, Runnable configSpace, Runnable ownState) {
        queues.stopAll();
        live = state.isLive();
        features = state.features();
        configChangeUntold = state.configChangeUntold();
        negotiation.become(state.negotiation());
        status.set(state.status());
        configSpace.run();
        queues.become(state.queues());
        ownState.run();
        // Every queue is looked at: a kick that was on its way when the machine was saved is lost.
        long everyQueue = (1L << queues.count()) - 1;
        pending.set(state.configWritten() ? everyQueue | CONFIG_WRITTEN_BIT : everyQueue);
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
