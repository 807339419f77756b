package io.aerostat.vmm.linux;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;

/**
 * The kernel's process, and its helpers: one for each address space in the guest, which outlive a
 * kernel that is killed. Safe for any thread.
 *
 * <p>Helpers come and go at any time, so a list of the children may miss one that is just being
 * born. But all of them have the guest's own directory as their current one, and nobody else has.
 */
final class GuestProcess {
    private static final Logger LOGGER = System.getLogger(GuestProcess.class.getName());
    private static final Path PROC = Path.of("/proc");
    private static final int KILL_ROUNDS = 400;
    private static final long KILL_PAUSE_NS = 5_000_000;

    private final Process process;
    private final Path directory;

    /**
     * @param directory the current directory of the process, which no other process uses
     */
    GuestProcess(Process process, Path directory) throws IOException {
        this.process = process;
        this.directory = directory.toRealPath();
    }

    Process process() {
        return process;
    }

    /** Kills all of it and waits for that, some seconds at most. */
    void kill() {
        Set<ProcessHandle> all = new HashSet<>(process.descendants().toList());
        process.destroyForcibly();
        for (int round = 0; round < KILL_ROUNDS; round++) {
            all.addAll(usersOfTheDirectory());
            all.removeIf(handle -> !runs(handle));
            all.forEach(ProcessHandle::destroyForcibly);
            if (!process.isAlive() && all.isEmpty()) {
                return;
            }
            LockSupport.parkNanos(KILL_PAUSE_NS);
        }
        LOGGER.log(Level.WARNING, "processes of a guest are still there: " + all);
    }

    /** Not so once it has ended, though its parent may take its time to hear of it. */
    private static boolean runs(ProcessHandle handle) {
        if (!handle.isAlive()) {
            return false;
        }
        try {
            String stat = Files.readString(PROC.resolve(handle.pid() + "/stat"));
            // The state follows the name, which may hold anything, in brackets.
            return !stat.startsWith(") Z", stat.lastIndexOf(')'));
        } catch (IOException e) {
            return false;
        }
    }

    private Set<ProcessHandle> usersOfTheDirectory() {
        Set<ProcessHandle> users = new HashSet<>();
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(PROC, "[0-9]*")) {
            for (Path entry : entries) {
                if (isUsedBy(entry)) {
                    ProcessHandle.of(Long.parseLong(entry.getFileName().toString()))
                            .ifPresent(users::add);
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return users;
    }

    private boolean isUsedBy(Path entry) {
        try {
            return Files.readSymbolicLink(entry.resolve("cwd")).equals(directory);
        } catch (IOException e) {
            // It has ended meanwhile, or belongs to somebody else.
            return false;
        }
    }

    /** What the kernel has mapped and the host keeps in memory: a field of /proc/PID/status. */
    long statusBytes(String field) throws IOException {
        try (Stream<String> lines = Files.lines(PROC.resolve(process.pid() + "/status"))) {
            return lines.filter(line -> line.startsWith(field + ":"))
                    .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")) << 10)
                    .findFirst()
                    .orElseThrow(() -> new IOException("no such field: field=" + field));
        }
    }
}
