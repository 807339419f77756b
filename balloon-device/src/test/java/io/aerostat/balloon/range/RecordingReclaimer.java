package io.aerostat.balloon.range;

import io.aerostat.virtio.memory.GuestMemory;
import io.aerostat.virtio.memory.RamRegion;
import io.aerostat.virtio.testkit.GuestRam;

import java.util.ArrayList;
import java.util.List;

/**
 * A host that writes down what it is asked, and scribbles over what it takes: a page that should
 * not have been discarded is seen. Insists on what {@link PageReclaimer} promises it: ranges of
 * RAM, each in one region, in whole units, ascending and apart.
 */
public final class RecordingReclaimer implements PageReclaimer {
    /** What every byte of a discarded page holds. */
    public static final int SCRIBBLE = 0xDB;

    private final GuestRam ram;
    private final int granularityBytes;
    private final List<String> discards = new ArrayList<>();
    private final List<String> reuses = new ArrayList<>();
    private Runnable duringDiscard = () -> {};
    private long acceptAtMost = Long.MAX_VALUE;
    private long residentBytes = UNKNOWN;
    private Content content = Content.UNDEFINED;
    private long calls;
    private int memoryChanges;

    /** A host whose unit is {@code granularityBytes}. */
    public RecordingReclaimer(GuestRam ram, int granularityBytes) {
        this.ram = ram;
        this.granularityBytes = granularityBytes;
    }

    /** Runs {@code look} inside each discard, before memory changes. */
    public void duringDiscard(Runnable look) {
        duringDiscard = look;
    }

    /** What discarded pages hold: zeros, what they held, or scribbles. */
    public void content(Content content) {
        this.content = content;
    }

    /** From now on each discard fails after this many bytes. */
    public void acceptAtMost(long bytes) {
        acceptAtMost = bytes;
    }

    /** What {@link #residentBytes} answers for any range. */
    public void resident(long bytes) {
        residentBytes = bytes;
    }

    /** The ranges discarded since the last look, in order, as "first pfn+pages". */
    public List<String> takeDiscards() {
        return take(discards);
    }

    /** The ranges taken into use again since the last look. */
    public List<String> takeReuses() {
        return take(reuses);
    }

    private static List<String> take(List<String> record) {
        List<String> taken = List.copyOf(record);
        record.clear();
        return taken;
    }

    @Override
    public int granularityBytes() {
        return granularityBytes;
    }

    @Override
    public Content contentAfterDiscard() {
        return content;
    }

    @Override
    public long discard(PageRanges ranges) {
        check(ranges, granularityBytes);
        duringDiscard.run();
        record(ranges, discards);
        calls++;
        long accepted = 0;
        for (int i = 0; i < ranges.count(); i++) {
            long bytes = Math.min(ranges.bytes(i), acceptAtMost - accepted);
            if (content != Content.UNCHANGED) {
                int left = content == Content.ZERO ? 0 : SCRIBBLE;
                WholePages.fill(ram.memory(), ranges.gpa(i), bytes, left);
            }
            accepted += bytes;
        }
        return accepted;
    }

    @Override
    public void reuse(PageRanges ranges) {
        check(ranges, GuestRam.PAGE);
        record(ranges, reuses);
    }

    @Override
    public void memoryChanged() {
        memoryChanges++;
    }

    /** How often RAM came or went. */
    public int memoryChanges() {
        return memoryChanges;
    }

    @Override
    public long discardCalls() {
        return calls;
    }

    @Override
    public long residentBytes(long gpa, long length) {
        if (gpa % granularityBytes != 0 || length % granularityBytes != 0) {
            throw new AssertionError("not whole units: gpa=" + gpa + ", length=" + length);
        }
        return residentBytes;
    }

    private static void record(PageRanges ranges, List<String> record) {
        for (int i = 0; i < ranges.count(); i++) {
            record.add(ranges.pfn(i) + "+" + ranges.pages(i));
        }
    }

    private void check(PageRanges ranges, int unit) {
        long end = 0;
        for (int i = 0; i < ranges.count(); i++) {
            boolean whole = ranges.gpa(i) % unit == 0 && ranges.bytes(i) % unit == 0;
            if (ranges.gpa(i) < end || !whole || !isInOneRegion(ranges.gpa(i), ranges.bytes(i))) {
                throw new AssertionError("range " + i + " breaks the contract: " + ranges);
            }
            end = ranges.gpa(i) + ranges.bytes(i);
        }
        if (ranges.count() == 0) {
            throw new AssertionError("asked for nothing");
        }
    }

    private boolean isInOneRegion(long gpa, long bytes) {
        GuestMemory memory = ram.memory();
        for (RamRegion region : memory.regions()) {
            if (gpa >= region.gpa() && gpa + bytes <= region.end()) {
                return true;
            }
        }
        return false;
    }
}
