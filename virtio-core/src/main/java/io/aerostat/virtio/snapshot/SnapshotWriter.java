package io.aerostat.virtio.snapshot;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.function.Consumer;

/**
 * Writes a snapshot: fields one after the other, in sections. The reader must ask for the same
 * fields in the same order. One thread's, for one snapshot.
 */
public final class SnapshotWriter {
    private static final int FIRST_CAPACITY = 1024;

    private ByteBuffer bytes =
            ByteBuffer.allocate(FIRST_CAPACITY)
                    .order(ByteOrder.LITTLE_ENDIAN)
                    .position(SnapshotLayout.HEADER_LENGTH);

    /** A snapshot without content. */
    public SnapshotWriter() {}

    /**
     * Writes a section: what {@code content} writes, framed, so that a reader can neither run into
     * the next section nor stop short of it.
     *
     * @param id says what the section is
     */
    public void section(int id, Consumer<SnapshotWriter> content) {
        writeInt(id);
        int lengthAt = bytes.position();
        writeInt(0);
        content.accept(this);
        bytes.putInt(lengthAt, bytes.position() - lengthAt - Integer.BYTES);
    }

    /** A byte: 1 or 0. */
    public void writeBoolean(boolean value) {
        writeByte(value ? 1 : 0);
    }

    /** The low 8 bits. */
    public void writeByte(int value) {
        room(Byte.BYTES).put((byte) value);
    }

    /** The low 16 bits. */
    public void writeShort(int value) {
        room(Short.BYTES).putShort((short) value);
    }

    /** 32 bits. */
    public void writeInt(int value) {
        room(Integer.BYTES).putInt(value);
    }

    /** 64 bits. */
    public void writeLong(long value) {
        room(Long.BYTES).putLong(value);
    }

    /** Bytes as they are; their number is not written. */
    public void writeBytes(byte[] values) {
        room(values.length).put(values);
    }

    /** Text of up to 65535 bytes in UTF-8, with its length. */
    public void writeText(String text) {
        byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
        if (utf8.length > SnapshotReader.MAX_SHORT) {
            throw new IllegalArgumentException("text is too long: bytes=" + utf8.length);
        }
        writeShort(utf8.length);
        writeBytes(utf8);
    }

    /** The snapshot with its header. */
    public byte[] finish() {
        int length = bytes.position();
        bytes.putLong(SnapshotLayout.MAGIC_OFFSET, SnapshotLayout.MAGIC);
        bytes.putInt(SnapshotLayout.VERSION_OFFSET, SnapshotLayout.VERSION);
        bytes.putInt(SnapshotLayout.LENGTH_OFFSET, length);
        bytes.putInt(SnapshotLayout.CHECKSUM_OFFSET, SnapshotLayout.checksumOf(bytes, length));
        return Arrays.copyOf(bytes.array(), length);
    }

    private ByteBuffer room(int count) {
        if (bytes.remaining() < count) {
            int length = bytes.position();
            int capacity = Math.max(Math.multiplyExact(2, bytes.capacity()), length + count);
            bytes =
                    ByteBuffer.wrap(Arrays.copyOf(bytes.array(), capacity))
                            .order(ByteOrder.LITTLE_ENDIAN)
                            .position(length);
        }
        return bytes;
    }
}
