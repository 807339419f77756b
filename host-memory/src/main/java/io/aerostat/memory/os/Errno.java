package io.aerostat.memory.os;

/**
 * Error numbers of the kernel that somebody decides by, and names for those that somebody may read.
 * The same on x86-64 and aarch64: asm-generic/errno-base.h and asm-generic/errno.h; see errno(3).
 */
public final class Errno {
    /** A signal came in between. */
    public static final int EINTR = 4;

    /** It would have to wait, or try again. */
    public static final int EAGAIN = 11;

    /** An argument is not what the call takes. */
    public static final int EINVAL = 22;

    /** The kernel or the C library does not have the call. */
    public static final int ENOSYS = 38;

    /** The descriptor is not a socket. */
    public static final int ENOTSOCK = 88;

    /** A message is longer than somebody takes. */
    public static final int EMSGSIZE = 90;

    /** The address is taken. */
    public static final int EADDRINUSE = 98;

    /** A connection ended before it was accepted. */
    public static final int ECONNABORTED = 103;

    /** The peer closed a connection without reading all that was sent. */
    public static final int ECONNRESET = 104;

    /** Nobody listens there. */
    public static final int ECONNREFUSED = 111;

    private Errno() {}

    /** A number's symbolic name, such as {@code EINVAL}; "unknown error" for a rare one. */
    public static String nameOf(int errno) {
        return switch (errno) {
            case 1 -> "EPERM";
            case 2 -> "ENOENT";
            case 3 -> "ESRCH";
            case EINTR -> "EINTR";
            case 5 -> "EIO";
            case 9 -> "EBADF";
            case EAGAIN -> "EAGAIN";
            case 12 -> "ENOMEM";
            case 13 -> "EACCES";
            case 14 -> "EFAULT";
            case 16 -> "EBUSY";
            case 17 -> "EEXIST";
            case 19 -> "ENODEV";
            case 20 -> "ENOTDIR";
            case 21 -> "EISDIR";
            case EINVAL -> "EINVAL";
            case 23 -> "ENFILE";
            case 24 -> "EMFILE";
            case 26 -> "ETXTBSY";
            case 27 -> "EFBIG";
            case 28 -> "ENOSPC";
            case 29 -> "ESPIPE";
            case 30 -> "EROFS";
            case 32 -> "EPIPE";
            case 36 -> "ENAMETOOLONG";
            case ENOSYS -> "ENOSYS";
            case 40 -> "ELOOP";
            default -> nameOfRarer(errno);
        };
    }

    private static String nameOfRarer(int errno) {
        return switch (errno) {
            case 75 -> "EOVERFLOW";
            case ENOTSOCK -> "ENOTSOCK";
            case EMSGSIZE -> "EMSGSIZE";
            case 91 -> "EPROTOTYPE";
            case 95 -> "EOPNOTSUPP";
            case EADDRINUSE -> "EADDRINUSE";
            case ECONNABORTED -> "ECONNABORTED";
            case ECONNRESET -> "ECONNRESET";
            case 105 -> "ENOBUFS";
            case 106 -> "EISCONN";
            case 107 -> "ENOTCONN";
            case 109 -> "ETOOMANYREFS";
            case 110 -> "ETIMEDOUT";
            case ECONNREFUSED -> "ECONNREFUSED";
            case 122 -> "EDQUOT";
            case 133 -> "EHWPOISON";
            default -> "unknown error";
        };
    }
}
