package io.aerostat.vmm.monitor.message;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.core.json.JsonReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.cfg.JsonNodeFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;

import java.io.IOException;
import java.io.UncheckedIOException;

/**
 * JSON as QMP has it: strings may be in single quotes, a key stands once in an object, and numbers
 * come back as they went in. Safe for any thread.
 */
public final class QmpJson {
    /** How deep objects and arrays may lie in each other. */
    public static final int MAX_NESTING = 128;

    private static final JsonMapper MAPPER =
            JsonMapper.builder(
                            JsonFactory.builder()
                                    .streamReadConstraints(
                                            StreamReadConstraints.builder()
                                                    .maxNestingDepth(MAX_NESTING)
                                                    .build())
                                    .enable(JsonReadFeature.ALLOW_SINGLE_QUOTES)
                                    .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                                    // A peer's keys are not kept for longer than its message.
                                    .disable(JsonFactory.Feature.INTERN_FIELD_NAMES)
                                    .disable(JsonFactory.Feature.CANONICALIZE_FIELD_NAMES)
                                    .build())
                    .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
                    .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
                    .disable(JsonNodeFeature.STRIP_TRAILING_BIGDECIMAL_ZEROES)
                    .build();

    private QmpJson() {}

    /**
     * Reads one value.
     *
     * @param utf8 the whole text
     * @throws IOException if it is not JSON, or nested deeper than {@link #MAX_NESTING}; the
     *     message is one line
     */
    public static JsonNode read(byte[] utf8) throws IOException {
        try {
            JsonNode value = MAPPER.readTree(utf8);
            if (value.isMissingNode()) {
                throw new IOException("JSON parse error, expecting value");
            }
            return value;
        } catch (JsonProcessingException e) {
            String problem = String.valueOf(e.getOriginalMessage()).lines().findFirst().orElse("");
            throw new IOException("JSON parse error, " + problem, e);
        }
    }

    /** A value's text, in UTF-8 and without line breaks. */
    public static byte[] write(JsonNode value) {
        try {
            return MAPPER.writeValueAsBytes(value);
        } catch (JsonProcessingException e) {
            // A tree can always be written.
            throw new UncheckedIOException(e);
        }
    }

    /** An object without members. */
    public static ObjectNode object() {
        return MAPPER.createObjectNode();
    }

    /** An array without elements. */
    public static ArrayNode array() {
        return MAPPER.createArrayNode();
    }
}
