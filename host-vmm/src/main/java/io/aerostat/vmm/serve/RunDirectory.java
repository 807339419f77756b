package io.aerostat.vmm.serve;

import io.aerostat.vmm.monitor.message.SocketPath;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.regex.Pattern;

/**
 * The folder in which a user's running guests are found: for each a socket {@code NAME.qmp}, or a
 * symbolic link to one elsewhere. Only its owner may write there.
 *
 * <p>An entry to whose socket nobody listens is stale: it is not listed, and the next guest of that
 * name replaces it.
 */
public final class RunDirectory {
    private static final String SUFFIX = ".qmp";
    private static final int MAX_NAME = 64;
    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9._-]{1," + MAX_NAME + "}");

    private final Path folder;

    /** This folder, which need not exist yet. */
    public RunDirectory(Path folder) {
        this.folder = folder.toAbsolutePath().normalize();
    }

    /**
     * The folder of this user: {@code $XDG_RUNTIME_DIR/aerostat}, or without that variable one in
     * the folder for temporary files.
     *
     * @param environment the process's
     */
    public static RunDirectory standard(Map<String, String> environment) {
        String runtime = environment.get("XDG_RUNTIME_DIR");
        if (runtime != null && Path.of(runtime).isAbsolute()) {
            return new RunDirectory(Path.of(runtime, "aerostat"));
        }
        return new RunDirectory(
                Path.of(
                        System.getProperty("java.io.tmpdir"),
                        "aerostat-" + System.getProperty("user.name")));
    }

    /** Where it is. */
    public Path folder() {
        return folder;
    }

    /**
     * Prepares a guest's entry: makes the folder if need be, and removes a stale entry.
     *
     * @param name what users will call the guest: 1 to 64 letters, digits, '.', '_' and '-'
     * @param socket where its socket shall be, or null for here
     * @return where to put the socket
     * @throws IOException if the name is not allowed or taken, the path too long, or the folder not
     *     safe
     */
    public Path enter(String name, @Nullable Path socket) throws IOException {
        Path entry = entry(name);
        SocketPath.address(entry);
        prepareFolder();
        clear(name, entry);
        if (socket == null) {
            return entry;
        }
        Path elsewhere = socket.toAbsolutePath().normalize();
        SocketPath.address(elsewhere);
        if (!elsewhere.equals(entry)) {
            try {
                Files.createSymbolicLink(entry, elsewhere);
            } catch (FileAlreadyExistsException e) {
                throw taken(name, e);
            }
        }
        return elsewhere;
    }

    /**
     * Removes a guest's link, if its socket is elsewhere; a socket here goes with its monitor. To
     * be called while that still listens: afterwards the name may be another's already.
     */
    public void leave(String name) throws IOException {
        Path entry = entry(name);
        if (Files.isSymbolicLink(entry)) {
            Files.deleteIfExists(entry);
        }
    }

    /**
     * The entry of a guest that runs, or seems to: nobody has been asked.
     *
     * @throws IOException if the name is not allowed, or the folder not safe
     */
    public Optional<Path> find(String name) throws IOException {
        Path entry = entry(name);
        return exists() && runs(entry) ? Optional.of(entry) : Optional.empty();
    }

    /**
     * The guests that run, by name.
     *
     * @throws IOException if the folder cannot be read or is not safe; one that does not exist is
     *     empty
     */
    public SortedMap<String, Path> guests() throws IOException {
        SortedMap<String, Path> guests = new TreeMap<>();
        if (!exists()) {
            return guests;
        }
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(folder, "*" + SUFFIX)) {
            for (Path entry : entries) {
                String file = entry.getFileName().toString();
                String name = file.substring(0, file.length() - SUFFIX.length());
                if (NAME.matcher(name).matches() && runs(entry)) {
                    guests.put(name, entry);
                }
            }
        }
        return guests;
    }

    /** Whoever trusts its entries must know whose they are. */
    private boolean exists() throws IOException {
        if (!Files.exists(folder, LinkOption.NOFOLLOW_LINKS)) {
            return false;
        }
        requireOurs();
        return true;
    }

    private static boolean runs(Path entry) {
        return Files.exists(entry) && !SocketPath.isStale(entry);
    }

    private Path entry(String name) throws IOException {
        if (!NAME.matcher(name).matches()) {
            throw new IOException(
                    "not a guest's name: '"
                            + name
                            + "'; allowed are 1 to "
                            + MAX_NAME
                            + " letters, digits, '.', '_' and '-'");
        }
        return folder.resolve(name + SUFFIX);
    }

    /** A link whose end is gone, and a socket without a listener, make room. */
    private static void clear(String name, Path entry) throws IOException {
        if (!Files.exists(entry, LinkOption.NOFOLLOW_LINKS)) {
            return;
        }
        if (Files.isSymbolicLink(entry)) {
            if (runs(entry)) {
                throw taken(name, null);
            }
            Files.delete(entry);
        } else if (SocketPath.isStale(entry)) {
            Files.delete(entry);
        } else {
            throw taken(name, null);
        }
    }

    private static IOException taken(String name, @Nullable IOException cause) {
        return new IOException("a guest of this name runs already: " + name, cause);
    }

    private void prepareFolder() throws IOException {
        if (!Files.exists(folder, LinkOption.NOFOLLOW_LINKS)) {
            try {
                Files.createDirectory(
                        folder,
                        PosixFilePermissions.asFileAttribute(
                                PosixFilePermissions.fromString("rwx------")));
            } catch (FileAlreadyExistsException e) {
                // Somebody was faster; whether it is ours is looked at below.
            } catch (NoSuchFileException e) {
                throw new IOException(
                        "the folder above the run directory is missing: " + folder, e);
            }
        }
        requireOurs();
    }

    private void requireOurs() throws IOException {
        Map<String, Object> attributes =
                Files.readAttributes(
                        folder, "unix:isDirectory,uid,permissions", LinkOption.NOFOLLOW_LINKS);
        if (!Boolean.TRUE.equals(attributes.get("isDirectory"))) {
            throw new IOException("the run directory is not a folder: " + folder);
        }
        Object owner = attributes.get("uid");
        if (owner == null || !owner.equals(Files.getAttribute(Path.of("/proc/self"), "unix:uid"))) {
            throw new IOException("the run directory belongs to another user: " + folder);
        }
        Set<PosixFilePermission> permissions =
                Files.getPosixFilePermissions(folder, LinkOption.NOFOLLOW_LINKS);
        if (permissions.contains(PosixFilePermission.GROUP_WRITE)
                || permissions.contains(PosixFilePermission.OTHERS_WRITE)) {
            throw new IOException("others may write in the run directory: " + folder);
        }
    }
}
