package io.aerostat.vmm.realguest;

import io.aerostat.vmm.frontend.OpenDescriptors;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * What guests could leave behind, as the host's kernel says. Other guests on this machine do not
 * disturb.
 *
 * @param descriptors that this process has open on sockets, events and guest RAM
 * @param mappings of guest RAM in this process
 * @param ramFiles files of guest RAM with a name; they have one for a moment only
 */
record Leftovers(long descriptors, long mappings, Set<Path> ramFiles) {
    /** In the names of User Mode Linux's RAM. */
    private static final String RAM_FILE = "vm_file";

    /** What there is now. */
    static Leftovers now() throws IOException {
        return new Leftovers(
                OpenDescriptors.of(OpenDescriptors.SOCKET, OpenDescriptors.EVENT, RAM_FILE),
                ramMappings(),
                ramFilesNow());
    }

    private static long ramMappings() throws IOException {
        try (Stream<String> maps = Files.lines(Path.of("/proc/self/maps"))) {
            return maps.filter(line -> line.contains(RAM_FILE)).count();
        }
    }

    private static Set<Path> ramFilesNow() throws IOException {
        Set<Path> found = new TreeSet<>();
        for (String place : new String[] {"/dev/shm", System.getProperty("java.io.tmpdir")}) {
            try (DirectoryStream<Path> files =
                    Files.newDirectoryStream(Path.of(place), RAM_FILE + "*")) {
                files.forEach(found::add);
            }
        }
        return found;
    }

    /** Waits until there is nothing that there was not at this time. */
    void awaitNothingMore() throws Exception {
        Await.until("nothing is left, was " + this, () -> isNothingMore(now()));
    }

    private boolean isNothingMore(Leftovers now) {
        return now.descriptors <= descriptors
                && now.mappings <= mappings
                && ramFiles.containsAll(now.ramFiles);
    }

    /** The processes that work in a directory. */
    static Set<String> processesIn(Path directory) throws IOException {
        try (Stream<Path> entries = Files.list(Path.of("/proc"))) {
            return entries.filter(entry -> worksIn(entry, directory))
                    .map(entry -> entry.getFileName().toString())
                    .collect(Collectors.toCollection(TreeSet::new));
        }
    }

    private static boolean worksIn(Path process, Path directory) {
        try {
            return Files.readSymbolicLink(process.resolve("cwd")).startsWith(directory);
        } catch (IOException e) {
            // No process, or it has ended, or it is somebody else's.
            return false;
        }
    }
}
