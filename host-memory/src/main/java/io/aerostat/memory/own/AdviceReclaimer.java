package io.aerostat.memory.own;

import io.aerostat.balloon.range.PageRanges;
import io.aerostat.balloon.range.PageReclaimer;
import io.aerostat.memory.os.CallTally;
import io.aerostat.memory.os.LinuxMemory;
import io.aerostat.memory.os.OsException;
import io.aerostat.virtio.memory.GuestMemory;
import io.aerostat.virtio.memory.RamRegion;

import java.io.IOException;
import java.lang.System.Logger.Level;
import java.util.ArrayList;
import java.util.List;

/**
 * Gives pages back of guest RAM that an embedder has allocated itself, by madvise(2): a call for
 * each range, region and kind of mapping. Needs Linux and native access.
 *
 * <pre>
 *   region's memory                                          given back by      then reads as
 *   private, no file: allocateDirect, malloc, mmap           MADV_DONTNEED      zero
 *   private, of a file: FileChannel.map(PRIVATE)             MADV_DONTNEED      the file
 *   shared, of a file: FileChannel.map(READ_WRITE), memfd    MADV_REMOVE        zero
 *   huge pages, locked, not writable, a device's             not at all         what it held
 *   byte[], heap buffers, accessors                          not at all         what it held
 * </pre>
 *
 * <p><b>A shared file loses what it holds</b>: the file itself gets holes, on the disk too. Where
 * its file system has no holes the call fails, and is counted.
 *
 * <p>No wish for huge pages is told to the kernel. Where the host uses transparent ones, to give
 * back less than one splits it, and the host may get the memory later: see {@link
 * io.aerostat.memory.backend.HugePages}.
 *
 * <p>No byte outside a range is touched. So RAM that does not lie on the host's pages, as what
 * {@code allocateDirect} gives, loses a page of every range; {@link #reports} and a warning in the
 * log say so for each region, when it is seen first.
 *
 * <p>What is where is found out when this is made and at {@link #memoryChanged}. In between nobody
 * may unmap memory of a region, or map something else there, without detaching it first. A region
 * that is detached is left alone from that moment on, and so is a buffer whose arena was closed.
 *
 * <p>Belongs to the device's owner thread, except for {@link #reports}, {@link #discardCalls} and
 * {@link #failedCalls}, which any thread may ask. discard allocates nothing unless a call fails.
 */
public final class AdviceReclaimer implements PageReclaimer {
    private static final System.Logger LOG = System.getLogger(AdviceReclaimer.class.getName());

    private static final MappingTable NO_MAPPINGS = MappingTable.parse(List.of());

    private final GuestMemory memory;
    private final int pageBytes = LinuxMemory.pageBytes();
    private final CallTally tally = new CallTally(AdviceReclaimer.class);
    private RegionSpans[] places = {};
    private volatile List<RegionReport> reports = List.of();

    private AdviceReclaimer(GuestMemory memory) {
        this.memory = memory;
        memoryChanged();
    }

    /**
     * A reclaimer for all regions of a guest's memory, whichever can be given back.
     *
     * @throws UnsupportedOperationException if this is not Linux on x86-64 or aarch64, or the JVM
     *     refuses native calls
     */
    public static AdviceReclaimer of(GuestMemory memory) {
        LinuxMemory.requireSupport("UnloadBackend, PagedReclaimer or NoReclaim");
        return new AdviceReclaimer(memory);
    }

    /** What of each attached region can never be given back, by ascending guest address. */
    public List<RegionReport> reports() {
        return reports;
    }

    /**
     * System calls for reclaim and residency that failed since the start, and readings of the
     * mappings. The first one is logged.
     */
    public long failedCalls() {
        return tally.failures();
    }

    @Override
    public int granularityBytes() {
        return pageBytes;
    }

    /**
     * {@inheritDoc}
     *
     * <p>Said of all regions together: {@link Content#ZERO} if each of them can be given back to
     * its last byte and reads as zero then, {@link Content#UNCHANGED} if none can at all, otherwise
     * {@link Content#UNDEFINED}. May change when regions come or go.
     */
    @Override
    public Content contentAfterDiscard() {
        boolean zero = true;
        boolean unchanged = true;
        for (RegionSpans place : places) {
            if (place.isReachable()) {
                zero &= place.leaveZeros() && place.report().keptBytes() == 0;
                unchanged &= place.isEmpty();
            }
        }
        if (unchanged) {
            return Content.UNCHANGED;
        }
        return zero ? Content.ZERO : Content.UNDEFINED;
    }

