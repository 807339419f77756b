package io.aerostat.vmm.vhost;

import io.aerostat.vmm.frontend.FrontEndRam;
import io.aerostat.vmm.frontend.OpenDescriptors;
import io.netty.buffer.UnpooledByteBufAllocator;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/**
 * What this process holds that a connection may have left behind.
 *
 * @param descriptors sockets, events, pipes, files of guest RAM
 * @param mappings of files of guest RAM
 * @param threads of served guests
 * @param bufferBytes outside of the heap
 */
record Leftovers(long descriptors, long mappings, long threads, long bufferBytes) {
    static Leftovers now() {
        return new Leftovers(
                OpenDescriptors.of(
                        OpenDescriptors.SOCKET,
                        OpenDescriptors.EVENT,
                        "pipe:",
                        FrontEndRam.FILE_NAME),
                countMappings(),
                Thread.getAllStackTraces().keySet().stream()
                        .filter(thread -> thread.getName().startsWith("aerostat-guest-"))
                        .count(),
                UnpooledByteBufAllocator.DEFAULT.metric().usedDirectMemory());
    }

    private static long countMappings() {
        try (Stream<String> lines = Files.lines(Path.of("/proc/self/maps"))) {
            return lines.filter(line -> line.contains(FrontEndRam.FILE_NAME)).count();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
