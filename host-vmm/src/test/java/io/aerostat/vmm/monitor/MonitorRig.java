package io.aerostat.vmm.monitor;

import io.netty.channel.EventLoop;
import io.netty.util.ResourceLeakDetector;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicReference;

/** A monitor of a guest that a test steps, in a time that it steps too. */
final class MonitorRig implements AutoCloseable {
    final SteppedGuest guest;
    final Path socket;
    final GuestMonitor monitor;
    private final SteppedTimer timer = new SteppedTimer();
    private final AtomicReference<EventLoop> thread = new AtomicReference<>();
    private final MonitorLoop loop;

    MonitorRig(Path folder, SteppedGuest guest) throws IOException {
        ResourceLeakDetector.setLevel(ResourceLeakDetector.Level.PARANOID);
        this.guest = guest;
        this.socket = folder.resolve("guest.qmp");
        this.loop =
                new MonitorLoop(
                        eventLoop -> {
                            thread.set(eventLoop);
                            return timer;
                        });
        this.monitor = loop.open(guest, socket);
    }

    RawClient client() throws IOException {
        return RawClient.negotiated(socket);
    }

    /** Lets time pass on the monitor's thread; what was posted to it before is done then. */
    void advance(Duration time) {
        try {
            thread.get().submit(() -> timer.advance(time)).get();
        } catch (InterruptedException | ExecutionException e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    public void close() {
        monitor.close();
        loop.close();
    }
}
