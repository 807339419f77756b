package io.aerostat.vmm.frontend;

import io.aerostat.vmm.vhost.message.ConfigLayout;
import io.aerostat.vmm.vhost.message.MemoryTableLayout;
import io.aerostat.vmm.vhost.message.VringLayout;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;

/** The bytes behind a header, for every kind of message; any values. */
public final class Payload {
    private Payload() {}

    /** None. */
    public static byte[] none() {
        return new byte[0];
    }

    /** A 64-bit number. */
    public static byte[] number(long value) {
        return bytes(Long.BYTES).putLong(value).array();
    }

    /** A ring's index and a value. */
    public static byte[] state(int index, int value) {
        return bytes(VringLayout.STATE_LENGTH).putInt(index).putInt(value).array();
    }

    /** A ring's place, in front-end addresses. */
    public static byte[] addresses(int index, long descriptor, long used, long available) {
        return bytes(VringLayout.ADDRESSES_LENGTH)
                .putInt(index)
                .putInt(0)
                .putLong(descriptor)
                .putLong(used)
                .putLong(available)
                .putLong(-1)
                .array();
    }

    /**
     * A memory table.
     *
     * @param room regions that it has room for, at least as many as there are
     */
    public static byte[] table(List<FrontEndRam.Region> regions, int room) {
        byte[] payload = new byte[MemoryTableLayout.length(room)];
        ByteBuffer table = of(payload).putInt(regions.size()).putInt(0);
        for (FrontEndRam.Region region : regions) {
            table.putLong(region.guestAddress())
                    .putLong(region.size())
                    .putLong(region.userAddress())
                    .putLong(region.fileOffset());
        }
        return payload;
    }

    /** A part of the configuration space. */
    public static byte[] config(int offset, byte[] content) {
        return bytes(ConfigLayout.BYTES_OFFSET + content.length)
                .putInt(offset)
                .putInt(content.length)
                .putInt(0)
                .put(content)
                .array();
    }

    /** The number at an offset of bytes that came back. */
    static int intAt(byte[] payload, int offset) {
        return of(payload).getInt(offset);
    }

    /** The number that bytes are that came back. */
    static long numberOf(byte[] payload) {
        if (payload.length != Long.BYTES) {
            throw new AssertionError("the back-end answers no number: bytes=" + payload.length);
        }
        return of(payload).getLong(0);
    }

    static ByteBuffer bytes(int length) {
        return of(new byte[length]);
    }

    private static ByteBuffer of(byte[] bytes) {
        return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }
}
