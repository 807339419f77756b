package io.aerostat.vmm.linux;

import io.aerostat.vmm.linux.LinuxGuestException.Reason;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import java.util.stream.Stream;

/**
 * A running Linux. Commands run in its shell, one at a time; each has a shell of its own, so that
 * directories and variables do not carry over, and no input.
 *
 * <p>Safe for any thread. Whoever starts one closes it; a JVM that is told to end closes it too,
 * and one that is killed leaves a guest that switches itself off as soon as it is idle.
 */
public final class LinuxGuest implements AutoCloseable {
    private static final Logger LOGGER = System.getLogger(LinuxGuest.class.getName());

    private static final int BOOT_ATTEMPTS = 3;

    private static final Duration ANSWER_DEADLINE = Duration.ofSeconds(10);
    private static final int TERMINATE_SECONDS = 2;
    private static final int NARROW_SECONDS = 5;

    /** The number of a memory balloon among virtio's devices. */
    private static final int BALLOON_DEVICE = 5;

    private static final String MODULE = "virtio_balloon";

    private final Path directory;
    private final GuestProcess guest;
    private final GuestConsole console;
    private final boolean isRamInMemory;
    private final Thread hook;
    private final ReentrantLock closing = new ReentrantLock();

    /** Under the lock. */
    private boolean isDestroyed;

    private LinuxGuest(Path directory, Process process, boolean isRamInMemory) throws IOException {
        this.directory = directory;
        this.guest = new GuestProcess(process, directory);
        this.console = GuestConsole.of(process);
        this.isRamInMemory = isRamInMemory;
        this.hook = new Thread(this::destroy, "linux-guest-" + process.pid());
    }

    /** {@link #start(LinuxPackages, LinuxGuestOptions)} with what this machine has. */
    public static LinuxGuest start(LinuxGuestOptions options)
            throws IOException, InterruptedException {
        return start(LinuxPackages.search(), options);
    }

    /**
     * Starts a guest and waits until it answers.
     *
     * <p>On a busy host a kernel of User Mode Linux now and then gets no process for its first
     * program, and panics: such a guest is started again, up to {@value #BOOT_ATTEMPTS} times in
     * all.
     *
     * @throws IllegalStateException if packages are missing; the message says how to install them
     * @throws LinuxGuestException if it does not boot, or not in time; nothing is left of it
     */
    public static LinuxGuest start(LinuxPackages packages, LinuxGuestOptions options)
            throws IOException, InterruptedException {
        if (!packages.isComplete()) {
            throw new IllegalStateException("a Linux guest " + packages.remedy());
        }
        Path ram =
                options.ramDirectory().isPresent()
                        ? options.ramDirectory().get().toAbsolutePath()
                        : RamDirectory.ofThisMachine().choose(options.memoryBytes());
        for (int attempt = 1; ; attempt++) {
            try {
                return boot(packages, options, ram);
            } catch (LinuxGuestException e) {
                if (attempt == BOOT_ATTEMPTS || !gotNoProcess(e)) {
                    throw e;
                }
                LOGGER.log(Level.WARNING, "a guest got no process, and is started again");
            }
        }
    }

    private static boolean gotNoProcess(LinuxGuestException failure) {
        return failure.reason() == LinuxGuestException.Reason.ENDED
                && failure.console().stream().anyMatch(line -> line.contains("can't fork"));
    }

    private static LinuxGuest boot(LinuxPackages packages, LinuxGuestOptions options, Path ram)
            throws IOException, InterruptedException {
        Path directory = newDirectory(options);
        @Nullable LinuxGuest started = null;
        try {
            started = launch(packages, options, ram, directory);
            started.console.awaitUp(options.bootDeadline());
            return started;
        } catch (IOException | InterruptedException | RuntimeException e) {
            if (started == null) {
                remove(directory);
            } else {
                started.close();
            }
            throw e;
        }
    }

