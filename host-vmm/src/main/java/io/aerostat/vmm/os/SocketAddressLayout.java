package io.aerostat.vmm.os;

/**
 * {@code struct sockaddr_un}, the address of a socket in the file system.
 *
 * <pre>
 *   offset 0  sun_family    2 bytes
 *   offset 2  sun_path    108 bytes  ended by a zero
 * </pre>
 *
 * <p>Source: unix(7).
 */
final class SocketAddressLayout {
    static final long FAMILY_OFFSET = 0;
    static final long PATH_OFFSET = FAMILY_OFFSET + Short.BYTES;
    static final int PATH_LENGTH = 108;
    static final long LENGTH = PATH_OFFSET + PATH_LENGTH;

    /** Most bytes of a path: room is left for the zero. */
    static final int MAX_PATH_BYTES = PATH_LENGTH - 1;

    private SocketAddressLayout() {}
}
