package io.aerostat.vmm.linux;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.module.ModuleDescriptor.Version;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * What a Linux guest is made of, as installed on this machine; or which packages of Debian are
 * missing. Immutable.
 */
public final class LinuxPackages {
    private static final String INSTALL = "apt-get install --no-install-recommends ";
    private static final String MODULES = "usr/lib/uml/modules";
    private static final String BALLOON = "kernel/drivers/virtio/virtio_balloon.ko";

    /** Beside what PATH says, which may be short where a service is started. */
    private static final List<String> USUAL_PLACES =
            List.of("/bin", "/usr/bin", "/sbin", "/usr/sbin", "/usr/local/bin");

    private final @Nullable Path kernel;
    private final @Nullable Path busybox;
    private final @Nullable Path cpio;
    private final @Nullable Path setarch;
    private final @Nullable Path setsid;
    private final @Nullable Path modules;

    private LinuxPackages(Path root, String path) {
        List<Path> places = places(root, path);
        kernel = find(places, "linux.uml");
        busybox =
                places.stream()
                        .map(place -> place.resolve("busybox"))
                        .filter(file -> Files.isExecutable(file) && StaticProgram.is(file))
                        .findFirst()
                        .orElse(null);
        cpio = find(places, "cpio");
        setarch = find(places, "setarch");
        setsid = find(places, "setsid");
        modules = newestModules(root.resolve(MODULES));
    }

    /** Looks on this machine: along PATH and in the usual places. */
    public static LinuxPackages search() {
        String path = System.getenv("PATH");
        return searchBelow(Path.of("/"), path == null ? "" : path);
    }

    /**
     * Looks below another root directory.
     *
     * @param root stands for {@code /}
     * @param path absolute directories with a colon between each two, below the root
     */
    public static LinuxPackages searchBelow(Path root, String path) {
        return new LinuxPackages(root, path);
    }

    /** Tells whether a guest can be started. */
    public boolean isComplete() {
        return missing().isEmpty();
    }

    /** The packages of Debian that are missing, by name. */
    public List<String> missing() {
        List<String> names = new ArrayList<>();
        if (kernel == null) {
            names.add("user-mode-linux");
        }
        if (busybox == null) {
            names.add("busybox-static");
        }
        if (cpio == null) {
            names.add("cpio");
        }
        if (setarch == null || setsid == null) {
            names.add("util-linux");
        }
        return names;
    }

    /** One line for whoever wants a guest: what is missing and how to install it; or empty. */
    public String remedy() {
        List<String> missing = missing();
        return missing.isEmpty()
                ? ""
                : "needs "
                        + String.join(", ", missing)
                        + ": "
                        + INSTALL
                        + String.join(" ", missing);
    }

    /** The kernel, a program. */
    public Path kernel() {
        return require(kernel);
    }

    /** The guest's programs, all in one that needs no library. */
    public Path busybox() {
        return require(busybox);
    }

    /** Packs the initramfs. */
    public Path cpio() {
        return require(cpio);
    }

    /** Turns address randomisation off. */
    public Path setarch() {
        return require(setarch);
    }

    /** Gives the guest a session of its own. */
    public Path setsid() {
        return require(setsid);
    }

    /** The kernel's release by the name of its modules' directory; empty without modules. */
    public Optional<String> release() {
        return Optional.ofNullable(modules).map(directory -> directory.getFileName().toString());
    }

    /** The balloon's driver; empty if this kernel's modules have none. */
    public Optional<Path> balloonModule() {
        return Optional.ofNullable(modules)
                .map(directory -> directory.resolve(BALLOON))
                .filter(Files::isRegularFile);
    }

    private Path require(@Nullable Path file) {
        if (file == null) {
            throw new IllegalStateException("a Linux guest " + remedy());
        }
        return file;
    }

    private static List<Path> places(Path root, String path) {
        return Stream.concat(Stream.of(path.split(":", -1)), USUAL_PLACES.stream())
                .filter(place -> place.startsWith("/"))
                .distinct()
                .map(place -> root.resolve(place.substring(1)))
                .toList();
    }

    private static @Nullable Path find(List<Path> places, String program) {
        return places.stream()
                .map(place -> place.resolve(program))
                .filter(file -> Files.isRegularFile(file) && Files.isExecutable(file))
                .findFirst()
                .orElse(null);
    }

    /** A kernel's package leaves its old modules behind now and then. */
    private static @Nullable Path newestModules(Path directory) {
        if (!Files.isDirectory(directory)) {
            return null;
        }
        try (Stream<Path> versions = Files.list(directory)) {
            return versions.filter(Files::isDirectory)
                    .filter(
                            version ->
                                    Character.isDigit(version.getFileName().toString().charAt(0)))
                    .max(Comparator.comparing(v -> Version.parse(v.getFileName().toString())))
                    .orElse(null);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
