package io.aerostat.guest.balloon;

import io.aerostat.guest.page.PageAllocator;
import io.aerostat.virtio.memory.RamAccess;
import io.aerostat.virtio.queue.DriverQueue;
import io.aerostat.virtio.queue.QueueFault;
import io.aerostat.virtio.spec.balloon.HintCommand;
import io.aerostat.virtio.spec.balloon.PageFrame;

import org.jspecify.annotations.Nullable;

import java.util.Arrays;

/**
 * The free page hinting queue (VIRTIO 1.4, 5.5.6.5): tells a host that copies the guest's memory
 * which pages it need not copy.
 *
 * <pre>
 *   field     queue
 *   id     ─▶ { id }  block  block  block ...   while there are free blocks and the field is not
 *   STOP   ─▶ { STOP }                          STOP or DONE; blocks stay here, out of use
 *   DONE   ─▶ { STOP }                          blocks go back to the allocator
 * </pre>
 *
 * <p>A round is opened by one buffer with its id and closed by one with STOP, whatever ends it: no
 * more blocks, the field, a new id, or a guest that needs its memory. A block that was hinted is
 * held until DONE. It isn't hinted again in a later round: nobody has written to it.
 *
 * <p>The field is only looked at when the device says that its configuration has changed, and the
 * id is remembered. A device as QEMU's shows STOP from the moment that it has the buffer with the
 * id; one of the standard shows the id until it stops. Both are right for this driver, with one
 * exception: if QEMU changes the target in the middle of a round, the field says STOP and the round
 * ends early. That costs the rest of the hints, which are no more than hints; going on under a STOP
 * that was meant would break the standard's word.
 *
 * <p>Held blocks are out of the guest's use, and of the balloon's: an inflation that finds no page
 * waits until DONE, or until the guest takes some back.
 *
 * <p>No interrupt is asked for unless the queue is full: nothing depends on when a hint was taken.
 */
final class HintQueue {
    private static final int NO_CELL = -1;
    private static final int BLOCKS_PER_STEP = 32;

    private final BalloonRing ring;
    private final DriverQueue queue;
    private final GuestPages pages;
    private final DriverCounters counters;
    private final int order;
    private final long reservePages;

    /** One cell for each command that is out; the device reads it at any time until it is back. */
    private final RamAccess cells;

    private final int[] freeCells;
    private final int[] cellOfHead;
    private int freeCellCount;

    /** Blocks that were hinted and are held. */
    private final int[] held;

    private int heldCount;

    private int round = HintCommand.STOP;
    private boolean isHalted;
    private boolean isDone = true;
    private boolean owesId;
    private boolean isSupplying;
    private boolean owesStop;
    private int stopHead = DriverQueue.NONE;

    /**
     * @param cells {@link #cellBytes} of guest RAM
     * @param endPfn above all page frames that the allocator has
     */
    HintQueue(
            BalloonRing ring,
            RamAccess cells,
            int endPfn,
            DriverBooks books,
            BalloonDriverOptions.FreePages options) {
        this.ring = ring;
        this.queue = ring.queue();
        this.cells = cells;
        this.pages = books.pages();
        this.counters = books.counters();
        this.order = Math.min(options.hintingOrder(), pages.maxOrder());
        this.reservePages = options.reservePages();
        this.freeCells = new int[queue.size()];
        this.cellOfHead = new int[queue.size()];
        this.held = new int[(endPfn >>> order) + 1];
        Arrays.setAll(freeCells, i -> i);
        Arrays.fill(cellOfHead, NO_CELL);
        freeCellCount = freeCells.length;
        queue.disarm();
    }

    /** Bytes of guest RAM for the commands of a queue. */
    static int cellBytes(int queueSize) {
        return queueSize * HintCommand.LENGTH;
    }

    /** Takes the field's value as it was read when the configuration changed. */
    void command(int id) {
        if (id == HintCommand.STOP || id == HintCommand.DONE) {
            endRound();
            isHalted = true;
            if (id == HintCommand.DONE) {
                isDone = true;
                release(Long.MAX_VALUE);
            }
        } else if (isNew(id)) {
            endRound();
            round = id;
            owesId = true;
            isHalted = false;
            isDone = false;
        }
    }

