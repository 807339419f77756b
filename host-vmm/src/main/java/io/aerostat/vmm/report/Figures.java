package io.aerostat.vmm.report;

import com.fasterxml.jackson.core.JsonEncoding;
import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;

import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/** A story's figures, in the order in which they were found. */
public final class Figures {
    private final Map<String, Object> values = new LinkedHashMap<>();

    /** No figures yet. */
    public Figures() {}

    /** Adds a figure, or replaces it. */
    public void put(String key, long value) {
        values.put(key, value);
    }

    /** Adds a fact, or replaces it. */
    public void put(String key, boolean value) {
        values.put(key, value);
    }

    /** Adds a text, or replaces it. */
    public void put(String key, String value) {
        values.put(key, value);
    }

    /** Adds a group of figures, or replaces it. */
    public void put(String key, Map<String, Long> group) {
        values.put(key, new LinkedHashMap<>(group));
    }

    /** What a key stands for, or "unknown". */
    public Object get(String key) {
        return values.getOrDefault(key, "unknown");
    }

    /**
     * Writes them as one JSON object.
     *
     * @throws FileSystemException if that fails, with the file's name
     */
    public void writeTo(Path file) throws FileSystemException {
        try {
            write(file);
        } catch (IOException e) {
            throw new FileSystemException(file.toString(), null, e.getMessage());
        }
    }

    private void write(Path file) throws IOException {
        try (JsonGenerator json =
                new JsonFactory().createGenerator(file.toFile(), JsonEncoding.UTF8)) {
            json.useDefaultPrettyPrinter();
            json.writeStartObject();
            for (Map.Entry<String, Object> entry : values.entrySet()) {
                switch (entry.getValue()) {
                    case Long number -> json.writeNumberField(entry.getKey(), number);
                    case Boolean fact -> json.writeBooleanField(entry.getKey(), fact);
                    case Map<?, ?> group -> writeGroup(json, entry.getKey(), group);
                    case Object text -> json.writeStringField(entry.getKey(), text.toString());
                }
            }
            json.writeEndObject();
        }
    }

    private static void writeGroup(JsonGenerator json, String key, Map<?, ?> group)
            throws IOException {
        json.writeObjectFieldStart(key);
        for (Map.Entry<?, ?> entry : group.entrySet()) {
            json.writeNumberField(entry.getKey().toString(), (Long) entry.getValue());
        }
        json.writeEndObject();
    }
}
