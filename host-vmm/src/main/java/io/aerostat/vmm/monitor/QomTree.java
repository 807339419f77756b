package io.aerostat.vmm.monitor;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.LongNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;

import io.aerostat.vmm.monitor.message.Arguments;
import io.aerostat.vmm.monitor.message.BalloonObject;
import io.aerostat.vmm.monitor.message.QmpError;
import io.aerostat.vmm.monitor.message.QmpErrorClass;
import io.aerostat.vmm.monitor.message.QmpJson;
import io.aerostat.vmm.monitor.message.StatisticsJson;

import org.jspecify.annotations.Nullable;

import java.time.Duration;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import java.util.stream.Collectors;

/**
 * QEMU's tree of objects, as far as clients need it to find a guest's balloon and its statistics:
 *
 * <pre>
 * /machine                       none-machine
 *   peripheral                   container
 *     balloon0                   virtio-balloon-pci: guest-stats, guest-stats-polling-interval
 *   peripheral-anon              container
 * </pre>
 */
final class QomTree {
    private static final long MAX_PERIOD = 0xFFFF_FFFFL;
    private static final String TYPE = "type";

    /** One that is set takes any JSON value and says what is wrong with it. */
    private interface Setter {
        void set(JsonNode value) throws QmpError;
    }

    private record Property(String type, Supplier<JsonNode> value, @Nullable Setter setter) {
        Property(String type, Supplier<JsonNode> value) {
            this(type, value, null);
        }
    }

    private record Node(String type, Map<String, Property> properties) {}

    private final MonitoredGuest guest;
    private final EventTimer timer;
    private final Map<String, Node> nodes = new LinkedHashMap<>();

    QomTree(MonitoredGuest guest, EventTimer timer) {
        this.guest = guest;
        this.timer = timer;
        add("", "container");
        add("/machine", "none-machine");
        add("/machine/peripheral", "container");
        add("/machine/peripheral-anon", "container");
        Map<String, Property> balloon = add(BalloonObject.PATH, "virtio-balloon-pci");
        balloon.put(BalloonObject.STATISTICS, new Property("guest statistics", this::statistics));
        balloon.put(
                BalloonObject.PERIOD,
                new Property(
                        "int",
                        () -> LongNode.valueOf(guest.statisticsPeriod().toSeconds()),
                        this::period));
    }

    /** The properties of an object, each with its type. */
    ArrayNode list(String path) throws QmpError {
        ArrayNode list = QmpJson.array();
        node(path)
                .properties
                .forEach(
                        (name, property) ->
                                list.addObject().put("name", name).put(TYPE, property.type));
        return list;
    }

    /** A property's value. */
    JsonNode get(String path, String property) throws QmpError {
        return property(path, property).value.get();
    }

    /** Sets a property. */
    void set(String path, String name, JsonNode value) throws QmpError {
        Setter setter = property(path, name).setter;
        if (setter == null) {
            throw new QmpError("Property '" + node(path).type + "." + name + "' is not writable");
        }
        setter.set(value);
    }

    private Map<String, Property> add(String path, String type) {
        Map<String, Property> properties = new LinkedHashMap<>();
        properties.put(TYPE, new Property("string", () -> TextNode.valueOf(type)));
        nodes.put(path, new Node(type, properties));
        int slash = path.lastIndexOf('/');
        Node parent = slash < 0 ? null : nodes.get(path.substring(0, slash));
        if (parent != null) {
            parent.properties.put(
                    path.substring(slash + 1),
                    new Property("child<" + type + ">", () -> TextNode.valueOf(path)));
        }
        return properties;
    }

    private Property property(String path, String name) throws QmpError {
        Node node = node(path);
        Property property = node.properties.get(name);
        if (property == null) {
            throw new QmpError("Property '" + node.type + "." + name + "' not found");
        }
        return property;
    }

    /** A path without a slash in front is the end of one, as in QEMU. */
    private Node node(String path) throws QmpError {
        String parts =
                Arrays.stream(path.split("/", -1))
                        .filter(part -> !part.isEmpty())
                        .map(part -> "/" + part)
                        .collect(Collectors.joining());
        boolean absolute = path.startsWith("/");
        List<Node> found =
                nodes.entrySet().stream()
                        .filter(
                                entry ->
                                        absolute
                                                ? entry.getKey().equals(parts)
                                                : entry.getKey().endsWith(parts))
                        .map(Map.Entry::getValue)
                        .toList();
        if (found.size() != 1) {
            throw new QmpError(QmpErrorClass.DEVICE_NOT_FOUND, "Device '" + path + "' not found");
        }
        return found.getFirst();
    }

    private JsonNode statistics() {
        ObjectNode json = QmpJson.object();
        json.set("stats", StatisticsJson.all(guest.latestStatistics()));
        json.put("last-update", lastUpdate());
        return json;
    }

    /** Seconds since 1970, or 0 if the guest has said nothing. */
    long lastUpdate() {
        return guest.statisticsAge().map(age -> timer.now().minus(age).getEpochSecond()).orElse(0L);
    }

    private void period(JsonNode value) throws QmpError {
        long seconds = Arguments.integerOf(BalloonObject.PERIOD, value);
        if (seconds < 0) {
            throw new QmpError("timer value must be greater than zero");
        }
        if (seconds > MAX_PERIOD) {
            throw new QmpError("timer value is too big");
        }
        guest.statisticsPeriod(Duration.ofSeconds(seconds));
    }
}
