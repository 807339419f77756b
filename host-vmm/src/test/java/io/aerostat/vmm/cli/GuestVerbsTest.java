package io.aerostat.vmm.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.aerostat.virtio.spec.balloon.StatTag;
import io.aerostat.vmm.monitor.MonitorLoop;
import io.aerostat.vmm.monitor.SteppedGuest;
import io.aerostat.vmm.monitor.message.QmpJson;
import io.aerostat.vmm.serve.RunDirectory;
import io.aerostat.vmm.vm.BalloonSize;
import io.aerostat.vmm.vm.GuestSize;
import io.aerostat.vmm.vm.SetMemoryOutcome;
import io.aerostat.vmm.vm.SetMemoryOutcome.Reason;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Isolated;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** The verbs for running guests, with the output that virsh has, against monitors. */
@Isolated("takes standard output and error")
@Timeout(60)
final class GuestVerbsTest {
    @TempDir private Path folder;
    private final MonitorLoop loop = new MonitorLoop();
    private final SteppedGuest web = SteppedGuest.running("web", 64);
    private Path run;
    private Path elsewhere;

    @BeforeEach
    void serve() throws IOException {
        run = folder.resolve("run");
        elsewhere = folder.resolve("db.socket");
        RunDirectory directory = new RunDirectory(run);
        loop.open(web, directory.enter("web", null));
        loop.open(new SteppedGuest("db"), directory.enter("db", elsewhere));
    }

    @AfterEach
    void endTheThread() {
        loop.close();
    }

    private record Run(int exitCode, String out, String err) {}

    private Run run(String line) {
        List<String> words = new ArrayList<>(List.of(line.trim().split(" +")));
        if (!words.contains("--qmp") && !words.contains("--run-dir")) {
            words.add("--run-dir");
            words.add(run.toString());
        }
        PrintStream out = System.out;
        PrintStream err = System.err;
        ByteArrayOutputStream outBytes = new ByteArrayOutputStream();
        ByteArrayOutputStream errBytes = new ByteArrayOutputStream();
        System.setOut(new PrintStream(outBytes, true, StandardCharsets.UTF_8));
        System.setErr(new PrintStream(errBytes, true, StandardCharsets.UTF_8));
        try {
            int exitCode = Main.run(words.toArray(String[]::new));
            return new Run(
                    exitCode,
                    outBytes.toString(StandardCharsets.UTF_8),
                    errBytes.toString(StandardCharsets.UTF_8));
        } finally {
            System.setOut(out);
            System.setErr(err);
        }
    }

    private static void assertPrints(String expected, Run run) {
        assertEquals("", run.err);
        assertEquals(0, run.exitCode);
        assertEquals(expected, run.out.replace(System.lineSeparator(), "\n"));
    }

    @ParameterizedTest
    @CsvSource({"131072, 134217728", "128MiB, 134217728", "1, 4096", "1000000B, 1003520"})
    void setmemTakesKibUnlessToldOtherwiseAndReturnsAtOnce(String size, long bytes) {
        assertPrints("", run("setmem web " + size));

        SteppedGuest.SetMemoryCall call = web.setMemoryCalls.remove();
        assertEquals(new GuestSize(bytes), call.size());
    }

    @Test
    void setmemTellsWhatWasRefused() {
        web.endsAtOnce(new SetMemoryOutcome.Refused(Reason.BELOW_FLOOR));

        Run refused = run("setmem web 1MiB");

        assertEquals(1, refused.exitCode);
        assertEquals(
                "aerostat: the size is below the floor; ask for more, or start it with a lower"
                        + " floor",
                refused.err.trim());
    }

    @Test
    void setmemWaitsForTheOutcome() {
        web.endsAtOnce(new SetMemoryOutcome.Reached(new BalloonSize(16384)));
        assertPrints("setmem: reached\n", run("setmem web 192MiB --wait --deadline 7"));
        assertEquals(Duration.ofSeconds(7), web.setMemoryCalls.remove().deadline());

        web.endsAtOnce(
                new SetMemoryOutcome.Partial(new BalloonSize(256), 1 << 20, Reason.OUT_OF_PAGES));
        Run partial = run("setmem web 1MiB --wait");
        assertEquals(1, partial.exitCode);
        assertEquals(
                "setmem: partial: 1 MiB moved; the guest gave no more pages before the deadline"
                        + " (ask for less, or free memory in the guest; it goes on trying)",
                partial.out.trim());
        assertEquals(Duration.ofSeconds(60), web.setMemoryCalls.remove().deadline());

        for (SetMemoryOutcome outcome :
                List.of(
                        new SetMemoryOutcome.Stalled(Reason.NO_DRIVER),
                        new SetMemoryOutcome.Refused(Reason.BELOW_FLOOR),
                        new SetMemoryOutcome.Superseded())) {
            web.endsAtOnce(outcome);
            assertEquals(1, run("setmem web 1MiB --wait").exitCode);
        }
    }

    @Test
    void setmemTakesASocketInsteadOfAName() {
        assertPrints("", run("setmem --qmp " + run.resolve("web.qmp") + " 128MiB"));

        assertEquals(new GuestSize(128 << 20), web.setMemoryCalls.remove().size());
    }

