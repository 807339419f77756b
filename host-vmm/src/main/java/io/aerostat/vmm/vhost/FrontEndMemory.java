package io.aerostat.vmm.vhost;

import io.aerostat.balloon.range.PageReclaimer;
import io.aerostat.memory.backend.FileRegion;
import io.aerostat.memory.backend.FileRegionsBackend;
import io.aerostat.memory.os.OsException;
import io.aerostat.virtio.memory.GuestMemory;
import io.aerostat.vmm.vhost.message.MemoryRegion;
import io.aerostat.vmm.vhost.message.ProtocolViolation;

import java.util.ArrayList;
import java.util.List;

/**
 * A guest's RAM as its front-end describes it in one memory table: mapped here, and found by the
 * front-end's own addresses, in which it tells where rings are.
 */
final class FrontEndMemory implements AutoCloseable {
    /** What {@link #guestAddress} answers for what is not in one region. */
    static final long NOWHERE = -1;

    private final FileRegionsBackend backend;
    private final List<MemoryRegion> regions;

    private FrontEndMemory(FileRegionsBackend backend, List<MemoryRegion> regions) {
        this.backend = backend;
        this.regions = regions;
    }

    /**
     * Maps the regions of a memory table, and closes their descriptors.
     *
     * @throws ProtocolViolation if they cannot be RAM: they overlap, wrap, are not whole pages, or
     *     their files are shorter than they are
     */
    static FrontEndMemory map(List<MemoryRegion> regions) throws ProtocolViolation {
        try {
            requireUserAddresses(regions);
            List<FileRegion> files = new ArrayList<>();
            for (MemoryRegion region : regions) {
                files.add(
                        new FileRegion(
                                region.descriptor().number(),
                                region.mmapOffset(),
                                region.guestAddress(),
                                region.size()));
            }
            return new FrontEndMemory(FileRegionsBackend.map(files), regions);
        } catch (IllegalArgumentException | OsException e) {
            throw new ProtocolViolation("memory table is refused: " + e.getMessage());
        } finally {
            regions.forEach(region -> region.descriptor().close());
        }
    }

    private static void requireUserAddresses(List<MemoryRegion> regions) throws ProtocolViolation {
        for (int i = 0; i < regions.size(); i++) {
            MemoryRegion region = regions.get(i);
            long start = region.userAddress();
            long end = start + region.size();
            if (region.size() <= 0 || Long.compareUnsigned(end, start) <= 0) {
                throw new ProtocolViolation(
                        "region wraps or is empty: userAddress=0x"
                                + (Long.toHexString(start) + ", size=0x")
                                + Long.toHexString(region.size()));
            }
            for (MemoryRegion other : regions.subList(0, i)) {
                if (holds(region, other.userAddress()) || holds(other, start)) {
                    throw new ProtocolViolation(
                            "regions overlap for the front-end: userAddress=0x"
                                    + (Long.toHexString(start) + ", userAddress=0x")
                                    + Long.toHexString(other.userAddress()));
                }
            }
        }
    }

    private static boolean holds(MemoryRegion region, long userAddress) {
        return Long.compareUnsigned(userAddress - region.userAddress(), region.size()) < 0;
    }

    GuestMemory memory() {
        return backend.memory();
    }

    PageReclaimer reclaimer() {
        return backend.reclaimer();
    }

    /** Bytes that the host has to provide for this RAM now; unknown after {@link #close}. */
    long residentBytes() {
        try {
            return backend.residentBytes();
        } catch (IllegalStateException closed) {
            return PageReclaimer.UNKNOWN;
        }
    }

    /**
     * Where the guest sees what the front-end sees at an address.
     *
     * @param length bytes, all in one region
     * @return a guest-physical address, or {@link #NOWHERE}
     */
    long guestAddress(long userAddress, long length) {
        for (MemoryRegion region : regions) {
            long offset = userAddress - region.userAddress();
            if (holds(region, userAddress) && length <= region.size() - offset) {
                return region.guestAddress() + offset;
            }
        }
        return NOWHERE;
    }

    @Override
    public void close() {
        backend.close();
    }
}
