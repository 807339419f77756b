package io.aerostat.bench.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Tables and files, of figures that are easy to work out. */
final class LinuxSummaryTest {
    private static final long GUEST_BYTES = 128L << 20;
    private static final long PAGES = 1024;
    private static final long MS = 1_000_000;

    /** 1,024 pages in 4 requests in so many milliseconds, of which the device had 6 and ran 5. */
    private static Change change(long elapsedMs) {
        return new Change(
                elapsedMs * MS, 4, PAGES, 8, Optional.of(new DeviceTime(8 * MS, 6 * MS, 5 * MS)));
    }

    private static Measurements own() {
        Measurements measured = new Measurements(OwnBackEnd.LABEL, GUEST_BYTES, PAGES);
        for (RoundKind kind : RoundKind.values()) {
            for (long elapsedMs : new long[] {20, 10, 16}) {
                measured.add(new Round(kind, change(elapsedMs), 3L << 20));
            }
            measured.requests(kind).device().record(1500);
        }
        return measured;
    }

    private static Measurements peer() throws IOException {
        Measurements measured = new Measurements(PeerBackEnd.LABEL, GUEST_BYTES, PAGES);
        for (RoundKind kind : RoundKind.values()) {
            for (long elapsedMs : new long[] {20, 30, 64}) {
                measured.add(new Round(kind, PeerBackEnd.parse("4 1024 16", elapsedMs * MS), 0));
            }
        }
        return measured;
    }

    private static List<String> table(Measurements... all) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        new LinuxSummary(List.of(all), new PrintStream(bytes, true, StandardCharsets.UTF_8))
                .print();
        return bytes.toString(StandardCharsets.UTF_8)
                .lines()
                .map(line -> line.strip().replaceAll(" +", " "))
                .toList();
    }

    private static List<String> linesOf(RoundKind kind, List<String> table) {
        return table.stream().filter(line -> line.contains(kind.label() + " ")).toList();
    }

    @Test
    void givesMediansAndTheMedianRatioOfRoundsSideBySide() throws Exception {
        List<String> lines = linesOf(RoundKind.INFLATE_DIRTY, table(own(), peer()));

        assertEquals(
                "128 MiB aerostat inflate, dirty 3 64,000 51,200 102,400 3.00 250 256.0 7.81 3 MiB",
                lines.get(0));
        assertEquals(
                "128 MiB python inflate, dirty 3 34,133 16,000 51,200 - 133 256.0 15.63 0 MiB",
                lines.get(1));
    }

    @Test
    void givesTheDevicesShareOfTheRoundsThatCanTell() throws Exception {
        List<String> lines = linesOf(RoundKind.DEFLATE, table(own(), peer()));

        assertEquals(3, lines.size());
        assertEquals("128 MiB deflate 128,000 38 % 63 % 31 %", lines.get(2));
    }

    @Test
    void givesTimesOfRequestsInMicroseconds() {
        List<String> lines =
                table(own()).stream().filter(line -> line.contains("kick to int")).toList();

        assertEquals(3, lines.size());
        assertEquals(
                "128 MiB aerostat inflate, dirty: kick to interrupt 1 1.5 1.5 1.5 1.5 1.5",
                lines.get(0));
    }

    @Test
    void withoutAPeerThereIsNoRatio() {
        String line = linesOf(RoundKind.INFLATE_CLEAN, table(own())).getFirst();

        assertEquals(
                "128 MiB aerostat inflate, clean 3 64,000 51,200 102,400 - 250 256.0 7.81 3 MiB",
                line);
    }

    @Test
    void whatWasWarmUpIsForgotten() {
        Measurements measured = own();

        measured.clear();

        assertEquals(List.of(), measured.rounds());
        assertEquals(List.of(), NamedLatency.of(measured));
    }

    @Test
    void theFileHasEveryRound(@TempDir Path directory) throws Exception {
        Path file = directory.resolve("raw.json");

        LinuxResults.write(file, "6.1.176", List.of(own(), peer()));

        assertEquals(
                List.of(20 * MS, 10 * MS, 16 * MS, 30 * MS, 64 * MS),
                numbers(file, "elapsedNs").stream().distinct().toList());
        assertEquals(18, numbers(file, "elapsedNs").size());
        assertEquals(9, numbers(file, "deviceBusyNs").size());
        assertFalse(numbers(file, "p99.9Ns").isEmpty());
        assertEquals(List.of(1500L, 1500L, 1500L), numbers(file, "p50Ns"));
    }

    private static List<Long> numbers(Path file, String field) throws IOException {
        List<Long> found = new ArrayList<>();
        try (JsonParser json = new JsonFactory().createParser(file.toFile())) {
            while (json.nextToken() != null) {
                if (json.currentToken() == JsonToken.FIELD_NAME
                        && json.currentName().equals(field)) {
                    json.nextToken();
                    found.add(json.getLongValue());
                }
            }
        }
        return found;
    }

    @Test
    void aPeersRubbishIsAFailureThatShowsIt() {
        for (String rubbish : List.of("", "4 1024", "4 many 16")) {
            IOException failure =
                    assertThrows(IOException.class, () -> PeerBackEnd.parse(rubbish, 1));

            assertEquals(
                    "the peer's answer is not understood: answer=" + rubbish, failure.getMessage());
        }
    }
}
