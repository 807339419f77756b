package io.aerostat.vmm.vhost;

import io.aerostat.balloon.BalloonDevice;
import io.aerostat.balloon.handler.BalloonCounter;
import io.aerostat.vmm.vm.BalloonControl;
import io.aerostat.vmm.vm.BalloonSize;
import io.aerostat.vmm.vm.GuestSize;
import io.aerostat.vmm.vm.SetMemoryOutcome;

import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/** A guest that is served on its own thread, and how a test looks at it from outside. */
final class ServedGuest implements AutoCloseable {
    /** For what must happen; a machine under load is slow. */
    static final Duration PATIENCE = Duration.ofSeconds(20);

    private static final long PAUSE_NS = 20_000;

    final Path socket;
    final VhostUserGuest guest;

    private ServedGuest(VhostUserOptions options) {
        socket = options.socket();
        guest = VhostUserGuest.serve(options);
    }

    /** A guest with every option as it comes. */
    static ServedGuest in(Path directory) {
        return in(directory, "guest");
    }

    /** One of several guests. */
    static ServedGuest in(Path directory, String name) {
        return of(VhostUserOptions.of(name, directory.resolve(name + ".sock")));
    }

    static ServedGuest of(VhostUserOptions options) {
        return new ServedGuest(options);
    }

    /** Waits for what another thread does. */
    static void await(BooleanSupplier condition, String what) {
        long startNs = System.nanoTime();
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() - startNs > PATIENCE.toNanos()) {
                throw new AssertionError("waited too long until " + what);
            }
            LockSupport.parkNanos(PAUSE_NS);
        }
    }

    static <T> T get(Future<T> future) {
        try {
            return future.get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
        } catch (InterruptedException | ExecutionException | TimeoutException e) {
            throw new AssertionError("no answer", e);
        }
    }

    /**
     * Lets the guest's thread come round: what was kicked or said before has been looked at, and
     * what it brought is done.
     */
    void settle() {
        for (int turn = 0; turn < 4; turn++) {
            get(control().ask(BalloonDevice::actualPages, 0L));
        }
    }

    BalloonControl control() {
        return guest.control();
    }

    BalloonDevice balloon() {
        return control().attached().orElseThrow().device();
    }

    /** Pages in the balloon, once all that was sent before has been served to its end. */
    long ledger() {
        settle();
        return balloon().ledgerPages();
    }

    /** What is counted, once all that was sent before has been served to its end. */
    long counter(BalloonCounter counter) {
        settle();
        return balloon().counters().get(counter);
    }

    /** What only a driver or front-end that is wrong brings about. */
    long anomalies() {
        settle();
        return balloon().counters().anomalies();
    }

    /** Asks for a balloon of so many pages. */
    CompletableFuture<SetMemoryOutcome> balloonOf(long pages) {
        return balloonOf(pages, PATIENCE);
    }

    CompletableFuture<SetMemoryOutcome> balloonOf(long pages, Duration deadline) {
        GuestSize maximum = control().attached().orElseThrow().maximum();
        return control().setMemory(new BalloonSize(pages).guestWithin(maximum), deadline);
    }

    /** Asks for a balloon of so many pages; returns when a driver can see it. */
    void target(long pages) {
        var _ = balloonOf(pages);
        await(() -> balloon().targetPages() == pages, "the target is shown: " + pages);
    }

    @Override
    public void close() {
        guest.close();
    }
}
