package io.aerostat.bench.linux;

import com.fasterxml.jackson.core.JsonEncoding;
import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/** Raw results as JSON: every round, and percentiles of every kind of request. */
final class LinuxResults {
    private static final double[] PERCENTILES = {50, 90, 99, 99.9, 100};

    private LinuxResults() {}

    /**
     * Writes a file.
     *
     * @param kernel the guests' kernel
     */
    static void write(Path file, String kernel, List<Measurements> all) throws IOException {
        try (JsonGenerator json =
                new JsonFactory().createGenerator(file.toFile(), JsonEncoding.UTF8)) {
            json.useDefaultPrettyPrinter();
            json.writeStartObject();
            json.writeStringField("guestKernel", kernel);
            json.writeStringField("java", Runtime.version().toString());
            json.writeStringField("host", System.getProperty("os.version", "unknown"));
            json.writeNumberField("processors", Runtime.getRuntime().availableProcessors());
            json.writeArrayFieldStart("guests");
            for (Measurements measured : all) {
                write(json, measured);
            }
            json.writeEndArray();
            json.writeEndObject();
        }
    }

    private static void write(JsonGenerator json, Measurements measured) throws IOException {
        json.writeStartObject();
        json.writeStringField("backEnd", measured.backEnd());
        json.writeNumberField("guestBytes", measured.guestBytes());
        json.writeNumberField("balloonPages", measured.balloonPages());
        json.writeArrayFieldStart("rounds");
        for (Round round : measured.rounds()) {
            write(json, round);
        }
        json.writeEndArray();
        json.writeArrayFieldStart("latencies");
        for (NamedLatency named : NamedLatency.of(measured)) {
            write(json, named);
        }
        json.writeEndArray();
        json.writeEndObject();
    }

    private static void write(JsonGenerator json, Round round) throws IOException {
        Change change = round.change();
        json.writeStartObject();
        json.writeStringField("kind", round.kind().name());
        json.writeNumberField("elapsedNs", change.elapsedNs());
        json.writeNumberField("pages", change.pages());
        json.writeNumberField("requests", change.requests());
        json.writeNumberField("discardCalls", change.discardCalls());
        json.writeNumberField("releasedBytes", round.releasedBytes());
        if (change.device().isPresent()) {
            DeviceTime time = change.device().get();
            json.writeNumberField("deviceSpanNs", time.spanNs());
            json.writeNumberField("deviceBusyNs", time.busyNs());
            json.writeNumberField("deviceCpuNs", time.cpuNs());
        }
        json.writeEndObject();
    }

    private static void write(JsonGenerator json, NamedLatency named) throws IOException {
        json.writeStartObject();
        json.writeStringField("what", named.label());
        json.writeNumberField("count", named.latency().count());
        for (double percent : PERCENTILES) {
            String name = percent == 100 ? "max" : "p" + String.valueOf(percent).replace(".0", "");
            json.writeNumberField(name + "Ns", named.latency().ns(percent));
        }
        json.writeEndObject();
    }
}
