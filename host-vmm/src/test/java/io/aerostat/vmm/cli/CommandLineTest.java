package io.aerostat.vmm.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.aerostat.vmm.report.SizeText;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Isolated;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import picocli.CommandLine.TypeConversionException;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;

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
                "fly                                  | no such verb: fly; verbs are demo, bench,"
                        + " help",
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
            })
    void saysInOneLineWhatWasWrong(String arguments, String expected) {
        Run run = run(arguments.trim().split(" +"));

        assertEquals(2, run.exitCode);
        assertEquals("", run.out);
        assertEquals(1, run.err.lines().count(), run.err);
        assertTrue(run.err.contains(expected), run.err);
    }

    @Test
    void listsTheVerbs() {
        Run run = run("help");

        assertEquals(0, run.exitCode);
        for (String verb : new String[] {"demo", "bench", "help"}) {
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
