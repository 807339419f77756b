package io.aerostat.memory.backend;

import io.aerostat.balloon.range.PageReclaimer;
import io.aerostat.memory.os.CallTally;
import io.aerostat.memory.os.FileStatus;
import io.aerostat.memory.os.LinuxMemory;
import io.aerostat.memory.os.OsException;
import io.aerostat.virtio.memory.GuestMemory;
import io.aerostat.virtio.memory.RamRegion;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * Guest RAM that another process has made and hands over as open files: a table of regions, each of
 * them part of a file, as a vhost-user front-end sends it.
 *
 * <pre>
 *   guest    0          640 KiB          1 MiB                4 GiB
 *            [ region 0 ]                [ region 1           ]      ...
 *                │                           │
 *   file A   [   ▼      ]                    │      one file for all regions, or several;
 *   file B               ............[       ▼           ]    what lies between is not RAM
 * </pre>
 *
 * <p>Mapped shared, and given back by punching holes (FALLOC_FL_PUNCH_HOLE), a call for each range
 * and region, after which pages read as zero for all who map them. The unit is the host's page, or
 * for files on hugetlbfs their huge page, the largest if they differ. No huge page of the host's
 * pool is set aside: that is for whoever made the file. Sources: mmap(2), fallocate(2), statx(2).
 *
 * <p><b>The files are another's.</b> Whoever can write them sees and changes all of the RAM, and
 * can make them shorter at any time: who then touches RAM behind the end, gets an {@link
 * InternalError} from the JVM, thrown at about that place. The calls of this backend and its
 * reclaimer do not fail by that; whoever serves the guest catches it where the memory is used, and
 * ends the service.
 *
 * <p>The reclaimer's discard belongs to one thread; everything else may be called by any.
 */
public final class FileRegionsBackend implements MemoryBackend {
    /** Most regions of a backend. */
    public static final int MAX_REGIONS = 64;

    /** Most bytes of all regions together: 64 TiB, half of the addresses that a process has. */
    public static final long MAX_BYTES = 1L << 46;

    private static final int MAX_UNIT_BYTES = 1 << 30;

    private final MappedRegion[] regions;
    private final GuestMemory memory;
    private final Lifetime lifetime;
    private final CallTally tally;
    private final FileRegionsReclaimer reclaimer;

    private FileRegionsBackend(
            MappedRegion[] regions, int unitBytes, Lifetime lifetime, CallTally tally) {
        this.regions = regions;
        this.lifetime = lifetime;
        this.tally = tally;
        List<RamRegion> ram = new ArrayList<>();
        for (MappedRegion region : regions) {
            ram.addAll(region.mapping().memory().regions());
        }
        this.memory = GuestMemory.of(ram.toArray(RamRegion[]::new));
        this.reclaimer = new FileRegionsReclaimer(regions, memory, unitBytes, lifetime, tally);
    }

    /**
     * Maps guest RAM. The descriptors stay the caller's, who may close them as soon as this returns
     * or throws: the backend has duplicates of its own until it is closed. After a refusal nothing
     * is mapped or open.
     *
     * @param regions in any order, 1 to {@value #MAX_REGIONS}
     * @throws IllegalArgumentException if there are too few or too many regions; two overlap for
     *     the guest; an address, an offset in a file or a length is not whole units; a file ends
     *     before its region; or all together is more than {@link #MAX_BYTES}
     * @throws UnsupportedOperationException if this is not Linux on x86-64 or aarch64
     * @throws OsException if the kernel refuses a mapping, such as of a file that may not be
     *     written
     */
    public static FileRegionsBackend map(List<FileRegion> regions) {
        NativeMapping.requireSupport();
        List<FileRegion> sorted =
                regions.stream().sorted(Comparator.comparingLong(FileRegion::gpa)).toList();
        checkTable(sorted);
        int unitBytes = unitBytesOf(sorted);
        Lifetime lifetime = new Lifetime("files " + sorted);
        CallTally tally = new CallTally(MemoryBackend.class);
        List<MappedRegion> mapped = new ArrayList<>();
        try {
            for (FileRegion region : sorted) {
                mapped.add(MappedRegion.map(region, unitBytes, lifetime, tally));
            }
            return new FileRegionsBackend(
                    mapped.toArray(MappedRegion[]::new), unitBytes, lifetime, tally);
        } catch (RuntimeException | Error e) {
            mapped.forEach(MappedRegion::unmap);
            throw e;
        }
    }

