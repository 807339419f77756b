package io.aerostat.memory.backend;

import io.aerostat.balloon.range.PageRanges;
import io.aerostat.balloon.range.PageReclaimer;
import io.aerostat.memory.os.CallTally;
import io.aerostat.memory.os.IoVectors;
import io.aerostat.memory.os.LinuxMemory;
import io.aerostat.memory.os.OsException;

import org.jspecify.annotations.Nullable;

/**
 * Gives pages of a mapping back by system calls: a call a range, or a call for up to {@value
 * IoVectors#MAX_COUNT} ranges where the kernel can.
 *
 * <pre>
 *   ranges   [ 0 ][ 1 ][ 2 ][ 3 ]
 *                      ▲ index     done bytes of it are gone
 *   a call takes the vectors from here on; what it answers moves index and done on.
 *   it answers 0 or fails: that range is tried by itself, once, and left behind.
 * </pre>
 *
 * <p>A call takes at most {@value #MAX_CALL_BYTES} bytes. Linux stops a page short of 2 GiB by
 * itself, which is the middle of a unit: a huge page would be split there, and one of the pool
 * refused.
 *
 * <p>discard belongs to the owner's thread and allocates nothing unless a call fails. What a failed
 * call did before it failed is not counted as accepted.
 */
final class NativeReclaimer implements PageReclaimer {
    /** Most bytes of a call for several ranges: whole units of any size. */
    static final long MAX_CALL_BYTES = (2L << 30) - BackendOptions.MAX_UNIT_BYTES;

    /** What {@link #punchingHoles} makes says of how it gives pages back. */
    static final String PUNCHING_HOLES = "fallocate(FALLOC_FL_PUNCH_HOLE)";

    private static final int PUNCH_MODE =
            LinuxMemory.FALLOC_FL_PUNCH_HOLE | LinuxMemory.FALLOC_FL_KEEP_SIZE;

    private final NativeMapping mapping;
    private final Lifetime lifetime;
    private final CallTally tally;
    private final RangeDiscard single;
    private final @Nullable VectoredDiscard vectored;

    NativeReclaimer(
            NativeMapping mapping, RangeDiscard single, @Nullable VectoredDiscard vectored) {
        this.mapping = mapping;
        this.lifetime = mapping.lifetime();
        this.tally = mapping.tally();
        this.single = single;
        this.vectored = vectored;
    }

    /**
     * Gives pages back by punching holes into the file that is mapped, a call a range.
     *
     * @param fileOffset of the mapping's first byte
     */
    static NativeReclaimer punchingHoles(NativeMapping mapping, int fd, long fileOffset) {
        return new NativeReclaimer(
                mapping,
                (offset, bytes) ->
                        LinuxMemory.fallocate(fd, PUNCH_MODE, fileOffset + offset, bytes),
                null);
    }

    /** One system call that discards one range. */
    @FunctionalInterface
    interface RangeDiscard {
        /** Discards whole units of the mapping, {@code bytes} from {@code offset}. */
        void discard(long offset, long bytes);
    }

    @Override
    public int granularityBytes() {
        return mapping.range().unitBytes();
    }

    @Override
    public Content contentAfterDiscard() {
        return Content.ZERO;
    }

    @Override
    public long discard(PageRanges ranges) {
        lifetime.enter();
        try {
            mapping.range().check(ranges);
            VectoredDiscard many = vectored;
            return many == null || ranges.count() < 2
                    ? discardOneByOne(ranges)
                    : discardTogether(ranges, many);
        } finally {
            lifetime.exit();
        }
    }

    @Override
    public void reuse(PageRanges ranges) {
        mapping.range().checkInside(ranges);
        // The kernel brings pages back at their first touch.
    }

    @Override
    public long discardCalls() {
        return tally.discards();
    }

    @Override
    public long residentBytes(long gpa, long length) {
        lifetime.enter();
        try {
            GuestRange range = mapping.range();
            range.check(gpa, length);
            return mapping.residentBytes(range.offsetOf(gpa), length);
        } catch (OsException e) {
            tally.countFailure(e);
            return UNKNOWN;
        } finally {
            lifetime.exit();
        }
    }

    private long discardOneByOne(PageRanges ranges) {
        long accepted = 0;
        for (int i = 0; i < ranges.count(); i++) {
            accepted += discardRange(mapping.range().offsetOf(ranges.gpa(i)), ranges.bytes(i));
        }
        return accepted;
    }

    /**
     * Discards one range by one call, for whoever is in already and has checked it.
     *
     * @param offset bytes from the start of the mapping, whole units
     * @return bytes accepted: all or none
     */
    long discardRange(long offset, long bytes) {
        tally.countDiscard();
        try {
            single.discard(offset, bytes);
            return bytes;
        } catch (OsException e) {
            tally.countFailure(e);
            return 0;
        }
    }

    private long discardTogether(PageRanges ranges, VectoredDiscard many) {
        long accepted = 0;
        int index = 0;
        long done = 0;
        while (index < ranges.count()) {
            long advised = callFrom(ranges, index, done, many);
            if (advised == 0) {
                long offset = mapping.range().offsetOf(ranges.gpa(index)) + done;
                accepted += discardRange(offset, ranges.bytes(index) - done);
                index++;
                done = 0;
                continue;
            }
            accepted += advised;
            done += advised;
            while (index < ranges.count() && done >= ranges.bytes(index)) {
                done -= ranges.bytes(index);
                index++;
            }
        }
        return accepted;
    }

    /**
     * Makes one call for the ranges from {@code index} on, less {@code done} bytes of the first.
     */
    private long callFrom(PageRanges ranges, int index, long done, VectoredDiscard many) {
        IoVectors vectors = many.vectors();
        vectors.clear();
        long skip = done;
        long room = MAX_CALL_BYTES;
        for (int i = index; i < ranges.count() && !vectors.isFull() && room > 0; i++) {
            long offset = mapping.range().offsetOf(ranges.gpa(i)) + skip;
            long bytes = Math.min(ranges.bytes(i) - skip, room);
            vectors.add(mapping.address() + offset, bytes);
            room -= bytes;
            skip = 0;
        }
        tally.countDiscard();
        try {
            return many.call();
        } catch (OsException e) {
            tally.countFailure(e);
            return 0;
        }
    }
}
