package io.aerostat.vmm.monitor;

import io.aerostat.virtio.spec.balloon.StatTag;
import io.aerostat.vmm.vm.GuestSize;
import io.aerostat.vmm.vm.SetMemoryOutcome;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CountDownLatch;

/**
 * A monitor for clients that others have written: of a guest that gives what it is asked for, until
 * it is told to quit. {@code java ... MonitoredGuestMain SOCKET}
 */
public final class MonitoredGuestMain {
    private MonitoredGuestMain() {}

    /** Serves one guest at a socket. */
    public static void main(String[] arguments) throws IOException, InterruptedException {
        CountDownLatch end = new CountDownLatch(1);
        SteppedGuest guest = SteppedGuest.running("doubled", 0);
        guest.said(Duration.ofSeconds(2), Map.of(StatTag.MEMFREE, 123L << 20));
        guest.onQuit(end::countDown);
        try (MonitorLoop loop = new MonitorLoop();
                GuestMonitor monitor = loop.open(guest, Path.of(arguments[0]))) {
            System.out.println("listens at " + monitor.socket());
            Thread.ofPlatform().daemon().start(() -> obey(guest));
            end.await();
        }
    }

    private static void obey(SteppedGuest guest) {
        try {
            while (true) {
                SteppedGuest.SetMemoryCall call = guest.setMemoryCalls.take();
                guest.balloon(256 - Math.min(256, call.size().bytes() >> 20));
                GuestSize maximum = guest.report().maximum().orElseThrow();
                call.end()
                        .complete(new SetMemoryOutcome.Reached(call.size().balloonWithin(maximum)));
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
