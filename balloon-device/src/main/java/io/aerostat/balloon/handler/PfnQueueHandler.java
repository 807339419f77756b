package io.aerostat.balloon.handler;

import io.aerostat.balloon.range.PfnBatch;
import io.aerostat.virtio.device.VirtioDevice;
import io.aerostat.virtio.memory.GuestMemory;
import io.aerostat.virtio.queue.DeviceQueue;
import io.aerostat.virtio.snapshot.SnapshotException;
import io.aerostat.virtio.snapshot.SnapshotReader;
import io.aerostat.virtio.snapshot.SnapshotWriter;

import org.jspecify.annotations.Nullable;

/**
 * Serves a queue of page numbers, inflate or deflate (VIRTIO 1.4, 5.5.6).
 *
 * <pre>
 *   poll a request ─▶ copy its page numbers ─▶ stage it as used        until the queue is empty or the pass's work is done
 *                          batch full? ─▶ apply                        and when the pass ends: apply, publish, interrupt once
 * </pre>
 *
 * <p>A used buffer means "done" to the driver, so the ranges are applied before it is published. A
 * pass is bounded in page numbers and elements, not in requests: it may stop in the middle of a
 * long one and goes on there.
 *
 * <p>The owner's; allocates nothing after construction.
 */
public final class PfnQueueHandler implements QueueHandler {
    private final RangeAction action;
    private final BalloonCounters counters;
    private final PfnReader reader;
    private final PfnBatch batch;
    private final int workBudget;

    private boolean inRequest;

    /**
     * @param action what to do with the pages
     * @param workBudget page numbers of one pass, and of a batch
     */
    public PfnQueueHandler(
            GuestMemory memory, RangeAction action, BalloonCounters counters, int workBudget) {
        this.action = action;
        this.counters = counters;
        this.reader = new PfnReader(memory);
        this.batch = new PfnBatch(workBudget);
        this.workBudget = workBudget;
    }

    @Override
    public void reset() {
        inRequest = false;
        batch.clear();
    }

    /** Tells whether no request is in work between two passes. */
    public boolean isAtRest() {
        return !inRequest;
    }

    @Override
    public int serve(DeviceQueue ring) {
        int outcome = drain(ring);
        applyBatch();
        return outcome;
    }

    @Override
    public void save(SnapshotWriter out) {
        out.writeBoolean(inRequest);
        if (inRequest) {
            reader.save(out);
        }
    }

    @Override
    public Runnable prepareRestore(SnapshotReader in, @Nullable DeviceQueue ring)
            throws SnapshotException {
        if (!QueueHandler.readInBuffer(in, ring) || ring == null) {
            return this::reset;
        }
        Runnable place = reader.prepareRestore(in, ring.chain());
        return () -> {
            reset();
            place.run();
            inRequest = true;
        };
    }

    /** Takes requests until there is none, the work of a pass is done, or the ring is broken. */
    private int drain(DeviceQueue ring) {
        int requests = 0;
        int outcome = VirtioDevice.MORE;
        int budget = workBudget;
        while (budget > 0) {
            if (!inRequest) {
                int polled = ring.poll();
                if (polled != DeviceQueue.CHAIN) {
                    outcome = polled == DeviceQueue.NONE ? VirtioDevice.IDLE : VirtioDevice.FAULT;
                    break;
                }
                reader.start();
                inRequest = true;
            }
            budget -= reader.read(ring.chain(), batch, budget);
            if (reader.isFaulty()) {
                outcome = VirtioDevice.FAULT;
                break;
            }
            if (reader.isAtEnd()) {
                counters.add(
                        BalloonCounter.PARTIAL_PAGE_NUMBERS, reader.endedInsideNumber() ? 1 : 0);
                ring.complete(ring.chain().head(), 0);
                inRequest = false;
                requests++;
            }
            if (batch.room() == 0) {
                applyBatch();
            }
        }
        action.countRequests(requests);
        return outcome;
    }

    private void applyBatch() {
        if (!batch.isEmpty()) {
            long repeated = batch.merge();
            action.apply(batch.ranges(), repeated);
            batch.clear();
        }
    }
}
