package io.aerostat.balloon.handler;

import io.aerostat.balloon.range.PfnBatch;
import io.aerostat.virtio.memory.GuestMemory;
import io.aerostat.virtio.memory.RamAccess;
import io.aerostat.virtio.queue.ChainCursor;
import io.aerostat.virtio.snapshot.SnapshotException;
import io.aerostat.virtio.snapshot.SnapshotReader;
import io.aerostat.virtio.snapshot.SnapshotWriter;
import io.aerostat.virtio.spec.balloon.PageFrame;

/**
 * Copies the page numbers of one request out of guest RAM, each byte read once, however the request
 * is cut into elements: a number may lie across two of them. Stops where it is told to and goes on
 * there. Elements that the device could write are passed over.
 *
 * <p>One thread's; allocates nothing after construction.
 */
final class PfnReader {
    /**
     * What an element costs of a work budget, beside its page numbers: so that a chain of tiny
     * elements is not free.
     */
    private static final int ELEMENT_COST = 1;

    private static final int COPY_LENGTH = 1024;

    private final RamAccess window;
    private final int[] copy = new int[COPY_LENGTH];

    private long offset;
    private int partial;
    private int partialBytes;
    private boolean atEnd;
    private boolean faulty;

    PfnReader(GuestMemory memory) {
        window = new RamAccess(memory);
        start();
    }

    /** Begins a request. */
    void start() {
        window.unmap();
        offset = 0;
        partial = 0;
        partialBytes = 0;
        atEnd = false;
        faulty = false;
    }

    /**
     * Copies page numbers into a batch until the request ends, the batch is full or the budget is
     * spent.
     *
     * @param budget above 0
     * @return what was spent of the budget, at least 1
     */
    int read(ChainCursor chain, PfnBatch batch, int budget) {
        int spent = 0;
        while (spent < budget && batch.room() > 0) {
            long left = window.length() - offset;
            if (left == 0) {
                spent += ELEMENT_COST;
                if (!nextElement(chain)) {
                    break;
                }
            } else if (partialBytes == 0 && left >= PageFrame.NUMBER_BYTES) {
                long whole = Math.min(left / PageFrame.NUMBER_BYTES, COPY_LENGTH);
                int count = (int) Math.min(whole, Math.min(budget - spent, batch.room()));
                window.getInts(offset, copy, 0, count);
                batch.add(copy, count);
                offset += (long) count * PageFrame.NUMBER_BYTES;
                spent += count;
            } else {
                spent += readByte(batch);
            }
        }
        return spent;
    }

    private int readByte(PfnBatch batch) {
        partial |= (window.getByte(offset++) & 0xFF) << (partialBytes * Byte.SIZE);
        if (++partialBytes < PageFrame.NUMBER_BYTES) {
            return 0;
        }
        batch.add(partial);
        partial = 0;
        partialBytes = 0;
        return 1;
    }

    private boolean nextElement(ChainCursor chain) {
        int step = chain.next();
        if (step != ChainCursor.ELEMENT) {
            atEnd = step == ChainCursor.END;
            faulty = step == ChainCursor.FAULT;
            return false;
        }
        offset = 0;
        if (chain.isWritable()) {
            window.unmap();
        } else {
            window.map(chain.gpa(), chain.length());
        }
        return true;
    }

    /** Tells whether the request was read to its end. */
    boolean isAtEnd() {
        return atEnd;
    }

    /** Tells whether the request's chain is broken. */
    boolean isFaulty() {
        return faulty;
    }

    /** Tells whether the request ended inside a page number, which is ignored. */
    boolean endedInsideNumber() {
        return atEnd && partialBytes != 0;
    }

    /**
     * Writes the place in the element that the request rests in. One that was read to its end is
     * not wanted again; behind it the chain may have turned out to be broken.
     */
    void save(SnapshotWriter out) {
        boolean inElement = offset < window.length();
        out.writeBoolean(inElement);
        out.writeLong(inElement ? offset : 0);
        out.writeInt(partial);
        out.writeByte(partialBytes);
    }

    /**
     * Reads what {@link #save} wrote, and changes nothing.
     *
     * @param chain stands at the element that the request rests in
     */
    Runnable prepareRestore(SnapshotReader in, ChainCursor chain) throws SnapshotException {
        boolean mapped = in.readBoolean("elementMapped");
        long savedOffset = in.readLong("elementOffset", 0, mapped ? chain.length() : 0);
        int savedPartial = in.readInt("partialNumber");
        int savedBytes = in.readByte("partialBytes");
        if (savedBytes >= PageFrame.NUMBER_BYTES || (mapped && chain.isWritable())) {
            throw SnapshotException.impossible("partialBytes", savedBytes);
        }
        return () -> {
            start();
            if (mapped) {
                window.map(chain.gpa(), chain.length());
            }
            offset = savedOffset;
            partial = savedPartial;
            partialBytes = savedBytes;
        };
    }
}
