package io.aerostat.virtio.memory;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

/**
 * Tries offsets outside a window and reports each that is let through. Its class loader turned
 * assertions off, as production does; see {@link RamAccessBoundsTest}.
 */
final class UnassertedBounds implements Function<String, List<String>> {
    private static final int PAGE = 4096;
    private static final long WINDOW = 16;

    private static final long[] OFFSETS = {
        -1,
        WINDOW,
        WINDOW + 1,
        PAGE,
        -PAGE,
        1L << 31,
        1L << 32,
        (1L << 32) + 8,
        -(1L << 32),
        Long.MAX_VALUE,
        Long.MAX_VALUE - 7,
        Long.MIN_VALUE,
        Long.MIN_VALUE + PAGE
    };

    private final List<String> leaks = new ArrayList<>();

    /** What got through on RAM of one kind: "array", "spanning", or bulk accesses on "direct". */
    @Override
    public List<String> apply(String path) {
        if (RamAccess.class.desiredAssertionStatus()) {
            leaks.add("assertions are on: nothing was tried");
        }
        RamAccess window = window(path);
        for (long offset : OFFSETS) {
            tryBulk(window, offset);
            if (!path.equals("direct")) {
                trySingle(window, offset);
            }
        }
        if (!path.equals("direct")) {
            tryFieldsOverTheEnd(window);
        }
        return leaks;
    }

    private static RamAccess window(String path) {
        GuestMemory memory =
                switch (path) {
                    case "array" -> GuestMemory.of(RamRegion.ofArray(0, new byte[3 * PAGE]));
                    case "direct" ->
                            GuestMemory.of(
                                    RamRegion.ofBuffer(0, ByteBuffer.allocateDirect(3 * PAGE)));
                    default ->
                            GuestMemory.of(
                                    RamRegion.ofArray(0, new byte[2 * PAGE]),
                                    RamRegion.ofArray(2 * PAGE, new byte[PAGE]));
                };
        return RamAccess.of(memory, 2 * PAGE - WINDOW / 2, WINDOW);
    }

    private void trySingle(RamAccess window, long offset) {
        expectRefusal("getByte " + offset, () -> window.getByte(offset));
        expectRefusal("getShort " + offset, () -> window.getUnsignedShort(offset));
        expectRefusal("getInt " + offset, () -> window.getInt(offset));
        expectRefusal("getLong " + offset, () -> window.getLong(offset));
        expectRefusal("putByte " + offset, () -> window.putByte(offset, (byte) 1));
        expectRefusal("putShort " + offset, () -> window.putShort(offset, 1));
        expectRefusal("putInt " + offset, () -> window.putInt(offset, 1));
        expectRefusal("putLong " + offset, () -> window.putLong(offset, 1));
    }

    private void tryBulk(RamAccess window, long offset) {
        int[] one = new int[1];
        expectRefusal("fill " + offset, () -> window.fill(offset, 1, (byte) 1));
        expectRefusal("getInts " + offset, () -> window.getInts(offset, one, 0, 1));
        expectRefusal("putInts " + offset, () -> window.putInts(offset, one, 0, 1));
        expectRefusal("fill count", () -> window.fill(0, WINDOW + 1, (byte) 1));
        expectRefusal("fill negative", () -> window.fill(0, -1, (byte) 1));
        expectRefusal("fill huge", () -> window.fill(8, Long.MAX_VALUE, (byte) 1));
        expectRefusal("getInts count", () -> window.getInts(4, new int[4], 0, 4));
        expectRefusal("putInts count", () -> window.putInts(4, new int[4], 0, 4));
        expectRefusal("getInts array", () -> window.getInts(0, one, 1, 1));
        expectRefusal("putInts array", () -> window.putInts(0, one, -1, 1));
        expectRefusal("putInts negative", () -> window.putInts(0, one, 0, -1));
        expectRefusal("getInts index", () -> window.getInts(0, one, Integer.MAX_VALUE, 1));
    }

    private void tryFieldsOverTheEnd(RamAccess window) {
        for (long back = 1; back < 8; back++) {
            long offset = WINDOW - back;
            expectRefusal("getLong " + offset, () -> window.getLong(offset));
            expectRefusal("putLong " + offset, () -> window.putLong(offset, 1));
            if (back < 4) {
                expectRefusal("getInt " + offset, () -> window.getInt(offset));
                expectRefusal("putInt " + offset, () -> window.putInt(offset, 1));
            }
            if (back < 2) {
                expectRefusal("getShort " + offset, () -> window.getUnsignedShort(offset));
                expectRefusal("putShort " + offset, () -> window.putShort(offset, 1));
            }
        }
    }

    private void expectRefusal(String access, Runnable attempt) {
        try {
            attempt.run();
            leaks.add(access);
        } catch (IndexOutOfBoundsException refused) {
            // As it should.
        }
    }
}
