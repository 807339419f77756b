package io.aerostat.bench;

import io.aerostat.virtio.memory.RamAccessor;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** The least that an emulator has to write: a byte array behind {@code load} and {@code store}. */
final class PlainAccessor implements RamAccessor {
    private final ByteBuffer bytes;

    PlainAccessor(int length) {
        bytes = ByteBuffer.allocate(length).order(ByteOrder.LITTLE_ENDIAN);
    }

    @Override
    public long load(long offset, int width) {
        int at = (int) offset;
        return switch (width) {
            case Byte.BYTES -> bytes.get(at) & 0xFFL;
            case Short.BYTES -> bytes.getShort(at) & 0xFFFFL;
            case Integer.BYTES -> bytes.getInt(at) & 0xFFFF_FFFFL;
            default -> bytes.getLong(at);
        };
    }

    @Override
    public void store(long offset, int width, long value) {
        int at = (int) offset;
        switch (width) {
            case Byte.BYTES -> bytes.put(at, (byte) value);
            case Short.BYTES -> bytes.putShort(at, (short) value);
            case Integer.BYTES -> bytes.putInt(at, (int) value);
            default -> bytes.putLong(at, value);
        }
    }
}
