package io.aerostat.vmm.monitor.message;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;

import org.jspecify.annotations.Nullable;

import java.util.Map;

/**
 * A request to run a command.
 *
 * @param command its name
 * @param arguments what it is given; empty if the request has none
 */
public record QmpRequest(String command, ObjectNode arguments) {
    /**
     * Makes a request of a message.
     *
     * @throws QmpError if it is none, in QEMU's words
     */
    public static QmpRequest of(JsonNode message) throws QmpError {
        if (!message.isObject()) {
            throw new QmpError("QMP input must be a JSON object");
        }
        String command = null;
        ObjectNode arguments = QmpJson.object();
        for (Map.Entry<String, JsonNode> member : message.properties()) {
            JsonNode value = member.getValue();
            switch (member.getKey()) {
                case "execute" -> command = text(value);
                case "arguments" -> arguments = object(value);
                case "id" -> {}
                default ->
                        throw new QmpError(
                                "QMP input member '" + member.getKey() + "' is unexpected");
            }
        }
        if (command == null) {
            throw new QmpError("QMP input lacks member 'execute'");
        }
        return new QmpRequest(command, arguments);
    }

    /** What the answer to a message has to repeat: any JSON value, or null if it has no id. */
    public static @Nullable JsonNode idOf(JsonNode message) {
        return message.get("id");
    }

    private static String text(JsonNode value) throws QmpError {
        if (!value.isTextual()) {
            throw new QmpError("QMP input member 'execute' must be a string");
        }
        return value.textValue();
    }

    private static ObjectNode object(JsonNode value) throws QmpError {
        if (value instanceof ObjectNode object) {
            return object;
        }
        throw new QmpError("QMP input member 'arguments' must be an object");
    }
}
