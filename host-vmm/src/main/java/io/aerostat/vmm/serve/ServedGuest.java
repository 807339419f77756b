package io.aerostat.vmm.serve;

import io.aerostat.balloon.BalloonDevice;
import io.aerostat.balloon.handler.BalloonCounter;
import io.aerostat.balloon.stats.GuestStatistics;
import io.aerostat.virtio.spec.balloon.PageFrame;
import io.aerostat.vmm.monitor.GuestReport;
import io.aerostat.vmm.monitor.MonitoredGuest;
import io.aerostat.vmm.vhost.VhostUserGuest;
import io.aerostat.vmm.vm.BalloonControl;
import io.aerostat.vmm.vm.BalloonSize;
import io.aerostat.vmm.vm.GuestSize;
import io.aerostat.vmm.vm.SetMemoryOutcome;
import io.aerostat.vmm.vm.StatisticsOutcome;

import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;

/** A guest served over vhost-user, as its monitor sees it. */
final class ServedGuest implements MonitoredGuest {
    private final VhostUserGuest guest;
    private final Runnable quit;

    /**
     * @param quit ends the service of this guest; returns at once
     */
    ServedGuest(VhostUserGuest guest, Runnable quit) {
        this.guest = guest;
        this.quit = quit;
    }

    @Override
    public String name() {
        return guest.options().name();
    }

    @Override
    public GuestReport report() {
        Optional<BalloonControl.Attached> balloon = guest.control().attached();
        GuestReport.State state = state();
        long offered = BalloonDevice.offeredFeatures(guest.options().balloon());
        long inForce =
                state == GuestReport.State.RUNNING
                        ? balloon.map(now -> now.device().negotiatedFeatures()).orElse(0L)
                        : 0;
        return new GuestReport(
                state,
                balloon.map(BalloonControl.Attached::maximum),
                balloon.map(ServedGuest::current),
                guest.control().wanted(),
                balloon.map(now -> now.device().ledgerPages()).orElse(0L) << PageFrame.SHIFT,
                guest.residentBytes(),
                FeatureNames.of(offered),
                FeatureNames.of(inForce),
                balloon.map(now -> counters(now.device())).orElse(Map.of()),
                guest.discardCalls());
    }

    private GuestReport.State state() {
        if (!guest.isConnected()) {
            return GuestReport.State.WAITING;
        }
        return switch (guest.driver()) {
            case ABSENT -> GuestReport.State.CONNECTED;
            case UP -> GuestReport.State.RUNNING;
            case BROKEN -> GuestReport.State.BROKEN;
        };
    }

    /** By the driver's word, as QEMU has it; but never nothing, whatever the word. */
    private static GuestSize current(BalloonControl.Attached now) {
        long pages = Math.min(now.device().actualPages(), now.maximum().pages() - 1);
        return new BalloonSize(pages).guestWithin(now.maximum());
    }

    private static Map<String, Long> counters(BalloonDevice device) {
        Map<String, Long> values = new LinkedHashMap<>();
        for (BalloonCounter counter : BalloonCounter.values()) {
            String name = counter.name().toLowerCase(Locale.ROOT).replace('_', '-');
            values.put(name, device.counters().get(counter));
        }
        return values;
    }

    @Override
    public CompletableFuture<SetMemoryOutcome> setMemory(GuestSize size, Duration deadline) {
        return guest.control().setMemory(size, deadline);
    }

    @Override
    public CompletableFuture<StatisticsOutcome> statistics(Duration deadline) {
        return guest.control().statistics(deadline);
    }

    @Override
    public Optional<GuestStatistics> latestStatistics() {
        return guest.control().latestStatistics();
    }

    @Override
    public Optional<Duration> statisticsAge() {
        return guest.control().statisticsAge();
    }

    @Override
    public Duration statisticsPeriod() {
        return guest.control().statisticsPeriod();
    }

    @Override
    public void statisticsPeriod(Duration period) {
        guest.control().statisticsPeriod(period);
    }

    @Override
    public void onBalloonChange(Runnable action) {
        guest.onChange(action);
    }

    @Override
    public void quit() {
        quit.run();
    }
}