    private static LinuxGuest launch(
            LinuxPackages packages, LinuxGuestOptions options, Path ram, Path directory)
            throws IOException, InterruptedException {
        Path image = new Initramfs(packages).build(directory);
        ProcessBuilder builder =
                new ProcessBuilder(commandLine(packages, options, directory, image))
                        .directory(directory.toFile())
                        .redirectErrorStream(true);
        builder.environment().clear();
        builder.environment().put("HOME", directory.toString());
        builder.environment().put("TMPDIR", ram.toString());
        boolean isRamInMemory = Files.getFileStore(ram).type().equals("tmpfs");
        Process process = builder.start();
        LinuxGuest started;
        try {
            started = new LinuxGuest(directory, process, isRamInMemory);
        } catch (IOException | RuntimeException e) {
            process.destroyForcibly();
            throw e;
        }
        started.closeWithTheJvm();
        return started;
    }

    private static List<String> commandLine(
            LinuxPackages packages, LinuxGuestOptions options, Path directory, Path image)
            throws IOException, InterruptedException {
        List<String> line = new ArrayList<>();
        // A kernel that panics terminates its process group: not ours.
        line.add(packages.setsid().toString());
        if (!options.randomAddresses() && canFixAddresses(packages)) {
            line.add(packages.setarch().toString());
            line.add("-R");
        }
        line.add(packages.kernel().toString());
        line.add("mem=" + (options.memoryBytes() >> 10) + "K");
        line.add("initrd=" + image);
        line.add("con=null");
        line.add("con0=fd:0,fd:1");
        line.add("uml_dir=" + directory + "/");
        line.add("umid=guest");
        options.balloonSocket()
                .ifPresent(path -> line.add("virtio_uml.device=" + path + ":" + BALLOON_DEVICE));
        if (options.loadsBalloon()) {
            line.add("aerostat_balloon=load");
        }
        line.addAll(options.kernelArguments());
        return line;
    }

    /** Containers may forbid it. The guest runs all the same. */
    private static boolean canFixAddresses(LinuxPackages packages)
            throws IOException, InterruptedException {
        Process probe =
                new ProcessBuilder(
                                packages.setarch().toString(),
                                "-R",
                                packages.busybox().toString(),
                                "true")
                        .redirectErrorStream(true)
                        .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                        .start();
        boolean canFix = probe.waitFor(NARROW_SECONDS, TimeUnit.SECONDS) && probe.exitValue() == 0;
        probe.destroyForcibly();
        if (!canFix) {
            LOGGER.log(Level.INFO, "address randomisation cannot be turned off: it stays on");
        }
        return canFix;
    }

    private static Path newDirectory(LinuxGuestOptions options) throws IOException {
        String prefix = "aerostat";
        Path directory =
                options.directory().isPresent()
                        ? Files.createTempDirectory(options.directory().get(), prefix)
                        : Files.createTempDirectory(prefix);
        directory = directory.toRealPath();
        if (directory.toString().chars().anyMatch(c -> c <= ' ')) {
            remove(directory);
            throw new IllegalArgumentException(
                    "a guest's directory has no blank in its path: directory=" + directory);
        }
        return directory;
    }

    /**
     * Runs a command in the guest's shell and waits for its end.
     *
     * @param command any number of lines, about 3,000 bytes at most
     * @param deadline includes waiting for an earlier command that did not end in its time
     * @throws LinuxGuestException if the deadline passes, the guest ends meanwhile (at once), or
     *     the command prints more than 4 MiB, or a line of 1 MiB; the console carries some ten
     *     thousand lines a second
     */
    public CommandResult run(String command, Duration deadline) throws InterruptedException {
        return console.run(command, deadline);
    }

    /** The guest's /proc/meminfo in KiB, by the names there without their colons. */
    public Map<String, Long> meminfo() throws InterruptedException {
        Map<String, Long> values = new LinkedHashMap<>();
        for (String line : answer("cat /proc/meminfo")) {
            String[] words = line.split("\\s+", -1);
            if (words.length == 3 && words[2].equals("kB")) {
                values.put(words[0].substring(0, words[0].length() - 1), Long.valueOf(words[1]));
            }
        }
        return values;
    }

    /** The guest's /proc/vmstat: counts of pages or events, by the names there. */
    public Map<String, Long> vmstat() throws InterruptedException {
        Map<String, Long> values = new LinkedHashMap<>();
        for (String line : answer("cat /proc/vmstat")) {
            String[] words = line.split(" ", -1);
            if (words.length == 2) {
                values.put(words[0], Long.valueOf(words[1]));
            }
        }
        return values;
    }

