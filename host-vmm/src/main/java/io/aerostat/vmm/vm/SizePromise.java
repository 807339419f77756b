package io.aerostat.vmm.vm;

import io.aerostat.balloon.BalloonDevice;
import io.aerostat.balloon.handler.BalloonCounter;
import io.aerostat.balloon.stats.GuestStatistics;
import io.aerostat.virtio.spec.balloon.StatTag;
import io.aerostat.vmm.vm.BalloonControl.Attached;
import io.aerostat.vmm.vm.SetMemoryOutcome.Reason;

import org.jspecify.annotations.Nullable;

import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;

/** One call of setMemory that waits for its end. The device's owner looks after it. */
final class SizePromise {
    /**
     * Who moved a page so short a time ago is still at it: Linux tries again after 200 ms when it
     * is out of pages, and the host may keep a guest's only processor waiting.
     */
    private static final long STILL_MOVING_NS = 300_000_000L;

    private final GuestSize size;
    private final long deadlineNs;
    private final CompletableFuture<SetMemoryOutcome> future;

    private @Nullable Attached attached;
    private BalloonSize wanted = new BalloonSize(0);
    private long startPages;
    private long startTakenBack;
    private @Nullable GuestStatistics startFigures;
    private long lastPages;
    private long lastMoveNs;

    SizePromise(
            GuestSize size,
            long nowNs,
            long deadlineNs,
            CompletableFuture<SetMemoryOutcome> future) {
        this.size = size;
        this.deadlineNs = deadlineNs;
        this.future = future;
        // Nothing has moved yet: long ago.
        this.lastMoveNs = nowNs - STILL_MOVING_NS;
    }

    /** The size that was asked for. */
    GuestSize size() {
        return size;
    }

    /** The balloon that is to keep the promise is there, or another one is. */
    void attach(Attached balloon) {
        attached = balloon;
        BalloonDevice device = balloon.device();
        wanted = size.atMost(balloon.maximum()).balloonWithin(balloon.maximum());
        startPages = device.ledgerPages();
        startTakenBack = device.counters().get(BalloonCounter.PAGES_TAKEN_BACK);
        startFigures = device.statistics().latest().orElse(null);
        lastPages = startPages;
        // They may explain the end.
        device.statistics().request();
    }

    /** The balloon is gone. */
    void detach() {
        attached = null;
        startPages = 0;
    }

    /** Looks whether the end has come. True if so: the future completes. */
    boolean check(long nowNs) {
        if (attached == null) {
            return checkWithoutBalloon(nowNs);
        }
        BalloonDevice balloon = attached.device();
        long pages = balloon.ledgerPages();
        if (pages == wanted.pages() && balloon.actualPages() == wanted.pages()) {
            complete(new SetMemoryOutcome.Reached(wanted));
            return true;
        }
        if (pages != lastPages) {
            lastPages = pages;
            lastMoveNs = nowNs;
        }
        if (nowNs - deadlineNs < 0) {
            return false;
        }
        end(reasonOfStandstill(attached, nowNs));
        return true;
    }

    private boolean checkWithoutBalloon(long nowNs) {
        if (nowNs - deadlineNs < 0) {
            return false;
        }
        end(Reason.NO_GUEST);
        return true;
    }

    void supersede() {
        complete(new SetMemoryOutcome.Superseded());
    }

    void end(Reason reason) {
        long pages = attached == null ? 0 : attached.device().ledgerPages();
        long moved = new BalloonSize(Math.abs(pages - startPages)).bytes();
        complete(
                moved == 0
                        ? new SetMemoryOutcome.Stalled(reason)
                        : new SetMemoryOutcome.Partial(new BalloonSize(pages), moved, reason));
    }

    // Elsewhere: what depends on the outcome must not hold the device's owner.
    private void complete(SetMemoryOutcome outcome) {
        future.completeAsync(() -> outcome);
    }

    private Reason reasonOfStandstill(Attached now, long nowNs) {
        switch (now.driver().get()) {
            case BROKEN -> {
                return Reason.NEEDS_RESET;
            }
            case ABSENT -> {
                return Reason.NO_DRIVER;
            }
            case UP -> {}
        }
        BalloonDevice balloon = now.device();
        if (balloon.counters().get(BalloonCounter.PAGES_TAKEN_BACK) != startTakenBack) {
            return Reason.TAKEN_BACK;
        }
        if (balloon.targetPages() != wanted.pages()) {
            return Reason.RATE_LIMITED;
        }
        if (nowNs - lastMoveNs < STILL_MOVING_NS) {
            return Reason.STILL_MOVING;
        }
        boolean inflating = lastPages < wanted.pages();
        boolean isShort = inflating && (lastPages != startPages || guestHasLessThanWanted(balloon));
        return isShort ? Reason.OUT_OF_PAGES : Reason.NO_RESPONSE;
    }

    private boolean guestHasLessThanWanted(BalloonDevice balloon) {
        OptionalLong available =
                balloon.statistics()
                        .latest()
                        // Old ones say nothing of now.
                        .filter(figures -> figures != startFigures)
                        .map(SizePromise::availableBytes)
                        .orElse(OptionalLong.empty());
        long missing = new BalloonSize(wanted.pages() - lastPages).bytes();
        return available.isPresent() && Long.compareUnsigned(available.getAsLong(), missing) < 0;
    }

    private static OptionalLong availableBytes(GuestStatistics figures) {
        OptionalLong available = figures.value(StatTag.AVAIL);
        return available.isPresent() ? available : figures.value(StatTag.MEMFREE);
    }
}
