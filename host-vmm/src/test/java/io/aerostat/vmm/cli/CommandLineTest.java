package io.aerostat.vmm.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.aerostat.vmm.report.SizeText;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Isolated;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import picocli.CommandLine.TypeConversionException;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * What the command line says to mistakes: one line, what was wrong and what is allowed, exit code
 * 2.
 */
@Isolated("takes standard output and error")
final class CommandLineTest {
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "fly                                  | no such verb: fly; verbs are demo,"
                    + " linux-demo, serve, setmem, dommemstat, dominfo, dumpxml, list, bench, help",
                "demo --memory 512XB                  | not a size: '512XB'",
                "demo --memory -5                     | not a size: '-5'",
                "demo --memory 1MiB                   | allowed is 16 MiB and more",
                "demo --memory 900TiB                 | available",
                "demo --memory 64MiB --to 65MiB       | to 64 MiB, its maximum",
                "demo --memory 64MiB --to 1MiB        | what the guest needs",
                "demo --backing tape                  | anonymous, memfd, simulated",
                "demo --balloon hot-air               | virtio, none",
                "demo --what                          | --what",
                "demo surplus                         | surplus",
                "demo --scenario storm                | pressure, oom, reporting, hugepages",
                "demo --scenario oom --to 32MiB       | --to and --balloon do not go with",
                "demo --scenario oom --balloon none   | --to and --balloon do not go with",
                "demo --scenario oom --memory 62MiB   | allowed is 64 MiB and more",
                "demo --scenario oom --memory 65MiB   | allowed are whole 2 MiB",
                "demo --scenario oom --memory 70MB    | allowed are whole 2 MiB",
                "demo --scenario oom --backing tape   | anonymous, memfd, simulated",
                "demo --ps                            | --ps and --plot need a --scenario",
                "demo --plot picture.svg              | --ps and --plot need a --scenario",
                "demo --seed high                     | --seed",
                "demo --json no/such/folder/f.json    | --json is no/such/folder/f.json; allowed",
                "demo --scenario oom --plot no/such/p | --plot is no/such/p; allowed",
                "demo --scenario oom --plot /         | --plot is /; allowed is a file",
                "demo --json /                        | --json is /; allowed is a file",
                "serve                                | no guest: give --guest name=NAME",
                "serve --guest name=a                 | --guest needs name=NAME and socket=PATH",
                "serve --guest socket=/s              | --guest needs name=NAME and socket=PATH",
                "serve --guest name=a,socket=/s,x=1   | --guest has 'x=1'; allowed is name=",
                "serve --guest name=a,name=b,socket=s | --guest has 'name=b'; allowed is name=",
                "serve --guest name=guest,socket=/s --socket /t | two guests are called 'guest'",
                "serve --guest name=a,socket=/s --socket /s | two guests have one socket",
                "serve --guest name=a,socket=/s,qmp=  | --guest has qmp= without a path",
                "serve --qmp /q                       | --qmp goes with --socket",
                "serve --socket /s --features turbo   | --features: 'turbo' is none of must-tell",
                "serve --socket /s --memory-floor big | not a size: 'big'",
                "linux-demo --memory 64MiB            | allowed is 192 MiB to",
                "linux-demo --memory 900TiB           | what this host has available",
                "linux-demo --to 8MiB                 | allowed is 56 MiB, what the guest needs",
                "linux-demo --json /                  | --json is /; allowed is a file",
            })
    void saysInOneLineWhatWasWrong(String arguments, String expected) {
        Run run = run(arguments.trim().split(" +"));

        assertEquals(2, run.exitCode);
        assertEquals("", run.out);
        assertEquals(1, run.err.lines().count(), run.err);
        assertTrue(run.err.contains(expected), run.err);
    }

    @ParameterizedTest
    @ValueSource(strings = {"--json", "--plot"})
    void saysInOneLineThatAFileCannotBeWrittenAfterAll(String option) {
        // Says that it can be written, and takes nothing.
        Path unwritable = Path.of("/dev/full");
        assumeTrue(Files.isWritable(unwritable), "needs Linux: /dev/full");

        Run run =
                run(
                        "demo",
                        "--scenario",
                        "reporting",
                        "--memory",
                        "64MiB",
                        option,
                        unwritable.toString());

        assertEquals(1, run.exitCode);
        assertEquals(1, run.err.lines().count(), run.err);
        assertTrue(run.err.startsWith("aerostat: "), run.err);
        assertTrue(run.err.contains(unwritable.toString()), run.err);
    }

    @Test
    void aScenarioLeavesItsFiguresAndItsPictureAndListsTasks(@TempDir Path folder) {
        Path json = folder.resolve("figures.json");
        Path plot = folder.resolve("picture.svg");

        Run run =
                run(
                        "demo",
                        "--scenario",
                        "Reporting",
                        "--memory",
                        "64MiB",
                        "--ps",
                        "--json",
                        json.toString(),
                        "--plot",
                        plot.toString());

        assertEquals(0, run.exitCode, run.out);
        assertEquals("", run.err);
        assertTrue(run.out.contains("vballoon"), run.out);
        assertTrue(run.out.contains("picture: " + plot), run.out);
        assertTrue(Files.exists(json) && Files.exists(plot));
    }

    @Test
    void listsTheVerbs() {
        Run run = run("help");

        assertEquals(0, run.exitCode);
        for (String verb :
                new String[] {
                    "demo",
                    "linux-demo",
                    "serve",
                    "setmem",
                    "dommemstat",
                    "dominfo",
                    "dumpxml",
                    "list",
                    "bench",
                    "help"
                }) {
            assertTrue(run.out.contains("  " + verb + " "), run.out);
        }
    }

    @ParameterizedTest
    @CsvSource({
        "1, 1024",
        "512MiB, 536870912",
        "512 MiB, 536870912",
        "512m, 536870912",
        "1GiB, 1073741824",
        "1.5GiB, 1610612736",
        "1GB, 1000000000",
        "4096B, 4096",
        "2t, 2199023255552",
        "100kb, 100000"
    })
    void readsSizesAsVirshDoes(String text, long bytes) {
        assertEquals(bytes, new SizeText().convert(text));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "MiB",
                "1 2",
                "0x10",
                "1e9",
                "-1",
                "+1",
                "1,5GiB",
                "0.3B",
                "99999999999999TiB"
            })
    void refusesWhatIsNoSize(String text) {
        assertThrows(TypeConversionException.class, () -> new SizeText().convert(text));
    }

    private record Run(int exitCode, String out, String err) {}

    private static Run run(String... arguments) {
        PrintStream out = System.out;
        PrintStream err = System.err;
        ByteArrayOutputStream outBytes = new ByteArrayOutputStream();
        ByteArrayOutputStream errBytes = new ByteArrayOutputStream();
        System.setOut(new PrintStream(outBytes, true, StandardCharsets.UTF_8));
        System.setErr(new PrintStream(errBytes, true, StandardCharsets.UTF_8));
        try {
            int exitCode = Main.run(arguments);
            return new Run(
                    exitCode,
                    outBytes.toString(StandardCharsets.UTF_8),
                    errBytes.toString(StandardCharsets.UTF_8));
        } finally {
            System.setOut(out);
            System.setErr(err);
        }
    }
}
