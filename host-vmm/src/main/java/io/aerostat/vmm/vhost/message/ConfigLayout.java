package io.aerostat.vmm.vhost.message;

/**
 * The payload of GET_CONFIG, of its reply, and of SET_CONFIG.
 *
 * <pre>
 *   0        4      8       12            12 + size
 *  +--------+------+-------+-------------+
 *  | offset | size | flags | bytes       |
 *  +--------+------+-------+-------------+
 * </pre>
 *
 * <p>GET_CONFIG carries as many bytes as it asks for; their content means nothing.
 */
public final class ConfigLayout {
    /** Where in the configuration space it begins. */
    public static final int OFFSET_OFFSET = 0;

    /** Bytes of the configuration space. */
    public static final int SIZE_OFFSET = OFFSET_OFFSET + Integer.BYTES;

    /** 0 for what a driver writes, 1 for live migration. */
    public static final int FLAGS_OFFSET = SIZE_OFFSET + Integer.BYTES;

    /** The bytes themselves. */
    public static final int BYTES_OFFSET = FLAGS_OFFSET + Integer.BYTES;

    /** The protocol's largest configuration space, in bytes. */
    public static final int MAX_SPACE = 256;

    private ConfigLayout() {}
}
