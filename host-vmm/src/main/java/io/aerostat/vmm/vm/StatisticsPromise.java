package io.aerostat.vmm.vm;

import io.aerostat.balloon.BalloonDevice;
import io.aerostat.balloon.stats.GuestStatistics;
import io.aerostat.virtio.spec.balloon.BalloonFeature;
import io.aerostat.vmm.vm.BalloonControl.Attached;
import io.aerostat.vmm.vm.StatisticsOutcome.Reason;

import org.jspecify.annotations.Nullable;

import java.util.concurrent.CompletableFuture;

/** One call for statistics that waits for its end. The device's owner looks after it. */
final class StatisticsPromise {
    private final Attached attached;
    private final BalloonDevice balloon;
    private final @Nullable GuestStatistics before;
    private final long deadlineNs;
    private final CompletableFuture<StatisticsOutcome> future;

    StatisticsPromise(
            Attached attached, long deadlineNs, CompletableFuture<StatisticsOutcome> future) {
        this.attached = attached;
        this.balloon = attached.device();
        this.before = balloon.statistics().latest().orElse(null);
        this.deadlineNs = deadlineNs;
        this.future = future;
        balloon.statistics().request();
    }

    /** Looks whether the end has come. True if so: the future completes. */
    boolean check(long nowNs) {
        GuestStatistics latest = balloon.statistics().latest().orElse(null);
        if (latest != null && latest != before) {
            complete(new StatisticsOutcome.Answered(latest));
            return true;
        }
        if (nowNs - deadlineNs < 0) {
            return false;
        }
        end(reasonOfSilence());
        return true;
    }

    void end(Reason reason) {
        complete(new StatisticsOutcome.Unanswered(reason));
    }

    // Elsewhere: what depends on the outcome must not hold the device's owner.
    private void complete(StatisticsOutcome outcome) {
        future.completeAsync(() -> outcome);
    }

    private Reason reasonOfSilence() {
        long features = balloon.negotiatedFeatures();
        if (features == 0 || attached.driver().get() == DriverState.ABSENT) {
            return Reason.NO_DRIVER;
        }
        return (features & BalloonFeature.STATS_VQ) == 0
                ? Reason.NOT_NEGOTIATED
                : Reason.NO_RESPONSE;
    }
}
