package io.aerostat.virtio.snapshot;

import java.nio.ByteBuffer;
import java.util.zip.CRC32C;

/**
 * What every snapshot begins with. All numbers are little-endian.
 *
 * <pre>
 *    0          8         12        16         20
 *    ├──────────┼─────────┼─────────┼──────────┼─────────────────
 *    │ AEROSNAP │ version │ length  │ checksum │ sections ...
 *    └──────────┴─────────┴─────────┴──────────┴─────────────────
 *
 *    section:   │ id      │ length  │ so many bytes: fields, and sections
 * </pre>
 *
 * <p>The length counts the header. The checksum is the CRC-32C of all bytes but its own four.
 */
final class SnapshotLayout {
    /** "AEROSNAP" in ASCII. */
    static final long MAGIC = 0x50414E534F524541L;

    /** The one version that is written and read. */
    static final int VERSION = 1;

    static final int MAGIC_OFFSET = 0;
    static final int VERSION_OFFSET = MAGIC_OFFSET + Long.BYTES;
    static final int LENGTH_OFFSET = VERSION_OFFSET + Integer.BYTES;
    static final int CHECKSUM_OFFSET = LENGTH_OFFSET + Integer.BYTES;
    static final int HEADER_LENGTH = CHECKSUM_OFFSET + Integer.BYTES;

    /** Bytes of a section before its content: id and length. */
    static final int SECTION_HEADER_LENGTH = 2 * Integer.BYTES;

    private SnapshotLayout() {}

    /** The checksum that the first {@code length} bytes should have. */
    static int checksumOf(ByteBuffer bytes, int length) {
        CRC32C crc = new CRC32C();
        crc.update(bytes.duplicate().position(0).limit(CHECKSUM_OFFSET));
        crc.update(bytes.duplicate().limit(length).position(HEADER_LENGTH));
        return (int) crc.getValue();
    }
}
