package io.aerostat.vmm.os;

import io.aerostat.memory.os.LinuxMemory;
import io.aerostat.memory.os.OsException;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * An open file descriptor that somebody owns: closed once, and not usable afterwards, so that a
 * number which the kernel has given to someone else meanwhile is never touched. Any thread may
 * close it; nobody may be inside a call on it then.
 */
public final class Descriptor implements AutoCloseable {
    private static final Logger LOGGER = System.getLogger(Descriptor.class.getName());
    private static final int CLOSED = -1;

    private final AtomicInteger number;

    // Plain: a thread that does not see it yet finds it out by itself.
    private boolean knownAsNoSocket;

    private Descriptor(int number) {
        this.number = new AtomicInteger(number);
    }

    /**
     * Takes over an open file descriptor.
     *
     * @param number what the kernel gave, 0 and more
     */
    public static Descriptor owning(int number) {
        if (number < 0) {
            throw new IllegalArgumentException(
                    "a file descriptor is not negative: number=" + number);
        }
        return new Descriptor(number);
    }

    /**
     * The number that stands for it in calls; this object goes on owning it.
     *
     * @throws IllegalStateException if it is closed
     */
    public int number() {
        int current = number.get();
        if (current == CLOSED) {
            throw new IllegalStateException("the file descriptor is closed");
        }
        return current;
    }

    /** Tells whether it is not closed yet. */
    public boolean isOpen() {
        return number.get() != CLOSED;
    }

    /** Tells whether a call has found that it is no socket. */
    boolean isKnownAsNoSocket() {
        return knownAsNoSocket;
    }

    /** A call has found that it is no socket; nothing ever makes it one. */
    void knowAsNoSocket() {
        knownAsNoSocket = true;
    }

    /** Closes it. A second close does nothing; what the kernel has to complain of is logged. */
    @Override
    public void close() {
        int last = number.getAndSet(CLOSED);
        if (last == CLOSED) {
            return;
        }
        try {
            LinuxMemory.close(last);
        } catch (OsException e) {
            LOGGER.log(Level.WARNING, "a file descriptor did not close well", e);
        }
    }

    @Override
    public String toString() {
        int current = number.get();
        return current == CLOSED ? "Descriptor[closed]" : "Descriptor[" + current + "]";
    }
}
