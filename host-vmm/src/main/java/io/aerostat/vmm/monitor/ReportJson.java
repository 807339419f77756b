package io.aerostat.vmm.monitor;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;

import io.aerostat.vmm.monitor.message.QmpJson;
import io.aerostat.vmm.vm.GuestSize;

import java.util.List;
import java.util.Optional;

/** A guest's report as JSON: sizes in bytes; what is not known is absent. */
final class ReportJson {
    private ReportJson() {}

    static ObjectNode of(MonitoredGuest guest) {
        GuestReport report = guest.report();
        ObjectNode json = QmpJson.object();
        json.put("name", guest.name());
        json.put("state", report.state().name());
        json.put("description", report.state().description());
        put(json, "maximum", report.maximum());
        put(json, "current", report.current());
        put(json, "target", report.target());
        json.put("ballooned", report.ballooned());
        report.resident().ifPresent(bytes -> json.put("resident", bytes));
        put(json.putArray("offered"), report.offered());
        put(json.putArray("features"), report.features());
        json.put("statistics-period", guest.statisticsPeriod().toSeconds());
        ObjectNode counters = json.putObject("counters");
        report.counters().forEach(counters::put);
        json.put("discard-calls", report.discardCalls());
        return json;
    }

    private static void put(ObjectNode json, String name, Optional<GuestSize> size) {
        size.ifPresent(known -> json.put(name, known.bytes()));
    }

    private static void put(ArrayNode json, List<String> texts) {
        texts.forEach(json::add);
    }
}
