package io.aerostat.virtio.queue;

import io.aerostat.virtio.memory.GuestMemory;
import io.aerostat.virtio.snapshot.SnapshotException;
import io.aerostat.virtio.snapshot.SnapshotReader;
import io.aerostat.virtio.snapshot.SnapshotWriter;
import io.aerostat.virtio.spec.DescriptorLayout;
import io.aerostat.virtio.spec.QueueLimits;

import org.jspecify.annotations.Nullable;

/**
 * The device's walk along one buffer, element by element, through direct and indirect descriptors
 * (VIRTIO 1.4, 2.7.5).
 *
 * <pre>
 *   start(head) ── next() ─▶ ELEMENT ── next() ─▶ ELEMENT ── next() ─▶ END
 *                    │ gpa, length, isWritable       │
 *                    └──────────── any rule broken ──┴────▶ FAULT, fault says which
 * </pre>
 *
 * <p>Each descriptor is read once, when the walk comes to it, and checked before it is shown: an
 * element lies in guest RAM, readable ones come first, the walk is never longer than its table. A
 * driver that changes descriptors during the walk gains nothing. The walk may rest at any element
 * for as long as its user likes, and there it stands again after a restore. One thread's; allocates
 * nothing.
 */
public final class ChainCursor {
    /** There is a further element. */
    public static final int ELEMENT = 1;

    /** The buffer has no further element. */
    public static final int END = 0;

    /** The buffer breaks a rule: see {@link #fault()}. */
    public static final int FAULT = -1;

    private static final int NO_DESCRIPTOR = -1;

    private final GuestMemory memory;
    private final DescriptorTable direct;
    private final DescriptorTable indirect;
    private final int queueSize;
    private final int indirectCap;

    private int head = NO_DESCRIPTOR;
    private int upcoming = NO_DESCRIPTOR;
    private DescriptorTable table;
    private int tableEntries;
    private int walked;
    private long chainBytes;
    private boolean inWritablePart;

    private long gpa;
    private long length;
    private @Nullable QueueFault fault;

    /**
     * @param direct the queue's descriptor table
     * @param indirectCap longest indirect table to accept, in descriptors; 0 if INDIRECT_DESC was
     *     not negotiated
     */
    ChainCursor(GuestMemory memory, DescriptorTable direct, int queueSize, int indirectCap) {
        this.memory = memory;
        this.direct = direct;
        this.queueSize = queueSize;
        this.indirectCap = indirectCap;
        this.indirect = new DescriptorTable(memory);
        this.table = direct;
    }

    /**
     * Begins the buffer whose first descriptor is {@code head}, which is a descriptor of the queue.
     */
    void start(int head) {
        this.head = head;
        upcoming = head;
        table = direct;
        tableEntries = queueSize;
        walked = 0;
        chainBytes = 0;
        inWritablePart = false;
    }

    /** Goes to the next element. {@link #ELEMENT}, {@link #END} or {@link #FAULT}. */
    public int next() {
        if (fault != null) {
            return FAULT;
        }
        if (upcoming == NO_DESCRIPTOR) {
            return END;
        }
        int index = upcoming;
        int flags = table.flags(index);
        if ((flags & DescriptorLayout.INDIRECT_FLAG) != 0) {
            if (!enterIndirect(index, flags)) {
                return FAULT;
            }
            index = 0;
            flags = table.flags(0);
            if ((flags & DescriptorLayout.INDIRECT_FLAG) != 0) {
                return fail(QueueFault.INDIRECT_NESTED);
            }
        }
        return show(index, flags);
    }

    /** Shows descriptor {@code index}, which is no indirect one, as the current element. */
    private int show(int index, int flags) {
        if (++walked > tableEntries) {
            return fail(QueueFault.CHAIN_LOOPS);
        }
        boolean writable = (flags & DescriptorLayout.WRITE_FLAG) != 0;
        if (inWritablePart && !writable) {
            return fail(QueueFault.READABLE_AFTER_WRITABLE);
        }
        inWritablePart = writable;
        gpa = table.address(index);
        length = table.length(index);
        if (length == 0) {
            return fail(QueueFault.ELEMENT_EMPTY);
        }
        chainBytes += length;
        if (chainBytes > QueueLimits.MAX_CHAIN_BYTES) {
            return fail(QueueFault.CHAIN_TOO_LONG);
        }
        if (!memory.contains(gpa, length)) {
            return fail(QueueFault.ELEMENT_OUTSIDE_RAM);
        }
        if ((flags & DescriptorLayout.NEXT_FLAG) == 0) {
            upcoming = NO_DESCRIPTOR;
            return ELEMENT;
        }
        upcoming = table.next(index);
        return upcoming < tableEntries ? ELEMENT : fail(QueueFault.NEXT_OUT_OF_RANGE);
    }