    /**
     * Looks at regions that are new, and at what the kernel has mapped for them. Takes a while if
     * there are any: some 10 ms for each GiB that this process has resident.
     */
    @Override
    public void memoryChanged() {
        RegionSpans[] before = places;
        RegionSpans[] now = new RegionSpans[memory.regionCount()];
        List<RegionReport> said = new ArrayList<>();
        MappingTable mappings = null;
        for (int i = 0; i < now.length; i++) {
            RamRegion region = memory.region(i);
            if (!region.isAttached()) {
                // Not as it was before: that would hold on to the buffer.
                now[i] = RegionSpans.of(region, NO_MAPPINGS, pageBytes);
                continue;
            }
            boolean isNew = i >= before.length || !before[i].areOf(region);
            if (isNew && mappings == null) {
                mappings = mappings();
            }
            now[i] = mappings != null && isNew ? look(region, mappings) : before[i];
            said.add(now[i].report());
        }
        places = now;
        reports = List.copyOf(said);
    }

    private RegionSpans look(RamRegion region, MappingTable mappings) {
        RegionSpans spans = RegionSpans.of(region, mappings, pageBytes);
        if (spans.report().keptBytes() > 0) {
            LOG.log(Level.WARNING, spans.report().message());
        }
        return spans;
    }

    private MappingTable mappings() {
        try {
            return MappingTable.ofThisProcess();
        } catch (IOException e) {
            tally.countFailure(e);
            return NO_MAPPINGS;
        }
    }

    @Override
    public long discard(PageRanges ranges) {
        for (int i = 0; i < ranges.count(); i++) {
            check(ranges.gpa(i), ranges.bytes(i), pageBytes);
        }
        long accepted = 0;
        for (int i = 0; i < ranges.count(); i++) {
            accepted += discard(ranges.gpa(i), ranges.bytes(i));
        }
        return accepted;
    }

    private long discard(long gpa, long length) {
        long accepted = 0;
        long bytes;
        for (long done = 0; done < length; done += bytes) {
            int index = memory.regionIndexOf(gpa + done);
            RamRegion region = memory.region(index);
            bytes = Math.min(length - done, region.end() - (gpa + done));
            if (isReachable(index)) {
                accepted += places[index].discard(gpa + done, bytes, tally);
            }
        }
        return accepted;
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

    /**
     * {@inheritDoc}
     *
     * <p>Asks mincore(2), page by page; for a private mapping of a file /proc/self/pagemap, since
     * mincore tells of the file's own pages there. {@link #UNKNOWN} if any of the range is not on
     * whole pages of the host, has no address, or is detached.
     */
    @Override
    public long residentBytes(long gpa, long length) {
        check(gpa, length, pageBytes);
        try {
            long resident = 0;
            long bytes;
            for (long done = 0; done < length; done += bytes) {
                int index = memory.regionIndexOf(gpa + done);
                if (!isReachable(index) || !places[index].isAligned()) {
                    return UNKNOWN;
                }
                bytes = Math.min(length - done, memory.region(index).end() - (gpa + done));
                resident += places[index].residentBytes(gpa + done, bytes);
            }
            return resident;
        } catch (OsException | IOException e) {
            tally.countFailure(e);
            return UNKNOWN;
        }
    }

    /** Tells whether a place holds the memory that was looked at, and still does. */
    private boolean isReachable(int index) {
        return places[index].areOf(memory.region(index)) && places[index].isReachable();
    }

    /** Refuses what is not whole units in places for RAM, attached or not. */
    private void check(long gpa, long bytes, int unit) {
        if (((gpa | bytes) & (unit - 1)) != 0 || !memory.hasPlaceFor(gpa, bytes)) {
            throw new IllegalArgumentException(
                    ("not whole units inside this RAM: gpa=0x" + Long.toHexString(gpa))
                            + (", bytes=" + bytes + ", unitBytes=" + unit)
                            + (", ram=" + memory.regions()));
        }
    }

    @Override
    public String toString() {
        return "AdviceReclaimer" + reports;
    }
}
