package io.aerostat.vmm.vhost;

import io.aerostat.vmm.os.Descriptor;
import io.aerostat.vmm.os.EventDescriptors;

import org.jctools.queues.atomic.MpscUnboundedAtomicArrayQueue;

import java.util.Queue;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Commands of other threads to a guest's thread, which waits for descriptors: the first command of
 * several wakes it up.
 */
final class Mailbox implements Executor, AutoCloseable {
    private static final int CHUNK = 64;

    private final Queue<Runnable> commands = new MpscUnboundedAtomicArrayQueue<>(CHUNK);
    private final Descriptor wakeUp = EventDescriptors.create();

    /** The thread was woken and has not looked yet. */
    private final AtomicBoolean rung = new AtomicBoolean();

    /** Becomes readable when there are commands. */
    Descriptor wakeUp() {
        return wakeUp;
    }

    /** Any thread. What is brought after {@link #close} is not run. */
    @Override
    public void execute(Runnable command) {
        commands.add(command);
        if (!rung.getAndSet(true)) {
            ring();
        }
    }

    /** A descriptor that is being closed must not be written to: its number may be another's. */
    private synchronized void ring() {
        if (wakeUp.isOpen()) {
            EventDescriptors.signal(wakeUp);
        }
    }

    /**
     * Runs what has come so far, and not what that brings. The guest's thread.
     *
     * @param woken whether the wake-up is readable
     */
    void run(boolean woken) {
        if (!woken) {
            return;
        }
        EventDescriptors.drain(wakeUp);
        // Before the look at the commands: whoever adds one after the look rings again.
        rung.set(false);
        for (int limit = commands.size(); limit > 0; limit--) {
            Runnable command = commands.poll();
            if (command == null) {
                return;
            }
            command.run();
        }
    }

    @Override
    public synchronized void close() {
        wakeUp.close();
    }
}
