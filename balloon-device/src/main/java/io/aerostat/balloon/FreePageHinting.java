package io.aerostat.balloon;

import io.aerostat.balloon.handler.HintQueueHandler;
import io.aerostat.balloon.handler.HintRound;
import io.aerostat.balloon.range.PageLedger;
import io.aerostat.virtio.device.DeviceController;

import java.util.function.Consumer;
import java.util.function.IntConsumer;

/**
 * The host's side of free page hinting, for one who copies the guest's memory while it runs: a
 * migration, a snapshot.
 *
 * <pre>
 *   log what is written, by guest and devices ─▶ start() ─▶ stop the guest, read the log
 *                                                ─▶ copy all but hinted pages that were not written ─▶ done()
 * </pre>
 *
 * <p>Commands may come from any thread and return at once; without the feature they have no effect
 * but on {@link #round}. Nothing is discarded, ever.
 */
public final class FreePageHinting {
    private final HintQueueHandler handler;
    private final Consumer<Runnable> owner;
    private final IntConsumer tellDriver;

    FreePageHinting(HintQueueHandler handler, Consumer<Runnable> owner, IntConsumer tellDriver) {
        this.handler = handler;
        this.owner = owner;
        this.tellDriver = tellDriver;
    }

    /**
     * Asks for the pages that are free; for nothing if no driver is up. The log of written pages
     * must have begun: a page may be hinted and written at once. Forgets those of earlier rounds,
     * and ignores what still comes in of them.
     */
    public void start() {
        owner.accept(() -> tellDriver.accept(handler.start()));
    }

    /** Wants no more hints, and keeps those that came. */
    public void stop() {
        owner.accept(() -> tellDriver.accept(handler.stop()));
    }

    /** Needs the hints no more; the guest takes its pages back. */
    public void done() {
        owner.accept(() -> tellDriver.accept(handler.done()));
    }

    /** How far the round is. */
    public HintRound round() {
        return handler.round();
    }

    /** Pages hinted in this round so far. */
    public long hintedPages() {
        return handler.pages();
    }

    /**
     * Visits the hinted pages by ascending address. The owner only, through {@link
     * DeviceController#execute}.
     */
    public void forEachHintedRange(PageLedger.RangeConsumer consumer) {
        handler.hinted().forEachRange(consumer);
    }

    /** The driver is gone, and its guest may use every page. */
    void driverGone() {
        handler.done();
    }
}
