package io.aerostat.vmm.cli;

import com.fasterxml.jackson.databind.JsonNode;

import io.aerostat.vmm.monitor.GuestReport;
import io.aerostat.vmm.report.DomainXml;
import io.aerostat.vmm.vm.GuestSize;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * A monitor's report of its guest.
 *
 * @param json as it came; sizes are in bytes
 */
record DomainReport(JsonNode json) {
    String name() {
        return json.path("name").asText();
    }

    /** In words. */
    String state() {
        return json.path("description").asText();
    }

    Optional<GuestSize> maximum() {
        return size("maximum");
    }

    Optional<GuestSize> current() {
        return size("current");
    }

    Optional<GuestSize> target() {
        return size("target");
    }

    long ballooned() {
        return json.path("ballooned").asLong();
    }

    OptionalLong resident() {
        return json.has("resident")
                ? OptionalLong.of(json.path("resident").asLong())
                : OptionalLong.empty();
    }

    List<String> features() {
        return texts("features");
    }

    long discardCalls() {
        return json.path("discard-calls").asLong();
    }

    DomainXml xml() {
        List<String> offered = texts("offered");
        return new DomainXml(
                name(),
                maximum(),
                current(),
                Optional.of(
                        new DomainXml.Memballoon(
                                offered.contains(GuestReport.DEFLATE_ON_OOM),
                                offered.contains(GuestReport.FREE_PAGE_REPORTING),
                                Duration.ofSeconds(json.path("statistics-period").asLong()))));
    }

    private Optional<GuestSize> size(String member) {
        return json.has(member)
                ? Optional.of(new GuestSize(json.path(member).asLong()))
                : Optional.empty();
    }

    private List<String> texts(String member) {
        List<String> texts = new ArrayList<>();
        json.path(member).forEach(text -> texts.add(text.asText()));
        return texts;
    }
}
