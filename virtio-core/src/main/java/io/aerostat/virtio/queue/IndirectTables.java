package io.aerostat.virtio.queue;

import io.aerostat.virtio.memory.GuestMemory;
import io.aerostat.virtio.spec.DescriptorLayout;

/**
 * Guest RAM for the indirect tables of a driver's queue (VIRTIO 1.4, 2.7.5.3): one table of fixed
 * length for each head, so that a table is free exactly when its head is.
 */
public final class IndirectTables {
    private final DescriptorTable tables;
    private final long gpa;
    private final int queueSize;
    private final int tableLength;

    /**
     * @param gpa address of {@link #bytes} bytes of RAM, a multiple of 16
     * @param queueSize entries of the queue
     * @param tableLength descriptors of each table, at most {@code queueSize} are useful
     */
    public IndirectTables(GuestMemory memory, long gpa, int queueSize, int tableLength) {
        this.gpa = gpa;
        this.queueSize = queueSize;
        this.tableLength = tableLength;
        this.tables = new DescriptorTable(memory);
        long entries = (long) queueSize * tableLength;
        if (gpa % DescriptorLayout.ALIGNMENT != 0
                || entries > Integer.MAX_VALUE
                || !tables.map(gpa, (int) entries)) {
            throw new IllegalArgumentException(
                    "no room for indirect tables: gpa="
                            + gpa
                            + ", bytes="
                            + bytes(queueSize, tableLength));
        }
    }

    /** Bytes of RAM that the tables of a queue take. */
    public static long bytes(int queueSize, int tableLength) {
        return DescriptorLayout.offset(queueSize) * tableLength;
    }

    /** Entries of the queue that there is a table for each of. */
    int queueSize() {
        return queueSize;
    }

    boolean fits(int elements) {
        return elements <= tableLength;
    }

    /** Writes the table of {@code head} and returns its address. */
    long write(int head, long[] gpas, long[] lengths, int readable, int elements) {
        int first = head * tableLength;
        for (int i = 0; i < elements; i++) {
            boolean last = i == elements - 1;
            int flags =
                    (last ? 0 : DescriptorLayout.NEXT_FLAG)
                            | (i < readable ? 0 : DescriptorLayout.WRITE_FLAG);
            tables.set(first + i, gpas[i], lengths[i], flags, last ? 0 : i + 1);
        }
        return gpa + DescriptorLayout.offset(first);
    }
}
