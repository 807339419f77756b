package io.aerostat.memory.own;

import io.aerostat.memory.os.CallTally;
import io.aerostat.memory.os.LinuxMemory;
import io.aerostat.memory.os.OsException;
import io.aerostat.memory.os.Pagemap;
import io.aerostat.memory.os.Residency;
import io.aerostat.virtio.memory.RamRegion;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/**
 * The parts of a region that can be given back: whole host pages, each part with the advice that
 * fits its mapping.
 *
 * <pre>
 *   region            ·····[===================================]··
 *   host pages    |       |       |       |       |       |       |
 *   mappings      ──────────── private ──────────────┤─ shared ───────
 *   spans                 [ drop                     ][ hole ]
 *   kept               ···                                    ····
 * </pre>
 *
 * <p>Immutable, but for the region and its buffer, which are looked at before each call: a region
 * that is detached and a buffer whose arena is closed are left alone.
 */
final class RegionSpans {
    private final RamRegion region;
    private final @Nullable MemorySegment segment;
    private final long address;
    private final int pageBytes;
    private final long[] starts;
    private final long[] ends;
    private final Advice[] advices;
    private final RegionReport report;

    private RegionSpans(
            RamRegion region,
            @Nullable MemorySegment segment,
            long address,
            int pageBytes,
            Finder found) {
        this.region = region;
        this.segment = segment;
        this.address = address;
        this.pageBytes = pageBytes;
        this.starts = found.spans.stream().mapToLong(Span::start).toArray();
        this.ends = found.spans.stream().mapToLong(Span::end).toArray();
        this.advices = found.spans.stream().map(Span::advice).toArray(Advice[]::new);
        this.report = found.report(region);
    }

    /** Finds out what can be given back of a region, attached or not. */
    static RegionSpans of(RamRegion region, MappingTable mappings, int pageBytes) {
        MemorySegment segment = segmentOf(region);
        long address = segment == null ? region.hostAddress() : segment.address();
        Finder found = new Finder(mappings);
        if (address == 0) {
            found.keep(Obstacle.NO_ADDRESS, region.length());
        } else {
            // What the guest can give are whole units of its own addresses.
            long firstUnit = roundUp(region.gpa(), pageBytes) - region.gpa();
            long lastUnit = roundDown(region.end(), pageBytes) - region.gpa();
            long start = roundUp(address + firstUnit, pageBytes);
            long end = Math.max(start, roundDown(address + lastUnit, pageBytes));
            found.keep(Obstacle.UNALIGNED, region.length() - (end - start));
            found.walk(start, end);
        }
        return new RegionSpans(region, segment, address, pageBytes, found);
    }

    private static @Nullable MemorySegment segmentOf(RamRegion region) {
        ByteBuffer buffer = region.buffer();
        return buffer != null && buffer.isDirect()
                ? MemorySegment.ofBuffer(buffer.duplicate().clear())
                : null;
    }

    private static long roundUp(long value, int unit) {
        return (value + unit - 1) & -unit;
    }

    private static long roundDown(long value, int unit) {
        return value & -unit;
    }

    /** Tells whether they are of this very region, attached or not. */
    boolean areOf(RamRegion other) {
        return region == other;
    }

    /** Tells whether there is memory behind the region now. */
    boolean isReachable() {
        return region.isAttached() && (segment == null || segment.scope().isAlive());
    }

    /** What can never be given back of the region. */
    RegionReport report() {
        return report;
    }

    /** Tells whether anything can be given back. */
    boolean isEmpty() {
        return starts.length == 0;
    }

    /** Tells whether all that can be given back reads as zero afterwards. */
    boolean leaveZeros() {
        for (Advice advice : advices) {
            if (!advice.leavesZeros()) {
                return false;
            }
        }
        return true;
    }

    /** Tells whether the guest's units are the host's pages. */
    boolean isAligned() {
        return address != 0 && ((address - region.gpa()) & (pageBytes - 1)) == 0;
    }

