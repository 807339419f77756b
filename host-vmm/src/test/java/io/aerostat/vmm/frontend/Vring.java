package io.aerostat.vmm.frontend;

import io.aerostat.virtio.queue.QueueAddresses;
import io.aerostat.vmm.os.Descriptor;
import io.aerostat.vmm.os.EventDescriptors;
import io.aerostat.vmm.os.UnixSockets;

import org.jspecify.annotations.Nullable;

/**
 * A ring as its front-end has it: where it lies, and the ends of its three descriptors. What is
 * given away is made anew each time; of the old ones only what they had to tell is kept.
 */
public final class Vring implements AutoCloseable {
    private final int index;
    private @Nullable QueueAddresses addresses;
    private @Nullable Descriptor kick;
    private @Nullable Descriptor call;
    private @Nullable Descriptor error;
    private int interrupts;

    Vring(int index) {
        this.index = index;
    }

    /** Its number. */
    public int index() {
        return index;
    }

    /** Where the driver has put it, in guest addresses; null if it is not in use. */
    public @Nullable QueueAddresses addresses() {
        return addresses;
    }

    void place(QueueAddresses addresses) {
        this.addresses = addresses;
    }

    void forget() {
        addresses = null;
    }

    /**
     * A new event descriptor, which the back-end is to be given.
     *
     * @param blocks whether it makes a back-end wait that reads it too early
     */
    Descriptor newKick(boolean blocks) {
        closeIfOpen(kick);
        kick = blocks ? BlockingEvents.create() : EventDescriptors.create();
        return kick;
    }

    /** A new event descriptor, which the back-end is to be given. */
    Descriptor newCallEvent() {
        dropCall();
        call = EventDescriptors.create();
        return call;
    }

    /** One end of a new pair of sockets, which the back-end is to be given; then close it. */
    Descriptor newCallSocket() {
        dropCall();
        Descriptor[] pair = UnixSockets.pair();
        call = pair[0];
        return pair[1];
    }

    private void dropCall() {
        collect();
        closeIfOpen(call);
    }

    /** A new event descriptor, which the back-end is to be given. */
    Descriptor newError() {
        closeIfOpen(error);
        error = EventDescriptors.create();
        return error;
    }

    /** Kicks, if the back-end was given something to be kicked by. */
    public void kick() {
        if (kick != null) {
            EventDescriptors.signal(kick);
        }
    }

    /** Interrupts since the last call; those that an event descriptor has merged count as one. */
    public int takeInterrupts() {
        collect();
        int taken = interrupts;
        interrupts = 0;
        return taken;
    }

    private void collect() {
        while (call != null && EventDescriptors.drain(call)) {
            interrupts++;
        }
    }

    /** Tells whether the back-end has said, since the last call, that the ring is broken. */
    public boolean takeError() {
        return error != null && EventDescriptors.drain(error);
    }

    @Override
    public void close() {
        closeIfOpen(kick);
        closeIfOpen(call);
        closeIfOpen(error);
        kick = null;
        call = null;
        error = null;
    }

    private static void closeIfOpen(@Nullable Descriptor descriptor) {
        if (descriptor != null) {
            descriptor.close();
        }
    }
}
