package io.aerostat.vmm.linux;

import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * Chooses where the file of guest RAM lies. In memory if possible; but a container's /dev/shm is
 * often small, and the guest dies when it is full, or mounted {@code noexec}, where the kernel
 * refuses to start.
 */
final class RamDirectory {
    private static final Logger LOGGER = System.getLogger(RamDirectory.class.getName());
    private static final Path MOUNTS = Path.of("/proc/self/mounts");

    private final Path preferred;
    private final Path fallback;
    private final List<String> mounts;

    /**
     * @param mounts lines of /proc/self/mounts
     */
    RamDirectory(Path preferred, Path fallback, List<String> mounts) {
        this.preferred = preferred;
        this.fallback = fallback;
        this.mounts = List.copyOf(mounts);
    }

    /** This machine's: /dev/shm, or else the temporary directory. */
    static RamDirectory ofThisMachine() throws IOException {
        return new RamDirectory(
                Path.of("/dev/shm"),
                Path.of(System.getProperty("java.io.tmpdir")).toAbsolutePath(),
                Files.isReadable(MOUNTS) ? Files.readAllLines(MOUNTS) : List.of());
    }

    /**
     * The directory for a guest of that size.
     *
     * @throws IOException if neither has room; the message says why
     */
    Path choose(long memoryBytes) throws IOException {
        Optional<String> against = objection(preferred, memoryBytes);
        if (against.isEmpty()) {
            return preferred;
        }
        Optional<String> againstFallback = objection(fallback, memoryBytes);
        if (againstFallback.isPresent()) {
            throw new IOException(
                    "no room for guest RAM: " + against.get() + "; " + againstFallback.get());
        }
        LOGGER.log(Level.INFO, "guest RAM lies in {0}: {1}", fallback, against.get());
        return fallback;
    }

    private Optional<String> objection(Path directory, long memoryBytes) throws IOException {
        if (!Files.isDirectory(directory)) {
            return Optional.of(directory + " does not exist");
        }
        if (isNoexec(directory)) {
            return Optional.of(directory + " is mounted noexec");
        }
        long free = Files.getFileStore(directory).getUsableSpace();
        return free >= memoryBytes
                ? Optional.empty()
                : Optional.of(
                        directory
                                + " has not enough room: freeBytes="
                                + free
                                + ", memoryBytes="
                                + memoryBytes);
    }

    /** The last mount on the longest path is the one that counts. */
    private boolean isNoexec(Path directory) {
        int longest = -1;
        boolean noexec = false;
        for (String mount : mounts) {
            String[] fields = mount.split(" ", -1);
            if (fields.length < 4) {
                continue;
            }
            Path point = Path.of(fields[1]);
            if (directory.startsWith(point) && point.getNameCount() >= longest) {
                longest = point.getNameCount();
                noexec = List.of(fields[3].split(",", -1)).contains("noexec");
            }
        }
        return noexec;
    }
}
