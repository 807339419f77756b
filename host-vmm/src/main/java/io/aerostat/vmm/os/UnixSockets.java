package io.aerostat.vmm.os;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import io.aerostat.memory.os.Errno;
import io.aerostat.memory.os.OsException;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.charset.Charset;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.function.Consumer;

/**
 * Stream sockets between processes of this host, which carry file descriptors beside bytes:
 * unix(7).
 *
 * <p>All sockets made here are non-blocking and closed on execve; whoever gets a {@link Descriptor}
 * closes it. Any thread may call, but only one at a time for each socket and direction. Receiving
 * and sending allocate nothing but the descriptors that arrive. What the kernel refuses is an
 * {@link OsException}.
 */
public final class UnixSockets {
    /** Result of receive and send: nothing was done, since it would have had to wait. */
    public static final int WOULD_BLOCK = -1;

    /** Result of receive: the peer has closed, and all it sent has been read. */
    public static final int END = 0;

    /** Most descriptors that one call of receive takes. */
    public static final int MAX_DESCRIPTORS = 16;

    private static final int AF_UNIX = 1;
    private static final int SOCK_STREAM = 1;
    private static final int SOCK_NONBLOCK = 0x800;
    private static final int SOCK_CLOEXEC = 0x80000;

    private static final int MSG_DONTWAIT = 0x40;
    private static final int MSG_NOSIGNAL = 0x4000;
    private static final int MSG_CMSG_CLOEXEC = 0x40000000;

    private static final int FILE_TYPE_MASK = 0xF000;
    private static final int SOCKET_TYPE = 0xC000;

    private static final Descriptor[] NO_DESCRIPTORS = {};

    private UnixSockets() {}

    /**
     * Makes a listening socket.
     *
     * <p>A socket file that nobody listens on any more is replaced. A process that starts to listen
     * there at the same moment may lose its file by that; nothing in the file system could prevent
     * it.
     *
     * @param path where the socket file is made, 1 to 107 bytes; it stays when the socket is closed
     * @param backlog connections that may wait to be accepted, more than 0
     * @throws IllegalArgumentException if the path is empty or too long
     * @throws OsException EADDRINUSE if somebody listens there, or a file of another kind is there
     */
    public static Descriptor listen(Path path, int backlog) {
        byte[] name = nameOf(path);
        Descriptor socket = socket(SOCK_NONBLOCK);
        try {
            int bound = bind(socket, name);
            if (bound == -Errno.EADDRINUSE) {
                removeStale(path, name);
                bound = bind(socket, name);
            }
            check(bound, "bind", path);
            check(NativeCalls.listen(socket.number(), backlog), "listen", path);
            return socket;
        } catch (RuntimeException | Error e) {
            socket.close();
            throw e;
        }
    }

    /**
     * Takes the next connection.
     *
     * @return null if none is waiting
     */
    public static @Nullable Descriptor accept(Descriptor listener) {
        int flags = SOCK_NONBLOCK | SOCK_CLOEXEC;
        int result;
        do {
            result =
                    NativeCalls.accept4(
                            listener.number(), MemorySegment.NULL, MemorySegment.NULL, flags);
        } while (result == -Errno.EINTR);
        if (result == -Errno.EAGAIN || result == -Errno.ECONNABORTED) {
            return null;
        }
        if (result < 0) {
            throw new OsException("accept4", "listener=" + listener, -result);
        }
        return Descriptor.owning(result);
    }

    /**
     * Connects to a listening socket. May wait, if the listener's backlog is full.
     *
     * @param path of the socket file, 1 to 107 bytes
     * @throws IllegalArgumentException if the path is empty or too long
     * @throws OsException ENOENT if there is no such file, ECONNREFUSED if nobody listens there
     */
    public static Descriptor connect(Path path) {
        byte[] name = nameOf(path);
        Descriptor socket = socket(0);
        try {
            check(connect(socket, name), "connect", path);
            EventDescriptors.nonBlocking(socket);
            return socket;
        } catch (RuntimeException | Error e) {
            socket.close();
            throw e;
        }
    }

