package io.aerostat.vmm.monitor;

import io.aerostat.vmm.monitor.message.SocketPath;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.FixedRecvByteBufAllocator;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerDomainSocketChannel;
import io.netty.util.concurrent.DefaultThreadFactory;

import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;

/**
 * The thread that all monitors of a process share: sockets, commands, events. One daemon thread,
 * which nothing that a client sends can end. Any thread may call.
 */
public final class MonitorLoop implements AutoCloseable {
    /** Of what is read at once: small, since nobody has much to say to a monitor. */
    private static final int READ_BYTES = 4 << 10;

    /** With so much waiting for a client, nothing is read from it. */
    private static final int PAUSE_BYTES = 128 << 10;

    private static final long CLOSE_SECONDS = 5;

    private final EventLoopGroup group;
    private final Queue<GuestMonitor> monitors = new ConcurrentLinkedQueue<>();
    private final Function<EventLoop, EventTimer> timer;

    /** Starts the thread. */
    public MonitorLoop() {
        this(LoopTimer::new);
    }

    /** With a time of its own for events, for tests. */
    MonitorLoop(Function<EventLoop, EventTimer> timer) {
        this.timer = timer;
        this.group =
                new MultiThreadIoEventLoopGroup(
                        1, new DefaultThreadFactory("monitor", true), NioIoHandler.newFactory());
    }

    /**
     * Opens a guest's monitor: a socket that its user alone may use. One that nobody listens to any
     * more is replaced.
     *
     * @param socket where; at most 106 bytes, in a folder that exists
     * @throws IOException if the socket cannot be there; the message says why
     */
    public GuestMonitor open(MonitoredGuest guest, Path socket) throws IOException {
        UnixDomainSocketAddress address = SocketPath.address(socket);
        SocketPath.makeRoom(socket);
        EventLoop loop = group.next();
        monitors.removeIf(GuestMonitor::isClosed);
        GuestMonitor monitor = new GuestMonitor(guest, socket, loop, timer.apply(loop));
        monitor.listen(bootstrap(monitor).bind(address));
        monitors.add(monitor);
        return monitor;
    }

    private ServerBootstrap bootstrap(GuestMonitor monitor) {
        return new ServerBootstrap()
                .group(group)
                .channel(NioServerDomainSocketChannel.class)
                .childHandler(monitor.connections())
                .childOption(ChannelOption.ALLOCATOR, new UnpooledByteBufAllocator(false))
                .childOption(
                        ChannelOption.RECVBUF_ALLOCATOR,
                        // One read a turn: the framing's buffer is trimmed after each.
                        new FixedRecvByteBufAllocator(READ_BYTES).maxMessagesPerRead(1))
                .childOption(
                        ChannelOption.WRITE_BUFFER_WATER_MARK,
                        new WriteBufferWaterMark(PAUSE_BYTES / 2, PAUSE_BYTES));
    }

    /** Closes all monitors and ends the thread. Not for that thread itself. */
    @Override
    public void close() {
        monitors.forEach(GuestMonitor::close);
        group.shutdownGracefully(0, CLOSE_SECONDS, TimeUnit.SECONDS)
                .awaitUninterruptibly(CLOSE_SECONDS, TimeUnit.SECONDS);
    }

    /** Real time. */
    private record LoopTimer(EventLoop loop) implements EventTimer {
        @Override
        public Instant now() {
            return Instant.now();
        }

        @Override
        public void after(Duration delay, Runnable action) {
            Future<?> _ = loop.schedule(action, delay.toNanos(), TimeUnit.NANOSECONDS);
        }
    }
}
