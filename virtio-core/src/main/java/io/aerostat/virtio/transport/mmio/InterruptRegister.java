package io.aerostat.virtio.transport.mmio;

import io.aerostat.virtio.device.Interrupts;
import io.aerostat.virtio.spec.InterruptStatus;

import java.util.Objects;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * InterruptStatus and the line that follows it (VIRTIO 1.4, 4.2.2). The owner raises causes, the
 * register thread acknowledges them, at the same time and without locks.
 *
 * <p>Two threads that both look at the causes and then drive the line could leave it high for a
 * cause that is gone, or low for one that is there. So every change counts an evaluation, whoever
 * counts the first of a run drives the line for all, and looks again until the count stands still:
 * the last level always comes from the last causes.
 */
final class InterruptRegister implements Interrupts {
    private final InterruptLine line;
    private final AtomicInteger causes = new AtomicInteger();
    private final AtomicInteger evaluations = new AtomicInteger();

    InterruptRegister(InterruptLine line) {
        this.line = Objects.requireNonNull(line, "line");
    }

    @Override
    public void usedBuffer(int queue) {
        raise(InterruptStatus.USED_BUFFER_FLAG);
    }

    @Override
    public void configChanged() {
        raise(InterruptStatus.CONFIG_CHANGE_FLAG);
    }

    int causes() {
        return causes.get();
    }

    /**
     * Clears causes; a cause that comes after the clearing is kept. What clears nothing is not
     * counted: a guest could keep the owner evaluating for ever.
     */
    void acknowledge(int mask) {
        int before = causes.getAndAccumulate(mask, (old, bits) -> old & ~bits);
        if ((before & mask) != 0) {
            evaluate();
        }
    }

    /** Puts saved causes in place of the present ones and drives the line, whatever it was. */
    void restore(int saved) {
        causes.set(saved);
        evaluate();
    }

    private void raise(int cause) {
        causes.accumulateAndGet(cause, (old, bits) -> old | bits);
        evaluate();
    }

    private void evaluate() {
        if (evaluations.getAndIncrement() != 0) {
            return;
        }
        int counted = 1;
        try {
            do {
                line.set(causes.get() != 0);
                counted = evaluations.addAndGet(-counted);
            } while (counted != 0);
        } finally {
            if (counted != 0) {
                // The line has thrown. Let the next change drive it again.
                evaluations.set(0);
            }
        }
    }
}
