package io.aerostat.vmm.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.aerostat.vmm.guest.FreeMemory;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;

/** The small pieces that a story is told with. */
final class ReportTest {
    private final StringWriter text = new StringWriter();
    private final PrintWriter out = new PrintWriter(text, true);

    @Test
    void checksAreToldAndRemembered() {
        Checks checks = new Checks(out);

        checks.that("one", true);
        checks.equal("two", 2, 2);
        assertTrue(checks.allHeld());
        checks.equal("three", 4, 3);
        checks.that("five", true);

        assertFalse(checks.allHeld(), "one that failed is not forgotten");
        assertEquals(
                """
                  ok     one
                  ok     two (2)
                  FAILED three (4, expected 3)
                  ok     five
                """,
                text.toString());
    }

    @Test
    void figuresAreOneJsonObjectInTheirOrder(@TempDir Path folder) throws IOException {
        Figures figures = new Figures();
        figures.put("number", 9_007_199_254_740_993L);
        figures.put("fact", true);
        figures.put("text", "a \"quoted\"\nline");
        figures.put("number", 2);
        Path file = folder.resolve("figures.json");

        figures.writeTo(file);

        assertEquals(
                "{ \"number\" : 2, \"fact\" : true, \"text\" : \"a \\\"quoted\\\"\\nline\" }",
                Files.readString(file).replaceAll("\\s+", " ").trim());
        assertEquals(2L, figures.get("number"));
        assertEquals("unknown", figures.get("nothing"));
    }

    @ParameterizedTest
    @CsvSource({
        "0, 0 B",
        "1023, 1023 B",
        "1024, 1 KiB",
        "1536, 1.5 KiB",
        "67108864, 64 MiB",
        "1099511627776, 1 TiB",
        "1125899906842624, 1024 TiB"
    })
    void sizesAreToldInTheLargestUnitThatFits(long bytes, String expected) {
        assertEquals(expected, SizeText.of(bytes));
    }

    @Test
    void freeMemoryIsATableInKib() {
        assertEquals(
                """
                               total        used        free
                Mem:            1024         768         256\
                """,
                FreeTable.of(new FreeMemory(1 << 20, 768 << 10, 256 << 10))
                        .replace(System.lineSeparator(), "\n"));
    }

    @Test
    void aProgressBarTellsItsEndAlone() {
        ProgressBar bar = new ProgressBar(out, false, 200, 0);

        bar.update(50, 1_000_000_000L);
        bar.finish(100, 2_000_000_000L);

        assertEquals(
                "  [###############...............] 100 of 200 pages  50 pages/s  2.0 s left",
                text.toString().trim().indent(2).stripTrailing());
    }

    @Test
    void aProgressBarWithNothingToDoIsFull() {
        new ProgressBar(out, false, 0, 0).finish(0, 1);

        assertTrue(text.toString().contains("[" + "#".repeat(30) + "] 0 of 0 pages"));
    }
}
