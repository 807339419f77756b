package io.aerostat.vmm.monitor.message;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;

import io.aerostat.virtio.spec.balloon.PageFrame;
import io.aerostat.vmm.vm.BalloonSize;
import io.aerostat.vmm.vm.SetMemoryOutcome;
import io.aerostat.vmm.vm.SetMemoryOutcome.Partial;
import io.aerostat.vmm.vm.SetMemoryOutcome.Reached;
import io.aerostat.vmm.vm.SetMemoryOutcome.Reason;
import io.aerostat.vmm.vm.SetMemoryOutcome.Refused;
import io.aerostat.vmm.vm.SetMemoryOutcome.Stalled;
import io.aerostat.vmm.vm.SetMemoryOutcome.Superseded;

import java.io.IOException;
import java.util.Locale;

/**
 * How setMemory ended: {@code outcome} is REACHED, PARTIAL, STALLED, SUPERSEDED or REFUSED. {@code
 * balloon} (REACHED, PARTIAL) and {@code moved} (PARTIAL) are in bytes; {@code reason}, {@code
 * description} and {@code advice} are there unless all is well or a later call took over.
 */
public final class OutcomeJson {
    private OutcomeJson() {}

    /** An outcome as JSON. */
    public static ObjectNode of(SetMemoryOutcome outcome) {
        ObjectNode json = QmpJson.object();
        json.put("outcome", nameOf(outcome));
        switch (outcome) {
            case Reached reached -> json.put("balloon", reached.balloon().bytes());
            case Partial partial -> {
                json.put("balloon", partial.balloon().bytes()).put("moved", partial.movedBytes());
                putReason(json, partial.reason());
            }
            case Stalled stalled -> putReason(json, stalled.reason());
            case Refused refused -> putReason(json, refused.reason());
            case Superseded superseded -> {}
        }
        return json;
    }

    /** REACHED, PARTIAL, STALLED, SUPERSEDED or REFUSED. */
    public static String nameOf(SetMemoryOutcome outcome) {
        return outcome.getClass().getSimpleName().toUpperCase(Locale.ROOT);
    }

    /**
     * The outcome that JSON tells of.
     *
     * @throws IOException if it tells of none that is known
     */
    public static SetMemoryOutcome read(JsonNode json) throws IOException {
        try {
            return switch (json.path("outcome").asText()) {
                case "REACHED" -> new Reached(balloon(json));
                case "PARTIAL" ->
                        new Partial(balloon(json), json.path("moved").asLong(), reason(json));
                case "STALLED" -> new Stalled(reason(json));
                case "REFUSED" -> new Refused(reason(json));
                case "SUPERSEDED" -> new Superseded();
                default -> throw new IOException("not an outcome: " + json);
            };
        } catch (IllegalArgumentException e) {
            throw new IOException("not an outcome: " + json, e);
        }
    }

    private static void putReason(ObjectNode json, Reason reason) {
        json.put("reason", reason.name());
        json.put("description", reason.description());
        json.put("advice", reason.advice());
    }

    private static BalloonSize balloon(JsonNode json) {
        return new BalloonSize(json.path("balloon").asLong() >>> PageFrame.SHIFT);
    }

    private static Reason reason(JsonNode json) {
        return Reason.valueOf(json.path("reason").asText());
    }
}
