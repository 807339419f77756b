package io.aerostat.vmm.vhost;

import io.aerostat.virtio.device.Interrupts;
import io.aerostat.vmm.os.Descriptor;
import io.aerostat.vmm.os.DescriptorPoll;
import io.aerostat.vmm.os.EventDescriptors;
import io.aerostat.vmm.vhost.message.FrontEndMessage.SetVringAddr;
import io.aerostat.vmm.vhost.message.MemoryRegion;
import io.aerostat.vmm.vhost.message.ProtocolFeature;
import io.aerostat.vmm.vhost.message.ProtocolViolation;
import io.aerostat.vmm.vm.DriverState;

import org.jspecify.annotations.Nullable;

import java.util.Arrays;
import java.util.List;

/**
 * The rings of one connection: which of them run, and how the device reaches the guest by them.
 *
 * <p>A ring runs when its size, place and kick descriptor are told, RAM and features are, and it is
 * enabled; a front-end that did not take {@link ProtocolFeature#PRESENT} enables it by its kick
 * descriptor. What is told anew about a ring that runs stops it for a moment.
 *
 * <p>User Mode Linux leaves {@link ProtocolFeature#PRESENT} out once its driver does not take all
 * that is offered, and then never says that a driver is gone: it frees the rings, and asks for the
 * features as a barrier. So after that question such rings rest until the guest kicks them: their
 * memory may be somebody else's by now.
 */
final class Vrings implements Interrupts, AutoCloseable {
    private static final int LOG_FLAG = 1;

    private final Vring[] rings;
    private final GuestBalloon balloon;
    private final DescriptorPoll poll;
    private final ConfigChanges configChanges;
    private final RingObserver observer;

    /** What the front-end has accepted, {@link ProtocolFeature#PRESENT} among it or not. */
    private long features;

    /**
     * Rings of which nothing is told yet.
     *
     * @param count how many there may be
     * @param poll where to wait for kicks
     * @param observer sees kicks and interrupts
     */
    Vrings(
            int count,
            GuestBalloon balloon,
            DescriptorPoll poll,
            ConfigChanges configChanges,
            RingObserver observer) {
        this.rings = new Vring[count];
        Arrays.setAll(rings, Vring::new);
        this.balloon = balloon;
        this.poll = poll;
        this.configChanges = configChanges;
        this.observer = observer;
    }

    int count() {
        return rings.length;
    }

    // the guest

    /** Brings the kicks that have come to the device. After the set was waited for. */
    void takeKicks() throws ProtocolViolation {
        for (Vring ring : rings) {
            Descriptor kick = ring.kick();
            if (ring.pollSlot == Vring.NO_SLOT || kick == null) {
                continue;
            }
            if (poll.isReady(ring.pollSlot) && EventDescriptors.drain(kick)) {
                observer.kicked(ring.index());
                kicked(ring);
            } else if (poll.isHungUp(ring.pollSlot) || poll.isReady(ring.pollSlot)) {
                // It will never kick again, and would keep this thread awake.
                stopWaiting(ring);
            }
        }
    }

    private void kicked(Vring ring) throws ProtocolViolation {
        if (ring.rests) {
            ring.rests = false;
            stopWaiting(ring);
            startIfReady(ring);
            noteDriver();
        }
        balloon.kick(ring.index());
    }

    // what the front-end tells

    /** The features are asked for: a barrier, after which a driver that is gone frees its rings. */
    void featuresAsked() {
        if (enablesByMessage()) {
            return;
        }
        for (Vring ring : rings) {
            if (ring.runs) {
                ring.base = balloon.suspend(ring.index());
                ring.runs = false;
                ring.rests = true;
            }
        }
        noteDriver();
    }

    /** A driver negotiates: whichever was there before is gone. */
    void negotiated(long accepted) {
        stopAll();
        for (Vring ring : rings) {
            // Where a ring goes on is told anew.
            ring.base = 0;
        }
        features = accepted;
    }

    /** The RAM is another one: what runs goes on with it. */
    void exchangeMemory(List<MemoryRegion> regions) throws ProtocolViolation {
        boolean ran = false;
        for (Vring ring : rings) {
            if (ring.runs || ring.broken) {
                boolean broken = ring.broken;
                ran |= ring.runs;
                suspend(ring);
                ring.broken = broken;
            }
        }
        balloon.memory(FrontEndMemory.map(regions), this, ran);
        for (Vring ring : rings) {
            startIfReady(ring);
        }
        noteDriver();
    }

    void size(int index, int entries) throws ProtocolViolation {
        change(ring(index), ring -> ring.size(entries));
    }

    void base(int index, int base) throws ProtocolViolation {
        change(ring(index), ring -> ring.base = base);
    }

    void place(SetVringAddr told) throws ProtocolViolation {
        Vring ring = ring(told.index());
        if ((told.flags() & LOG_FLAG) != 0) {
            throw new ProtocolViolation(
                    "ring wants a log, which is not offered: index=" + told.index());
        }
        change(ring, changed -> changed.place(told));
        FrontEndMemory ram = balloon.ram();
        if (ram != null && ring.isPlaced()) {
            var _ = ring.addressesIn(ram);
        }
    }

