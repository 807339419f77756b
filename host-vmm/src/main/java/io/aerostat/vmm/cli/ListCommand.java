package io.aerostat.vmm.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;

import io.aerostat.vmm.monitor.client.QmpClient;
import io.aerostat.vmm.monitor.message.QmpError;
import io.aerostat.vmm.monitor.message.QmpJson;
import io.aerostat.vmm.serve.RunDirectory;

import org.jspecify.annotations.Nullable;

import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;

/** {@code aerostat list}: the running guests, in virsh's table. */
@Command(name = "list", description = "Lists the running guests.", sortOptions = false)
final class ListCommand implements Callable<Integer> {
    @Spec private CommandSpec spec = CommandSpec.create();

    @Option(
            names = "--run-dir",
            paramLabel = "FOLDER",
            description =
                    "Where running guests are found. Default: $XDG_RUNTIME_DIR/aerostat, or without"
                            + " that variable aerostat-USER in the folder for temporary files.")
    private @Nullable Path runDir;

    @Option(names = "--json", description = "Print all that is known about each, as JSON.")
    private boolean json;

    @Override
    public Integer call() throws Exception {
        RunDirectory directory =
                runDir == null ? RunDirectory.standard(System.getenv()) : new RunDirectory(runDir);
        Map<String, DomainReport> reports = new LinkedHashMap<>();
        for (Map.Entry<String, Path> entry : directory.guests().entrySet()) {
            try (QmpClient client =
                    QmpClient.connect(entry.getValue(), GuestChoice.MONITOR_DEADLINE)) {
                reports.put(entry.getKey(), GuestChoice.report(client));
            } catch (IOException | QmpError e) {
                // One that ends just now, or hangs, must not hide the others.
                spec.commandLine()
                        .getErr()
                        .println("aerostat list: " + entry.getKey() + ": " + e.getMessage());
            }
        }
        PrintWriter out = spec.commandLine().getOut();
        if (json) {
            ArrayNode all = QmpJson.array();
            reports.values().forEach(report -> all.add(report.json()));
            out.println(new String(QmpJson.write(all), StandardCharsets.UTF_8));
        } else {
            table(reports).forEach(out::println);
        }
        return 0;
    }

    /** Ids only number the lines: no verb takes them. */
    private static List<String> table(Map<String, DomainReport> reports) {
        List<String[]> rows = new ArrayList<>();
        rows.add(new String[] {"Id", "Name", "State"});
        reports.forEach(
                (name, report) ->
                        rows.add(new String[] {String.valueOf(rows.size()), name, report.state()}));
        int[] widths = new int[3];
        for (String[] row : rows) {
            for (int column = 0; column < widths.length; column++) {
                widths[column] = Math.max(widths[column], row[column].length());
            }
        }
        List<String> lines = new ArrayList<>();
        for (String[] row : rows) {
            lines.add(
                    String.format(
                                    " %-" + widths[0] + "s   %-" + widths[1] + "s   %s",
                                    (Object[]) row)
                            .stripTrailing());
        }
        lines.add(1, "-".repeat(widths[0] + widths[1] + widths[2] + 9));
        return lines;
    }
}
