package io.aerostat.vmm.linux;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.zip.GZIPOutputStream;

/**
 * The guest's first file system: busybox, our {@code /init}, and the balloon's driver as {@code
 * /mod/virtio_balloon.ko} if there is one. All other programs are links that the guest makes
 * itself.
 */
final class Initramfs {
    private static final String INIT = "init";
    private static final String RWX = "rwxr-xr-x";

    private final LinuxPackages packages;

    Initramfs(LinuxPackages packages) {
        this.packages = packages;
    }

    /**
     * Packs it.
     *
     * @param directory must exist; gets the tree and the image
     * @return the image, an archive that gzip has compressed
     */
    Path build(Path directory) throws IOException, InterruptedException {
        Path tree = Files.createDirectory(directory.resolve("tree"));
        grow(tree);
        Path image = directory.resolve("initramfs.gz");
        Path complaints = directory.resolve("cpio.log");
        Process cpio =
                new ProcessBuilder(
                                packages.cpio().toString(),
                                "--create",
                                "--format=newc",
                                "--owner=+0:+0",
                                "--quiet")
                        .directory(tree.toFile())
                        .redirectError(complaints.toFile())
                        .start();
        try (OutputStream names = cpio.getOutputStream()) {
            // Few enough names to lie in the pipe while nobody reads what comes out.
            names.write(names(tree).getBytes(StandardCharsets.UTF_8));
        }
        try (InputStream archive = cpio.getInputStream();
                OutputStream packed = new GZIPOutputStream(Files.newOutputStream(image))) {
            archive.transferTo(packed);
        }
        if (cpio.waitFor() != 0) {
            throw new IOException(
                    "cpio failed: exitCode="
                            + cpio.exitValue()
                            + ", stderr="
                            + Files.readString(complaints).strip());
        }
        return image;
    }

    private void grow(Path tree) throws IOException {
        for (String name : new String[] {"bin", "dev", "mod", "proc", "sys", "tmp"}) {
            Files.createDirectory(tree.resolve(name));
        }
        Path busybox = Files.copy(packages.busybox(), tree.resolve("bin/busybox"));
        Files.createSymbolicLink(tree.resolve("bin/sh"), Path.of("busybox"));
        Path init = tree.resolve(INIT);
        try (InputStream script =
                Objects.requireNonNull(Initramfs.class.getResourceAsStream(INIT), INIT)) {
            Files.copy(script, init);
        }
        // Without its execute bit the kernel panics.
        Files.setPosixFilePermissions(init, PosixFilePermissions.fromString(RWX));
        Files.setPosixFilePermissions(busybox, PosixFilePermissions.fromString(RWX));
        Optional<Path> module = packages.balloonModule();
        if (module.isPresent()) {
            Files.copy(module.get(), tree.resolve("mod/virtio_balloon.ko"));
        }
    }

    private static String names(Path tree) throws IOException {
        try (Stream<Path> files = Files.walk(tree)) {
            return files.filter(file -> !file.equals(tree))
                    .map(file -> tree.relativize(file).toString())
                    .sorted()
                    .collect(Collectors.joining("\n", "", "\n"));
        }
    }
}
