package io.aerostat.vmm.monitor;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;

import io.aerostat.virtio.spec.balloon.PageFrame;
import io.aerostat.vmm.monitor.message.AerostatCommands;
import io.aerostat.vmm.monitor.message.Arguments;
import io.aerostat.vmm.monitor.message.OutcomeJson;
import io.aerostat.vmm.monitor.message.QmpError;
import io.aerostat.vmm.monitor.message.QmpErrorClass;
import io.aerostat.vmm.monitor.message.QmpJson;
import io.aerostat.vmm.monitor.message.StatisticsJson;
import io.aerostat.vmm.vm.GuestSize;
import io.aerostat.vmm.vm.SetMemoryOutcome;
import io.aerostat.vmm.vm.SetMemoryOutcome.Reason;
import io.aerostat.vmm.vm.SetMemoryOutcome.Refused;
import io.aerostat.vmm.vm.StatisticsOutcome;

import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;

/**
 * The commands of one guest's monitor, after negotiation. Those of QEMU answer at once and as QEMU
 * does; ours, in the name space that QMP reserves for others, may take as long as the guest does.
 * Used on the event loop alone.
 */
final class GuestCommands {
    static final String BALLOON_CHANGE = "BALLOON_CHANGE";
    static final String SHUTDOWN = "SHUTDOWN";

    /** Nobody waits for the end of the promise behind this command; the target outlives it. */
    private static final Duration BALLOON_DEADLINE = Duration.ofMinutes(1);

    private static final long DEFAULT_DEADLINE_MS = 30_000;
    private static final long MAX_DEADLINE_MS = Duration.ofDays(365).toMillis();
    private static final long MAX_SIZE = Long.MAX_VALUE & -PageFrame.BYTES;

    /** What a command does. The future may complete later, on any thread. */
    private interface Command {
        CompletableFuture<JsonNode> run(Arguments arguments) throws QmpError;
    }

    /** A command without arguments that is done when it returns. */
    private interface Question {
        JsonNode answer() throws QmpError;
    }

    private final MonitoredGuest guest;
    private final QomTree objects;
    private final Runnable shutDown;
    private final Map<String, Command> commands = new LinkedHashMap<>();

    /**
     * The commands of a guest.
     *
     * @param shutDown what follows the answer to quit; must return at once
     */
    GuestCommands(MonitoredGuest guest, EventTimer timer, Runnable shutDown) {
        this.guest = guest;
        this.objects = new QomTree(guest, timer);
        this.shutDown = shutDown;
        commands.put("qmp_capabilities", arguments -> negotiateAgain());
        ask("query-version", QmpGreeting::version);
        ask("query-status", this::status);
        ask("query-name", () -> QmpJson.object().put("name", guest.name()));
        ask("query-commands", () -> names(List.copyOf(commands.keySet())));
        ask("query-events", () -> names(List.of(BALLOON_CHANGE, SHUTDOWN)));
        ask("query-balloon", this::queryBalloon);
        commands.put("balloon", this::balloon);
        commands.put("qom-list", this::qomList);
        commands.put("qom-get", this::qomGet);
        commands.put("qom-set", this::qomSet);
        ask("quit", this::quit);
        ask(AerostatCommands.REPORT, () -> ReportJson.of(guest));
        commands.put(AerostatCommands.SET_MEMORY, this::setMemory);
        commands.put(AerostatCommands.STATISTICS, this::statistics);
    }

    /**
     * Runs a command.
     *
     * @return its answer, now or later, and then from any thread
     * @throws QmpError if there is no such command, its arguments are wrong, or it fails at once
     */
    CompletableFuture<JsonNode> run(String name, ObjectNode arguments) throws QmpError {
        Command command = commands.get(name);
        if (command == null) {
            throw new QmpError(
                    QmpErrorClass.COMMAND_NOT_FOUND, "The command " + name + " has not been found");
        }
        return command.run(new Arguments(arguments));
    }

    private void ask(String name, Question question) {
        commands.put(
                name,
                arguments -> {
                    arguments.end();
                    return now(question.answer());
                });
    }

    private static CompletableFuture<JsonNode> now(JsonNode answer) {
        return CompletableFuture.completedFuture(answer);
    }

    private static ArrayNode names(List<String> names) {
        ArrayNode list = QmpJson.array();
        names.forEach(name -> list.addObject().put("name", name));
        return list;
    }

