package io.aerostat.memory.os;

/**
 * A call to the operating system failed: which one, with what, and why. Safe for any thread.
 *
 * <p>Unchecked, since only the owner of the memory can do anything about it.
 */
public final class OsException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final String call;
    private final String arguments;
    private final int errno;

    /**
     * A failure.
     *
     * @param call the function's name, as in its man page
     * @param arguments its arguments as {@code name=value, name=value}
     * @param errno the error number, 1 to 4095
     */
    public OsException(String call, String arguments, int errno) {
        super(
                call
                        + " failed with "
                        + Errno.nameOf(errno)
                        + " (errno "
                        + errno
                        + "): "
                        + arguments);
        this.call = call;
        this.arguments = arguments;
        this.errno = errno;
    }

    private OsException(OsException cause, String remedy) {
        super(cause.getMessage() + "; " + remedy, cause);
        this.call = cause.call;
        this.arguments = cause.arguments;
        this.errno = cause.errno;
    }

    /**
     * The same failure, whose message ends with what can be done about it.
     *
     * @param remedy for whoever runs the program
     */
    public OsException withRemedy(String remedy) {
        return new OsException(this, remedy);
    }

    /** The function that failed, by the name of its man page. */
    public String call() {
        return call;
    }

    /** What it was called with, as {@code name=value, name=value}. */
    public String arguments() {
        return arguments;
    }

    /** The error number, 1 to 4095; see errno(3). */
    public int errno() {
        return errno;
    }

    /** The error number's symbolic name, such as {@code EINVAL}; "unknown error" for a rare one. */
    public String errnoName() {
        return Errno.nameOf(errno);
    }
}
