package io.aerostat.balloon.classloading;

import io.aerostat.balloon.BalloonDevice;
import io.aerostat.virtio.memory.GuestMemory;

import org.agrona.UnsafeApi;
import org.jctools.queues.atomic.MpscUnboundedAtomicArrayQueue;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.MalformedURLException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.jar.JarFile;
import java.util.stream.Stream;

/** Where the modules are that an embedder has at run time: jars, or folders of class files. */
final class Modules {
    private static final String CLASS_FILE = ".class";

    private Modules() {}

    /**
     * A loader that knows what the device needs at run time, and this test folder. Of the class
     * path that the tests run on it has nothing: its parent is the platform's loader.
     */
    static URLClassLoader newLoader() {
        URL[] places =
                Stream.of(
                                BalloonDevice.class,
                                GuestMemory.class,
                                UnsafeApi.class,
                                MpscUnboundedAtomicArrayQueue.class,
                                InflatingMachine.class)
                        .map(Modules::placeOf)
                        .map(Modules::url)
                        .toArray(URL[]::new);
        return new URLClassLoader(places, ClassLoader.getPlatformClassLoader());
    }

    /** All classes, nested ones among them, of the module that one is of. None is initialised. */
    static List<Class<?>> classesBeside(Class<?> one) {
        Path place = placeOf(one);
        try {
            if (Files.isDirectory(place)) {
                return classesUnder(place);
            }
            try (FileSystem jar = FileSystems.newFileSystem(place)) {
                return classesUnder(jar.getPath("/"));
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static List<Class<?>> classesUnder(Path root) throws IOException {
        try (Stream<Path> files = Files.walk(root)) {
            return files.map(file -> root.relativize(file).toString())
                    .filter(file -> file.endsWith(CLASS_FILE) && !file.endsWith("-info.class"))
                    .<Class<?>>map(Modules::loaded)
                    .toList();
        }
    }

    private static Class<?> loaded(String classFile) {
        String path = classFile.substring(0, classFile.length() - CLASS_FILE.length());
        try {
            return Class.forName(
                    path.replace('/', '.').replace('\\', '.'),
                    false,
                    Modules.class.getClassLoader());
        } catch (ClassNotFoundException e) {
            throw new IllegalStateException("not on the class path: " + path, e);
        }
    }

    /** The entry of the class path that has a class. */
    private static Path placeOf(Class<?> type) {
        String file = type.getName().replace('.', '/') + CLASS_FILE;
        return Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator))
                .map(Path::of)
                .filter(entry -> holds(entry, file))
                .findFirst()
                .orElseThrow(() -> new IllegalStateException("not on the class path: " + file));
    }

    private static boolean holds(Path entry, String file) {
        if (!Files.isRegularFile(entry)) {
            return Files.exists(entry.resolve(file));
        }
        try (JarFile jar = new JarFile(entry.toFile())) {
            return jar.getEntry(file) != null;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static URL url(Path place) {
        try {
            return place.toUri().toURL();
        } catch (MalformedURLException e) {
            throw new IllegalStateException(e);
        }
    }
}
