package io.aerostat.vmm.cli;

import com.fasterxml.jackson.core.JsonEncoding;
import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;

import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/** The demo's figures, in the order in which they were found. */
final class DemoFigures {
    private final Map<String, Object> values = new LinkedHashMap<>();

    void put(String key, long value) {
        values.put(key, value);
    }

    void put(String key, boolean value) {
        values.put(key, value);
    }

    void put(String key, String value) {
        values.put(key, value);
    }

    Object get(String key) {
        return values.getOrDefault(key, "unknown");
    }

    /** Writes them as one JSON object. */
    void writeTo(Path file) throws IOException {
        try (JsonGenerator json =
                new JsonFactory().createGenerator(file.toFile(), JsonEncoding.UTF8)) {
            json.useDefaultPrettyPrinter();
            json.writeStartObject();
            for (Map.Entry<String, Object> entry : values.entrySet()) {
                switch (entry.getValue()) {
                    case Long number -> json.writeNumberField(entry.getKey(), number);
                    case Boolean fact -> json.writeBooleanField(entry.getKey(), fact);
                    case Object text -> json.writeStringField(entry.getKey(), text.toString());
                }
            }
            json.writeEndObject();
        }
    }
}
