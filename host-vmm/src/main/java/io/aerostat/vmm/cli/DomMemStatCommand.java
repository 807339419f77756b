package io.aerostat.vmm.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;

import io.aerostat.virtio.spec.balloon.StatTag;
import io.aerostat.virtio.spec.balloon.StatTag.Unit;
import io.aerostat.vmm.monitor.client.QmpClient;
import io.aerostat.vmm.monitor.message.AerostatCommands;
import io.aerostat.vmm.monitor.message.BalloonObject;
import io.aerostat.vmm.monitor.message.QmpError;
import io.aerostat.vmm.monitor.message.QmpJson;
import io.aerostat.vmm.monitor.message.StatisticsJson;

import org.jspecify.annotations.Nullable;

import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

import java.io.IOException;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.concurrent.Callable;

/** {@code aerostat dommemstat}: a running guest's word about its memory, by virsh's names. */
@Command(
        name = "dommemstat",
        description = {
            "Tells what a running guest said last of its memory, in KiB; events are counted.",
            "A figure that it did not supply is left out."
        },
        sortOptions = false)
final class DomMemStatCommand implements Callable<Integer> {
    private static final Duration GUEST_DEADLINE = Duration.ofSeconds(5);
    private static final long MAX_PERIOD_S = 0xFFFF_FFFFL;

    @Spec private CommandSpec spec = CommandSpec.create();

    @Mixin private GuestChoice guest = new GuestChoice();

    @Parameters(arity = "0..1", paramLabel = "NAME", description = "The guest.")
    private @Nullable String name;

    @Option(
            names = "--period",
            paramLabel = "SECONDS",
            description = "Have the guest asked so often from now on, 0 to stop; print nothing.")
    private @Nullable Long periodS;

    @Option(names = "--fresh", description = "Ask the guest now, and wait up to 5 s for it.")
    private boolean fresh;

    @Override
    public Integer call() throws Exception {
        Long period = periodS;
        if (period != null && (period < 0 || period > MAX_PERIOD_S)) {
            throw new ParameterException(
                    spec.commandLine(),
                    "--period is " + period + "; allowed are 0 to " + MAX_PERIOD_S + " s");
        }
        if (period != null && fresh) {
            throw new ParameterException(
                    spec.commandLine(), "--period and --fresh do not go together");
        }
        try (QmpClient client = guest.connect(name)) {
            if (period != null) {
                setPeriod(client, period);
            } else {
                print(GuestChoice.report(client), statistics(client));
            }
        }
        return 0;
    }

    private static void setPeriod(QmpClient client, long seconds) throws IOException, QmpError {
        ObjectNode arguments =
                QmpJson.object()
                        .put("path", BalloonObject.PATH)
                        .put("property", BalloonObject.PERIOD)
                        .put("value", seconds);
        client.execute("qom-set", arguments, GuestChoice.MONITOR_DEADLINE);
    }

    private JsonNode statistics(QmpClient client) throws IOException, QmpError {
        ObjectNode arguments = QmpJson.object();
        if (fresh) {
            arguments.put("deadline-ms", GUEST_DEADLINE.toMillis());
        }
        JsonNode answer =
                client.execute(
                        AerostatCommands.STATISTICS,
                        arguments,
                        GUEST_DEADLINE.plus(GuestChoice.MONITOR_DEADLINE));
        if (fresh && !answer.has("figures")) {
            throw new IOException(answer.path("description").asText());
        }
        return answer;
    }

    private void print(DomainReport report, JsonNode statistics) {
        PrintWriter out = spec.commandLine().getOut();
        report.current().ifPresent(size -> out.println("actual " + (size.bytes() >> 10)));
        JsonNode figures = statistics.path("figures");
        print(figures, "swap_in", StatTag.SWAP_IN);
        print(figures, "swap_out", StatTag.SWAP_OUT);
        print(figures, "major_fault", StatTag.MAJFLT);
        print(figures, "minor_fault", StatTag.MINFLT);
        print(figures, "unused", StatTag.MEMFREE);
        print(figures, "available", StatTag.MEMTOT);
        print(figures, "usable", StatTag.AVAIL);
        if (statistics.has("last-update")) {
            out.println("last_update " + statistics.path("last-update").asLong());
        }
        print(figures, "disk_caches", StatTag.CACHES);
        print(figures, "hugetlb_pgalloc", StatTag.HTLB_PGALLOC);
        print(figures, "hugetlb_pgfail", StatTag.HTLB_PGFAIL);
        report.resident().ifPresent(bytes -> out.println("rss " + (bytes >> 10)));
    }

    private void print(JsonNode figures, String virshName, StatTag tag) {
        JsonNode figure = figures.path(StatisticsJson.nameOf(tag));
        if (!figure.isMissingNode()) {
            // A guest may say anything: 64 bits without sign.
            long value = figure.bigIntegerValue().longValue();
            String shown = Long.toUnsignedString(tag.unit() == Unit.BYTES ? value >>> 10 : value);
            spec.commandLine().getOut().println(virshName + " " + shown);
        }
    }
}