    /** What {@code free} prints in the guest, in KiB. */
    public List<String> free() throws InterruptedException {
        return answer("free");
    }

    /** Such as {@code 6.1.176}. */
    public String kernelRelease() throws InterruptedException {
        return String.join("\n", answer("uname -r"));
    }

    /** Loads the balloon's driver. */
    public void loadBalloon() throws InterruptedException {
        answer("insmod /mod/" + MODULE + ".ko");
    }

    /** Unloads the balloon's driver, which empties the balloon first. */
    public void unloadBalloon() throws InterruptedException {
        answer("rmmod " + MODULE);
    }

    private List<String> answer(String command) throws InterruptedException {
        CommandResult result = run(command, ANSWER_DEADLINE);
        if (!result.isSuccess()) {
            throw console.failure(
                    Reason.COMMAND_FAILED,
                    "a command has failed: exitCode=" + result.exitCode() + ", command=" + command);
        }
        return result.lines();
    }

    /** The last lines of the console, oldest first; also of a guest that has ended. */
    public List<String> consoleLog() {
        return console.log();
    }

    /** Tells whether its process runs. */
    public boolean isAlive() {
        return guest.process().isAlive();
    }

    /** The kernel's process. */
    public long pid() {
        return guest.process().pid();
    }

    /** Of the kernel's process; empty while it runs. 128 and a signal's number, if one ended it. */
    public OptionalInt exitCode() {
        return isAlive() ? OptionalInt.empty() : OptionalInt.of(guest.process().exitValue());
    }

    /**
     * Bytes of guest RAM that the host has in memory, as the host's kernel says. The kernel of the
     * guest touches all that it hands out, so its own process has it all mapped; its helpers map
     * parts of the same pages. Where guest RAM lies on a disk, the kernel's program itself is
     * included, some MiB.
     *
     * @throws LinuxGuestException if it has ended
     */
    public long residentShmemBytes() {
        try {
            return guest.statusBytes(isRamInMemory ? "RssShmem" : "RssFile");
        } catch (IOException e) {
            throw console.failure(Reason.ENDED, "the guest has ended: " + e.getMessage());
        }
    }

    /**
     * Switches the guest off as its user would. If it does not end in time, it is told to by a
     * signal, which still removes its devices in order, and two seconds later it is killed.
     *
     * @return the exit code: 0 if it switched itself off
     */
    public int powerOff(Duration deadline) throws InterruptedException {
        long endNs = System.nanoTime() + deadline.toNanos();
        try {
            var _ = console.type("poweroff -f", deadline);
        } catch (LinuxGuestException e) {
            LOGGER.log(Level.WARNING, "the guest is too busy to switch itself off", e);
        }
        Process process = guest.process();
        if (!process.waitFor(endNs - System.nanoTime(), TimeUnit.NANOSECONDS)) {
            process.destroy();
            if (!process.waitFor(TERMINATE_SECONDS, TimeUnit.SECONDS)) {
                guest.kill();
            }
        }
        return process.waitFor();
    }

    private void closeWithTheJvm() {
        try {
            Runtime.getRuntime().addShutdownHook(hook);
        } catch (IllegalStateException e) {
            destroy();
            throw e;
        }
    }

    /**
     * Kills the guest if it still runs, and removes all that is left of it. Takes a second or two
     * at the very most. A second close does nothing.
     */
    @Override
    public void close() {
        destroy();
        try {
            var _ = Runtime.getRuntime().removeShutdownHook(hook);
        } catch (IllegalStateException e) {
            LOGGER.log(Level.DEBUG, "closed while the JVM ends");
        }
    }

    private void destroy() {
        closing.lock();
        try {
            if (isDestroyed) {
                return;
            }
            isDestroyed = true;
            guest.kill();
            remove(directory);
        } finally {
            closing.unlock();
        }
    }

    private static void remove(Path directory) {
        try (Stream<Path> files = Files.walk(directory)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(file);
            }
        } catch (IOException | UncheckedIOException e) {
            LOGGER.log(Level.WARNING, "a guest's directory is not removed: " + directory, e);
        }
    }
}
