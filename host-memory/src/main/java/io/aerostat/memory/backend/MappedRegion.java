package io.aerostat.memory.backend;

import io.aerostat.memory.os.CallTally;
import io.aerostat.memory.os.FileStatus;
import io.aerostat.memory.os.LinuxMemory;

/**
 * One region of guest RAM in another's file: the mapping, a descriptor of our own for the file, and
 * the way to punch holes into it. Lives, and is counted, with the others of its backend: whoever
 * calls is in their common lifetime.
 */
final class MappedRegion {
    private final NativeMapping mapping;
    private final NativeReclaimer reclaimer;
    private final FileStatus file;
    private final int fd;

    private MappedRegion(NativeMapping mapping, FileStatus file, int fd, long fileOffset) {
        this.mapping = mapping;
        this.file = file;
        this.fd = fd;
        this.reclaimer = NativeReclaimer.punchingHoles(mapping, fd, fileOffset);
    }

    /**
     * Maps a region.
     *
     * @param region whole units in the file and for the guest
     * @throws IllegalArgumentException if the file is too short
     */
    static MappedRegion map(FileRegion region, int unitBytes, Lifetime lifetime, CallTally tally) {
        GuestRange range = new GuestRange(region.gpa(), region.bytes(), unitBytes);
        int fd = LinuxMemory.duplicate(region.fd());
        try {
            FileStatus file = FileStatus.of(fd);
            if (file.sizeBytes() < region.fileEnd()) {
                throw new IllegalArgumentException(
                        "the file is shorter than the region in it: fileBytes="
                                + (file.sizeBytes() + ", region=" + region));
            }
            long offset = region.fileOffset();
            return new MappedRegion(
                    NativeMapping.ofFileRegion(range, fd, offset, lifetime, tally),
                    file,
                    fd,
                    offset);
        } catch (RuntimeException | Error e) {
            LinuxMemory.close(fd);
            throw e;
        }
    }

    /** The pages themselves. */
    NativeMapping mapping() {
        return mapping;
    }

    /** A descriptor of the file; this region's to close. */
    int fileDescriptor() {
        return fd;
    }

    /** Tells whether both lie in one file. */
    boolean isInFileOf(MappedRegion other) {
        return file.isSameFileAs(other.file);
    }

    /** Tells whether the guest's byte at {@code gpa} is in it. */
    boolean holds(long gpa) {
        long offset = gpa - mapping.range().gpa();
        return offset >= 0 && offset < mapping.range().length();
    }

    /** How many of {@code bytes} bytes from {@code gpa} on, which it holds, are in it. */
    long bytesInside(long gpa, long bytes) {
        return Math.min(bytes, mapping.range().length() - mapping.range().offsetOf(gpa));
    }

    /** Discards whole units inside; bytes accepted. */
    long discard(long gpa, long bytes) {
        return reclaimer.discardRange(mapping.range().offsetOf(gpa), bytes);
    }

    /** Bytes of whole units inside that are resident. */
    long residentBytes(long gpa, long bytes) {
        return mapping.residentBytes(mapping.range().offsetOf(gpa), bytes);
    }

    /** Unmaps it and closes the descriptor. */
    void unmap() {
        mapping.unmap(() -> LinuxMemory.close(fd));
    }
}
