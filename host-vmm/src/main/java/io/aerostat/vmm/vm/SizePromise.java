package io.aerostat.vmm.vm;

import io.aerostat.balloon.BalloonDevice;
import io.aerostat.virtio.device.DeviceController;
import io.aerostat.virtio.spec.DeviceStatus;
import io.aerostat.vmm.vm.SetMemoryOutcome.Reason;

import java.util.concurrent.CompletableFuture;

/** One call of setMemory that waits for its end. The device's owner looks after it. */
final class SizePromise {
    private final BalloonDevice balloon;
    private final DeviceController controller;
    private final BalloonSize wanted;
    private final long startPages;
    private final long deadlineNs;
    private final CompletableFuture<SetMemoryOutcome> future;

    SizePromise(
            BalloonDevice balloon,
            DeviceController controller,
            BalloonSize wanted,
            long deadlineNs,
            CompletableFuture<SetMemoryOutcome> future) {
        this.balloon = balloon;
        this.controller = controller;
        this.wanted = wanted;
        this.startPages = balloon.ledgerPages();
        this.deadlineNs = deadlineNs;
        this.future = future;
    }

    /** Looks whether the end has come. True if so: the future completes. */
    boolean check(long nowNs) {
        if (balloon.ledgerPages() == wanted.pages() && balloon.actualPages() == wanted.pages()) {
            complete(new SetMemoryOutcome.Reached(wanted));
            return true;
        }
        if (nowNs - deadlineNs < 0) {
            return false;
        }
        end(reasonOfStandstill());
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

    private Reason reasonOfStandstill() {
        int status = controller.status();
        if ((status & DeviceStatus.DEVICE_NEEDS_RESET_FLAG) != 0) {
            return Reason.NEEDS_RESET;
        }
        if ((status & DeviceStatus.DRIVER_OK_FLAG) == 0) {
            return Reason.NO_DRIVER;
        }
        return balloon.ledgerPages() == startPages ? Reason.NO_RESPONSE : Reason.OUT_OF_PAGES;
    }
}
