package io.aerostat.vmm.frontend;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/** Counts this process's open descriptors, to see that none is left behind. */
public final class OpenDescriptors {
    /** In the name of a socket. */
    public static final String SOCKET = "socket:";

    /** In the name of an event descriptor. */
    public static final String EVENT = "[eventfd]";

    private OpenDescriptors() {}

    /**
     * How many there are of these kinds now.
     *
     * @param kinds parts of what /proc says that they are, such as a file's name
     */
    public static long of(String... kinds) {
        try (Stream<Path> all = Files.list(Path.of("/proc/self/fd"))) {
            return all.map(OpenDescriptors::targetOf)
                    .filter(target -> Stream.of(kinds).anyMatch(target::contains))
                    .count();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String targetOf(Path descriptor) {
        try {
            return Files.readSymbolicLink(descriptor).toString();
        } catch (IOException gone) {
            return ""; // The listing's own descriptor.
        }
    }
}
