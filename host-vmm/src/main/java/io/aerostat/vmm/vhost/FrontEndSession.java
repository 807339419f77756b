package io.aerostat.vmm.vhost;

import io.aerostat.virtio.device.Interrupts;
import io.aerostat.vmm.os.Descriptor;
import io.aerostat.vmm.os.DescriptorPoll;
import io.aerostat.vmm.os.EventDescriptors;
import io.aerostat.vmm.vhost.message.BackEndChannel;
import io.aerostat.vmm.vhost.message.FrontEndMessage;
import io.aerostat.vmm.vhost.message.FrontEndMessage.GetConfig;
import io.aerostat.vmm.vhost.message.FrontEndMessage.GetFeatures;
import io.aerostat.vmm.vhost.message.FrontEndMessage.GetProtocolFeatures;
import io.aerostat.vmm.vhost.message.FrontEndMessage.GetQueueNum;
import io.aerostat.vmm.vhost.message.FrontEndMessage.GetVringBase;
import io.aerostat.vmm.vhost.message.FrontEndMessage.ResetOwner;
import io.aerostat.vmm.vhost.message.FrontEndMessage.SetBackendReqFd;
import io.aerostat.vmm.vhost.message.FrontEndMessage.SetConfig;
import io.aerostat.vmm.vhost.message.FrontEndMessage.SetFeatures;
import io.aerostat.vmm.vhost.message.FrontEndMessage.SetMemTable;
import io.aerostat.vmm.vhost.message.FrontEndMessage.SetOwner;
import io.aerostat.vmm.vhost.message.FrontEndMessage.SetProtocolFeatures;
import io.aerostat.vmm.vhost.message.FrontEndMessage.SetVringAddr;
import io.aerostat.vmm.vhost.message.FrontEndMessage.SetVringBase;
import io.aerostat.vmm.vhost.message.FrontEndMessage.SetVringCall;
import io.aerostat.vmm.vhost.message.FrontEndMessage.SetVringEnable;
import io.aerostat.vmm.vhost.message.FrontEndMessage.SetVringErr;
import io.aerostat.vmm.vhost.message.FrontEndMessage.SetVringKick;
import io.aerostat.vmm.vhost.message.FrontEndMessage.SetVringNum;
import io.aerostat.vmm.vhost.message.MessageReader;
import io.aerostat.vmm.vhost.message.MessageWriter;
import io.aerostat.vmm.vhost.message.Progress;
import io.aerostat.vmm.vhost.message.ProtocolFeature;
import io.aerostat.vmm.vhost.message.ProtocolViolation;
import io.aerostat.vmm.vhost.message.Request;
import io.aerostat.vmm.vm.DriverState;

import org.jspecify.annotations.Nullable;

import java.util.Arrays;

/**
 * One connection of a front-end: what it says, in its order, and what is answered.
 *
 * <p>A ring runs when its size, place and kick descriptor are told, RAM and features are, and it is
 * enabled; a front-end that did not take {@link ProtocolFeature#PRESENT} enables it by its kick
 * descriptor. What is told anew about a ring that runs stops it for a moment.
 *
 * <p>User Mode Linux leaves {@link ProtocolFeature#PRESENT} out once its driver does not take all
 * that is offered, and then never says that a driver is gone: it frees the rings, and asks for the
 * features as a barrier. So after that question such rings rest until the guest kicks them: their
 * memory may be somebody else's by now.
 *
 * <p>What a front-end may not do is a {@link ProtocolViolation}, and the end of the connection.
 * What its guest does wrong stops a ring, and is told by the ring's error descriptor.
 */
final class FrontEndSession implements AutoCloseable {
    /** A front-end that talks without end must not keep the device from its work. */
    private static final int MESSAGES_AT_ONCE = 32;

    private static final long PROTOCOL_FEATURES =
            ProtocolFeature.MQ
                    | ProtocolFeature.REPLY_ACK
                    | ProtocolFeature.BACKEND_REQ
                    | ProtocolFeature.CONFIG;

    private static final long SUCCESS = 0;
    private static final long FAILURE = 1;

    private final GuestBalloon balloon;
    private final DescriptorPoll poll;
    private final RingObserver observer;
    private final Descriptor socket;
    private final MessageReader reader;
    private final MessageWriter writer;
    private final Vring[] rings;
    private final Interrupts interrupts = new RingInterrupts();

    private @Nullable BackEndChannel channel;
    private long features;
    private long protocolFeatures;

    /**
     * A configuration change is told only while no ring was stopped since one was started: QEMU
     * 11.1 dies of one that comes before or after, and the driver looks by itself when it starts.
     */
    private boolean hearsOfConfig;

