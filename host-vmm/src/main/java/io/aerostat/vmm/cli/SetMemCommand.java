package io.aerostat.vmm.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;

import io.aerostat.vmm.monitor.client.QmpClient;
import io.aerostat.vmm.monitor.message.AerostatCommands;
import io.aerostat.vmm.monitor.message.OutcomeJson;
import io.aerostat.vmm.monitor.message.QmpError;
import io.aerostat.vmm.monitor.message.QmpJson;
import io.aerostat.vmm.report.OutcomeText;
import io.aerostat.vmm.report.SizeText;
import io.aerostat.vmm.vm.SetMemoryOutcome;

import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import picocli.CommandLine.TypeConversionException;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;

/** {@code aerostat setmem}: brings a running guest to a size. */
@Command(
        name = "setmem",
        description =
                "Asks a running guest to have SIZE from now on, and returns before it is done, as"
                        + " virsh does; or waits for it.",
        sortOptions = false)
final class SetMemCommand implements Callable<Integer> {
    private static final long DEFAULT_DEADLINE_S = 60;
    private static final long MAX_DEADLINE_S = 365L * 24 * 60 * 60;

    @Spec private CommandSpec spec = CommandSpec.create();

    @Mixin private GuestChoice guest = new GuestChoice();

    @Parameters(
            arity = "1..2",
            paramLabel = "[NAME] SIZE",
            hideParamSyntax = true,
            description =
                    "The guest, unless there is a --qmp; and its size without the balloon: KiB, or"
                            + " with a unit, such as 256MiB.")
    private List<String> words = new ArrayList<>();

    @Option(
            names = "--wait",
            description = "Wait until the guest has it; the exit code is 0 only if it has.")
    private boolean waits;

    @Option(
            names = "--deadline",
            paramLabel = "SECONDS",
            description = "With --wait: for how long at the most. Default: 60.")
    private long deadlineS = -1;

    @Override
    public Integer call() throws Exception {
        int wanted = guest.isSocket() ? 1 : 2;
        if (words.size() != wanted) {
            throw wrong(
                    guest.isSocket()
                            ? "with --qmp give a SIZE and no name"
                            : "give a guest's name and a SIZE");
        }
        long bytes = bytes(words.getLast());
        Duration deadline = deadline();
        try (QmpClient client = guest.connect(guest.isSocket() ? null : words.getFirst())) {
            return waits ? setAndWait(client, bytes, deadline) : set(client, bytes);
        }
    }

    private static int set(QmpClient client, long bytes) throws IOException, QmpError {
        ObjectNode arguments = QmpJson.object().put("value", bytes);
        client.execute("balloon", arguments, GuestChoice.MONITOR_DEADLINE);
        return 0;
    }

    private int setAndWait(QmpClient client, long bytes, Duration deadline)
            throws IOException, QmpError {
        ObjectNode arguments =
                QmpJson.object().put("size", bytes).put("deadline-ms", deadline.toMillis());
        JsonNode answer =
                client.execute(
                        AerostatCommands.SET_MEMORY,
                        arguments,
                        deadline.plus(GuestChoice.MONITOR_DEADLINE));
        SetMemoryOutcome outcome = OutcomeJson.read(answer);
        spec.commandLine().getOut().println("setmem: " + OutcomeText.of(outcome));
        return outcome instanceof SetMemoryOutcome.Reached ? 0 : 1;
    }

    private long bytes(String text) {
        try {
            long bytes = new SizeText().convert(text);
            if (bytes <= 0) {
                throw wrong("SIZE is " + text + "; allowed is more than 0");
            }
            return bytes;
        } catch (TypeConversionException e) {
            throw wrong(String.valueOf(e.getMessage()));
        }
    }

    private Duration deadline() {
        if (deadlineS == -1) {
            return Duration.ofSeconds(DEFAULT_DEADLINE_S);
        }
        if (!waits) {
            throw wrong("--deadline goes with --wait");
        }
        if (deadlineS < 0 || deadlineS > MAX_DEADLINE_S) {
            throw wrong(
                    "--deadline is " + deadlineS + "; allowed are 0 to " + MAX_DEADLINE_S + " s");
        }
        return Duration.ofSeconds(deadlineS);
    }

    private ParameterException wrong(String message) {
        return new ParameterException(spec.commandLine(), message);
    }
}