    private static void checkTable(List<FileRegion> sorted) {
        if (sorted.isEmpty() || sorted.size() > MAX_REGIONS) {
            throw new IllegalArgumentException(
                    "guest RAM has 1 to " + MAX_REGIONS + " regions: regions=" + sorted.size());
        }
        long bytes = 0;
        for (int i = 0; i < sorted.size(); i++) {
            FileRegion region = sorted.get(i);
            if (i > 0 && sorted.get(i - 1).end() > region.gpa()) {
                throw new IllegalArgumentException(
                        "RAM regions overlap: " + sorted.get(i - 1) + ", " + region);
            }
            if (region.bytes() > MAX_BYTES - bytes) {
                throw new IllegalArgumentException(
                        "more RAM than a process can map: mostBytes=" + MAX_BYTES + ", " + sorted);
            }
            bytes += region.bytes();
        }
    }

    /** The largest page of all files; checks that all regions are whole ones. */
    private static int unitBytesOf(List<FileRegion> regions) {
        long unitBytes = LinuxMemory.pageBytes();
        for (FileRegion region : regions) {
            unitBytes = Math.max(unitBytes, FileStatus.pageBytesOf(region.fd()));
        }
        if (unitBytes > MAX_UNIT_BYTES) {
            throw new IllegalArgumentException(
                    "pages of a file are too large: pageBytes=" + unitBytes);
        }
        for (FileRegion region : regions) {
            long odd = region.gpa() | region.fileOffset() | region.bytes();
            if ((odd & (unitBytes - 1)) != 0) {
                throw new IllegalArgumentException(
                        ("a region must be whole pages of its file and its host: pageBytes="
                                        + unitBytes)
                                + (", region=" + region));
            }
        }
        return (int) unitBytes;
    }

    @Override
    public GuestMemory memory() {
        lifetime.checkOpen();
        return memory;
    }

    @Override
    public List<ByteBuffer> buffers() {
        lifetime.checkOpen();
        List<ByteBuffer> buffers = new ArrayList<>();
        for (MappedRegion region : regions) {
            buffers.addAll(region.mapping().buffers());
        }
        return List.copyOf(buffers);
    }

    @Override
    public PageReclaimer reclaimer() {
        lifetime.checkOpen();
        return reclaimer;
    }

    /** Where the regions are, by ascending guest address. */
    MappedRegion[] regions() {
        return regions;
    }

    @Override
    public String backing() {
        return "files";
    }

    @Override
    public String reclaimerName() {
        return NativeReclaimer.PUNCHING_HOLES;
    }

    /**
     * {@inheritDoc}
     *
     * <p>The blocks that the files occupy, by statx(2), each file counted once however many regions
     * lie in it: one cheap call a file, and pages that are swapped out count, since the host still
     * has to keep them. It is said of whole files: what they hold beside the regions counts too,
     * such as the image of a User Mode Linux kernel in front of its guest's RAM. The reclaimer's
     * residentBytes, for part of the RAM, asks mincore(2): which pages lie in the page cache,
     * whichever process touched them; of hugetlbfs, only those that this process touched.
     */
    @Override
    public long residentBytes() {
        lifetime.enter();
        try {
            long allocated = 0;
            for (int i = 0; i < regions.length; i++) {
                allocated +=
                        isFirstOfItsFile(i)
                                ? LinuxMemory.allocatedBytes(regions[i].fileDescriptor())
                                : 0;
            }
            return allocated;
        } catch (OsException e) {
            tally.countFailure(e);
            return PageReclaimer.UNKNOWN;
        } finally {
            lifetime.exit();
        }
    }

    private boolean isFirstOfItsFile(int index) {
        for (int i = 0; i < index; i++) {
            if (regions[i].isInFileOf(regions[index])) {
                return false;
            }
        }
        return true;
    }

    @Override
    public long failedCalls() {
        return tally.failures();
    }

    @Override
    public void close() {
        if (lifetime.close()) {
            for (MappedRegion region : regions) {
                region.unmap();
            }
        }
    }
}
