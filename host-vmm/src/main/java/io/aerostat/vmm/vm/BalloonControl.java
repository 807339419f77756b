package io.aerostat.vmm.vm;

import io.aerostat.balloon.BalloonDevice;
import io.aerostat.balloon.stats.GuestStatistics;
import io.aerostat.vmm.vm.SetMemoryOutcome.Reason;

import org.agrona.concurrent.NanoClock;
import org.jspecify.annotations.Nullable;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.function.Function;
import java.util.function.Supplier;

/**
 * What a host asks of a guest's balloon, and how that ends: sizes and statistics, each a promise
 * with a deadline.
 *
 * <p>The balloon may come later than the questions, go, and come again with other RAM: what the
 * host wants is kept here and worked out for the balloon that is there.
 *
 * <p>Questions come from any thread. The owner, the thread that runs the balloon, attaches and
 * detaches it, and calls {@link #check}.
 */
public final class BalloonControl {
    /** The longest that a promise waits. */
    public static final Duration LONGEST_DEADLINE = Duration.ofDays(365);

    /**
     * A balloon that is there.
     *
     * @param maximum the RAM that it balloons
     * @param device the balloon, run by a controller
     * @param driver how far its driver has come; asked by any thread
     */
    public record Attached(GuestSize maximum, BalloonDevice device, Supplier<DriverState> driver) {}

    private final Executor owner;
    private final NanoClock clock;
    private final GuestSize floor;

    private volatile @Nullable Attached attached;
    private volatile @Nullable GuestSize wanted;
    private volatile long periodNs;
    private volatile boolean closed;

    // The owner's.
    private @Nullable SizePromise promise;
    private final ArrayDeque<StatisticsPromise> questions = new ArrayDeque<>();

    /**
     * A control without a balloon.
     *
     * @param owner brings work to the thread that will run the balloon
     * @param clock what deadlines are measured by
     * @param floor the smallest size that a guest is asked for
     */
    public BalloonControl(Executor owner, NanoClock clock, GuestSize floor) {
        this.owner = owner;
        this.clock = clock;
        this.floor = floor;
    }

    // any thread

    /** The balloon that is there, or empty. It may be gone when the caller looks at it. */
    public Optional<Attached> attached() {
        return Optional.ofNullable(attached);
    }

    /** The size that was asked for last, whatever became of it, or empty. */
    public Optional<GuestSize> wanted() {
        return Optional.ofNullable(wanted);
    }

    /**
     * Asks the guest to have {@code size} from now on. A later call supersedes this one; a deadline
     * that passes does not: the target stands, and the guest may still follow. So does a guest that
     * comes later.
     *
     * @param size more than the guest's RAM means all of it
     * @param deadline how long to wait for the guest, up to {@link #LONGEST_DEADLINE}
     * @return completes when the guest has the size, or it is clear why not; what depends on it
     *     runs on another thread than the owner's
     * @throws IllegalArgumentException if the deadline is negative or too long
     */
    public CompletableFuture<SetMemoryOutcome> setMemory(GuestSize size, Duration deadline) {
        long nowNs = clock.nanoTime();
        long deadlineNs = nowNs + nanosOf(deadline);
        if (size.compareTo(floor) < 0) {
            return CompletableFuture.completedFuture(
                    new SetMemoryOutcome.Refused(Reason.BELOW_FLOOR));
        }
        CompletableFuture<SetMemoryOutcome> future = new CompletableFuture<>();
        owner.execute(() -> begin(new SizePromise(size, nowNs, deadlineNs, future)));
        if (closed) {
            future.complete(new SetMemoryOutcome.Stalled(Reason.CLOSED));
        }
        return future;
    }

    /**
     * Asks the guest for new statistics.
     *
     * @param deadline how long to wait for the guest, up to {@link #LONGEST_DEADLINE}
     * @return completes with the guest's figures, or with why there are none; what depends on it
     *     runs on another thread than the owner's
     */
    public CompletableFuture<StatisticsOutcome> statistics(Duration deadline) {
        long deadlineNs = clock.nanoTime() + nanosOf(deadline);
        CompletableFuture<StatisticsOutcome> future = new CompletableFuture<>();
        owner.execute(
                () -> {
                    Attached now = attached;
                    if (now == null || closed) {
                        future.complete(
                                new StatisticsOutcome.Unanswered(
                                        closed
                                                ? StatisticsOutcome.Reason.CLOSED
                                                : StatisticsOutcome.Reason.NO_GUEST));
                    } else {
                        questions.add(new StatisticsPromise(now, deadlineNs, future));
                    }
                });
        if (closed) {
            future.complete(new StatisticsOutcome.Unanswered(StatisticsOutcome.Reason.CLOSED));
        }
        return future;
    }

