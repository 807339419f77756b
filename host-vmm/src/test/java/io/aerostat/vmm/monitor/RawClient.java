package io.aerostat.vmm.monitor;

import com.fasterxml.jackson.databind.JsonNode;

import io.aerostat.vmm.monitor.message.QmpJson;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/** Bytes to and from a monitor's socket, with no more understanding than that of lines. */
final class RawClient implements AutoCloseable {
    final SocketChannel channel;
    private final InputStream in;

    RawClient(Path socket) throws IOException {
        channel = SocketChannel.open(UnixDomainSocketAddress.of(socket));
        in = new BufferedInputStream(Channels.newInputStream(channel));
    }

    /** Has read the greeting and negotiated. */
    static RawClient negotiated(Path socket) throws IOException {
        RawClient client = new RawClient(socket);
        client.line();
        client.ask("{\"execute\": \"qmp_capabilities\"}");
        return client;
    }

    void send(String text) throws IOException {
        ByteBuffer bytes = ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8));
        while (bytes.hasRemaining()) {
            channel.write(bytes);
        }
    }

    /** The next line, or "" at the end of the connection. */
    String line() throws IOException {
        ByteArrayOutputStream line = new ByteArrayOutputStream();
        for (int next = in.read(); next >= 0; next = in.read()) {
            if (next == '\n') {
                return line.toString(StandardCharsets.UTF_8).stripTrailing();
            }
            line.write(next);
        }
        return "";
    }

    /** The next message. */
    JsonNode message() throws IOException {
        return QmpJson.read(line().getBytes(StandardCharsets.UTF_8));
    }

    /** The line that answers a request. */
    String ask(String request) throws IOException {
        send(request);
        return line();
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }
}
