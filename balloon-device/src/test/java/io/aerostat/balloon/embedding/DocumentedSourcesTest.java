package io.aerostat.balloon.embedding;

import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** What docs/embedding.md shows is what is compiled and run here. */
final class DocumentedSourcesTest {
    private static final Path SOURCES =
            Path.of("src", "test", "java", "io", "aerostat", "balloon", "embedding");

    @ParameterizedTest
    @ValueSource(
            strings = {
                "flat/FlatBalloon",
                "paged/PagedBalloon",
                "stepped/SteppedBalloon",
                "OwnerThreadRecipe"
            })
    void theManualShowsTheSourceAsItIs(String name) throws IOException {
        String manual = Files.readString(Path.of("..", "docs", "embedding.md"));
        String source = Files.readString(SOURCES.resolve(name + ".java"));

        String shown = source.substring(source.indexOf("import "));

        assertTrue(
                manual.contains("```java\n" + shown + "```\n"),
                "docs/embedding.md shows another " + name);
    }
}
