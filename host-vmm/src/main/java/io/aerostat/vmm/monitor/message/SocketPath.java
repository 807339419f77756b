package io.aerostat.vmm.monitor.message;

import java.io.IOException;
import java.net.ConnectException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;

/** Where a Unix socket may lie, and whether anybody listens there. */
public final class SocketPath {
    /** The JDK's limit; the kernel would take one more. */
    public static final int MAX_BYTES = 106;

    private SocketPath() {}

    /**
     * The address of a path.
     *
     * @throws IOException if the path is too long
     */
    public static UnixDomainSocketAddress address(Path path) throws IOException {
        int bytes = path.toString().getBytes(StandardCharsets.UTF_8).length;
        if (bytes > MAX_BYTES) {
            throw new IOException(
                    "a socket's path has at most "
                            + MAX_BYTES
                            + " bytes, this one "
                            + bytes
                            + ": "
                            + path);
        }
        return UnixDomainSocketAddress.of(path);
    }

    /** Tells whether a socket is there, or a link to one, to which nobody listens any more. */
    public static boolean isStale(Path path) {
        try (SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX)) {
            return !channel.connect(address(path));
        } catch (ConnectException e) {
            return true;
        } catch (IOException e) {
            // Not there, or not ours to ask: no reason to take it away.
            return false;
        }
    }

    /**
     * Makes room for a new socket: removes one that nobody listens to any more.
     *
     * @throws IOException if the path is too long, or somebody listens there, or another kind of
     *     file is there
     */
    public static void makeRoom(Path path) throws IOException {
        UnixDomainSocketAddress address = address(path);
        if (!Files.exists(path, LinkOption.NOFOLLOW_LINKS)) {
            return;
        }
        BasicFileAttributes attributes =
                Files.readAttributes(path, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
        if (!attributes.isOther()) {
            throw new IOException("a file that is no socket is there already: " + path);
        }
        if (!isStale(path)) {
            throw new IOException("somebody listens there already: " + address.getPath());
        }
        Files.delete(path);
    }
}
