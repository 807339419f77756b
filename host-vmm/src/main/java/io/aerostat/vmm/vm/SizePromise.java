package io.aerostat.vmm.vm;

import io.aerostat.balloon.BalloonDevice;
import io.aerostat.balloon.handler.BalloonCounter;
import io.aerostat.balloon.stats.GuestStatistics;
import io.aerostat.virtio.device.DeviceController;
import io.aerostat.virtio.spec.DeviceStatus;
import io.aerostat.virtio.spec.balloon.StatTag;
import io.aerostat.vmm.vm.SetMemoryOutcome.Reason;

import org.jspecify.annotations.Nullable;

import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;

/** One call of setMemory that waits for its end. The device's owner looks after it. */
final class SizePromise {
    /** Who moved a page so short a time ago is still at it. */
    private static final long STILL_MOVING_NS = 100_000_000L;

    private final BalloonDevice balloon;
    private final DeviceController controller;
    private final BalloonSize wanted;
    private final long startPages;
    private final long startTakenBack;
    private final @Nullable GuestStatistics startFigures;
    private final long deadlineNs;
    private final CompletableFuture<SetMemoryOutcome> future;

    private long lastPages;
    private long lastMoveNs;

    SizePromise(
            BalloonDevice balloon,
            DeviceController controller,
            BalloonSize wanted,
            long nowNs,
            long deadlineNs,
            CompletableFuture<SetMemoryOutcome> future) {
        this.balloon = balloon;
        this.controller = controller;
        this.wanted = wanted;
        this.startPages = balloon.ledgerPages();
        this.startTakenBack = balloon.counters().get(BalloonCounter.PAGES_TAKEN_BACK);
        this.startFigures = balloon.statistics().latest().orElse(null);
        this.deadlineNs = deadlineNs;
        this.future = future;
        this.lastPages = startPages;
        // Nothing has moved yet: long ago.
        this.lastMoveNs = nowNs - STILL_MOVING_NS;
        // They may explain the end.
        balloon.statistics().request();
    }

    /** Looks whether the end has come. True if so: the future completes. */
    boolean check(long nowNs) {
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
        end(reasonOfStandstill(nowNs));
        return true;
    }

    void supersede() {
        complete(new SetMemoryOutcome.Superseded());
    }

    void end(Reason reason) {
        long pages = balloon.ledgerPages();
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

    private Reason reasonOfStandstill(long nowNs) {
        int status = controller.status();
        if ((status & DeviceStatus.DEVICE_NEEDS_RESET_FLAG) != 0) {
            return Reason.NEEDS_RESET;
        }
        if ((status & DeviceStatus.DRIVER_OK_FLAG) == 0) {
            return Reason.NO_DRIVER;
        }
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
        boolean isShort = inflating && (lastPages != startPages || guestHasLessThanWanted());
        return isShort ? Reason.OUT_OF_PAGES : Reason.NO_RESPONSE;
    }

    private boolean guestHasLessThanWanted() {
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
