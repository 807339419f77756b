package io.aerostat.vmm.serve;

import io.aerostat.memory.os.OsException;
import io.aerostat.vmm.monitor.GuestMonitor;
import io.aerostat.vmm.monitor.GuestReport;
import io.aerostat.vmm.monitor.MonitorLoop;
import io.aerostat.vmm.vhost.VhostUserGuest;
import io.aerostat.vmm.vhost.VhostUserOptions;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.function.BiConsumer;

/**
 * Guests served by one process: for each a socket for its front-end, a thread, a monitor, and an
 * entry in the run directory. It ends when the last guest's service has ended, or by {@link
 * #close}. Any thread may call.
 */
public final class GuestService implements AutoCloseable {
    private static final Logger LOGGER = System.getLogger(GuestService.class.getName());

    private final RunDirectory directory;
    private final BiConsumer<String, GuestReport> news;
    private final MonitorLoop loop = new MonitorLoop();
    private final List<Service> services = new ArrayList<>();
    private final CountDownLatch ended;

    private GuestService(RunDirectory directory, BiConsumer<String, GuestReport> news, int guests) {
        this.directory = directory;
        this.news = news;
        this.ended = new CountDownLatch(guests);
    }

    /**
     * Starts to serve: all sockets listen when this returns.
     *
     * @param news hears of each guest by its name when it comes, goes, or moves pages; on the
     *     guest's thread, so it must be quick
     * @throws IOException if a socket or an entry cannot be made; nothing is served then
     */
    public static GuestService start(
            List<GuestEntry> guests, RunDirectory directory, BiConsumer<String, GuestReport> news)
            throws IOException {
        GuestService service = new GuestService(directory, news, guests.size());
        try {
            for (GuestEntry guest : guests) {
                service.add(guest);
            }
            return service;
        } catch (IOException | RuntimeException | Error e) {
            service.close();
            throw e;
        }
    }

    private void add(GuestEntry entry) throws IOException {
        Path socket = directory.enter(entry.options().name(), entry.monitor());
        Service service = new Service(entry.options().name());
        services.add(service);
        service.begin(entry.options(), socket);
    }

    /** Where the guests' monitors listen, by the guests' names in their order. */
    public Map<String, Path> monitors() {
        Map<String, Path> sockets = new LinkedHashMap<>();
        for (Service service : services) {
            if (service.monitor != null) {
                sockets.put(service.name, service.monitor.socket());
            }
        }
        return sockets;
    }

    /** Waits until no guest is served any more. */
    public void awaitEnd() throws InterruptedException {
        ended.await();
    }

    /** Ends the service of all guests, and removes sockets and entries. */
    @Override
    public void close() {
        services.forEach(Service::end);
        loop.close();
    }

    /** What one guest has. */
    private final class Service {
        private final String name;
        private @Nullable VhostUserGuest guest;
        private @Nullable GuestMonitor monitor;
        private boolean isEnded;

        Service(String name) {
            this.name = name;
        }

        /** A client may end it as soon as its monitor listens: it waits for this to end. */
        synchronized void begin(VhostUserOptions options, Path socket) throws IOException {
            try {
                guest = VhostUserGuest.serve(options);
            } catch (OsException e) {
                throw new IOException("guest " + name + ": " + e.getMessage(), e);
            }
            ServedGuest served = new ServedGuest(guest, this::endSoon);
            monitor = loop.open(served, socket);
            guest.onChange(() -> news.accept(name, served.report()));
        }

        /** Called by the monitor's thread, which must not wait. */
        void endSoon() {
            Thread.ofPlatform().daemon().name("aerostat-quit-" + name).start(this::end);
        }

        synchronized void end() {
            if (isEnded) {
                return;
            }
            isEnded = true;
            if (guest != null) {
                guest.close();
            }
            try {
                directory.leave(name);
            } catch (IOException e) {
                LOGGER.log(Level.WARNING, "guest " + name + ": its entry is left behind", e);
            }
            if (monitor != null) {
                monitor.close();
            }
            ended.countDown();
        }
    }
}
