package io.aerostat.vmm.cli;

import io.aerostat.vmm.monitor.GuestReport;
import io.aerostat.vmm.report.SizeText;
import io.aerostat.vmm.serve.FeatureNames;
import io.aerostat.vmm.serve.GuestEntry;
import io.aerostat.vmm.serve.GuestService;
import io.aerostat.vmm.serve.RunDirectory;
import io.aerostat.vmm.vhost.VhostUserOptions;
import io.aerostat.vmm.vm.GuestSize;

import org.jspecify.annotations.Nullable;

import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;

/** {@code aerostat serve}: the balloons of guests that run elsewhere, until it is ended. */
@Command(
        name = "serve",
        description =
                "Serves the balloons of guests that run elsewhere (User Mode Linux, QEMU) over"
                        + " vhost-user, each with a QMP socket, until it gets SIGINT or SIGTERM.",
        sortOptions = false)
final class ServeCommand implements Callable<Integer> {
    private static final String ONLY_GUEST = "guest";

    @Spec private CommandSpec spec = CommandSpec.create();

    @Option(
            names = "--guest",
            paramLabel = "name=NAME,socket=PATH[,qmp=PATH]",
            description =
                    "A guest: what users call it, where its front-end connects, where its QMP"
                            + " socket lies. May be given several times.")
    private List<String> guests = new ArrayList<>();

    @Option(
            names = "--socket",
            paramLabel = "PATH",
            description = "For one guest, called 'guest': where its front-end connects.")
    private @Nullable Path socket;

    @Option(
            names = "--qmp",
            paramLabel = "PATH",
            description = "With --socket: where its QMP socket lies.")
    private @Nullable Path qmp;

    @Option(
            names = "--run-dir",
            paramLabel = "FOLDER",
            description =
                    "Where QMP sockets lie and guests are found by name. Default:"
                            + " $XDG_RUNTIME_DIR/aerostat, or without that variable aerostat-USER"
                            + " in the folder for temporary files.")
    private @Nullable Path runDirectory;

    @Option(
            names = "--memory-floor",
            paramLabel = "SIZE",
            converter = SizeText.class,
            description = "The smallest size that a guest is asked for. Default: none.")
    private @Nullable Long floor;

    @Option(
            names = "--features",
            paramLabel = "LIST",
            description =
                    "What the balloons offer: must-tell-host, stats-vq, deflate-on-oom,"
                            + " free-page-hint, page-poison, free-page-reporting, or all, or none;"
                            + " with + or - before a name, a change to the default, which is all"
                            + " but deflate-on-oom.")
    private @Nullable String features;

    /** What was said last of each guest, so that it is said once. */
    private final Map<String, GuestReport.State> told = new ConcurrentHashMap<>();

    @Override
    public Integer call() throws Exception {
        PrintWriter out = spec.commandLine().getOut();
        RunDirectory directory =
                runDirectory == null
                        ? RunDirectory.standard(System.getenv())
                        : new RunDirectory(runDirectory);
        List<GuestEntry> entries = entries();
        // Where they all start is not worth a line.
        entries.forEach(entry -> told.put(entry.options().name(), GuestReport.State.WAITING));
        try (GuestService service = GuestService.start(entries, directory, this::tell)) {
            Thread ending = new Thread(service::close, "aerostat-end");
            Runtime.getRuntime().addShutdownHook(ending);
            Map<String, Path> monitors = service.monitors();
            for (GuestEntry entry : entries) {
                String name = entry.options().name();
                out.println(
                        "guest "
                                + name
                                + ": socket "
                                + entry.options().socket()
                                + ", qmp "
                                + monitors.get(name));
            }
            out.flush();
            service.awaitEnd();
        }
        return 0;
    }

    private void tell(String name, GuestReport report) {
        if (report.state() == told.put(name, report.state())) {
            return;
        }
        PrintWriter out = spec.commandLine().getOut();
        String memory =
                report.maximum().map(size -> ", RAM " + SizeText.of(size.bytes())).orElse("");
        String offer =
                report.features().isEmpty() ? "" : ", " + String.join(" ", report.features());
        out.println("guest " + name + ": " + report.state().description() + memory + offer);
        out.flush();
    }

    private List<GuestEntry> entries() {
        List<GuestEntry> entries = new ArrayList<>();
        if (socket != null) {
            entries.add(new GuestEntry(options(ONLY_GUEST, socket), qmp));
        } else if (qmp != null) {
            throw wrong("--qmp goes with --socket; with --guest it is qmp=PATH");
        }
        Set<String> names = new HashSet<>(entries.isEmpty() ? Set.of() : Set.of(ONLY_GUEST));
        for (String text : guests) {
            GuestEntry entry = entry(text);
            if (!names.add(entry.options().name())) {
                throw wrong("two guests are called '" + entry.options().name() + "'");
            }
            entries.add(entry);
        }
        long sockets = entries.stream().map(entry -> entry.options().socket()).distinct().count();
        if (sockets < entries.size()) {
            throw wrong("two guests have one socket; each needs its own");
        }
        if (entries.isEmpty()) {
            throw wrong("no guest: give --guest name=NAME,socket=PATH or --socket PATH");
        }
        return entries;
    }

    private GuestEntry entry(String text) {
        Map<String, String> values = new HashMap<>();
        for (String part : text.split(",", -1)) {
            int equals = part.indexOf('=');
            String key = equals < 0 ? part : part.substring(0, equals);
            boolean known = Set.of("name", "socket", "qmp").contains(key);
            if (equals < 0 || !known || values.put(key, part.substring(equals + 1)) != null) {
                throw wrong("--guest has '" + part + "'; allowed is name=, socket=, qmp= once");
            }
        }
        String name = values.get("name");
        String path = values.get("socket");
        if (name == null || name.isEmpty() || path == null || path.isEmpty()) {
            throw wrong("--guest needs name=NAME and socket=PATH: '" + text + "'");
        }
        String monitor = values.get("qmp");
        if (monitor != null && monitor.isEmpty()) {
            throw wrong("--guest has qmp= without a path: '" + text + "'");
        }
        return new GuestEntry(
                options(name, Path.of(path)), monitor == null ? null : Path.of(monitor));
    }

    private VhostUserOptions options(String name, Path path) {
        VhostUserOptions options = VhostUserOptions.of(name, path.toAbsolutePath());
        try {
            if (floor != null) {
                options = options.withFloor(GuestSize.roundedUp(Math.max(1, floor)));
            }
            return features == null ? options : options.withFeatures(FeatureNames.parse(features));
        } catch (IllegalArgumentException e) {
            throw wrong("--features: " + e.getMessage());
        }
    }

    private ParameterException wrong(String message) {
        return new ParameterException(spec.commandLine(), message);
    }
}