    /** Address in this process of the guest's byte at {@code gpa}, which is in the region. */
    long addressOf(long gpa) {
        return address + (gpa - region.gpa());
    }

    /**
     * Gives back the host's pages that lie wholly between two guest addresses of the region; bytes
     * accepted. Not for a region that is not reachable.
     */
    long discard(long gpa, long bytes, CallTally tally) {
        long from = roundUp(addressOf(gpa), pageBytes);
        long to = roundDown(addressOf(gpa) + bytes, pageBytes);
        long accepted = 0;
        for (int i = 0; i < starts.length; i++) {
            long start = Math.max(from, starts[i]);
            long end = Math.min(to, ends[i]);
            if (start < end && advise(start, end - start, advices[i], tally)) {
                accepted += end - start;
            }
        }
        return accepted;
    }

    /**
     * Bytes of whole host pages between two guest addresses of an aligned region that are resident.
     * Of private copies of a file's pages those count which are there; what the kernel caches of
     * the file itself is not the guest's.
     *
     * @throws OsException if the kernel does not tell
     * @throws IOException likewise
     */
    long residentBytes(long gpa, long bytes) throws IOException {
        long from = addressOf(gpa);
        long resident = Residency.bytes(from, bytes);
        for (int i = 0; i < starts.length; i++) {
            long start = Math.max(from, starts[i]);
            long length = Math.min(from + bytes, ends[i]) - start;
            if (length > 0 && advices[i] == Advice.DROP_TO_FILE) {
                long copies = new Pagemap(pageBytes).privateBytes(start, length);
                resident += copies - Residency.bytes(start, length);
            }
        }
        return resident;
    }

    private static boolean advise(long address, long bytes, Advice advice, CallTally tally) {
        tally.countDiscard();
        try {
            LinuxMemory.madvise(address, bytes, advice.number());
            return true;
        } catch (OsException e) {
            tally.countFailure(e);
            return false;
        }
    }

    /** A stretch of whole host pages that are given back alike. */
    private record Span(long start, long end, Advice advice) {}

    /** Walks over the mappings of a region and sorts its bytes. */
    private static final class Finder {
        private final MappingTable mappings;
        private final List<Span> spans = new ArrayList<>();
        private final Map<Obstacle, Long> kept = new EnumMap<>(Obstacle.class);

        Finder(MappingTable mappings) {
            this.mappings = mappings;
        }

        void walk(long start, long end) {
            long at = start;
            while (at < end) {
                Mapping mapping = mappings.at(at);
                long next =
                        mapping == null
                                ? mappings.nextStart(at, end)
                                : Math.min(end, mapping.end());
                Advice advice = mapping == null ? null : mapping.advice();
                if (advice != null) {
                    add(at, next, advice);
                } else {
                    keep(mapping == null ? Obstacle.NOT_MAPPED : mapping.obstacle(), next - at);
                }
                at = next;
            }
        }

        // Neighbours that differ in what does not matter here take one call.
        private void add(long start, long end, Advice advice) {
            Span last = spans.isEmpty() ? null : spans.getLast();
            if (last != null && last.end() == start && last.advice() == advice) {
                spans.set(spans.size() - 1, new Span(last.start(), end, advice));
            } else {
                spans.add(new Span(start, end, advice));
            }
        }

        void keep(Obstacle obstacle, long bytes) {
            if (bytes > 0) {
                kept.merge(obstacle, bytes, Long::sum);
            }
        }

        RegionReport report(RamRegion region) {
            long sum = 0;
            long most = 0;
            Obstacle gravest = Obstacle.NONE;
            for (Map.Entry<Obstacle, Long> entry : kept.entrySet()) {
                sum += entry.getValue();
                if (entry.getValue() > most) {
                    most = entry.getValue();
                    gravest = entry.getKey();
                }
            }
            return new RegionReport(region.gpa(), region.length(), sum, gravest);
        }
    }
}
