package io.aerostat.memory.backend;

/**
 * A stretch of guest RAM and the part of an open file that stands behind it. A value; the
 * descriptor stays whose it was.
 *
 * @param fd an open file that may be read and written
 * @param fileOffset of the first byte, 0 and more
 * @param gpa guest-physical address of the first byte, 0 and more
 * @param bytes length, more than 0; it ends below 2^63 in the file and for the guest
 */
public record FileRegion(int fd, long fileOffset, long gpa, long bytes) {
    /** Checks what any host would refuse; alignment is checked on mapping. */
    public FileRegion {
        boolean wraps = bytes > 0 && Math.max(gpa, fileOffset) > Long.MAX_VALUE - bytes;
        if (fd < 0 || fileOffset < 0 || gpa < 0 || bytes <= 0 || wraps) {
            throw new IllegalArgumentException(
                    "no such region: " + text(fd, fileOffset, gpa, bytes));
        }
    }

    /** Guest-physical address behind the last byte. */
    long end() {
        return gpa + bytes;
    }

    /** Offset in the file behind the last byte. */
    long fileEnd() {
        return fileOffset + bytes;
    }

    @Override
    public String toString() {
        return "[" + text(fd, fileOffset, gpa, bytes) + "]";
    }

    private static String text(int fd, long fileOffset, long gpa, long bytes) {
        return ("fd=" + fd + ", fileOffset=0x" + Long.toHexString(fileOffset))
                + (", gpa=0x" + Long.toHexString(gpa) + ", bytes=" + bytes);
    }
}
