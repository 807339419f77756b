package io.aerostat.bench.linux;

import io.aerostat.balloon.BalloonDevice;
import io.aerostat.balloon.BalloonOptions;
import io.aerostat.balloon.handler.BalloonCounter;
import io.aerostat.balloon.handler.BalloonCounters;
import io.aerostat.virtio.spec.balloon.BalloonFeature;
import io.aerostat.vmm.vhost.VhostUserGuest;
import io.aerostat.vmm.vhost.VhostUserOptions;
import io.aerostat.vmm.vm.BalloonControl;
import io.aerostat.vmm.vm.BalloonSize;
import io.aerostat.vmm.vm.GuestSize;
import io.aerostat.vmm.vm.SetMemoryOutcome;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;

/** Ours, in this process. */
final class OwnBackEnd implements BackEnd {
    static final String LABEL = "aerostat";

    private static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();
    private static final Duration DEADLINE = Duration.ofNanos(Latency.LONGEST_NS);

    private final RequestClock clock = new RequestClock(System::nanoTime);
    private final VhostUserGuest guest;
    private final BalloonControl control;

    /** What the device has counted, and its thread's time. */
    private record Count(long requests, long pages, long cpuNs) {}

    OwnBackEnd(Path socket) {
        // Reporting would take free pages away before they are dirty in the balloon.
        long features = BalloonOptions.DEFAULT.features() & ~BalloonFeature.PAGE_REPORTING;
        guest =
                VhostUserGuest.serve(
                        VhostUserOptions.of("bench", socket).withFeatures(features), clock);
        control = guest.control();
    }

    @Override
    public String label() {
        return LABEL;
    }

    @Override
    public Path socket() {
        return guest.options().socket();
    }

    @Override
    public Change change(long pages, int ring, RequestTimes times)
            throws IOException, InterruptedException {
        GuestSize size =
                new BalloonSize(pages)
                        .guestWithin(
                                control.attached()
                                        .orElseThrow(() -> new IOException("no guest is there"))
                                        .maximum());
        Count before =
                ask(
                        device -> {
                            clock.start(ring, times);
                            return count(device);
                        });
        long callsBefore = guest.discardCalls();
        long startNs = System.nanoTime();
        SetMemoryOutcome outcome = await(control.setMemory(size, DEADLINE));
        long elapsedNs = System.nanoTime() - startNs;
        if (!(outcome instanceof SetMemoryOutcome.Reached)) {
            throw new IOException("the guest did not follow: outcome=" + outcome);
        }
        Count after = ask(OwnBackEnd::count);
        DeviceTime time = ask(device -> clock.stop(after.cpuNs() - before.cpuNs()));
        return new Change(
                elapsedNs,
                after.requests() - before.requests(),
                after.pages() - before.pages(),
                guest.discardCalls() - callsBefore,
                Optional.of(time));
    }

    /** On the guest's thread. */
    private static Count count(BalloonDevice device) {
        BalloonCounters counters = device.counters();
        return new Count(
                counters.get(BalloonCounter.INFLATE_REQUESTS)
                        + counters.get(BalloonCounter.DEFLATE_REQUESTS),
                counters.get(BalloonCounter.PAGES_INFLATED)
                        + counters.get(BalloonCounter.PAGES_DEFLATED),
                THREADS.getCurrentThreadCpuTime());
    }

    private <T> T ask(Function<BalloonDevice, T> question)
            throws IOException, InterruptedException {
        return await(
                        control.ask(
                                device -> Optional.of(question.apply(device)), Optional.<T>empty()))
                .orElseThrow(() -> new IOException("the guest is gone"));
    }

    private static <T> T await(CompletableFuture<T> future)
            throws IOException, InterruptedException {
        try {
            return future.get(2 * Latency.LONGEST_NS, TimeUnit.NANOSECONDS);
        } catch (ExecutionException | TimeoutException e) {
            throw new IOException("the back-end did not answer", e);
        }
    }

    @Override
    public void close() {
        guest.close();
    }
}
