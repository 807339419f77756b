package io.aerostat.memory.backend;

import io.aerostat.balloon.range.PageRanges;
import io.aerostat.balloon.range.PageReclaimer;
import io.aerostat.virtio.memory.GuestMemory;
import io.aerostat.virtio.memory.RamAccess;
import io.aerostat.virtio.memory.RamRegion;

import java.nio.ByteBuffer;
import java.util.List;

/**
 * Guest RAM in Java's direct buffers, for hosts without native reclaim. It behaves like the others
 * and <em>returns nothing to the host</em>: all of it is resident from the start to the end, and a
 * discarded page is merely filled with zeros.
 *
 * <p>Counts against {@code -XX:MaxDirectMemorySize}. Its memory is freed by the garbage collector
 * when nobody refers to it any more after {@link #close}; using it after close harms no one.
 *
 * <p>The reclaimer's discard belongs to one thread; everything else may be called by any.
 */
public final class SimulatedBackend implements MemoryBackend {
    private final GuestRange range;
    private final List<ByteBuffer> buffers;
    private final GuestMemory memory;
    private final Lifetime lifetime;
    private final ZeroFill reclaimer;

    private SimulatedBackend(GuestRange range, List<ByteBuffer> buffers) {
        this.range = range;
        this.buffers = buffers;
        this.memory = range.memoryOf(buffers);
        this.lifetime = new Lifetime("simulated " + range);
        this.reclaimer = new ZeroFill(range, memory, lifetime);
    }

    /**
     * Allocates guest RAM, given back in pages of 4096 bytes.
     *
     * @param bytes a multiple of 4096, more than 0
     * @param gpa guest-physical address of the first byte, a multiple of 4096
     * @throws OutOfMemoryError if the JVM has not that much direct memory
     */
    public static SimulatedBackend map(long bytes, long gpa) {
        return map(BackendOptions.of(bytes, gpa));
    }

    /**
     * Allocates guest RAM. Whatever the unit, it takes no larger pages of the host; so all units
     * can be tried out anywhere.
     *
     * @throws IllegalArgumentException if address or length are not whole units
     * @throws OutOfMemoryError if the JVM has not that much direct memory
     */
    public static SimulatedBackend map(BackendOptions options) {
        return map(options, GuestRange.MAX_BUFFER_BYTES);
    }

    /** Allocates guest RAM in buffers of at most {@code maxBufferBytes}. */
    static SimulatedBackend map(BackendOptions options, int maxBufferBytes) {
        GuestRange range = options.rangeOn(RamRegion.PAGE_BYTES);
        return new SimulatedBackend(
                range, range.buffers(maxBufferBytes, (offset, size) -> pageAlignedBuffer(size)));
    }

    private static ByteBuffer pageAlignedBuffer(int bytes) {
        return ByteBuffer.allocateDirect(bytes + RamRegion.PAGE_BYTES)
                .alignedSlice(RamRegion.PAGE_BYTES)
                .slice(0, bytes);
    }

    @Override
    public GuestMemory memory() {
        lifetime.checkOpen();
        return memory;
    }

    @Override
    public List<ByteBuffer> buffers() {
        lifetime.checkOpen();
        return GuestRange.views(buffers);
    }

    @Override
    public PageReclaimer reclaimer() {
        lifetime.checkOpen();
        return reclaimer;
    }

    @Override
    public String backing() {
        return "simulated";
    }

    @Override
    public String reclaimerName() {
        return "simulated (nothing is returned to the host)";
    }

    /**
     * Bytes of pages that hold anything but zeros: a simulation, since there is no kernel's word on
     * it. Reads all of the RAM.
     */
    @Override
    public long residentBytes() {
        return reclaimer.residentBytes(range.gpa(), range.length());
    }

    /** 0: there are no system calls that could fail. */
    @Override
    public long failedCalls() {
        return 0;
    }

    @Override
    public void close() {
        lifetime.close();
    }

    /** Pretends to give pages back. */
    private static final class ZeroFill implements PageReclaimer {
        private final GuestRange range;
        private final GuestMemory memory;
        private final Lifetime lifetime;
        private final RamAccess discarded;

        ZeroFill(GuestRange range, GuestMemory memory, Lifetime lifetime) {
            this.range = range;
            this.memory = memory;
            this.lifetime = lifetime;
            this.discarded = new RamAccess(memory);
        }

        @Override
        public int granularityBytes() {
            return range.unitBytes();
        }

        @Override
        public Content contentAfterDiscard() {
            return Content.ZERO;
        }

        @Override
        public long discard(PageRanges ranges) {
            lifetime.enter();
            try {
                range.check(ranges);
                for (int i = 0; i < ranges.count(); i++) {
                    discarded.map(ranges.gpa(i), ranges.bytes(i));
                    discarded.fill(0, ranges.bytes(i), (byte) 0);
                }
                return ranges.bytes();
            } finally {
                lifetime.exit();
            }
        }

        @Override
        public void reuse(PageRanges ranges) {
            range.checkInside(ranges);
        }

        /** 0: no call is made to the host. */
        @Override
        public long discardCalls() {
            return 0;
        }

        @Override
        public long residentBytes(long gpa, long length) {
            lifetime.enter();
            try {
                range.check(gpa, length);
                RamAccess page = new RamAccess(memory);
                long resident = 0;
                for (long offset = 0; offset < length; offset += RamRegion.PAGE_BYTES) {
                    page.map(gpa + offset, RamRegion.PAGE_BYTES);
                    resident += isZero(page) ? 0 : RamRegion.PAGE_BYTES;
                }
                return resident;
            } finally {
                lifetime.exit();
            }
        }

        private static boolean isZero(RamAccess page) {
            for (long offset = 0; offset < page.length(); offset += Long.BYTES) {
                if (page.getLong(offset) != 0) {
                    return false;
                }
            }
            return true;
        }
    }
}
