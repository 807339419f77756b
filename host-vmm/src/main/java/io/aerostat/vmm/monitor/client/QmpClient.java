package io.aerostat.vmm.monitor.client;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;

import io.aerostat.vmm.monitor.message.QmpError;
import io.aerostat.vmm.monitor.message.QmpErrorClass;
import io.aerostat.vmm.monitor.message.QmpJson;

import java.io.EOFException;
import java.io.IOException;
import java.net.SocketTimeoutException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Queue;

/**
 * A client of a QMP server, ours or QEMU's (which must not print prettily). It waits for answers,
 * but not beyond a deadline. One thread at a time.
 *
 * <p>After an {@link IOException}, a missed deadline among them, it can only be closed.
 */
public final class QmpClient implements AutoCloseable {
    /** Events that nobody asks for are not kept for ever. */
    private static final int MAX_EVENTS = 1_000;

    private final LineChannel lines;
    private final Queue<JsonNode> events = new ArrayDeque<>();
    private long lastId;

    private QmpClient(LineChannel lines) {
        this.lines = lines;
    }

    /**
     * Connects and negotiates; no capabilities are wanted.
     *
     * @throws IOException if nobody listens there, the path is too long, or the server is no QMP
     *     server or too slow
     * @throws QmpError if the server refuses
     */
    public static QmpClient connect(Path socket, Duration deadline) throws IOException, QmpError {
        LineChannel lines = new LineChannel(socket);
        try {
            long deadlineNs = deadlineNs(deadline);
            JsonNode greeting = QmpJson.read(lines.receive(deadlineNs));
            if (greeting.has("error")) {
                throw error(greeting);
            }
            if (!greeting.has("QMP")) {
                throw new IOException("this is no QMP server: " + socket);
            }
            QmpClient client = new QmpClient(lines);
            client.execute("qmp_capabilities", QmpJson.object(), deadline);
            return client;
        } catch (IOException | QmpError | RuntimeException e) {
            lines.close();
            throw e;
        }
    }

    /**
     * Runs a command.
     *
     * @param deadline for the answer, from now on
     * @return what it returns
     * @throws QmpError if it is answered with an error
     * @throws SocketTimeoutException if it is not answered before the deadline
     * @throws EOFException if the server has gone
     */
    public JsonNode execute(String command, ObjectNode arguments, Duration deadline)
            throws IOException, QmpError {
        long deadlineNs = deadlineNs(deadline);
        long id = ++lastId;
        ObjectNode request = QmpJson.object().put("execute", command);
        if (!arguments.isEmpty()) {
            request.set("arguments", arguments);
        }
        request.put("id", id);
        lines.send(withEnd(QmpJson.write(request)), deadlineNs);
        while (true) {
            JsonNode message = next(deadlineNs);
            if (message.path("id").asLong() != id) {
                continue;
            }
            if (message.has("error")) {
                throw error(message);
            }
            return message.path("return");
        }
    }

    /**
     * The next event, of those that have come and those to come.
     *
     * @throws SocketTimeoutException if none comes before the deadline
     */
    public JsonNode awaitEvent(Duration deadline) throws IOException {
        long deadlineNs = deadlineNs(deadline);
        while (events.isEmpty()) {
            next(deadlineNs);
        }
        return events.remove();
    }

    @Override
    public void close() throws IOException {
        lines.close();
    }

    private JsonNode next(long deadlineNs) throws IOException {
        JsonNode message = QmpJson.read(lines.receive(deadlineNs));
        if (message.has("event") && events.size() < MAX_EVENTS) {
            events.add(message);
        }
        return message;
    }

    private static QmpError error(JsonNode message) {
        JsonNode error = message.path("error");
        return new QmpError(
                QmpErrorClass.ofName(error.path("class").asText()), error.path("desc").asText());
    }

    private static byte[] withEnd(byte[] text) {
        byte[] line = Arrays.copyOf(text, text.length + 1);
        line[text.length] = '\n';
        return line;
    }

    private static long deadlineNs(Duration deadline) {
        return System.nanoTime() + deadline.toNanos();
    }
}
