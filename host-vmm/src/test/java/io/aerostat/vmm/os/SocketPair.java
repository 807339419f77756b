package io.aerostat.vmm.os;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** Two connected sockets, and what the right one has received. */
final class SocketPair implements AutoCloseable {
    final Descriptor left;
    final Descriptor right;
    final ByteBuffer bytes = ByteBuffer.allocateDirect(64);
    final List<Descriptor> received = new ArrayList<>();

    SocketPair() {
        Descriptor[] two = UnixSockets.pair();
        left = two[0];
        right = two[1];
    }

    int send(String text, Descriptor... descriptors) {
        return UnixSockets.send(left, ascii(text), descriptors);
    }

    int receive() {
        return UnixSockets.receive(right, bytes, received::add);
    }

    /** What the right one has received so far. */
    String text() {
        return StandardCharsets.US_ASCII.decode(bytes.duplicate().flip()).toString();
    }

    static ByteBuffer ascii(String text) {
        byte[] ascii = text.getBytes(StandardCharsets.US_ASCII);
        return ByteBuffer.allocateDirect(ascii.length).put(ascii).flip();
    }

    @Override
    public void close() {
        left.close();
        right.close();
        received.forEach(Descriptor::close);
    }
}