    @Test
    void dommemstatPrintsWhatIsThereByVirshsNames() {
        assertPrints("actual 196608\nrss 102400\n", run("dommemstat web"));

        web.said(
                Duration.ofDays(1),
                Map.of(
                        StatTag.SWAP_IN, 0L,
                        StatTag.MAJFLT, 12L,
                        StatTag.MEMFREE, 100L << 20,
                        StatTag.MEMTOT, 240L << 20,
                        StatTag.AVAIL, 120L << 20,
                        StatTag.CACHES, -1L,
                        StatTag.HTLB_PGFAIL, 3L));
        Run full = run("dommemstat web");

        assertEquals(
                """
                actual 196608
                swap_in 0
                major_fault 12
                unused 102400
                available 245760
                usable 122880
                last_update N
                disk_caches 18014398509481983
                hugetlb_pgfail 3
                rss 102400
                """,
                full.out
                        .replace(System.lineSeparator(), "\n")
                        .replaceAll("last_update \\d{9,}", "last_update N"));
    }

    @Test
    void dommemstatSetsThePeriodAndPrintsNothing() {
        assertPrints("", run("dommemstat web --period 15"));
        assertEquals(Duration.ofSeconds(15), web.statisticsPeriod());

        assertPrints("", run("dommemstat web --period 0"));
        assertEquals(Duration.ZERO, web.statisticsPeriod());
    }

    @Test
    void dominfoTellsWhatIsKnown() {
        assertPrints(
                """
                Name:           web
                State:          running
                Max memory:     262144 KiB
                Used memory:    196608 KiB
                Target:         65536 KiB
                Balloon:        65536 KiB
                Resident:       102400 KiB
                Features:       stats-vq
                Discard calls:  7
                """,
                run("dominfo web"));
        assertPrints(
                """
                Name:           db
                State:          no guest is connected
                Balloon:        0 KiB
                Features:       none
                Discard calls:  0
                """,
                run("dominfo --qmp " + elsewhere));
    }

    @Test
    void dumpxmlDescribesTheGuest() {
        run("dommemstat web --period 5");

        assertPrints(
                """
                <domain type='qemu'>
                  <name>web</name>
                  <memory unit='KiB'>262144</memory>
                  <currentMemory unit='KiB'>196608</currentMemory>
                  <os>
                    <type>hvm</type>
                  </os>
                  <devices>
                    <memballoon model='virtio' freePageReporting='on'>
                      <stats period='5'/>
                    </memballoon>
                  </devices>
                </domain>
                """,
                run("dumpxml web"));
    }

    @Test
    void listsRunningGuestsAsVirshDoes() throws IOException {
        assertPrints(
                """
                 Id   Name   State
                ------------------------------------
                 1    db     no guest is connected
                 2    web    running
                """,
                run("list"));
        assertPrints(" Id   Name   State\n--------------------\n", run("list --run-dir /no/such"));

        String json = run("list --json").out;
        assertEquals(
                "web",
                QmpJson.read(json.getBytes(StandardCharsets.UTF_8)).get(1).path("name").asText());
    }

    @Test
    void doesNotListAGuestThatHasEnded() {
        loop.close();

        assertPrints(" Id   Name   State\n--------------------\n", run("list"));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "setmem vm 1MiB      | no such guest: vm; running are db, web",
                "dommemstat vm       | no such guest: vm; running are db, web",
                "dominfo vm          | no such guest: vm; running are db, web",
                "dumpxml vm          | no such guest: vm; running are db, web",
                "dominfo vm --run-dir /no/such | no such guest: vm; none runs in /no/such",
                "dominfo --qmp /no/such/socket | cannot reach /no/such/socket",
                "dominfo a/b         | not a guest's name: 'a/b'",
            })
    void saysInOneLineThatAGuestIsNotThere(String line, String expected) {
        Run failed = run(line);

        assertEquals(1, failed.exitCode);
        assertEquals("", failed.out);
        assertEquals(1, failed.err.lines().count(), failed.err);
        assertTrue(failed.err.startsWith("aerostat: " + expected), failed.err);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "setmem                        | Missing required parameter",
                "setmem web                    | give a guest's name and a SIZE",
                "setmem web 1MiB more          | ",
                "setmem web lots               | not a size: 'lots'",
                "setmem web 0                  | SIZE is 0; allowed is more than 0",
                "setmem web -5                 | -5",
                "setmem web 1MiB --deadline 5  | --deadline goes with --wait",
                "setmem web 1 --wait --deadline -2 | --deadline is -2; allowed are 0 to",
                "setmem web 1 --wait --deadline x  | --deadline",
                "setmem --qmp /s web 1         | with --qmp give a SIZE and no name",
                "dominfo                       | give either a guest's name or --qmp PATH",
                "dominfo web --qmp /s          | give either a guest's name or --qmp PATH",
                "dommemstat web --period -1    | --period is -1; allowed are 0 to 4294967295",
                "dommemstat web --period 1 --fresh | --period and --fresh do not go together",
                "list web                      | web",
            })
    void saysInOneLineThatACommandLineIsWrong(String line, String expected) {
        Run failed = run(line);

        assertEquals(2, failed.exitCode);
        assertEquals("", failed.out);
        assertEquals(1, failed.err.lines().count(), failed.err);
        assertTrue(failed.err.contains(expected == null ? "aerostat" : expected), failed.err);
    }
}
