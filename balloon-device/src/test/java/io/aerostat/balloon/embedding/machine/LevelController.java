package io.aerostat.balloon.embedding.machine;

import java.util.concurrent.atomic.AtomicInteger;

/** Looks at the lines as they are: a source is pending for as long as its line is high. */
public final class LevelController implements InterruptController {
    private final AtomicInteger high = new AtomicInteger();

    /** The processor's. */
    private int inService;

    @Override
    public void set(int source, boolean level) {
        int bit = 1 << source;
        high.getAndAccumulate(bit, (lines, one) -> level ? lines | one : lines & ~one);
    }

    @Override
    public int claim() {
        int pending = high.get() & ~inService;
        if (pending == 0) {
            return NONE;
        }
        int bit = Integer.lowestOneBit(pending);
        inService |= bit;
        return Integer.numberOfTrailingZeros(bit);
    }

    @Override
    public void complete(int source) {
        inService &= ~(1 << source);
    }

    @Override
    public boolean isPending() {
        return (high.get() & ~inService) != 0;
    }
}
