package io.aerostat.vmm.monitor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;

import io.aerostat.virtio.spec.balloon.StatTag;
import io.aerostat.vmm.vm.BalloonSize;
import io.aerostat.vmm.vm.GuestSize;
import io.aerostat.vmm.vm.SetMemoryOutcome;
import io.aerostat.vmm.vm.SetMemoryOutcome.Reason;
import io.aerostat.vmm.vm.StatisticsOutcome;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.stream.Collectors;

/** Every command, by what goes over the socket and what the guest is asked. */
@Timeout(60)
final class QmpCommandsTest {
    private static final String BALLOON = "'path':'/machine/peripheral/balloon0','property':";

    @TempDir private Path folder;
    private final SteppedGuest guest = SteppedGuest.running("one", 0);
    private MonitorRig rig;
    private RawClient client;

    @BeforeEach
    void open() throws IOException {
        rig = new MonitorRig(folder, guest);
        client = rig.client();
    }

    @AfterEach
    void close() throws IOException {
        client.close();
        rig.close();
    }

    private String ask(String command, String arguments) throws IOException {
        return client.ask("{'execute':'" + command + "','arguments':{" + arguments + "}}");
    }

    private JsonNode result(String command, String arguments) throws IOException {
        client.send("{'execute':'" + command + "','arguments':{" + arguments + "}}");
        JsonNode message = client.message();
        assertTrue(message.has("return"), message.toString());
        return message.path("return");
    }

    private static String error(String errorClass, String description) {
        return "{\"error\":{\"class\":\"" + errorClass + "\",\"desc\":\"" + description + "\"}}";
    }

    @Test
    void tellsVersionNameStatusCommandsAndEvents() throws IOException {
        assertEquals(8, result("query-version", "").path("qemu").path("major").asInt());
        assertEquals("{\"name\":\"one\"}", result("query-name", "").toString());
        assertEquals(
                "{\"status\":\"running\",\"singlestep\":false,\"running\":true}",
                result("query-status", "").toString());
        assertEquals(
                "[{\"name\":\"BALLOON_CHANGE\"},{\"name\":\"SHUTDOWN\"}]",
                result("query-events", "").toString());
        JsonNode commands = result("query-commands", "");
        for (String name :
                new String[] {
                    "qmp_capabilities",
                    "query-version",
                    "query-status",
                    "query-name",
                    "query-commands",
                    "query-events",
                    "balloon",
                    "query-balloon",
                    "qom-list",
                    "qom-get",
                    "qom-set",
                    "quit",
                    "__io.aerostat_set-memory",
                    "__io.aerostat_statistics",
                    "__io.aerostat_report"
                }) {
            assertTrue(commands.toString().contains("{\"name\":\"" + name + "\"}"), name);
        }
        assertEquals(15, commands.size());
    }

    @Test
    void tellsTheGuestsSizeWithoutItsBalloon() throws IOException {
        guest.balloon(64);
        // The event that follows is for another test.
        client.line();

        assertEquals("{\"actual\":201326592}", result("query-balloon", "").toString());
    }

    @Test
    void hasNoBalloonBeforeThereIsAGuest() throws IOException {
        try (MonitorRig waiting = new MonitorRig(another(), new SteppedGuest("two"));
                RawClient early = waiting.client()) {
            assertEquals(
                    error("DeviceNotActive", "No balloon device has been activated"),
                    early.ask("{'execute':'query-balloon'}"));
            assertEquals(
                    "{\"return\":{\"status\":\"prelaunch\",\"singlestep\":false,"
                            + "\"running\":false}}",
                    early.ask("{'execute':'query-status'}"));
            assertEquals(
                    "{\"return\":{}}",
                    early.ask("{'execute':'balloon','arguments':{'value':4096}}"));
            assertEquals(1, waiting.guest.setMemoryCalls.size());
        }
    }

    private Path another() throws IOException {
        return Files.createDirectory(folder.resolve("2"));
    }

