package io.aerostat.memory.backend;

import io.aerostat.balloon.range.PageRanges;
import io.aerostat.balloon.range.PageReclaimer;
import io.aerostat.memory.os.Pagemap;

import org.jspecify.annotations.Nullable;

import java.io.IOException;

/**
 * Gives private copies of a file's pages back, by {@link java.lang.foreign.MemorySegment#unload}: a
 * call for each range and mapping. That method rounds outwards to whole pages, so none but whole
 * ones are passed on.
 *
 * <p>discard belongs to the owner's thread. It allocates what Java cannot do without: a segment of
 * some 40 bytes for each call, and nothing else unless a call fails.
 */
final class UnloadReclaimer implements PageReclaimer {
    private final PrivateFileMapping mapping;
    private final boolean unloads;
    private final @Nullable Pagemap pagemap;

    /**
     * @param pageBytes of the host, or {@link UnloadProbe#NONE} if unloaded pages stay as they were
     *     here: then nothing is ever unloaded
     */
    UnloadReclaimer(PrivateFileMapping mapping, int pageBytes) {
        this.mapping = mapping;
        this.unloads = pageBytes != UnloadProbe.NONE;
        this.pagemap = unloads && Pagemap.isThere() ? new Pagemap(pageBytes) : null;
    }

    @Override
    public int granularityBytes() {
        return mapping.range().unitBytes();
    }

    @Override
    public Content contentAfterDiscard() {
        return unloads ? Content.ZERO : Content.UNCHANGED;
    }

    @Override
    public long discard(PageRanges ranges) {
        mapping.lifetime().enter();
        try {
            mapping.range().check(ranges);
            long accepted = 0;
            for (int i = 0; unloads && i < ranges.count(); i++) {
                accepted += discard(mapping.range().offsetOf(ranges.gpa(i)), ranges.bytes(i));
            }
            return accepted;
        } finally {
            mapping.lifetime().exit();
        }
    }

    private long discard(long start, long length) {
        long accepted = 0;
        long bytes;
        for (long done = 0; done < length; done += bytes) {
            bytes = mapping.bytesInOne(start + done, length - done);
            accepted += unload(start + done, bytes) ? bytes : 0;
        }
        return accepted;
    }

    private boolean unload(long offset, long bytes) {
        mapping.tally().countDiscard();
        try {
            mapping.unload(offset, bytes);
            return true;
        } catch (Exception e) {
            // A refusal by the host comes as an IOException that is not declared.
            mapping.tally().countFailure(e);
            return false;
        }
    }

    @Override
    public void reuse(PageRanges ranges) {
        mapping.range().checkInside(ranges);
        // The kernel copies pages again when they are written.
    }

    @Override
    public long discardCalls() {
        return mapping.tally().discards();
    }

    @Override
    public long residentBytes(long gpa, long length) {
        mapping.lifetime().enter();
        try {
            mapping.range().check(gpa, length);
            Pagemap pages = pagemap;
            if (pages == null) {
                return UNKNOWN;
            }
            long start = mapping.range().offsetOf(gpa);
            long resident = 0;
            long bytes;
            for (long done = 0; done < length; done += bytes) {
                bytes = mapping.bytesInOne(start + done, length - done);
                resident += pages.privateBytes(mapping.addressOf(start + done), bytes);
            }
            return resident;
        } catch (IOException e) {
            mapping.tally().countFailure(e);
            return UNKNOWN;
        } finally {
            mapping.lifetime().exit();
        }
    }
}