    /** What the guest said last of its memory, or empty. */
    public Optional<GuestStatistics> latestStatistics() {
        Attached now = attached;
        return now == null ? Optional.empty() : now.device().statistics().latest();
    }

    /** How old the latest statistics are, or empty if there are none. */
    public Optional<Duration> statisticsAge() {
        return latestStatistics().map(figures -> Duration.ofNanos(figures.ageNs(clock.nanoTime())));
    }

    /** How often the guest is asked for statistics; zero if it is not. */
    public Duration statisticsPeriod() {
        return Duration.ofNanos(periodNs);
    }

    /**
     * Has this guest, and each that comes later, asked for statistics every so often: as exactly as
     * the owner runs its device, which is every 100 ms for a guest over vhost-user that is idle.
     *
     * @param period zero to stop, up to {@link #LONGEST_DEADLINE}
     */
    public void statisticsPeriod(Duration period) {
        periodNs = nanosOf(period);
        owner.execute(
                () -> {
                    Attached now = attached;
                    if (now != null) {
                        now.device().statistics().period(periodNs);
                    }
                });
    }

    /**
     * Has the owner look at the balloon.
     *
     * @param absent the answer if there is no balloon
     */
    public <T> CompletableFuture<T> ask(Function<BalloonDevice, T> question, T absent) {
        CompletableFuture<T> future = new CompletableFuture<>();
        owner.execute(
                () -> {
                    try {
                        Attached now = attached;
                        T answer = now == null ? absent : question.apply(now.device());
                        // Not here: what depends on the answer must not hold the owner.
                        future.completeAsync(() -> answer);
                    } catch (RuntimeException e) {
                        future.completeExceptionally(e);
                    }
                });
        if (closed) {
            future.completeExceptionally(
                    new IllegalStateException("the virtual machine is closed"));
        }
        return future;
    }

    private static long nanosOf(Duration deadline) {
        if (deadline.isNegative() || deadline.compareTo(LONGEST_DEADLINE) > 0) {
            throw new IllegalArgumentException(
                    "deadline must be 0 to "
                            + LONGEST_DEADLINE.toDays()
                            + " days: deadline="
                            + deadline);
        }
        return deadline.toNanos();
    }

    // the owner

    /** A balloon is there: what was asked before is asked of it. */
    public void attach(Attached balloon) {
        detach();
        attached = balloon;
        restored();
    }

    /** The balloon is gone. What was asked for last stands for the next one. */
    public void detach() {
        attached = null;
        if (promise != null) {
            promise.detach();
        }
        questions.forEach(question -> question.end(StatisticsOutcome.Reason.NO_GUEST));
        questions.clear();
    }

    /**
     * The balloon that is there is in an earlier state, or in none: what is wanted by now is asked
     * of it.
     */
    public void restored() {
        Attached now = attached;
        if (now == null) {
            return;
        }
        // Zero stops it, in a balloon that was put in an earlier state.
        now.device().statistics().period(periodNs);
        if (promise != null) {
            promise.attach(now);
        }
        target();
    }

    private void begin(SizePromise asked) {
        if (closed) {
            asked.end(Reason.CLOSED);
            return;
        }
        if (promise != null) {
            promise.supersede();
        }
        promise = asked;
        wanted = asked.size();
        Attached now = attached;
        if (now != null) {
            asked.attach(now);
            target();
        }
    }

    private void target() {
        Attached now = attached;
        GuestSize size = wanted;
        if (now != null && size != null) {
            now.device().target(size.atMost(now.maximum()).balloonWithin(now.maximum()).pages());
        }
    }

    /**
     * Looks which promises have come to their end.
     *
     * @param nowNs the time by this control's clock
     */
    public void check(long nowNs) {
        if (promise != null && promise.check(nowNs)) {
            promise = null;
        }
        if (!questions.isEmpty()) {
            questions.removeIf(question -> question.check(nowNs));
        }
    }

    /** Tells whether a promise waits for its end. */
    public boolean isWaiting() {
        return promise != null || !questions.isEmpty();
    }

    /**
     * Ends all that waits; what is asked from now on ends at once. Then the owner runs what was
     * brought to it until now, so that it ends too, and nothing any more.
     */
    public void close() {
        closed = true;
        if (promise != null) {
            promise.end(Reason.CLOSED);
            promise = null;
        }
        questions.forEach(question -> question.end(StatisticsOutcome.Reason.CLOSED));
        questions.clear();
    }
}