    @ParameterizedTest
    @CsvSource({
        "1, 4096",
        "4096, 4096",
        "134217728, 134217728",
        "134217729, 134221824",
        "9223372036854775807, 9223372036854771712"
    })
    void asksTheGuestForASizeAndAnswersAtOnce(long value, long expected) throws IOException {
        assertEquals("{\"return\":{}}", ask("balloon", "'value':" + value));

        SteppedGuest.SetMemoryCall call = guest.setMemoryCalls.remove();
        assertEquals(new GuestSize(expected), call.size());
        assertTrue(!call.end().isDone());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "''                    | Parameter 'value' is missing",
                "'value':0             | Parameter 'target' expects a size",
                "'value':-4096         | Parameter 'target' expects a size",
                "'value':'1'           | Invalid parameter type for 'value', expected: integer",
                "'value':1.0           | Invalid parameter type for 'value', expected: integer",
                "'value':null          | Invalid parameter type for 'value', expected: integer",
                "'value':9223372036854775808 | Invalid parameter type for 'value', expected:"
                        + " integer",
                "'value':1,'deflate':1 | Parameter 'deflate' is unexpected",
            },
            quoteCharacter = '"')
    void refusesWhatIsNoSize(String arguments, String expected) throws IOException {
        String given = arguments.equals("''") ? "" : arguments;

        assertEquals(error("GenericError", expected), ask("balloon", given));
        assertTrue(guest.setMemoryCalls.isEmpty());
    }

    @Test
    void saysThatASizeIsRefused() throws IOException {
        guest.endsAtOnce(new SetMemoryOutcome.Refused(Reason.BELOW_FLOOR));
        assertEquals(
                error(
                        "GenericError",
                        "the size is below the floor; ask for more, or start it with a lower"
                                + " floor"),
                ask("balloon", "'value':4096"));

        guest.endsAtOnce(new SetMemoryOutcome.Refused(Reason.NO_DEVICE));
        assertEquals(
                error("DeviceNotActive", "No balloon device has been activated"),
                ask("balloon", "'value':4096"));
    }

    @Test
    void listsObjectsSoThatTheBalloonIsFound() throws IOException {
        assertTrue(
                result("qom-list", "'path':'/'")
                        .toString()
                        .contains("{\"name\":\"machine\",\"type\":\"child<none-machine>\"}"));
        assertTrue(
                result("qom-list", "'path':'/machine'")
                        .toString()
                        .contains("{\"name\":\"peripheral\",\"type\":\"child<container>\"}"));
        assertEquals(
                "[{\"name\":\"type\",\"type\":\"string\"},"
                        + "{\"name\":\"balloon0\",\"type\":\"child<virtio-balloon-pci>\"}]",
                result("qom-list", "'path':'/machine/peripheral'").toString());
        assertEquals(
                "[{\"name\":\"type\",\"type\":\"string\"},"
                        + "{\"name\":\"guest-stats\",\"type\":\"guest statistics\"},"
                        + "{\"name\":\"guest-stats-polling-interval\",\"type\":\"int\"}]",
                result("qom-list", "'path':'/machine//peripheral/balloon0/'").toString());
        assertEquals(
                "\"/machine/peripheral/balloon0\"",
                result("qom-get", "'path':'peripheral','property':'balloon0'").toString());
        assertEquals(
                "\"virtio-balloon-pci\"",
                result("qom-get", "'path':'balloon0','property':'type'").toString());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '"',
            value = {
                "qom-list | 'path':'/nowhere' | DeviceNotFound | Device '/nowhere' not found",
                "qom-list | 'path':'oon0' | DeviceNotFound | Device 'oon0' not found",
                "qom-list | 'path':'' | DeviceNotFound | Device '' not found",
                "qom-list | 'path':5 | GenericError | Invalid parameter type for 'path', expected:"
                        + " string",
                "qom-get | 'path':'/x','property':'type' | DeviceNotFound | Device '/x' not found",
                "qom-get | 'path':'/machine' | GenericError | Parameter 'property' is missing",
                "qom-get | 'path':'/machine','property':'x' | GenericError | Property"
                        + " 'none-machine.x' not found",
                "qom-set | 'path':'balloon0','property':'guest-stats','value':1 | GenericError |"
                        + " Property 'virtio-balloon-pci.guest-stats' is not writable",
                "qom-set | 'path':'balloon0','property':'type' | GenericError | Parameter 'value'"
                        + " is missing",
            })
    void saysWhatIsWrongWithAnObject(
            String command, String arguments, String errorClass, String expected)
            throws IOException {
        assertEquals(error(errorClass, expected), ask(command, arguments));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '"',
            value = {
                "-1         | timer value must be greater than zero",
                "4294967296 | timer value is too big",
                "'5'        | Invalid parameter type for 'guest-stats-polling-interval', expected:"
                        + " integer",
            })
    void refusesPeriodsThatAreNone(String value, String expected) throws IOException {
        assertEquals(
                error("GenericError", expected),
                ask("qom-set", BALLOON + "'guest-stats-polling-interval','value':" + value));
        assertEquals(Duration.ZERO, guest.statisticsPeriod());
    }

    @Test
    void setsAndTellsThePeriodOfStatistics() throws IOException {
        assertEquals(
                "{}",
                result("qom-set", BALLOON + "'guest-stats-polling-interval','value':10")
                        .toString());

        assertEquals(Duration.ofSeconds(10), guest.statisticsPeriod());
        assertEquals(
                "10", result("qom-get", BALLOON + "'guest-stats-polling-interval'").toString());
    }

    @Test
    void givesStatisticsAsQemuDoes() throws IOException {
        JsonNode nothing = result("qom-get", BALLOON + "'guest-stats'");
        assertEquals(0, nothing.path("last-update").asLong(-1));
        assertEquals(
                "18446744073709551615", nothing.path("stats").path("stat-free-memory").toString());

        guest.said(Duration.ofSeconds(3), Map.of(StatTag.MEMFREE, 4096L, StatTag.MAJFLT, -2L));
        JsonNode some = result("qom-get", BALLOON + "'guest-stats'");

        assertEquals(1_699_999_997, some.path("last-update").asLong());
        assertEquals(
                "stat-swap-in stat-swap-out stat-major-faults stat-minor-faults stat-free-memory"
                        + " stat-total-memory stat-available-memory stat-disk-caches"
                        + " stat-htlb-pgalloc stat-htlb-pgfail stat-oom-kills stat-alloc-stalls"
                        + " stat-async-scans stat-direct-scans stat-async-reclaims"
                        + " stat-direct-reclaims",
                some.path("stats").properties().stream()
                        .map(Map.Entry::getKey)
                        .collect(Collectors.joining(" ")));
        assertEquals("4096", some.path("stats").path("stat-free-memory").toString());
        assertEquals(
                "18446744073709551614", some.path("stats").path("stat-major-faults").toString());
        assertEquals("18446744073709551615", some.path("stats").path("stat-swap-in").toString());
    }

    @Test
    void quitsAfterItHasAnsweredAndToldEverybody() throws IOException {
        try (RawClient other = rig.client()) {
            assertEquals("{\"return\":{},\"id\":9}", client.ask("{'execute':'quit','id':9}"));
            String event =
                    "{\"timestamp\":{\"seconds\":1700000000,\"microseconds\":123456},"
                            + "\"event\":\"SHUTDOWN\",\"data\":{\"guest\":false,"
                            + "\"reason\":\"host-qmp-quit\"}}";
            assertEquals(event, client.line());
            assertEquals(event, other.line());
            rig.advance(Duration.ZERO);

            assertEquals(1, guest.quits.get());
        }
    }

    @Test
    void answersOurSetMemoryWhenItEndsAndOtherCommandsMeanwhile() throws IOException {
        client.send(
                "{'execute':'__io.aerostat_set-memory','id':'slow',"
                        + "'arguments':{'size':67108864,'deadline-ms':5000}}");
        assertEquals(
                "{\"return\":{\"name\":\"one\"},\"id\":2}",
                client.ask("{'execute':'query-name','id':2}"));
        SteppedGuest.SetMemoryCall call = guest.setMemoryCalls.remove();
        assertEquals(new GuestSize(64 << 20), call.size());
        assertEquals(Duration.ofSeconds(5), call.deadline());

        call.end()
                .complete(
                        new SetMemoryOutcome.Partial(
                                new BalloonSize(3), 8192, Reason.OUT_OF_PAGES));

        assertEquals(
                "{\"return\":{\"outcome\":\"PARTIAL\",\"balloon\":12288,\"moved\":8192,"
                        + "\"reason\":\"OUT_OF_PAGES\",\"description\":\"the guest gave no more"
                        + " pages before the deadline\",\"advice\":\"ask for less, or free memory"
                        + " in the guest; it goes on trying\"},\"id\":\"slow\"}",
                client.line());
    }

    @Test
    void saysWhyOurSetMemoryFailed() throws IOException {
        client.send("{'execute':'__io.aerostat_set-memory','arguments':{'size':4096}}");
        rigHasServed();
        SteppedGuest.SetMemoryCall call = guest.setMemoryCalls.remove();
        assertEquals(Duration.ofSeconds(30), call.deadline());

        call.end().completeExceptionally(new IllegalStateException("gone"));

        assertTrue(client.line().contains("gone"));
        assertEquals(
                error("GenericError", "Parameter 'size' expects a size"),
                ask("__io.aerostat_set-memory", "'size':0"));
        assertEquals(
                error(
                        "GenericError",
                        "Parameter 'deadline-ms' expects a value of 0 to 31536000000"),
                ask("__io.aerostat_set-memory", "'size':4096,'deadline-ms':-1"));
    }

    private void rigHasServed() throws IOException {
        assertEquals("{\"return\":{\"name\":\"one\"}}", client.ask("{'execute':'query-name'}"));
    }

    @Test
    void givesOnlyTheFiguresThatThereAre() throws IOException {
        assertEquals(
                "{\"description\":\"the guest has supplied no statistics yet\"}",
                result("__io.aerostat_statistics", "").toString());

        guest.said(Duration.ofMillis(1500), Map.of(StatTag.MEMFREE, 4096L));
        assertEquals(
                "{\"figures\":{\"stat-free-memory\":4096},\"age-ms\":1500,"
                        + "\"last-update\":1699999998}",
                result("__io.aerostat_statistics", "").toString());
        assertTrue(guest.questions.isEmpty());
    }

    @Test
    void asksForNewFiguresIfToldHowLongToWait() throws IOException {
        client.send("{'execute':'__io.aerostat_statistics','arguments':{'deadline-ms':100}}");
        rigHasServed();
        guest.said(Duration.ZERO, Map.of(StatTag.AVAIL, 5L));
        guest.questions
                .remove()
                .complete(new StatisticsOutcome.Answered(guest.latestStatistics().orElseThrow()));
        assertEquals(
                "{\"stat-available-memory\":5}",
                client.message().path("return").path("figures").toString());

        client.send("{'execute':'__io.aerostat_statistics','arguments':{'deadline-ms':100}}");
        rigHasServed();
        guest.questions
                .remove()
                .complete(new StatisticsOutcome.Unanswered(StatisticsOutcome.Reason.NO_RESPONSE));
        assertEquals(
                "{\"return\":{\"reason\":\"NO_RESPONSE\",\"description\":\"the guest did not answer"
                        + " before the deadline\"}}",
                client.line());
    }

    @Test
    void reportsWhatIsKnown() throws IOException {
        assertEquals(
                "{\"name\":\"one\",\"state\":\"RUNNING\",\"description\":\"running\","
                        + "\"maximum\":268435456,\"current\":268435456,\"target\":67108864,"
                        + "\"ballooned\":0,\"resident\":104857600,"
                        + "\"offered\":[\"stats-vq\",\"free-page-reporting\"],"
                        + "\"features\":[\"stats-vq\"],\"statistics-period\":0,"
                        + "\"counters\":{\"PAGES_INFLATED\":0},\"discard-calls\":7}",
                result("__io.aerostat_report", "").toString());
    }

    @Test
    void survivesAGuestThatFails() throws IOException {
        guest.breaks();

        assertTrue(ask("query-balloon", "").contains("the guest was closed"));
        assertEquals("{\"return\":{\"name\":\"one\"}}", client.ask("{'execute':'query-name'}"));
    }
}
