package io.aerostat.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;

/** The table, and what makes a run fail, of figures that are easy to work out. */
final class NotifySummaryTest {
    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    private final PrintStream stream = new PrintStream(bytes, true, StandardCharsets.UTF_8);

    private static NotifyFigures balloon(RamKind ram, boolean exported, double quickNs) {
        return new NotifyFigures(ram, exported, false, quickNs, 2 * quickNs, 0);
    }

    private static NotifyFigures allocating(RamKind ram, double allocated) {
        return new NotifyFigures(ram, true, false, 256, 512, allocated);
    }

    private List<String> said() {
        return bytes.toString(StandardCharsets.UTF_8)
                .lines()
                .filter(line -> !line.isBlank())
                .map(line -> line.strip().replaceAll(" +", " "))
                .toList();
    }

    @Test
    void comparesTheQuickRoundsOfEachKindWithTheRawAddress() {
        NotifyFigures rings = new NotifyFigures(RamKind.BYTE_ARRAY, false, true, 128, 900, 0);
        NotifySummary summary =
                new NotifySummary(
                        List.of(
                                balloon(RamKind.RAW_ADDRESS, true, 256),
                                balloon(RamKind.BYTE_ARRAY, true, 384),
                                balloon(RamKind.BYTE_ARRAY, false, 512),
                                rings));

        summary.print(stream);

        assertEquals(
                List.of(
                        "guest RAM export ns/request rings median ns/PFN x raw B/request",
                        "RAW_ADDRESS yes 256 - 512 1.00 1.00 0.0000",
                        "BYTE_ARRAY yes 384 - 768 1.50 1.50 0.0000",
                        "BYTE_ARRAY no 512 128 1,024 2.00 2.00 0.0000"),
                said());
    }

    @Test
    void comparesNothingWithoutTheRawAddress() {
        new NotifySummary(List.of(balloon(RamKind.BYTE_ARRAY, false, 512))).print(stream);

        assertEquals("BYTE_ARRAY no 512 - 1,024 2.00 - 0.0000", said().getLast());
    }

    @Test
    void saysNothingWithoutRuns() {
        new NotifySummary(List.of()).print(stream);

        assertEquals(List.of(), said());
    }

    @Test
    void flatRamThatAllocatesFailsTheRun() {
        NotifyFigures array = allocating(RamKind.BYTE_ARRAY, 16);
        NotifyFigures uncounted = allocating(RamKind.DIRECT_BUFFER, Double.NaN);
        NotifySummary summary =
                new NotifySummary(
                        List.of(
                                array,
                                uncounted,
                                allocating(RamKind.RAW_ADDRESS, 0.001),
                                allocating(RamKind.PAGED_ARRAY, 16)));

        assertEquals(List.of(array, uncounted), summary.allocatingFlat());
        assertEquals(1, EmbeddingRun.complain(summary.allocatingFlat(), stream));
        assertEquals(2, said().size());
        assertTrue(said().getFirst().contains("ram=BYTE_ARRAY"), said().getFirst());
    }

    @Test
    void aRunWithoutAllocationPasses() {
        assertEquals(0, EmbeddingRun.complain(List.of(), stream));
        assertEquals(List.of(), said());
    }

    @Test
    void saysInOneLineWhichArgumentIsWrong() throws Exception {
        int code =
                EmbeddingRun.run(
                        List.of("--quick", "-f", "1"), Path.of("unused.json"), stream, stream);

        assertEquals(2, code);
        assertEquals(1, said().size());
        assertTrue(said().getFirst().endsWith("given=-f 1"), said().getFirst());
    }
}
