package io.aerostat.balloon.embedding;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** The examples are what they are said to be: short adapters, for hosts that know nothing of us. */
final class AdapterLengthTest {
    private static final int LINES = 60;
    private static final int ADAPTERS = 3;
    private static final Path SOURCES =
            Path.of("src", "test", "java", "io", "aerostat", "balloon", "embedding");

    @ParameterizedTest
    @ValueSource(strings = {"flat/FlatBalloon", "paged/PagedBalloon", "stepped/SteppedBalloon"})
    void anAdapterTakesLessThanSixtyLines(String adapter) throws IOException {
        List<String> lines = Files.readAllLines(SOURCES.resolve(adapter + ".java"));

        assertTrue(lines.get(0).startsWith("package "), adapter);
        assertTrue(lines.size() < LINES, adapter + ": lines=" + lines.size());
        assertTrue(lines.stream().allMatch(line -> line.length() <= 100), adapter);
    }

    @Test
    void nothingButTheAdaptersOfAHostKnowsTheProduct() throws IOException {
        List<Path> knowing;
        try (Stream<Path> files = Files.walk(SOURCES)) {
            knowing = files.filter(AdapterLengthTest::isOfAHost).filter(this::knowsUs).toList();
        }

        assertEquals(ADAPTERS, knowing.size(), knowing.toString());
        assertTrue(knowing.stream().allMatch(file -> file.toString().endsWith("Balloon.java")));
    }

    private static boolean isOfAHost(Path file) {
        return file.toString().endsWith(".java") && !SOURCES.equals(file.getParent());
    }

    private boolean knowsUs(Path file) {
        try (Stream<String> lines = Files.lines(file)) {
            return lines.filter(line -> line.contains("io.aerostat."))
                    .anyMatch(line -> !line.contains("io.aerostat.balloon.embedding"));
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }
}
