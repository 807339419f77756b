package io.aerostat.vmm.monitor.client;

import io.aerostat.vmm.monitor.message.SocketPath;

import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.SocketTimeoutException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.time.Duration;

/** Lines over a Unix socket, with a deadline for each. One thread at a time. */
final class LineChannel implements AutoCloseable {
    /** A server that sends more without a line's end is not one of ours. */
    private static final int MAX_LINE_BYTES = 4 << 20;

    private static final int READ_BYTES = 8 << 10;

    private final SocketChannel channel;
    private final Selector selector;
    private final SelectionKey key;
    private final ByteBuffer received = ByteBuffer.allocate(READ_BYTES).limit(0);

    /** Connects. */
    LineChannel(Path socket) throws IOException {
        UnixDomainSocketAddress address = SocketPath.address(socket);
        channel = SocketChannel.open(StandardProtocolFamily.UNIX);
        try {
            channel.connect(address);
            channel.configureBlocking(false);
            selector = Selector.open();
            key = channel.register(selector, SelectionKey.OP_READ);
        } catch (IOException e) {
            channel.close();
            throw e;
        }
    }

    /** Sends bytes, of which a line's end is the last. */
    void send(byte[] line, long deadlineNs) throws IOException {
        ByteBuffer unsent = ByteBuffer.wrap(line);
        while (unsent.hasRemaining()) {
            if (channel.write(unsent) == 0) {
                await(SelectionKey.OP_WRITE, deadlineNs);
            }
        }
    }

    /**
     * The next line, without its end.
     *
     * @throws SocketTimeoutException if it does not come before the deadline
     * @throws EOFException if the server has closed the connection
     */
    byte[] receive(long deadlineNs) throws IOException {
        ByteArrayOutputStream line = new ByteArrayOutputStream();
        while (true) {
            while (received.hasRemaining()) {
                byte next = received.get();
                if (next == '\n') {
                    return line.toByteArray();
                }
                line.write(next);
            }
            if (line.size() > MAX_LINE_BYTES) {
                throw new IOException("a line of more than " + MAX_LINE_BYTES + " bytes");
            }
            fill(deadlineNs);
        }
    }

    private void fill(long deadlineNs) throws IOException {
        received.clear();
        int bytes = channel.read(received);
        received.flip();
        if (bytes < 0) {
            throw new EOFException("the connection was closed");
        }
        if (bytes == 0) {
            await(SelectionKey.OP_READ, deadlineNs);
        }
    }

    private void await(int operation, long deadlineNs) throws IOException {
        long leftMs = Duration.ofNanos(deadlineNs - System.nanoTime()).toMillis();
        if (leftMs <= 0) {
            throw new SocketTimeoutException("no answer before the deadline");
        }
        key.interestOps(operation);
        selector.select(leftMs);
        selector.selectedKeys().clear();
        if (Thread.currentThread().isInterrupted()) {
            throw new InterruptedIOException("interrupted");
        }
    }

    @Override
    public void close() throws IOException {
        selector.close();
        channel.close();
    }
}