    /** Two sockets that are connected to each other. */
    public static Descriptor[] pair() {
        int type = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC;
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment two = arena.allocate(JAVA_INT, 2);
            int result = NativeCalls.socketpair(AF_UNIX, type, 0, two);
            if (result < 0) {
                throw new OsException("socketpair", "type=" + type, -result);
            }
            return new Descriptor[] {
                Descriptor.owning(two.getAtIndex(JAVA_INT, 0)),
                Descriptor.owning(two.getAtIndex(JAVA_INT, 1))
            };
        }
    }

    /**
     * Reads what has arrived, by one recvmsg(2); a few KiB at most. A connection that the peer
     * reset counts as ended.
     *
     * <p>If the peer sent more descriptors with these bytes than can be taken, or this process has
     * no free numbers for them, then the bytes are read, the descriptors that could be taken are
     * handed over, the kernel closes the others, and the call fails with EMSGSIZE: the connection
     * is no longer of use.
     *
     * @param into takes the bytes at its position, which moves on; room for 1 at least
     * @param descriptors is given every descriptor that came with the bytes, at most {@value
     *     #MAX_DESCRIPTORS}, in the peer's order, closed on execve, and owns them; it must not send
     *     or receive. If it throws, the rest is closed.
     * @return bytes read, {@link #END} or {@link #WOULD_BLOCK}
     * @throws OsException EMSGSIZE if descriptors were lost
     */
    public static int receive(
            Descriptor socket, ByteBuffer into, Consumer<Descriptor> descriptors) {
        requireBytes(into);
        SocketMessage message = SocketMessage.ofThread();
        message.expect(into.remaining(), MAX_DESCRIPTORS);
        int flags = MSG_CMSG_CLOEXEC | MSG_DONTWAIT;
        int result;
        do {
            result = (int) NativeCalls.recvmsg(socket.number(), message.header(), flags);
        } while (result == -Errno.EINTR);
        if (result == -Errno.EAGAIN) {
            return WOULD_BLOCK;
        }
        if (result == -Errno.ECONNRESET) {
            return END;
        }
        if (result < 0) {
            throw new OsException("recvmsg", "socket=" + socket, -result);
        }
        boolean truncated = message.isTruncated();
        message.copyTo(into, result);
        message.handOver(descriptors);
        if (truncated) {
            throw new OsException("recvmsg", "socket=" + socket, Errno.EMSGSIZE)
                    .withRemedy(
                            ("the peer sent more than " + MAX_DESCRIPTORS + " file descriptors")
                                    + " with a message, or this process may not open so many");
        }
        return result;
    }

    /**
     * Sends bytes without descriptors, otherwise like {@link #send(Descriptor, ByteBuffer,
     * Descriptor...)}.
     */
    public static int send(Descriptor socket, ByteBuffer from) {
        return send(socket, from, NO_DESCRIPTORS);
    }

    /**
     * Sends bytes, and descriptors with the first of them, by one sendmsg(2); a few KiB at most.
     * Never raises SIGPIPE. Whoever sends the rest of the bytes must not send the descriptors
     * again.
     *
     * @param from the bytes from its position, which moves on; 1 at least
     * @param descriptors at most 253; they stay the caller's, to be closed at any time
     * @return bytes sent, or {@link #WOULD_BLOCK}
     * @throws OsException EPIPE or ECONNRESET if the peer is gone
     */
    public static int send(Descriptor socket, ByteBuffer from, Descriptor... descriptors) {
        requireBytes(from);
        if (descriptors.length > SocketMessage.MAX_SENT_DESCRIPTORS) {
            throw new IllegalArgumentException(
                    "too many descriptors for a message: count=" + descriptors.length);
        }
        SocketMessage message = SocketMessage.ofThread();
        message.fill(from, descriptors);
        int flags = MSG_NOSIGNAL | MSG_DONTWAIT;
        int result;
        do {
            result = (int) NativeCalls.sendmsg(socket.number(), message.header(), flags);
        } while (result == -Errno.EINTR);
        if (result == -Errno.EAGAIN) {
            return WOULD_BLOCK;
        }
        if (result < 0) {
            String arguments = "socket=" + socket + ", descriptors=" + descriptors.length;
            throw new OsException("sendmsg", arguments, -result);
        }
        from.position(from.position() + result);
        return result;
    }

    // No bytes would mean: nothing read, which looks like the end; and descriptors do not travel.
    private static void requireBytes(ByteBuffer buffer) {
        if (!buffer.hasRemaining()) {
            throw new IllegalArgumentException("a buffer without bytes: buffer=" + buffer);
        }
    }

    private static Descriptor socket(int flags) {
        int type = SOCK_STREAM | SOCK_CLOEXEC | flags;
        int result = NativeCalls.socket(AF_UNIX, type, 0);
        if (result < 0) {
            throw new OsException("socket", "domain=" + AF_UNIX + ", type=" + type, -result);
        }
        return Descriptor.owning(result);
    }

    private static void check(int result, String call, Path path) {
        if (result < 0) {
            throw new OsException(call, "path=" + path, -result);
        }
    }

    /** The path as the kernel gets it. */
    private static byte[] nameOf(Path path) {
        byte[] name =
                path.toString()
                        .getBytes(Charset.forName(System.getProperty("sun.jnu.encoding", "UTF-8")));
        if (name.length == 0 || name.length > SocketAddressLayout.MAX_PATH_BYTES) {
            throw new IllegalArgumentException(
                    ("a socket's path has 1 to " + SocketAddressLayout.MAX_PATH_BYTES + " bytes")
                            + (": bytes=" + name.length + ", path=" + path));
        }
        return name;
    }

    private static int bind(Descriptor socket, byte[] name) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment address = addressOf(name, arena);
            return NativeCalls.bind(socket.number(), address, (int) address.byteSize());
        }
    }

    private static int connect(Descriptor socket, byte[] name) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment address = addressOf(name, arena);
            int result;
            do {
                result = NativeCalls.connect(socket.number(), address, (int) address.byteSize());
            } while (result == -Errno.EINTR);
            return result;
        }
    }

    private static MemorySegment addressOf(byte[] name, Arena arena) {
        MemorySegment address = arena.allocate(SocketAddressLayout.LENGTH, Long.BYTES);
        address.set(JAVA_SHORT, SocketAddressLayout.FAMILY_OFFSET, (short) AF_UNIX);
        MemorySegment.copy(
                name,
                0,
                address,
                ValueLayout.JAVA_BYTE,
                SocketAddressLayout.PATH_OFFSET,
                name.length);
        return address;
    }

    /** Removes a socket file that nobody listens on, and refuses every other. */
    private static void removeStale(Path path, byte[] name) {
        OsException taken = new OsException("bind", "path=" + path, Errno.EADDRINUSE);
        try {
            Object mode = Files.getAttribute(path, "unix:mode", LinkOption.NOFOLLOW_LINKS);
            if (((int) mode & FILE_TYPE_MASK) != SOCKET_TYPE) {
                throw taken.withRemedy("it is no socket: remove it or choose another path");
            }
            // Does not wait: where the backlog is full, somebody listens.
            try (Descriptor probe = socket(SOCK_NONBLOCK)) {
                if (connect(probe, name) != -Errno.ECONNREFUSED) {
                    throw taken.withRemedy(
                            "another process listens there: stop it or choose another path");
                }
            }
            Files.deleteIfExists(path);
        } catch (IOException e) {
            throw taken.withRemedy("what is there could not be replaced: " + e);
        }
    }
}
