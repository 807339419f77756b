package io.aerostat.vmm.os;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import io.aerostat.memory.os.Errno;
import io.aerostat.memory.os.OsException;

import org.jspecify.annotations.Nullable;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * A set of descriptors that one thread waits for, by poll(2). Allocates nothing once built.
 *
 * <p>Each descriptor has a slot, numbered from 0, from {@link #add} to {@link #remove}. What {@link
 * #await} found is asked for by slot, until the next await. A descriptor stays ready as long as
 * there is something to read, and hung up for ever: whoever leaves it in the set does not wait any
 * more. Wake the thread up by an event descriptor in the set.
 *
 * <p>Owns no descriptor. One that is closed must be removed before the next await, since its number
 * may be another file's by then; await refuses to go on otherwise.
 */
public final class DescriptorPoll {
    private static final short POLLIN = 1;
    private static final short POLLERR = 8;
    private static final short POLLHUP = 0x10;
    private static final short POLLNVAL = 0x20;

    /** Passed over by the kernel. */
    private static final int NOBODY = -1;

    private final MemorySegment entries;
    private final @Nullable Descriptor[] members;

    /**
     * An empty set.
     *
     * @param capacity most descriptors at a time, 1 and more
     */
    public DescriptorPoll(int capacity) {
        if (capacity < 1) {
            throw new IllegalArgumentException("a set for no descriptor: capacity=" + capacity);
        }
        members = new Descriptor[capacity];
        entries = Arena.ofAuto().allocate(capacity * PollEntryLayout.LENGTH, Integer.BYTES);
        for (int slot = 0; slot < capacity; slot++) {
            setEntry(slot, NOBODY);
        }
    }

    /**
     * Adds a descriptor, not ready at first.
     *
     * @return its slot, the lowest free one, below the capacity
     * @throws IllegalStateException if the set is full or the descriptor is closed
     */
    public int add(Descriptor descriptor) {
        int number = descriptor.number();
        for (int slot = 0; slot < members.length; slot++) {
            if (members[slot] == null) {
                members[slot] = descriptor;
                setEntry(slot, number);
                return slot;
            }
        }
        throw new IllegalStateException("the set is full: capacity=" + members.length);
    }

    /**
     * Removes a descriptor, open or closed; its slot is free and not ready from now on.
     *
     * @throws IllegalArgumentException if the slot is free
     */
    public void remove(int slot) {
        if (members[slot] == null) {
            throw new IllegalArgumentException("a free slot: slot=" + slot);
        }
        members[slot] = null;
        setEntry(slot, NOBODY);
    }

    /**
     * Waits until a descriptor of the set is ready or hung up.
     *
     * @param timeoutMs longest wait in milliseconds; 0 to look only, -1 to wait for ever
     * @return how many slots have something to tell; 0 if the time is over, or if a signal came in
     *     between
     * @throws IllegalStateException if a descriptor was closed and not removed
     */
    public int await(int timeoutMs) {
        for (int slot = 0; slot < members.length; slot++) {
            Descriptor member = members[slot];
            setEntry(slot, member == null ? NOBODY : member.number());
        }
        int result = NativeCalls.poll(entries, members.length, timeoutMs);
        if (result == -Errno.EINTR) {
            return 0;
        }
        if (result < 0) {
            String arguments = "capacity=" + members.length + ", timeoutMs=" + timeoutMs;
            throw new OsException("poll", arguments, -result);
        }
        return result;
    }

    /**
     * Tells whether there is something to read: bytes, events, a connection to accept, or the end
     * of what the peer sent.
     */
    public boolean isReady(int slot) {
        return (returnedEvents(slot) & POLLIN) != 0;
    }

    /**
     * Tells whether the peer is gone or the descriptor is of no use. There may still be something
     * to read.
     */
    public boolean isHungUp(int slot) {
        return (returnedEvents(slot) & (POLLERR | POLLHUP | POLLNVAL)) != 0;
    }

    private short returnedEvents(int slot) {
        long at = slot * PollEntryLayout.LENGTH;
        return entries.get(JAVA_SHORT, at + PollEntryLayout.RETURNED_EVENTS_OFFSET);
    }

    private void setEntry(int slot, int number) {
        long at = slot * PollEntryLayout.LENGTH;
        entries.set(JAVA_INT, at + PollEntryLayout.FD_OFFSET, number);
        entries.set(JAVA_SHORT, at + PollEntryLayout.EVENTS_OFFSET, POLLIN);
        entries.set(JAVA_SHORT, at + PollEntryLayout.RETURNED_EVENTS_OFFSET, (short) 0);
    }
}
