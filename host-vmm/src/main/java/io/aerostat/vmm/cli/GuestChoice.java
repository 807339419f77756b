package io.aerostat.vmm.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;

import io.aerostat.vmm.monitor.client.QmpClient;
import io.aerostat.vmm.monitor.message.AerostatCommands;
import io.aerostat.vmm.monitor.message.QmpError;
import io.aerostat.vmm.monitor.message.QmpJson;
import io.aerostat.vmm.serve.RunDirectory;

import org.jspecify.annotations.Nullable;

import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Set;

/** Which running guest a verb means: a name in a run directory, or a QMP socket. */
final class GuestChoice {
    /** For what a monitor answers by itself, without its guest. */
    static final Duration MONITOR_DEADLINE = Duration.ofSeconds(5);

    @Spec(Spec.Target.MIXEE)
    private CommandSpec spec = CommandSpec.create();

    @Option(
            names = "--run-dir",
            paramLabel = "FOLDER",
            description =
                    "Where running guests are found. Default: $XDG_RUNTIME_DIR/aerostat, or without"
                            + " that variable aerostat-USER in the folder for temporary files.")
    private @Nullable Path runDir;

    @Option(
            names = "--qmp",
            paramLabel = "PATH",
            description = "A guest's QMP socket, instead of its name.")
    private @Nullable Path qmp;

    /** The run directory that is meant. */
    RunDirectory runDirectory() {
        return runDir == null ? RunDirectory.standard(System.getenv()) : new RunDirectory(runDir);
    }

    /** Tells whether a socket was given, so that no name is wanted. */
    boolean isSocket() {
        return qmp != null;
    }

    /** Connects to the guest of this name, or at the socket that was given instead. */
    QmpClient connect(@Nullable String name) throws IOException, QmpError {
        if ((name == null) == (qmp == null)) {
            throw new ParameterException(
                    spec.commandLine(), "give either a guest's name or --qmp PATH");
        }
        if (qmp != null) {
            return connectTo(qmp);
        }
        RunDirectory directory = runDirectory();
        Path entry = directory.find(String.valueOf(name)).orElse(null);
        if (entry == null) {
            Set<String> running = directory.guests().keySet();
            throw new IOException(
                    "no such guest: "
                            + name
                            + (running.isEmpty()
                                    ? "; none runs in " + directory.folder()
                                    : "; running are " + String.join(", ", running)));
        }
        return connectTo(entry);
    }

    private static QmpClient connectTo(Path socket) throws IOException, QmpError {
        try {
            return QmpClient.connect(socket, MONITOR_DEADLINE);
        } catch (IOException e) {
            throw new IOException("cannot reach " + socket + ": " + e.getMessage(), e);
        }
    }

    /** What the host knows about the guest of this name, or at the socket. */
    DomainReport report(@Nullable String name) throws IOException, QmpError {
        try (QmpClient client = connect(name)) {
            return report(client);
        }
    }

    /** What the host knows about a guest. */
    static DomainReport report(QmpClient client) throws IOException, QmpError {
        return new DomainReport(ask(client, AerostatCommands.REPORT));
    }

    /** Runs a command without arguments that the monitor answers by itself. */
    static JsonNode ask(QmpClient client, String command) throws IOException, QmpError {
        ObjectNode none = QmpJson.object();
        return client.execute(command, none, MONITOR_DEADLINE);
    }
}
