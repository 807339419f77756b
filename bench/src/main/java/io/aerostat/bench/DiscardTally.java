package io.aerostat.bench;

import io.aerostat.balloon.BalloonDevice;
import io.aerostat.balloon.handler.BalloonCounter;
import io.aerostat.virtio.spec.balloon.PageFrame;

import org.openjdk.jmh.annotations.AuxCounters;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;

/** What the measured inflates asked of the host, and how much of it the host took. */
@AuxCounters(AuxCounters.Type.EVENTS)
@State(Scope.Thread)
public class DiscardTally {
    /** Calls made to the host. */
    public long discardCalls;

    /** Pages of 4 KiB that the host took back. */
    public long pagesTaken;

    /** Pages of 4 KiB that the guest named. */
    public long pagesNamed;

    private long callsBefore;
    private long bytesBefore;

    void begin(BalloonDevice device) {
        callsBefore = device.reclaimer().discardCalls();
        bytesBefore = device.counters().get(BalloonCounter.BYTES_ACCEPTED);
    }

    void end(BalloonDevice device, long pages) {
        long bytes = device.counters().get(BalloonCounter.BYTES_ACCEPTED) - bytesBefore;
        discardCalls += device.reclaimer().discardCalls() - callsBefore;
        pagesTaken += bytes >>> PageFrame.SHIFT;
        pagesNamed += pages;
    }
}