    /** There was a change that it did not hear of. A guest that only stood still will not look. */
    private boolean configUntold;

    /**
     * A connection at its start.
     *
     * @param socket closed with the session
     * @param poll where to wait for kicks
     * @param queues how many rings there may be
     * @param observer sees kicks and interrupts
     */
    FrontEndSession(
            GuestBalloon balloon,
            Descriptor socket,
            DescriptorPoll poll,
            int queues,
            RingObserver observer) {
        this.balloon = balloon;
        this.socket = socket;
        this.poll = poll;
        this.observer = observer;
        this.reader = new MessageReader(socket);
        this.writer = new MessageWriter(socket);
        this.rings = new Vring[queues];
        for (int i = 0; i < queues; i++) {
            rings[i] = new Vring(i);
        }
    }

    /**
     * Answers what has come, up to a bound; the rest when the socket is looked at again.
     *
     * @return false when the front-end has closed the connection
     */
    boolean serve() throws ProtocolViolation {
        for (int i = 0; i < MESSAGES_AT_ONCE; i++) {
            Progress progress = reader.poll();
            if (progress != Progress.MESSAGE) {
                return progress != Progress.END;
            }
            answer(reader.message());
        }
        return true;
    }

    /** Brings the kicks that have come to the device. After the set was waited for. */
    void takeKicks() throws ProtocolViolation {
        for (Vring ring : rings) {
            Descriptor kick = ring.kick();
            if (ring.pollSlot == Vring.NO_SLOT || kick == null) {
                continue;
            }
            if (poll.isReady(ring.pollSlot) && EventDescriptors.drain(kick)) {
                observer.kicked(ring.index());
                kick(ring);
            } else if (poll.isHungUp(ring.pollSlot) || poll.isReady(ring.pollSlot)) {
                // It will never kick again, and would keep this thread awake.
                stopWaiting(ring);
            }
        }
    }

    private void kick(Vring ring) throws ProtocolViolation {
        if (ring.rests) {
            ring.rests = false;
            stopWaiting(ring);
            startIfReady(ring);
            noteDriver();
        }
        balloon.kick(ring.index());
    }

    private void answer(FrontEndMessage message) throws ProtocolViolation {
        try {
            long status = handle(message);
            boolean acknowledges = (protocolFeatures & ProtocolFeature.REPLY_ACK) != 0;
            if (acknowledges && reader.wantsAcknowledgement()) {
                writer.reply(reader.request(), status);
            }
        } catch (ProtocolViolation | RuntimeException e) {
            message.closeDescriptors();
            throw e;
        }
    }

    private long handle(FrontEndMessage message) throws ProtocolViolation {
        switch (message) {
            case GetFeatures _ -> {
                if (!enablesByMessage()) {
                    restAll();
                }
                writer.reply(
                        Request.GET_FEATURES, balloon.offeredFeatures() | ProtocolFeature.PRESENT);
            }
            case SetFeatures told -> {
                return negotiate(told.features()) ? SUCCESS : FAILURE;
            }
            case GetProtocolFeatures _ ->
                    writer.reply(Request.GET_PROTOCOL_FEATURES, PROTOCOL_FEATURES);
            case SetProtocolFeatures told -> protocolFeatures(told.features());
            case SetOwner _ -> {}
            case ResetOwner _ -> stopAll();
            case GetQueueNum _ -> {
                require(ProtocolFeature.MQ, message);
                writer.reply(Request.GET_QUEUE_NUM, rings.length);
            }
            case SetMemTable told -> memory(told);
            case SetBackendReqFd told -> {
                require(ProtocolFeature.BACKEND_REQ, message);
                replaceChannel(new BackEndChannel(told.descriptor()));
            }
            case GetConfig asked -> {
                require(ProtocolFeature.CONFIG, message);
                writer.replyConfig(asked, balloon.readConfig(asked.offset(), asked.size()));
            }
            case SetConfig told -> {
                require(ProtocolFeature.CONFIG, message);
                balloon.writeConfig(told.offset(), told.bytes());
            }
            case GetVringBase asked -> {
                Vring ring = ring(asked.index());
                stop(ring);
                writer.replyVringBase(ring.index(), ring.base);
            }
            case SetVringNum told -> change(ring(told.index()), ring -> ring.size(told.num()));
            case SetVringBase told -> change(ring(told.index()), ring -> ring.base = told.base());
            case SetVringAddr told -> place(told);
            case SetVringKick told -> {
                if (told.descriptor() == null) {
                    throw new ProtocolViolation(
                            "ring without a kick descriptor: index=" + told.index());
                }
                EventDescriptors.nonBlocking(told.descriptor());
                change(ring(told.index()), ring -> ring.kick(told.descriptor()));
            }
            case SetVringCall told -> ring(told.index()).call(nonBlocking(told.descriptor()));
            case SetVringErr told -> ring(told.index()).error(nonBlocking(told.descriptor()));
            case SetVringEnable told -> enable(ring(told.index()), told.enable());
        }
        return SUCCESS;
    }

