package io.aerostat.memory.backend;

import io.aerostat.balloon.range.PageRanges;
import io.aerostat.balloon.range.PageReclaimer;
import io.aerostat.memory.os.CallTally;
import io.aerostat.memory.os.OsException;
import io.aerostat.virtio.memory.GuestMemory;

/**
 * Gives pages of several file regions back, by a call for each range and region: a range may go
 * from one region into the next where they are adjacent for the guest.
 *
 * <p>discard belongs to the owner's thread and allocates nothing unless a call fails.
 */
final class FileRegionsReclaimer implements PageReclaimer {
    private final MappedRegion[] regions;
    private final GuestMemory memory;
    private final int unitBytes;
    private final Lifetime lifetime;
    private final CallTally tally;

    FileRegionsReclaimer(
            MappedRegion[] regions,
            GuestMemory memory,
            int unitBytes,
            Lifetime lifetime,
            CallTally tally) {
        this.regions = regions;
        this.memory = memory;
        this.unitBytes = unitBytes;
        this.lifetime = lifetime;
        this.tally = tally;
    }

    @Override
    public int granularityBytes() {
        return unitBytes;
    }

    @Override
    public Content contentAfterDiscard() {
        return Content.ZERO;
    }

    @Override
    public long discard(PageRanges ranges) {
        lifetime.enter();
        try {
            for (int i = 0; i < ranges.count(); i++) {
                check(ranges.gpa(i), ranges.bytes(i), unitBytes);
            }
            long accepted = 0;
            for (int i = 0; i < ranges.count(); i++) {
                accepted += discard(ranges.gpa(i), ranges.bytes(i));
            }
            return accepted;
        } finally {
            lifetime.exit();
        }
    }

    @Override
    public void reuse(PageRanges ranges) {
        for (int i = 0; i < ranges.count(); i++) {
            check(ranges.gpa(i), ranges.bytes(i), 1);
        }
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
            check(gpa, length, unitBytes);
            long resident = 0;
            long bytes;
            for (long done = 0; done < length; done += bytes) {
                MappedRegion region = regionOf(gpa + done);
                bytes = region.bytesInside(gpa + done, length - done);
                resident += region.residentBytes(gpa + done, bytes);
            }
            return resident;
        } catch (OsException e) {
            tally.countFailure(e);
            return UNKNOWN;
        } finally {
            lifetime.exit();
        }
    }

    private long discard(long gpa, long length) {
        long accepted = 0;
        long bytes;
        for (long done = 0; done < length; done += bytes) {
            MappedRegion region = regionOf(gpa + done);
            bytes = region.bytesInside(gpa + done, length - done);
            accepted += region.discard(gpa + done, bytes);
        }
        return accepted;
    }

    private void check(long gpa, long bytes, int unit) {
        if (((gpa | bytes) & (unit - 1)) != 0 || !memory.hasPlaceFor(gpa, bytes)) {
            throw new IllegalArgumentException(
                    ("not whole units inside this RAM: gpa=0x" + Long.toHexString(gpa))
                            + (", bytes=" + bytes + ", unitBytes=" + unit)
                            + (", ram=" + memory.regions()));
        }
    }

    /** The region of an address that was checked: there are few. */
    private MappedRegion regionOf(long gpa) {
        int index = 0;
        while (!regions[index].holds(gpa)) {
            index++;
        }
        return regions[index];
    }
}
