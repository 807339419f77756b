package io.aerostat.vmm.monitor;

import io.aerostat.balloon.stats.GuestStatistics;
import io.aerostat.vmm.vm.GuestSize;
import io.aerostat.vmm.vm.SetMemoryOutcome;
import io.aerostat.vmm.vm.StatisticsOutcome;

import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;

/**
 * A guest as its monitor sees it. Any thread may call; nothing here waits.
 *
 * <p>A guest may come later than its monitor: until it is there its RAM is unknown.
 */
public interface MonitoredGuest {
    /** What users call it. */
    String name();

    /** All that is known about it now. May ask the kernel, so it takes some microseconds. */
    GuestReport report();

    /**
     * Asks the guest to have {@code size} from now on. More than its RAM means all of its RAM; if
     * that is not known yet, the wish stands until it is. What can be refused at once is: the
     * future is complete when this returns. The size stands as the target beyond the deadline.
     *
     * @param deadline how long to wait for the guest, 0 to a year
     * @return completes when the guest has the size, or it is clear why not
     */
    CompletableFuture<SetMemoryOutcome> setMemory(GuestSize size, Duration deadline);

    /**
     * Asks the guest for new statistics.
     *
     * @param deadline how long to wait for the guest, 0 to a year
     */
    CompletableFuture<StatisticsOutcome> statistics(Duration deadline);

    /** What the guest said last of its memory, or empty if it has said nothing. */
    Optional<GuestStatistics> latestStatistics();

    /**
     * How old {@link #latestStatistics} are.
     *
     * @return the age, or empty if there are none
     */
    Optional<Duration> statisticsAge();

    /** How often the guest is asked for statistics; zero if it is not. */
    Duration statisticsPeriod();

    /**
     * Has the guest asked for statistics every so often.
     *
     * @param period zero to stop
     */
    void statisticsPeriod(Duration period);

    /**
     * Has {@code action} run each time when the balloon may have changed, by the driver's word. It
     * must be quick and not wait; it may be run more often than the size changes.
     */
    void onBalloonChange(Runnable action);

    /** Ends the service of this guest, as if by a signal. Returns at once. */
    void quit();
}
