package io.aerostat.vmm.frontend;

import io.aerostat.memory.os.LinuxMemory;
import io.aerostat.virtio.memory.GuestMemory;
import io.aerostat.virtio.memory.RamRegion;
import io.aerostat.vmm.os.Descriptor;

import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/**
 * The guest's RAM, which the front-end has made: a file in memory, mapped here for the driver,
 * whose descriptor goes to the back-end with the memory table.
 */
public final class FrontEndRam implements AutoCloseable {
    /**
     * A part of the file that is RAM.
     *
     * @param guestAddress where the guest sees it
     * @param size bytes, less than 2 GiB
     * @param userAddress where the front-end says that it sees it; not where this process maps it
     * @param fileOffset where it begins in the file
     */
    public record Region(long guestAddress, long size, long userAddress, long fileOffset) {}

    /** What /proc shows of the file. */
    public static final String FILE_NAME = "aerostat-front-end-ram";

    private static final long UML_START = 0xAA8000;
    private static final long QEMU_USER_ADDRESS = 0x7F12_3400_0000L;
    private static final long FOUR_GIB = 1L << 32;

    private final List<Region> regions;
    private final Descriptor file;
    private final List<Long> mappings = new ArrayList<>();
    private final GuestMemory memory;

    private FrontEndRam(List<Region> regions) {
        this.regions = List.copyOf(regions);
        this.file = Descriptor.owning(LinuxMemory.memfdCreate(FILE_NAME, LinuxMemory.MFD_CLOEXEC));
        long end = regions.stream().mapToLong(r -> r.fileOffset() + r.size()).max().orElseThrow();
        LinuxMemory.ftruncate(file.number(), end);
        memory = GuestMemory.of(regions.stream().map(this::map).toArray(RamRegion[]::new));
    }

    /** RAM of any regions, all in one file. */
    public static FrontEndRam of(Region... regions) {
        return new FrontEndRam(List.of(regions));
    }

    /**
     * RAM as UML has it: one region, whose three addresses are the same, behind the kernel's image.
     *
     * @param bytes of the region
     */
    public static FrontEndRam likeUml(long bytes) {
        return of(new Region(UML_START, bytes, UML_START, UML_START));
    }

    /** RAM as QEMU has it for a small machine: one region at 0, seen somewhere else. */
    public static FrontEndRam likeQemu(long bytes) {
        return of(new Region(0, bytes, QEMU_USER_ADDRESS, 0));
    }

    /** RAM as QEMU has it for a large machine: a region at 0, and the rest from 4 GiB on. */
    public static FrontEndRam likeQemu(long bytes, long highBytes) {
        return of(
                new Region(0, bytes, QEMU_USER_ADDRESS, 0),
                new Region(FOUR_GIB, highBytes, QEMU_USER_ADDRESS + FOUR_GIB, bytes));
    }

    @SuppressWarnings("restricted") // The bytes are those of our own mapping.
    private RamRegion map(Region region) {
        long address =
                LinuxMemory.mmap(
                        region.size(),
                        LinuxMemory.PROT_READ | LinuxMemory.PROT_WRITE,
                        LinuxMemory.MAP_SHARED | LinuxMemory.MAP_NORESERVE,
                        file.number(),
                        region.fileOffset());
        mappings.add(address);
        ByteBuffer bytes =
                MemorySegment.ofAddress(address).reinterpret(region.size()).asByteBuffer();
        return RamRegion.ofBuffer(region.guestAddress(), bytes);
    }

    /** What the driver sees. */
    public GuestMemory memory() {
        return memory;
    }

    /** What the back-end is told. */
    public List<Region> regions() {
        return regions;
    }

    /** The file. */
    public Descriptor file() {
        return file;
    }

    /** The file once for each region, as the memory table wants it. */
    public Descriptor[] files() {
        return regions.stream().map(region -> file).toArray(Descriptor[]::new);
    }

    /** Bytes that the file occupies on the host. */
    public long allocatedBytes() {
        return LinuxMemory.allocatedBytes(file.number());
    }

    /** Makes the file shorter under everybody's hands; nobody should touch what is gone. */
    public void truncate(long bytes) {
        LinuxMemory.ftruncate(file.number(), bytes);
    }

    /** The front-end address of a guest address in RAM. */
    public long userAddress(long guestAddress) {
        for (Region region : regions) {
            long offset = guestAddress - region.guestAddress();
            if (offset >= 0 && offset < region.size()) {
                return region.userAddress() + offset;
            }
        }
        throw new IllegalArgumentException("no RAM: gpa=0x" + Long.toHexString(guestAddress));
    }

    /** Unmaps it: neither driver nor test may touch it again. */
    @Override
    public void close() {
        for (int i = 0; i < mappings.size(); i++) {
            LinuxMemory.munmap(mappings.get(i), regions.get(i).size());
        }
        mappings.clear();
        file.close();
    }
}