    /**
     * Goes on in the table that direct descriptor {@code index} points at. Its WRITE flag means
     * nothing (2.7.5.3.2).
     */
    private boolean enterIndirect(int index, int flags) {
        if (table == indirect) {
            return reject(QueueFault.INDIRECT_NESTED);
        }
        if (indirectCap == 0) {
            return reject(QueueFault.INDIRECT_NOT_NEGOTIATED);
        }
        if ((flags & DescriptorLayout.NEXT_FLAG) != 0) {
            return reject(QueueFault.INDIRECT_WITH_NEXT);
        }
        if (walked + 1 > tableEntries) {
            return reject(QueueFault.CHAIN_LOOPS);
        }
        long bytes = direct.length(index);
        if (bytes == 0 || bytes % DescriptorLayout.LENGTH != 0) {
            return reject(QueueFault.INDIRECT_LENGTH_INVALID);
        }
        if (bytes / DescriptorLayout.LENGTH > indirectCap) {
            return reject(QueueFault.INDIRECT_TOO_LONG);
        }
        int entries = (int) (bytes / DescriptorLayout.LENGTH);
        if (!indirect.map(direct.address(index), entries)) {
            return reject(QueueFault.INDIRECT_OUTSIDE_RAM);
        }
        table = indirect;
        tableEntries = entries;
        walked = 0;
        return true;
    }

    private int fail(QueueFault found) {
        fault = found;
        upcoming = NO_DESCRIPTOR;
        return FAULT;
    }

    private boolean reject(QueueFault found) {
        fail(found);
        return false;
    }

    /** RAM was attached or detached: what the walk of a buffer rests on must be RAM still. */
    void memoryChanged() {
        boolean begun = walked > 0;
        boolean tableIsGone = begun && table == indirect && !indirect.isRam();
        if (tableIsGone && upcoming != NO_DESCRIPTOR) {
            fail(QueueFault.INDIRECT_OUTSIDE_RAM);
        } else if (begun && !memory.contains(gpa, length)) {
            fail(QueueFault.ELEMENT_OUTSIDE_RAM);
        } else if (tableIsGone) {
            // At the last element the table has said all. A snapshot could not be restored with it.
            table = direct;
            tableEntries = queueSize;
            walked = 1;
        }
    }

    // save and restore

    /**
     * Writes the position.
     *
     * @param inWork whether the buffer is out; where the walk of one that was returned ended is no
     *     part of the state, and need not be RAM any more
     */
    void save(SnapshotWriter out, boolean inWork) {
        out.writeInt(inWork ? head : NO_DESCRIPTOR);
        out.writeText(fault == null ? "" : fault.name());
        // A broken buffer is walked no further, and its last element may be anything.
        if (fault != null || !inWork) {
            return;
        }
        out.writeInt(upcoming);
        out.writeBoolean(table == indirect);
        if (table == indirect) {
            out.writeLong(indirect.gpa());
            out.writeInt(tableEntries);
        }
        out.writeInt(walked);
        out.writeLong(chainBytes);
        out.writeBoolean(inWritablePart);
        out.writeLong(gpa);
        out.writeLong(length);
    }

    /** Moves a new cursor to a saved position, which is checked as if a guest had chosen it. */
    void restore(SnapshotReader in) throws SnapshotException {
        int savedHead = in.readInt("head", NO_DESCRIPTOR, queueSize - 1);
        fault = QueueFault.named(in.readText("chainFault"));
        if (savedHead != NO_DESCRIPTOR) {
            start(savedHead);
        }
        if (fault != null) {
            upcoming = NO_DESCRIPTOR;
        } else if (savedHead != NO_DESCRIPTOR) {
            restorePosition(in);
        }
    }

    private void restorePosition(SnapshotReader in) throws SnapshotException {
        upcoming = in.readInt("upcoming");
        if (in.readBoolean("isIndirect")) {
            long tableGpa = in.readLong("indirectTable");
            tableEntries = in.readInt("tableEntries", 1, indirectCap);
            if (!indirect.map(tableGpa, tableEntries)) {
                throw SnapshotException.impossible("indirectTable", tableGpa);
            }
            table = indirect;
        }
        walked = in.readInt("walked", table == indirect ? 1 : 0, tableEntries);
        chainBytes = in.readLong("chainBytes", 0, QueueLimits.MAX_CHAIN_BYTES);
        inWritablePart = in.readBoolean("inWritablePart");
        gpa = in.readLong("elementGpa");
        length = in.readLong("elementLength");
        boolean inTable = upcoming >= NO_DESCRIPTOR && upcoming < tableEntries;
        // A walk that has not begun begins at the head.
        if (!inTable || (walked == 0 && upcoming != head)) {
            throw SnapshotException.impossible("upcoming", upcoming);
        }
        if (walked == 0) {
            // No element was come to, and what is written there means nothing.
            gpa = 0;
            length = 0;
        } else if (length < 1 || length > chainBytes || !memory.contains(gpa, length)) {
            throw SnapshotException.impossible("elementGpa", gpa);
        }
    }

    /** Index of the buffer's first descriptor: the id to return it by. */
    public int head() {
        return head;
    }

    /**
     * Tells whether the current element is the last one, so that {@link #next} will say {@link
     * #END}.
     */
    public boolean isAtLastElement() {
        return upcoming == NO_DESCRIPTOR && fault == null;
    }

    /**
     * Guest-physical address of the current element: RAM over its whole length. Only after {@link
     * #next} has said {@link #ELEMENT}.
     */
    public long gpa() {
        return gpa;
    }

    /** Bytes of the current element, 1 to 2^32 - 1. Only after {@link #ELEMENT}. */
    public long length() {
        return length;
    }

    /** Tells whether the device writes the current element; otherwise it reads it. */
    public boolean isWritable() {
        return inWritablePart;
    }

    /** Which rule the buffer broke, or null. */
    public @Nullable QueueFault fault() {
        return fault;
    }
}
