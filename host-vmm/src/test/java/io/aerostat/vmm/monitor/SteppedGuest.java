package io.aerostat.vmm.monitor;

import io.aerostat.balloon.stats.GuestStatistics;
import io.aerostat.virtio.spec.balloon.StatTag;
import io.aerostat.vmm.vm.BalloonSize;
import io.aerostat.vmm.vm.GuestSize;
import io.aerostat.vmm.vm.SetMemoryOutcome;
import io.aerostat.vmm.vm.StatisticsOutcome;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Queue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.atomic.AtomicInteger;

/** A guest that does what a test says, when it says so. Any thread. */
public final class SteppedGuest implements MonitoredGuest {
    /** A call of {@link #setMemory}. */
    public record SetMemoryCall(
            GuestSize size, Duration deadline, CompletableFuture<SetMemoryOutcome> end) {}

    public static final long MIB = 1L << 20;

    public final BlockingQueue<SetMemoryCall> setMemoryCalls = new LinkedBlockingQueue<>();
    public final Queue<CompletableFuture<StatisticsOutcome>> questions =
            new ConcurrentLinkedQueue<>();
    public final AtomicInteger quits = new AtomicInteger();

    private final String name;
    private volatile GuestReport report;
    private volatile Optional<GuestStatistics> latest = Optional.empty();
    private volatile Duration age = Duration.ZERO;
    private volatile Duration period = Duration.ZERO;
    private volatile Optional<SetMemoryOutcome> immediate = Optional.empty();
    private volatile boolean broken;
    private volatile Runnable balloonChange = () -> {};
    private volatile Runnable quitting = () -> {};

    /** Nobody has connected yet. */
    public SteppedGuest(String name) {
        this.name = name;
        this.report =
                new GuestReport(
                        GuestReport.State.WAITING,
                        Optional.empty(),
                        Optional.empty(),
                        Optional.empty(),
                        0,
                        OptionalLong.empty(),
                        List.of("stats-vq", "free-page-reporting"),
                        List.of(),
                        Map.of(),
                        0);
    }

    /** One of 256 MiB that runs, with so much in its balloon. */
    public static SteppedGuest running(String name, long balloonMib) {
        SteppedGuest guest = new SteppedGuest(name);
        guest.balloon(balloonMib);
        return guest;
    }

    /** Has so much in its balloon, and says so. */
    public void balloon(long mib) {
        GuestSize maximum = new GuestSize(256 * MIB);
        BalloonSize balloon = new BalloonSize((mib * MIB) >> 12);
        report =
                new GuestReport(
                        GuestReport.State.RUNNING,
                        Optional.of(maximum),
                        Optional.of(balloon.guestWithin(maximum)),
                        Optional.of(new GuestSize(64 * MIB)),
                        balloon.bytes(),
                        OptionalLong.of(100 * MIB),
                        List.of("stats-vq", "free-page-reporting"),
                        List.of("stats-vq"),
                        Map.of("PAGES_INFLATED", balloon.pages()),
                        7);
        balloonChange.run();
    }

    /** Has said this of its memory, some time ago. */
    public void said(Duration ago, Map<StatTag, Long> figures) {
        GuestStatistics.Builder builder = new GuestStatistics.Builder();
        figures.forEach((tag, value) -> builder.put(tag.tag(), value));
        latest = Optional.of(builder.build(0));
        age = ago;
    }

    /** Ends every setMemory at once from now on. */
    public void endsAtOnce(SetMemoryOutcome outcome) {
        immediate = Optional.of(outcome);
    }

    /** Does this, too, when it is told to quit. */
    public void onQuit(Runnable action) {
        quitting = action;
    }

    /** Throws from now on. */
    public void breaks() {
        broken = true;
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public GuestReport report() {
        if (broken) {
            throw new IllegalStateException("the guest was closed");
        }
        return report;
    }

    @Override
    public CompletableFuture<SetMemoryOutcome> setMemory(GuestSize size, Duration deadline) {
        CompletableFuture<SetMemoryOutcome> end = new CompletableFuture<>();
        immediate.ifPresent(end::complete);
        setMemoryCalls.add(new SetMemoryCall(size, deadline, end));
        return end;
    }

    @Override
    public CompletableFuture<StatisticsOutcome> statistics(Duration deadline) {
        CompletableFuture<StatisticsOutcome> end = new CompletableFuture<>();
        questions.add(end);
        return end;
    }

    @Override
    public Optional<GuestStatistics> latestStatistics() {
        return latest;
    }

    @Override
    public Optional<Duration> statisticsAge() {
        return latest.map(figures -> age);
    }

    @Override
    public Duration statisticsPeriod() {
        return period;
    }

    @Override
    public void statisticsPeriod(Duration period) {
        this.period = period;
    }

    @Override
    public void onBalloonChange(Runnable action) {
        balloonChange = action;
    }

    @Override
    public void quit() {
        quits.incrementAndGet();
        quitting.run();
    }
}
