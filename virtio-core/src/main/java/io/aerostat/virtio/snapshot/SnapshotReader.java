package io.aerostat.virtio.snapshot;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/**
 * Reads a snapshot, or one section of it, field by field in the order they were written. Each read
 * names its field, so that an error can.
 *
 * <p>A checksum keeps out accidents, not intent: whoever reads a value checks it as if a guest had
 * chosen it. One thread's.
 */
public final class SnapshotReader {
    /** Largest value of an unsigned 8-bit field. */
    public static final int MAX_BYTE = 0xFF;

    /** Largest value of an unsigned 16-bit field. */
    public static final int MAX_SHORT = 0xFFFF;

    private final ByteBuffer bytes;

    private SnapshotReader(ByteBuffer bytes) {
        this.bytes = bytes.order(ByteOrder.LITTLE_ENDIAN);
    }

    /**
     * A reader that stands at the first section.
     *
     * @throws SnapshotException if these bytes are no whole snapshot of a version that is known
     */
    public static SnapshotReader open(byte[] snapshot) throws SnapshotException {
        ByteBuffer bytes = ByteBuffer.wrap(snapshot).order(ByteOrder.LITTLE_ENDIAN);
        if (snapshot.length < SnapshotLayout.HEADER_LENGTH) {
            throw new SnapshotException(
                    "snapshot is truncated: bytes="
                            + snapshot.length
                            + ", header="
                            + SnapshotLayout.HEADER_LENGTH);
        }
        long magic = bytes.getLong(SnapshotLayout.MAGIC_OFFSET);
        if (magic != SnapshotLayout.MAGIC) {
            throw new SnapshotException("no snapshot: magic=0x" + Long.toHexString(magic));
        }
        int version = bytes.getInt(SnapshotLayout.VERSION_OFFSET);
        if (version != SnapshotLayout.VERSION) {
            throw new SnapshotException(
                    "snapshot has another version: version="
                            + Integer.toUnsignedString(version)
                            + ", supported="
                            + SnapshotLayout.VERSION);
        }
        int length = bytes.getInt(SnapshotLayout.LENGTH_OFFSET);
        if (length != snapshot.length) {
            throw new SnapshotException(
                    "snapshot is truncated or too long: bytes="
                            + snapshot.length
                            + ", length="
                            + Integer.toUnsignedString(length));
        }
        int checksum = bytes.getInt(SnapshotLayout.CHECKSUM_OFFSET);
        int expected = SnapshotLayout.checksumOf(bytes, length);
        if (checksum != expected) {
            throw new SnapshotException(
                    "snapshot is damaged: checksum=0x"
                            + Integer.toHexString(checksum)
                            + ", computed=0x"
                            + Integer.toHexString(expected));
        }
        return new SnapshotReader(bytes.position(SnapshotLayout.HEADER_LENGTH));
    }

    /**
     * The section that begins here; this reader goes on behind it.
     *
     * @param id what the section must be
     */
    public SnapshotReader section(int id) throws SnapshotException {
        int found = readInt("section");
        if (found != id) {
            throw new SnapshotException("other section: section=" + found + ", expected=" + id);
        }
        int length = readInt("sectionLength", 0, Integer.MAX_VALUE);
        ByteBuffer content = need("section " + id, length).slice().limit(length);
        bytes.position(bytes.position() + length);
        return new SnapshotReader(content);
    }

    /** A byte that is 0 or 1. */
    public boolean readBoolean(String field) throws SnapshotException {
        int value = readByte(field);
        if (value > 1) {
            throw SnapshotException.impossible(field, value);
        }
        return value == 1;
    }

    /** An unsigned 8-bit value. */
    public int readByte(String field) throws SnapshotException {
        return need(field, Byte.BYTES).get() & MAX_BYTE;
    }

    /** An unsigned 16-bit value. */
    public int readShort(String field) throws SnapshotException {
        return need(field, Short.BYTES).getShort() & MAX_SHORT;
    }

    /** Any 32-bit value. */
    public int readInt(String field) throws SnapshotException {
        return need(field, Integer.BYTES).getInt();
    }

    /** A signed 32-bit value from {@code min} to {@code max}, both included. */
    public int readInt(String field, int min, int max) throws SnapshotException {
        int value = readInt(field);
        if (value < min || value > max) {
            throw SnapshotException.impossible(field, value);
        }
        return value;
    }

    /** Any 64-bit value. */
    public long readLong(String field) throws SnapshotException {
        return need(field, Long.BYTES).getLong();
    }

    /** A signed 64-bit value from {@code min} to {@code max}, both included. */
    public long readLong(String field, long min, long max) throws SnapshotException {
        long value = readLong(field);
        if (value < min || value > max) {
            throw SnapshotException.impossible(field, value);
        }
        return value;
    }

    /** The next {@code count} bytes. */
    public byte[] readBytes(String field, int count) throws SnapshotException {
        // First looked at, then made: a count from the snapshot cannot ask for more than is there.
        ByteBuffer source = need(field, count);
        byte[] values = new byte[count];
        source.get(values);
        return values;
    }

    /** Text, see {@link SnapshotWriter#writeText}. */
    public String readText(String field) throws SnapshotException {
        return new String(readBytes(field, readShort(field)), StandardCharsets.UTF_8);
    }

    /** Bytes left, in this section or in the snapshot. */
    public int remaining() {
        return bytes.remaining();
    }

    /** Refuses what was not read: there should be nothing left. */
    public void end() throws SnapshotException {
        if (remaining() != 0) {
            throw new SnapshotException("snapshot says more than is known: bytes=" + remaining());
        }
    }

    private ByteBuffer need(String field, int count) throws SnapshotException {
        if (count < 0 || count > bytes.remaining()) {
            throw new SnapshotException(
                    "snapshot is truncated: field="
                            + field
                            + ", bytes="
                            + count
                            + ", left="
                            + bytes.remaining());
        }
        return bytes;
    }
}
