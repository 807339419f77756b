package io.aerostat.vmm.linux;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * How a Linux guest is started.
 *
 * @param memoryBytes its RAM: 48 MiB and more, whole 4 KiB pages
 * @param balloonSocket where the balloon's vhost-user back-end listens already, or empty for a
 *     guest without a balloon; at most 107 bytes without a colon or a blank
 * @param loadsBalloon whether the balloon's driver is loaded while the guest boots
 * @param directory in which the guest gets a directory of its own, gone when the guest is closed;
 *     or empty for the system's temporary directory
 * @param ramDirectory where the unlinked file of guest RAM lies, or empty to choose: /dev/shm, or
 *     the temporary directory where that is too small
 * @param bootDeadline how long it may take until the guest answers
 * @param kernelArguments added to the kernel's command line, each without a blank
 * @param randomAddresses whether the host's address randomisation stays on, which puts guest RAM at
 *     another address in each run
 */
public record LinuxGuestOptions(
        long memoryBytes,
        Optional<Path> balloonSocket,
        boolean loadsBalloon,
        Optional<Path> directory,
        Optional<Path> ramDirectory,
        Duration bootDeadline,
        List<String> kernelArguments,
        boolean randomAddresses) {
    /** The smallest memory with which the kernel boots and has something left, in bytes. */
    public static final long LEAST_MEMORY_BYTES = 48L << 20;

    /** Of a socket's address; the kernel keeps one byte for the end. */
    private static final int LONGEST_SOCKET_PATH = 107;

    private static final int PAGE_BYTES = 4096;

    /** Some ten times what a boot takes on a machine that is not busy. */
    private static final Duration BOOT_DEADLINE = Duration.ofSeconds(30);

    /** Checks what the kernel would stumble over. */
    public LinuxGuestOptions {
        if (memoryBytes < LEAST_MEMORY_BYTES || memoryBytes % PAGE_BYTES != 0) {
            throw new IllegalArgumentException(
                    "memory must be whole pages, 48 MiB and more: memoryBytes=" + memoryBytes);
        }
        if (bootDeadline.isNegative() || bootDeadline.isZero()) {
            throw new IllegalArgumentException(
                    "a guest needs time to boot: bootDeadline=" + bootDeadline);
        }
        balloonSocket = balloonSocket.map(Path::toAbsolutePath);
        balloonSocket.ifPresent(LinuxGuestOptions::requireUsable);
        kernelArguments = List.copyOf(kernelArguments);
        for (String argument : kernelArguments) {
            if (argument.isEmpty() || argument.chars().anyMatch(c -> c <= ' ')) {
                throw new IllegalArgumentException(
                        "a kernel argument has no blank: kernelArgument=" + argument);
            }
        }
    }

    /** A guest of that much memory and without a balloon; everything else as usual. */
    public static LinuxGuestOptions of(long memoryBytes) {
        return new LinuxGuestOptions(
                memoryBytes,
                Optional.empty(),
                false,
                Optional.empty(),
                Optional.empty(),
                BOOT_DEADLINE,
                List.of(),
                false);
    }

    /** The same with a balloon whose back-end listens at {@code socket}. */
    public LinuxGuestOptions withBalloonSocket(Path socket) {
        return new LinuxGuestOptions(
                memoryBytes,
                Optional.of(socket),
                loadsBalloon,
                directory,
                ramDirectory,
                bootDeadline,
                kernelArguments,
                randomAddresses);
    }

    /** The same, with the balloon's driver loaded at boot. */
    public LinuxGuestOptions withBalloonLoaded() {
        return new LinuxGuestOptions(
                memoryBytes,
                balloonSocket,
                true,
                directory,
                ramDirectory,
                bootDeadline,
                kernelArguments,
                randomAddresses);
    }

    /** The same with its directory inside {@code parent}. */
    public LinuxGuestOptions withDirectory(Path parent) {
        return new LinuxGuestOptions(
                memoryBytes,
                balloonSocket,
                loadsBalloon,
                Optional.of(parent),
                ramDirectory,
                bootDeadline,
                kernelArguments,
                randomAddresses);
    }

    /** The same with guest RAM in {@code ram}. */
    public LinuxGuestOptions withRamDirectory(Path ram) {
        return new LinuxGuestOptions(
                memoryBytes,
                balloonSocket,
                loadsBalloon,
                directory,
                Optional.of(ram),
                bootDeadline,
                kernelArguments,
                randomAddresses);
    }

    /** The same with another time to boot. */
    public LinuxGuestOptions withBootDeadline(Duration deadline) {
        return new LinuxGuestOptions(
                memoryBytes,
                balloonSocket,
                loadsBalloon,
                directory,
                ramDirectory,
                deadline,
                kernelArguments,
                randomAddresses);
    }

    /** The same with other additions to the kernel's command line. */
    public LinuxGuestOptions withKernelArguments(String... arguments) {
        return new LinuxGuestOptions(
                memoryBytes,
                balloonSocket,
                loadsBalloon,
                directory,
                ramDirectory,
                bootDeadline,
                List.of(arguments),
                randomAddresses);
    }

    /** The same with the host's address randomisation on. */
    public LinuxGuestOptions withRandomAddresses() {
        return new LinuxGuestOptions(
                memoryBytes,
                balloonSocket,
                loadsBalloon,
                directory,
                ramDirectory,
                bootDeadline,
                kernelArguments,
                true);
    }

    /** User Mode Linux splits its own options at colons and its command line at blanks. */
    private static void requireUsable(Path socket) {
        String path = socket.toString();
        int bytes = path.getBytes(StandardCharsets.UTF_8).length;
        if (bytes > LONGEST_SOCKET_PATH) {
            throw new IllegalArgumentException(
                    "a socket's path has at most 107 bytes: bytes=" + bytes + ", path=" + path);
        }
        if (path.chars().anyMatch(c -> c <= ' ' || c == ':')) {
            throw new IllegalArgumentException(
                    "a balloon's socket has no blank and no colon in its path: path=" + path);
        }
    }
}
