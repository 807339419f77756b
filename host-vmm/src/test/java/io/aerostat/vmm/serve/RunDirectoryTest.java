package io.aerostat.vmm.serve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Where running guests are found, by real sockets in a real folder. */
final class RunDirectoryTest {
    @TempDir private Path folder;
    private RunDirectory directory;

    @BeforeEach
    void make() {
        directory = new RunDirectory(folder.resolve("run"));
    }

    private static ServerSocketChannel listen(Path socket) throws IOException {
        ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
        server.bind(UnixDomainSocketAddress.of(socket));
        return server;
    }

    private List<String> names() throws IOException {
        return List.copyOf(directory.guests().keySet());
    }

    private String failure(String name, Path socket) {
        return assertThrows(IOException.class, () -> directory.enter(name, socket)).getMessage();
    }

    @Test
    void isTheOneOfTheUser() {
        assertEquals(
                Path.of("/run/user/5/aerostat"),
                RunDirectory.standard(Map.of("XDG_RUNTIME_DIR", "/run/user/5")).folder());
        Path fallback =
                Path.of(
                        System.getProperty("java.io.tmpdir"),
                        "aerostat-" + System.getProperty("user.name"));
        assertEquals(fallback, RunDirectory.standard(Map.of()).folder());
        assertEquals(fallback, RunDirectory.standard(Map.of("XDG_RUNTIME_DIR", "run")).folder());
    }

    @Test
    void isEmptyAndNotMadeUntilAGuestEnters() throws IOException {
        assertEquals(List.of(), names());
        assertEquals(Optional.empty(), directory.find("a"));
        assertFalse(Files.exists(directory.folder()));

        directory.enter("a", null);

        assertEquals(
                "rwx------",
                PosixFilePermissions.toString(Files.getPosixFilePermissions(directory.folder())));
    }

    @Test
    void findsGuestsHereAndElsewhereByName() throws IOException {
        Path elsewhere = folder.resolve("my.socket");
        try (ServerSocketChannel here = listen(directory.enter("b.1", null));
                ServerSocketChannel there = listen(directory.enter("a-_2", elsewhere))) {
            assertEquals(List.of("a-_2", "b.1"), names());
            assertEquals(Optional.of(directory.folder().resolve("b.1.qmp")), directory.find("b.1"));
            assertEquals(elsewhere, directory.find("a-_2").orElseThrow().toRealPath());
            assertTrue(here.isOpen() && there.isOpen());
        }
    }

    @Test
    void doesNotListWhatIsStaleAndReplacesIt() throws IOException {
        Path elsewhere = folder.resolve("my.socket");
        listen(directory.enter("dead", null)).close();
        listen(directory.enter("linked", elsewhere)).close();
        directory.enter("dangling", folder.resolve("never"));
        Files.writeString(directory.folder().resolve("notes.txt"), "");
        Files.writeString(directory.folder().resolve("not allowed.qmp"), "");

        assertEquals(List.of(), names());
        assertEquals(Optional.empty(), directory.find("dead"));

        try (ServerSocketChannel again = listen(directory.enter("dead", null));
                ServerSocketChannel linked = listen(directory.enter("linked", null));
                ServerSocketChannel dangling = listen(directory.enter("dangling", null))) {
            assertEquals(List.of("dangling", "dead", "linked"), names());
            assertTrue(again.isOpen() && linked.isOpen() && dangling.isOpen());
        }
    }

    @Test
    void keepsANameFromASecondGuest() throws IOException {
        Path elsewhere = folder.resolve("my.socket");
        try (ServerSocketChannel first = listen(directory.enter("a", null));
                ServerSocketChannel second = listen(directory.enter("b", elsewhere))) {
            assertEquals("a guest of this name runs already: a", failure("a", null));
            assertEquals("a guest of this name runs already: b", failure("b", null));
            assertTrue(first.isOpen() && second.isOpen());
        }
    }

    @Test
    void forgetsAGuestThatLeaves() throws IOException {
        Path elsewhere = folder.resolve("my.socket");
        try (ServerSocketChannel server = listen(directory.enter("a", elsewhere))) {
            directory.leave("a");

            assertEquals(List.of(), names());
            assertTrue(Files.exists(elsewhere) && server.isOpen());
        }
        directory.leave("a");
    }

    @Test
    void leavesASocketOfThatNameToItsOwner() throws IOException {
        try (ServerSocketChannel server = listen(directory.enter("a", null))) {
            directory.leave("a");

            assertEquals(List.of("a"), names());
            assertTrue(server.isOpen());
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "a b", "a/b", "../a", "\u00e4", "a\n"})
    void refusesNamesThatAreNone(String name) {
        assertTrue(failure(name, null).startsWith("not a guest's name: '" + name + "'; allowed"));
    }

    @Test
    void limitsNamesAndPaths() throws IOException {
        directory.enter("x".repeat(64), null);
        assertTrue(failure("x".repeat(65), null).contains("1 to 64 letters"));
        assertTrue(
                failure("a", folder.resolve("x".repeat(100)))
                        .startsWith("a socket's path has at most 106 bytes"));

        directory = new RunDirectory(folder.resolve("x".repeat(90)));
        assertTrue(failure("abcdef", null).startsWith("a socket's path has at most 106 bytes"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"rwxrwx---", "rwx----w-"})
    void trustsNoFolderInWhichOthersMayWrite(String permissions) throws IOException {
        Files.createDirectory(directory.folder());
        Files.setPosixFilePermissions(
                directory.folder(), PosixFilePermissions.fromString(permissions));

        String expected = "others may write in the run directory: " + directory.folder();
        assertEquals(expected, failure("a", null));
        assertEquals(
                expected, assertThrows(IOException.class, () -> directory.guests()).getMessage());
        assertEquals(
                expected, assertThrows(IOException.class, () -> directory.find("a")).getMessage());
    }

    @Test
    void trustsNoFolderOfSomebodyElse() throws IOException {
        boolean root = Files.getAttribute(Path.of("/proc/self"), "unix:uid").equals(0);
        Path theirs = root ? Files.createDirectory(folder.resolve("theirs")) : Path.of("/usr");
        if (root) {
            Files.setAttribute(theirs, "unix:uid", 12345);
        }
        directory = new RunDirectory(theirs);

        assertEquals("the run directory belongs to another user: " + theirs, failure("a", null));
        assertThrows(IOException.class, () -> directory.guests());
    }

    @Test
    void trustsNoLinkAndNoFile() throws IOException {
        Path target = Files.createDirectory(folder.resolve("target"));
        Files.createSymbolicLink(directory.folder(), target);
        assertEquals(
                "the run directory is not a folder: " + directory.folder(), failure("a", null));

        directory = new RunDirectory(Files.writeString(folder.resolve("file"), ""));
        assertEquals(
                "the run directory is not a folder: " + directory.folder(), failure("a", null));
        assertFalse(Files.exists(target.resolve("a.qmp"), LinkOption.NOFOLLOW_LINKS));
    }

    @Test
    void saysThatTheFolderAboveIsMissing() {
        directory = new RunDirectory(folder.resolve("no/run"));

        assertEquals(
                "the folder above the run directory is missing: " + directory.folder(),
                failure("a", null));
    }
}
