package io.aerostat.vmm.os;

import io.aerostat.memory.os.LinuxMemory;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.stream.Stream;

/** Files in memory, and which descriptors this process has open: /proc/self/fd. */
final class OpenFiles {
    private OpenFiles() {}

    /** A file in memory of a page, found by its name. */
    static Descriptor memoryFile(String name) {
        Descriptor file = Descriptor.owning(LinuxMemory.memfdCreate(name, LinuxMemory.MFD_CLOEXEC));
        LinuxMemory.ftruncate(file.number(), 4096);
        return file;
    }

    static void write(Descriptor file, long value) throws IOException {
        try (FileChannel channel = open(file)) {
            channel.write(ByteBuffer.allocate(Long.BYTES).putLong(0, value), 0);
        }
    }

    static long read(Descriptor file) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(Long.BYTES);
        try (FileChannel channel = open(file)) {
            channel.read(bytes, 0);
        }
        return bytes.getLong(0);
    }

    /** How many descriptors of this process are open on files whose name contains {@code name}. */
    static long count(String name) throws IOException {
        try (Stream<Path> descriptors = Files.list(Path.of("/proc/self/fd"))) {
            return descriptors.filter(descriptor -> targetOf(descriptor).contains(name)).count();
        }
    }

    /** The flags of an open file and its descriptor, as open(2) takes them. */
    static int flags(Descriptor descriptor) throws IOException {
        Path path = Path.of("/proc/self/fdinfo/" + descriptor.number());
        try (Stream<String> lines = Files.lines(path)) {
            String flags =
                    lines.filter(line -> line.startsWith("flags:")).findFirst().orElseThrow();
            return Integer.parseInt(flags.substring("flags:".length()).strip(), 8);
        }
    }

    private static FileChannel open(Descriptor file) throws IOException {
        return FileChannel.open(
                Path.of("/proc/self/fd/" + file.number()),
                StandardOpenOption.READ,
                StandardOpenOption.WRITE);
    }

    private static String targetOf(Path descriptor) {
        try {
            return Files.readSymbolicLink(descriptor).toString();
        } catch (IOException gone) {
            return ""; // The listing's own descriptor.
        }
    }
}