    private static CompletableFuture<JsonNode> negotiateAgain() throws QmpError {
        throw new QmpError(
                QmpErrorClass.COMMAND_NOT_FOUND,
                "Capabilities negotiation is already complete, command ignored");
    }

    private JsonNode status() {
        boolean running = guest.report().state() != GuestReport.State.WAITING;
        return QmpJson.object()
                .put("status", running ? "running" : "prelaunch")
                .put("singlestep", false)
                .put("running", running);
    }

    private JsonNode queryBalloon() throws QmpError {
        GuestSize current = guest.report().current().orElse(null);
        if (current == null) {
            throw noBalloon();
        }
        return QmpJson.object().put("actual", current.bytes());
    }

    private static QmpError noBalloon() {
        return new QmpError(
                QmpErrorClass.DEVICE_NOT_ACTIVE, "No balloon device has been activated");
    }

    private CompletableFuture<JsonNode> balloon(Arguments arguments) throws QmpError {
        long value = arguments.integer("value");
        arguments.end();
        // QEMU's own name for it in this message.
        CompletableFuture<SetMemoryOutcome> promise =
                guest.setMemory(size("target", value), BALLOON_DEADLINE);
        if (promise.isDone() && promise.join() instanceof Refused refused) {
            throw refused.reason() == Reason.NO_DEVICE
                    ? noBalloon()
                    : new QmpError(
                            refused.reason().description() + "; " + refused.reason().advice());
        }
        return now(QmpJson.object());
    }

    private static GuestSize size(String name, long bytes) throws QmpError {
        if (bytes <= 0) {
            throw new QmpError("Parameter '" + name + "' expects a size");
        }
        return GuestSize.roundedUp(Math.min(bytes, MAX_SIZE));
    }

    private CompletableFuture<JsonNode> qomList(Arguments arguments) throws QmpError {
        String path = arguments.text("path");
        arguments.end();
        return now(objects.list(path));
    }

    private CompletableFuture<JsonNode> qomGet(Arguments arguments) throws QmpError {
        String path = arguments.text("path");
        String property = arguments.text("property");
        arguments.end();
        return now(objects.get(path, property));
    }

    private CompletableFuture<JsonNode> qomSet(Arguments arguments) throws QmpError {
        String path = arguments.text("path");
        String property = arguments.text("property");
        JsonNode value = arguments.any("value");
        arguments.end();
        objects.set(path, property, value);
        return now(QmpJson.object());
    }

    private JsonNode quit() {
        shutDown.run();
        return QmpJson.object();
    }

    private CompletableFuture<JsonNode> setMemory(Arguments arguments) throws QmpError {
        long size = arguments.integer("size");
        Duration deadline = deadline(arguments.integerIfAny("deadline-ms"));
        arguments.end();
        return guest.setMemory(size("size", size), deadline).thenApply(OutcomeJson::of);
    }

    private CompletableFuture<JsonNode> statistics(Arguments arguments) throws QmpError {
        OptionalLong deadlineMs = arguments.integerIfAny("deadline-ms");
        Duration deadline = deadline(deadlineMs);
        arguments.end();
        return deadlineMs.isEmpty()
                ? now(figures())
                : guest.statistics(deadline).thenApply(this::answered);
    }

    private JsonNode answered(StatisticsOutcome outcome) {
        return switch (outcome) {
            case StatisticsOutcome.Answered answered -> figures();
            case StatisticsOutcome.Unanswered unanswered ->
                    QmpJson.object()
                            .put("reason", unanswered.reason().name())
                            .put("description", unanswered.reason().description());
        };
    }

    private JsonNode figures() {
        ObjectNode json = QmpJson.object();
        guest.latestStatistics()
                .ifPresentOrElse(
                        latest -> {
                            json.set("figures", StatisticsJson.present(latest));
                            guest.statisticsAge()
                                    .ifPresent(age -> json.put("age-ms", age.toMillis()));
                            json.put("last-update", objects.lastUpdate());
                        },
                        () -> json.put("description", "the guest has supplied no statistics yet"));
        return json;
    }

    private static Duration deadline(OptionalLong milliseconds) throws QmpError {
        long deadlineMs = milliseconds.orElse(DEFAULT_DEADLINE_MS);
        if (deadlineMs < 0 || deadlineMs > MAX_DEADLINE_MS) {
            throw new QmpError(
                    "Parameter 'deadline-ms' expects a value of 0 to " + MAX_DEADLINE_MS);
        }
        return Duration.ofMillis(deadlineMs);
    }
}
