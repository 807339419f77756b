package io.aerostat.virtio.device;

import org.jctools.queues.atomic.MpscUnboundedAtomicArrayQueue;
import org.jspecify.annotations.Nullable;

import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Brings commands from any thread to the thread that owns a device.
 *
 * <p>{@link #post} returns at once. {@link #handOver} returns when the owner has run the command:
 * the one wait in this module, off the data path, and bounded by the owner's current pass (the
 * driver's register write that resets a device must not return before the device has let go of the
 * ring). If the owner has stopped for good, the waiting thread runs what is left itself; so does
 * the owner's own thread.
 *
 * <p>A hand-over from inside a pass is posted. Whoever lets a guest make them makes sure that there
 * are not too many.
 */
final class OwnerMailbox {
    private static final int CHUNK = 64;

    private final MpscUnboundedAtomicArrayQueue<Runnable> commands =
            new MpscUnboundedAtomicArrayQueue<>(CHUNK);
    private final Ownership ownership;
    private final Doorbell doorbell;

    /** Held by whoever runs commands or the device: never two at a time. */
    private final AtomicBoolean busy = new AtomicBoolean();

    /** Who holds {@link #busy}; others see null or somebody else. */
    private volatile @Nullable Thread runner;

    /** Who entered last as the owner; null before the first time. */
    private volatile @Nullable Thread owner;

    private volatile boolean ownerStopped;

    OwnerMailbox(Ownership ownership, Doorbell doorbell) {
        this.ownership = ownership;
        this.doorbell = doorbell;
    }

    void post(Runnable command) {
        commands.add(command);
        doorbell.ring();
    }

    /**
     * Has the owner run a command.
     *
     * @return whether it ran to its end; false if this is a call from inside a pass, which the
     *     command must wait for, or the command threw on the owner's thread
     */
    boolean handOver(Runnable command) {
        if (runsHere()) {
            boolean ran = runNow(command);
            if (!ran) {
                // A register write made from inside a pass (an interrupt line that runs guest code)
                // takes effect when the pass ends: the pass still uses the rings.
                commands.add(command);
            }
            return ran;
        }
        return awaitOwner(command);
    }

    /**
     * Has the owner run a command, or nobody ever.
     *
     * @return whether it ran to its end; false if somebody is in a pass whom it could not wait for,
     *     or it threw on the owner's thread
     */
    boolean handOverOrRefuse(Runnable command) {
        return runsHere() ? runNow(command) : awaitOwner(command);
    }

    /** Tells whether the calling thread runs commands itself, as far as nobody else is at it. */
    private boolean runsHere() {
        return ownership != Ownership.OWN_THREAD || isInside() || isOwner();
    }

    @SuppressWarnings("ThreadPriorityCheck") // Yield: the owner may need this very processor.
    private boolean awaitOwner(Runnable command) {
        Handover handover = new Handover(command);
        post(handover);
        while (!handover.done) {
            if (ownerStopped && tryEnter()) {
                try {
                    drain();
                } finally {
                    leave();
                }
            }
            // A pass is short, but its thread may have to be woken or may have lost its processor.
            Thread.yield();
        }
        return handover.completed;
    }

    /** Tells whether the calling thread is running a command or the device right now. */
    boolean isInside() {
        return runner == Thread.currentThread();
    }

    // The owner of several devices hands over between the passes of two: it must not wait for
    // itself.
    private boolean isOwner() {
        return owner == Thread.currentThread();
    }

    private boolean runNow(Runnable command) {
        if (!tryEnter()) {
            return false;
        }
        try {
            // What was posted first comes first.
            drain();
            command.run();
            return true;
        } finally {
            leave();
        }
    }

    boolean isEmpty() {
        return commands.isEmpty();
    }

    /**
     * Runs what has been posted so far, and not what that posts: a command that posts itself again
     * must not keep a pass from ending. Only between {@link #tryEnter} and {@link #leave}.
     */
    int drain() {
        int limit = commands.size();
        int count = 0;
        while (count < limit) {
            Runnable command = commands.poll();
            if (command == null) {
                break;
            }
            command.run();
            count++;
        }
        return count;
    }

    boolean tryEnter() {
        if (!busy.compareAndSet(false, true)) {
            return false;
        }
        runner = Thread.currentThread();
        return true;
    }

    /** The same, for the owner: its thread is known from here on. */
    boolean tryEnterAsOwner() {
        if (!isOwner()) {
            owner = Thread.currentThread();
        }
        return tryEnter();
    }

    void leave() {
        runner = null;
        busy.setRelease(false);
    }

    /** The owner will not come back: hand-overs run on the thread that makes them. */
    void ownerStopped() {
        ownerStopped = true;
    }

    private static final class Handover implements Runnable {
        private final Runnable command;
        // Published by done.
        private boolean completed;

        private volatile boolean done;

        Handover(Runnable command) {
            this.command = command;
        }

        @Override
        public void run() {
            try {
                command.run();
                completed = true;
            } finally {
                done = true;
            }
        }
    }
}
