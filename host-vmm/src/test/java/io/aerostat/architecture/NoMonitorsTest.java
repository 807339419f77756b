package io.aerostat.architecture;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.aerostat.balloon.BalloonDevice;
import io.aerostat.guest.balloon.BalloonDriver;
import io.aerostat.virtio.queue.DeviceQueue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.IOException;
import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassModel;
import java.lang.classfile.instruction.MonitorInstruction;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * No monitor is entered on the data path: looked for in the bytecode, where a {@code synchronized}
 * block cannot hide.
 */
final class NoMonitorsTest {
    @ParameterizedTest
    @ValueSource(classes = {DeviceQueue.class, BalloonDevice.class, BalloonDriver.class})
    void noClassOfTheModuleEntersAMonitor(Class<?> ofModule)
            throws IOException, URISyntaxException {
        List<ClassModel> classes = classesBeside(ofModule);

        List<String> offenders =
                classes.stream()
                        .filter(NoMonitorsTest::entersMonitor)
                        .map(NoMonitorsTest::name)
                        .toList();

        assertTrue(classes.size() > 10, "too few classes found: " + classes.size());
        assertEquals(List.of(), offenders);
    }

    @Test
    void findsAMonitorWhereThereIsOne() throws IOException, URISyntaxException {
        List<ClassModel> classes = classesBeside(NoMonitorsTest.class);

        List<String> offenders =
                classes.stream()
                        .filter(NoMonitorsTest::entersMonitor)
                        .map(NoMonitorsTest::name)
                        .toList();

        assertEquals(List.of("io/aerostat/architecture/NoMonitorsTest$Locked"), offenders);
    }

    /** What must be found. Nobody calls it: only its bytecode matters. */
    static final class Locked {
        private int count;

        int increment() {
            synchronized (this) {
                return ++count;
            }
        }
    }

    private static boolean entersMonitor(ClassModel type) {
        return type.methods().stream()
                .flatMap(method -> method.code().stream())
                .flatMap(code -> code.elementStream())
                .anyMatch(MonitorInstruction.class::isInstance);
    }

    private static String name(ClassModel type) {
        return type.thisClass().asInternalName();
    }

    private static List<ClassModel> classesBeside(Class<?> type)
            throws IOException, URISyntaxException {
        Path place = Path.of(type.getProtectionDomain().getCodeSource().getLocation().toURI());
        if (Files.isDirectory(place)) {
            return parseBelow(place);
        }
        try (FileSystem jar =
                FileSystems.newFileSystem(URI.create("jar:" + place.toUri()), Map.of())) {
            return parseBelow(jar.getPath("/"));
        }
    }

    private static List<ClassModel> parseBelow(Path root) throws IOException {
        List<ClassModel> classes = new ArrayList<>();
        try (Stream<Path> files = Files.walk(root)) {
            for (Path file : files.filter(f -> f.toString().endsWith(".class")).toList()) {
                classes.add(ClassFile.of().parse(Files.readAllBytes(file)));
            }
        }
        return classes;
    }
}
