package io.aerostat.virtio.testkit;

import java.util.Random;

/**
 * A driver that writes anything: descriptors, tables, entries and indices that are typed and mostly
 * near the edge between right and wrong. All it does follows from its {@link Random}.
 */
public final class HostileDriver {
    private static final int TABLE_ENTRIES = 8;

    private final Random random;
    private final RingBytes ring;
    private final GuestRam ram;
    private final long tables;

    /**
     * A driver of {@code ring}.
     *
     * @param tables guest address of 128 bytes of RAM for an indirect table
     */
    public HostileDriver(Random random, RingBytes ring, long tables) {
        this.random = random;
        this.ring = ring;
        this.ram = ring.ram();
        this.tables = tables;
    }

    /** Writes one thing somewhere: one field, one descriptor, or one more buffer. */
    public void step() {
        switch (random.nextInt(16)) {
            case 0, 1, 2 -> descriptor();
            case 3, 4 -> tableEntry();
            case 5 -> goodBuffer();
            case 6, 7, 8, 9, 10, 11 -> ring.offer(index(ring.size()));
            case 12 -> ring.availableEntry(random.nextInt(ring.size()), index(ring.size()));
            case 13 -> ring.availableIdx(ring.availableIdx() + random.nextInt(4));
            case 14 -> oneOf(this::jump, this::wishes);
            default -> wishes();
        }
    }

    private void oneOf(Runnable rare, Runnable usual) {
        (random.nextInt(8) == 0 ? rare : usual).run();
    }

    private void jump() {
        int[] jumps = {-1, ring.size(), ring.size() + 1, 32768, random.nextInt(65536)};
        ring.availableIdx(ring.availableIdx() + jumps[random.nextInt(jumps.length)]);
    }

    private void wishes() {
        ring.availableFlags(random.nextInt(4));
        ring.usedEvent(ring.usedIdx() + random.nextInt(3) - 1);
    }

    private void goodBuffer() {
        int head = random.nextInt(ring.size());
        ring.descriptor(head, ram.base() + random.nextInt(ram.length() - 64), 64, 0, 0);
        ring.offer(head);
    }

    private void descriptor() {
        boolean table = random.nextInt(4) == 0;
        long address = table ? tables : address();
        long length = table ? 16L * (1 + random.nextInt(TABLE_ENTRIES)) : length();
        if (table && random.nextInt(4) == 0) {
            length = hostileTableLength();
        }
        int flags = table ? RingBytes.INDIRECT | random.nextInt(2) * RingBytes.WRITE : flags();
        int index = random.nextInt(ring.size());
        ring.descriptor(index, address, length, flags, index(ring.size()));
    }

    private long hostileTableLength() {
        long[] lengths = {0, 1, 15, 17, 16 * 1024, 16 * 1025, 0xFFFF_FFF0L, 0xFFFF_FFFFL};
        return lengths[random.nextInt(lengths.length)];
    }

    private void tableEntry() {
        long at = tables + 16L * random.nextInt(TABLE_ENTRIES);
        RingBytes.descriptorAt(ram, at, address(), length(), flags(), index(TABLE_ENTRIES));
    }

    private int flags() {
        int dice = random.nextInt(20);
        return dice == 0 ? random.nextInt(65536) : dice == 1 ? 7 : random.nextInt(4);
    }

    /** Mostly below {@code limit}, sometimes at or far above it. */
    private int index(int limit) {
        int[] edges = {limit - 1, limit, limit + 1, 65535, 32768};
        return random.nextInt(12) == 0
                ? edges[random.nextInt(edges.length)]
                : random.nextInt(limit);
    }

    private long address() {
        if (random.nextInt(8) != 0) {
            return ram.base() + random.nextInt(ram.length() - 4096);
        }
        long[] edges = {
            0,
            -1,
            ram.base() - 1,
            ram.end() - 1,
            ram.end(),
            Long.MAX_VALUE,
            Long.MIN_VALUE,
            -ram.base(),
            random.nextLong()
        };
        return edges[random.nextInt(edges.length)];
    }

    private long length() {
        if (random.nextInt(8) != 0) {
            return 1L + random.nextInt(4096);
        }
        long[] edges = {
            0, 1, 2, ram.length(), ram.length() + 1, 0x7FFF_FFFFL, 0x8000_0000L, 0xFFFF_FFFFL
        };
        return edges[random.nextInt(edges.length)];
    }
}