    /** Takes the descriptor over, as {@link #call} and {@link #error} do. */
    void kick(int index, @Nullable Descriptor descriptor) throws ProtocolViolation {
        if (descriptor == null) {
            throw new ProtocolViolation("ring without a kick descriptor: index=" + index);
        }
        EventDescriptors.nonBlocking(descriptor);
        change(ring(index), ring -> ring.kick(descriptor));
    }

    void call(int index, @Nullable Descriptor descriptor) throws ProtocolViolation {
        ring(index).call(nonBlocking(descriptor));
    }

    void error(int index, @Nullable Descriptor descriptor) throws ProtocolViolation {
        ring(index).error(nonBlocking(descriptor));
    }

    private static @Nullable Descriptor nonBlocking(@Nullable Descriptor descriptor) {
        if (descriptor != null) {
            EventDescriptors.nonBlocking(descriptor);
        }
        return descriptor;
    }

    void enable(int index, boolean on) throws ProtocolViolation {
        Vring ring = ring(index);
        ring.enabled = on;
        if (on) {
            startIfReady(ring);
            noteDriver();
        } else {
            pause(ring);
        }
    }

    /**
     * A ring runs no more until it has another kick descriptor.
     *
     * @return where it stood
     */
    int stop(int index) throws ProtocolViolation {
        Vring ring = ring(index);
        stop(ring);
        return ring.base;
    }

    void stopAll() {
        for (Vring ring : rings) {
            ring.enabled = false;
            stop(ring);
        }
    }

    private Vring ring(int index) throws ProtocolViolation {
        if (index >= rings.length) {
            throw new ProtocolViolation("no such ring: index=" + index + ", rings=" + rings.length);
        }
        return rings[index];
    }

    /** A change to what a front-end has said about a ring. */
    private interface Change {
        void to(Vring ring);
    }

    private void change(Vring ring, Change change) throws ProtocolViolation {
        if (ring.runs || ring.rests || ring.broken) {
            suspend(ring);
        }
        change.to(ring);
        startIfReady(ring);
        noteDriver();
    }

    // starting and stopping

    private void startIfReady(Vring ring) throws ProtocolViolation {
        FrontEndMemory ram = balloon.ram();
        Descriptor kick = ring.kick();
        boolean enabled = ring.enabled || !enablesByMessage();
        if (ring.runs || ring.rests || ram == null || kick == null || !ring.isSetUp() || !enabled) {
            return;
        }
        ring.runs = true;
        ring.runs = balloon.start(ring.index(), ring.addressesIn(ram), bases()) && !ring.broken;
        if (ring.runs) {
            ring.pollSlot = poll.add(kick);
            configChanges.ringStarted();
        }
    }

    private boolean enablesByMessage() {
        return (features & ProtocolFeature.PRESENT) != 0;
    }

    private int[] bases() {
        return Arrays.stream(rings).mapToInt(ring -> ring.base).toArray();
    }

    private void stop(Vring ring) {
        pause(ring);
        ring.kick(null);
    }

    private void pause(Vring ring) {
        configChanges.ringStopped();
        if (ring.runs || ring.rests || ring.broken) {
            suspend(ring);
        }
        noteDriver();
    }

    private void suspend(Vring ring) {
        if (!ring.rests) {
            ring.base = balloon.suspend(ring.index());
        }
        ring.runs = false;
        ring.rests = false;
        ring.broken = false;
        stopWaiting(ring);
    }

    private void stopWaiting(Vring ring) {
        if (ring.pollSlot != Vring.NO_SLOT) {
            poll.remove(ring.pollSlot);
            ring.pollSlot = Vring.NO_SLOT;
        }
    }

    private void noteDriver() {
        DriverState state = DriverState.ABSENT;
        for (Vring ring : rings) {
            if (ring.broken) {
                state = DriverState.BROKEN;
            } else if (ring.runs && state == DriverState.ABSENT) {
                state = DriverState.UP;
            }
        }
        balloon.driver(state);
    }

    @Override
    public void close() {
        stopAll();
        for (Vring ring : rings) {
            ring.close();
        }
    }

    // the device, from inside a pass on this thread

    @Override
    public void usedBuffer(int queue) {
        Descriptor call = rings[queue].call();
        if (call != null) {
            // A socket that is full holds interrupts which the guest has not taken yet.
            EventDescriptors.signal(call);
            observer.interrupted(queue);
        }
    }

    @Override
    public void configChanged() {
        configChanges.changed();
    }

    @Override
    public void queueFailed(int queue) {
        Vring ring = rings[queue];
        ring.runs = false;
        ring.broken = true;
        stopWaiting(ring);
        Descriptor error = ring.error();
        if (error != null) {
            EventDescriptors.signal(error);
        }
        noteDriver();
    }
}
