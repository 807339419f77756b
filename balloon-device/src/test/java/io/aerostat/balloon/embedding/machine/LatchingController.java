package io.aerostat.balloon.embedding.machine;

import java.util.concurrent.atomic.AtomicInteger;

/**
 * Latches: a call with a high level is noted, and forgotten when the processor claims it, however
 * the line is then. What comes while a source is handled is noted for afterwards. What a device
 * does not call for is never seen: an edge lost is lost.
 */
public final class LatchingController implements InterruptController {
    private final AtomicInteger latched = new AtomicInteger();

    /** The processor's. */
    private int inService;

    @Override
    public void set(int source, boolean level) {
        if (level) {
            latched.getAndAccumulate(1 << source, (noted, bit) -> noted | bit);
        }
    }

    @Override
    public int claim() {
        int pending = latched.get() & ~inService;
        if (pending == 0) {
            return NONE;
        }
        int bit = Integer.lowestOneBit(pending);
        latched.getAndAccumulate(bit, (noted, one) -> noted & ~one);
        inService |= bit;
        return Integer.numberOfTrailingZeros(bit);
    }

    @Override
    public void complete(int source) {
        inService &= ~(1 << source);
    }

    @Override
    public boolean isPending() {
        return (latched.get() & ~inService) != 0;
    }
}