    private static @Nullable Descriptor nonBlocking(@Nullable Descriptor descriptor) {
        if (descriptor != null) {
            EventDescriptors.nonBlocking(descriptor);
        }
        return descriptor;
    }

    // the connection

    private boolean negotiate(long accepted) throws ProtocolViolation {
        long offered = balloon.offeredFeatures() | ProtocolFeature.PRESENT;
        if ((accepted & ~offered) != 0) {
            throw new ProtocolViolation(
                    "features were accepted that were not offered: features=0x"
                            + Long.toHexString(accepted & ~offered));
        }
        stopAll();
        features = accepted;
        return balloon.negotiate(accepted);
    }

    private void protocolFeatures(long accepted) throws ProtocolViolation {
        if ((accepted & ~PROTOCOL_FEATURES) != 0) {
            throw new ProtocolViolation(
                    "protocol features were accepted that were not offered: features=0x"
                            + Long.toHexString(accepted & ~PROTOCOL_FEATURES));
        }
        protocolFeatures = accepted;
    }

    private void require(long protocolFeature, FrontEndMessage message) throws ProtocolViolation {
        if ((protocolFeatures & protocolFeature) == 0) {
            throw new ProtocolViolation(
                    "request of a protocol feature that was not accepted: request="
                            + message.getClass().getSimpleName());
        }
    }

    private void replaceChannel(@Nullable BackEndChannel next) {
        if (channel != null) {
            channel.close();
        }
        channel = next;
    }

    /** What runs goes on with the new RAM. */
    private void memory(SetMemTable told) throws ProtocolViolation {
        boolean ran = false;
        for (Vring ring : rings) {
            if (ring.runs || ring.broken) {
                boolean broken = ring.broken;
                ran |= ring.runs;
                suspend(ring);
                ring.broken = broken;
            }
        }
        balloon.memory(FrontEndMemory.map(told.regions()), interrupts, ran);
        for (Vring ring : rings) {
            startIfReady(ring);
        }
        noteDriver();
    }

    // the rings

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

    private void place(SetVringAddr told) throws ProtocolViolation {
        Vring ring = ring(told.index());
        if ((told.flags() & 1) != 0) {
            throw new ProtocolViolation(
                    "ring wants a log, which is not offered: index=" + told.index());
        }
        change(ring, changed -> changed.place(told));
        FrontEndMemory ram = balloon.ram();
        if (ram != null && ring.isPlaced()) {
            var _ = ring.addressesIn(ram);
        }
    }

    private void enable(Vring ring, boolean on) throws ProtocolViolation {
        if (on) {
            ring.enabled = true;
            startIfReady(ring);
            noteDriver();
        } else {
            ring.enabled = false;
            pause(ring);
        }
    }

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
            hearsOfConfig = true;
            if (configUntold) {
                interrupts.configChanged();
            }
        }
    }

    private int[] bases() {
        return Arrays.stream(rings).mapToInt(ring -> ring.base).toArray();
    }

    private boolean enablesByMessage() {
        return (features & ProtocolFeature.PRESENT) != 0;
    }

    private void restAll() {
        for (Vring ring : rings) {
            if (ring.runs) {
                ring.base = balloon.suspend(ring.index());
                ring.runs = false;
                ring.rests = true;
            }
        }
        noteDriver();
    }

    /** A ring runs no more until it has another kick descriptor. */
    private void stop(Vring ring) {
        pause(ring);
        ring.kick(null);
    }

    private void pause(Vring ring) {
        hearsOfConfig = false;
        if (ring.runs || ring.rests || ring.broken) {
            suspend(ring);
        }
        noteDriver();
    }

    private void stopAll() {
        for (Vring ring : rings) {
            ring.enabled = false;
            stop(ring);
        }
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
        replaceChannel(null);
        reader.close();
        writer.close();
        socket.close();
    }

    /** How the device reaches the guest. Called on this thread, from inside a pass. */
    private final class RingInterrupts implements Interrupts {
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
            configUntold = !hearsOfConfig || channel == null;
            if (hearsOfConfig && channel != null) {
                channel.configChanged();
            }
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
}
