package io.aerostat.vmm.monitor;

import com.fasterxml.jackson.databind.node.ObjectNode;

import io.aerostat.vmm.monitor.message.QmpJson;
import io.aerostat.vmm.vm.GuestSize;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.EventLoop;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.LinkedHashSet;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * One guest's monitor: its socket, the clients connected to it, and the events that they all get.
 * Opened by {@link MonitorLoop#open}. Any thread may call.
 */
public final class GuestMonitor implements AutoCloseable {
    /** Clients at once. */
    static final int MAX_CONNECTIONS = 16;

    private static final Logger LOGGER = System.getLogger(GuestMonitor.class.getName());

    private final MonitoredGuest guest;
    private final Path socket;
    private final EventLoop loop;
    private final EventTimer timer;
    private final GuestCommands commands;
    private final BalloonChangeEvents balloonChanges;
    private final AtomicBoolean changeIsOnItsWay = new AtomicBoolean();
    private final AtomicBoolean closed = new AtomicBoolean();

    /** On the event loop alone. */
    private final Set<QmpConnection> connections = new LinkedHashSet<>();

    private volatile @Nullable Channel server;

    GuestMonitor(MonitoredGuest guest, Path socket, EventLoop loop, EventTimer timer) {
        this.guest = guest;
        this.socket = socket;
        this.loop = loop;
        this.timer = timer;
        this.commands = new GuestCommands(guest, timer, () -> loop.execute(this::quit));
        this.balloonChanges =
                new BalloonChangeEvents(timer, () -> sizeOf(guest), this::sendBalloonChange);
    }

    /** Where it listens. */
    public Path socket() {
        return socket;
    }

    boolean isClosed() {
        return closed.get();
    }

    /** Ends its connections and removes the socket. A second close does nothing. */
    @Override
    public void close() {
        Channel listening = server;
        if (listening == null || closed.getAndSet(true)) {
            return;
        }
        // Netty takes the file away with the channel; a second try could hit somebody else's.
        ChannelFuture end = listening.close();
        if (loop.inEventLoop()) {
            end.addListener(ended -> closeConnections());
        } else {
            end.awaitUninterruptibly();
            loop.submit(this::closeConnections).awaitUninterruptibly();
        }
    }

    private void closeConnections() {
        Set.copyOf(connections).forEach(QmpConnection::close);
    }

    /** Waits for the bind; nobody but the user may connect from then on. */
    void listen(ChannelFuture bound) throws IOException {
        bound.awaitUninterruptibly();
        if (!bound.isSuccess()) {
            throw new IOException("cannot listen at " + socket, bound.cause());
        }
        server = bound.channel();
        try {
            // For a moment the umask alone keeps others out; a run directory does so by itself.
            Files.setPosixFilePermissions(socket, PosixFilePermissions.fromString("rw-------"));
        } catch (IOException | UnsupportedOperationException e) {
            close();
            throw new IOException("cannot keep others from " + socket, e);
        }
        guest.onBalloonChange(this::balloonMayHaveChanged);
    }

    /** What a new connection is given. */
    ChannelHandler connections() {
        return new ChannelInitializer<Channel>() {
            @Override
            protected void initChannel(Channel channel) {
                QmpConnection.start(channel, GuestMonitor.this, commands);
            }
        };
    }

    /** A client has come; false if there are too many. */
    boolean enter(QmpConnection connection) {
        return connections.size() < MAX_CONNECTIONS && connections.add(connection);
    }

    void leave(QmpConnection connection) {
        connections.remove(connection);
    }

    /** Runs on the guest's thread, perhaps for every page. */
    private void balloonMayHaveChanged() {
        if (closed.get() || changeIsOnItsWay.getAndSet(true)) {
            return;
        }
        try {
            loop.execute(
                    () -> {
                        // Before the look at the guest: a change from here on gets its own look.
                        changeIsOnItsWay.set(false);
                        balloonChanges.changed();
                    });
        } catch (RejectedExecutionException e) {
            LOGGER.log(Level.DEBUG, "a balloon changed after the monitors' end", e);
        }
    }

    private static OptionalLong sizeOf(MonitoredGuest guest) {
        return guest.report()
                .current()
                .map(GuestSize::bytes)
                .map(OptionalLong::of)
                .orElse(OptionalLong.empty());
    }

    private void sendBalloonChange(long actual) {
        send(GuestCommands.BALLOON_CHANGE, QmpJson.object().put("actual", actual));
    }

    /** Follows the answer to quit. */
    private void quit() {
        send(
                GuestCommands.SHUTDOWN,
                QmpJson.object().put("guest", false).put("reason", "host-qmp-quit"));
        guest.quit();
    }

    private void send(String name, ObjectNode data) {
        Instant now = timer.now();
        ObjectNode event = QmpJson.object();
        event.putObject("timestamp")
                .put("seconds", now.getEpochSecond())
                .put("microseconds", now.getNano() / 1_000);
        event.put("event", name);
        event.set("data", data);
        Set.copyOf(connections).forEach(connection -> connection.sendEvent(event));
    }
}