    /**
     * An id may come again once the device has had the STOP of the round before, and has said STOP
     * or DONE itself.
     */
    private boolean isNew(int id) {
        boolean isOver = !owesId && !isSupplying && !owesStop && stopHead == DriverQueue.NONE;
        return id != round || (isHalted && isOver);
    }

    /** Sends no more blocks until the field has a new id; STOP is still to be sent. */
    void endRound() {
        owesId = false;
        owesStop |= isSupplying;
        isSupplying = false;
    }

    /** Takes back what the device has used; how many buffers. */
    int reap() {
        int reaped = 0;
        int head = queue.poll();
        while (head >= 0) {
            if (cellOfHead[head] != NO_CELL) {
                freeCells[freeCellCount++] = cellOfHead[head];
                cellOfHead[head] = NO_CELL;
            }
            if (head == stopHead) {
                stopHead = DriverQueue.NONE;
            }
            reaped++;
            head = queue.poll();
        }
        if (reaped > 0) {
            queue.disarm();
        }
        return reaped;
    }

    /**
     * Goes on with the round.
     *
     * @return 0 if there is nothing to do until the device interrupts or the field changes
     */
    int supply() {
        int sent = sendStop();
        if (owesId && !owesStop && send(round) != DriverQueue.FULL) {
            owesId = false;
            isSupplying = true;
            sent++;
        }
        for (int i = 0; i < BLOCKS_PER_STEP && isSupplying && queue.freeDescriptors() > 0; i++) {
            sent += hintBlock();
        }
        sent += sendStop();
        ring.publish();
        // What is back by now has no interrupt coming: the next step takes it.
        return isWaitingForRoom() && queue.armAndRecheck() ? sent + 1 : sent;
    }

    private int hintBlock() {
        // An allocator may answer order 0 for a page that it would have to reclaim.
        boolean mayTake =
                pages.freePages() - (1L << order) >= reservePages
                        && pages.largestFreeOrder() >= Math.max(order, 1);
        int pfn = mayTake ? pages.allocate(order) : PageAllocator.NONE;
        if (pfn == PageAllocator.NONE) {
            endRound();
            return 0;
        }
        held[heldCount++] = pfn;
        queue.add((long) pfn << PageFrame.SHIFT, (long) PageFrame.BYTES << order, true);
        counters.add(DriverCounter.PAGES_HINTED, 1L << order);
        return 1;
    }

    private int sendStop() {
        if (!owesStop) {
            return 0;
        }
        int head = send(HintCommand.STOP);
        if (head == DriverQueue.FULL) {
            return 0;
        }
        stopHead = head;
        owesStop = false;
        return 1;
    }

    private int send(int command) {
        if (queue.freeDescriptors() == 0) {
            return DriverQueue.FULL;
        }
        int cell = freeCells[--freeCellCount];
        int offset = cell * HintCommand.LENGTH;
        cells.putInt(offset, command);
        int head = queue.add(cells.gpa() + offset, HintCommand.LENGTH, false);
        cellOfHead[head] = cell;
        return head;
    }

    private boolean isWaitingForRoom() {
        return (owesId || isSupplying || owesStop) && queue.freeDescriptors() == 0;
    }

    /**
     * Gives held blocks back to the guest, which needs memory, and ends the round: it would take
     * them again. Before DONE their pages are written first, so that the host sees that they are in
     * use (5.5.6.5.1).
     *
     * @return pages that were given back
     */
    long takeBack(long wanted) {
        endRound();
        long before = (long) heldCount << order;
        release(wanted);
        long taken = before - ((long) heldCount << order);
        if (!isDone) {
            counters.add(DriverCounter.HINTED_PAGES_TAKEN_BACK, taken);
        }
        return taken;
    }

    private void release(long wanted) {
        long released = 0;
        while (heldCount > 0 && released < wanted) {
            int pfn = held[--heldCount];
            if (!isDone || pages.fills()) {
                pages.fill(pfn, order);
            }
            pages.freeAsIs(pfn, order);
            released += 1L << order;
        }
    }

    /** Pages in held blocks. */
    long heldPages() {
        return (long) heldCount << order;
    }

    @Nullable QueueFault fault() {
        return queue.fault();
    }

    /** Gives all held blocks back. The device must have been reset. */
    void release() {
        // It has forgotten the hints: nobody needs to see that the pages are in use again.
        isDone = true;
        release(Long.MAX_VALUE);
    }
}
