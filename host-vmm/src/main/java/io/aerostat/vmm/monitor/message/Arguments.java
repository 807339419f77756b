package io.aerostat.vmm.monitor.message;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;

/**
 * A command's arguments, taken one after the other; then {@link #end} finds those that nobody
 * wanted. What is wrong with them is said in QEMU's words.
 */
public final class Arguments {
    private final Map<String, JsonNode> left = new LinkedHashMap<>();

    /** Arguments of which none is taken yet. */
    public Arguments(ObjectNode arguments) {
        arguments.properties().forEach(member -> left.put(member.getKey(), member.getValue()));
    }

    /** Takes a whole number of 64 bits with sign. */
    public long integer(String name) throws QmpError {
        return integerOf(name, any(name));
    }

    /** Takes a whole number of 64 bits with sign, if it is there. */
    public OptionalLong integerIfAny(String name) throws QmpError {
        JsonNode value = left.remove(name);
        return value == null ? OptionalLong.empty() : OptionalLong.of(integerOf(name, value));
    }

    /** Takes a text. */
    public String text(String name) throws QmpError {
        return textOf(name, any(name));
    }

    /** Takes a list of texts; an absent one is empty. */
    public List<String> texts(String name) throws QmpError {
        JsonNode value = left.remove(name);
        List<String> texts = new ArrayList<>();
        if (value != null) {
            if (!value.isArray()) {
                throw wrongType(name, "array");
            }
            for (JsonNode element : value) {
                texts.add(textOf(name + "[" + texts.size() + "]", element));
            }
        }
        return texts;
    }

    /** Takes a value of any type. */
    public JsonNode any(String name) throws QmpError {
        @Nullable JsonNode value = left.remove(name);
        if (value == null) {
            throw new QmpError("Parameter '" + name + "' is missing");
        }
        return value;
    }

    /** Says that these were all. */
    public void end() throws QmpError {
        for (String name : left.keySet()) {
            throw new QmpError("Parameter '" + name + "' is unexpected");
        }
    }

    /** The whole number of 64 bits with sign that a value is. */
    public static long integerOf(String name, JsonNode value) throws QmpError {
        if (!value.isIntegralNumber() || !value.canConvertToLong()) {
            throw wrongType(name, "integer");
        }
        return value.longValue();
    }

    private static String textOf(String name, JsonNode value) throws QmpError {
        if (!value.isTextual()) {
            throw wrongType(name, "string");
        }
        return value.textValue();
    }

    private static QmpError wrongType(String name, String expected) {
        return new QmpError("Invalid parameter type for '" + name + "', expected: " + expected);
    }
}
