package io.aerostat.vmm.linux;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

final class ConsoleProtocolTest {
    private record Done(int number, int exitCode, List<String> lines, boolean overflown) {}

    private static final class Heard implements ConsoleProtocol.Listener {
        final List<Done> done = new ArrayList<>();
        int lines;
        int ups;

        @Override
        public void line(String line) {
            lines++;
        }

        @Override
        public void up() {
            ups++;
        }

        @Override
        public void done(int number, int exitCode, List<String> lines, boolean overflown) {
            done.add(new Done(number, exitCode, lines, overflown));
        }
    }

    private final Heard heard = new Heard();
    private final ConsoleProtocol protocol = new ConsoleProtocol(heard);

    @Test
    void typesACommandWithItsNumberOfLines() {
        assertArrayEquals(bytes("RUN 7 1\necho hi\n"), ConsoleProtocol.typed(7, "echo hi"));
        assertArrayEquals(bytes("RUN 8 3\na\n\n'b\"\n"), ConsoleProtocol.typed(8, "a\n\n'b\""));
    }

    @Test
    void refusesACommandThatNoShellCouldHold() {
        assertThrows(IllegalArgumentException.class, () -> ConsoleProtocol.typed(1, "a\0b"));
    }

    @Test
    void saysOnceThatTheGuestIsUp() {
        accept("Linux version 6\r\nsaid GUEST-UP 1\r\nGUEST-UP 1.42\r\nGUEST-UP 2.0\r\n");

        assertEquals(1, heard.ups);
        assertEquals(4, heard.lines);
    }

    @Test
    void leavesOutTheEchoAndOneCarriageReturnOfEachLine() {
        accept("GUEST-UP 1\r\nRUN 1 1\r\nprintf 'a\\r\\nb\\n'\r\n@@BEGIN 1@@\r\n");
        accept("a\r\r\nb\r\n@@DONE 1 0@@\r\n");

        assertEquals(List.of(new Done(1, 0, List.of("a\r", "b"), false)), heard.done);
    }

    @Test
    void takesTheSameFromPiecesOfOneByteAsFromOne() {
        String console =
                """
                GUEST-UP 1
                @@BEGIN 1@@
                one

                tw\u00f6@@DONE 1 42@@
                @@BEGIN 2@@
                @@DONE 2 0@@
                """;
        Heard slowly = new Heard();
        ConsoleProtocol piecemeal = new ConsoleProtocol(slowly);

        accept(console);
        for (byte b : bytes(console)) {
            piecemeal.accept(new byte[] {b}, 1);
        }

        assertEquals(
                List.of(
                        new Done(1, 42, List.of("one", "", "tw\u00f6"), false),
                        new Done(2, 0, List.of(), false)),
                heard.done);
        assertEquals(heard.done, slowly.done);
    }

    @Test
    void keepsALastLineWithoutAnEndAndAnEmptyOneApart() {
        accept("GUEST-UP 1\n@@BEGIN 1@@\nx@@DONE 1 0@@\n@@BEGIN 2@@\n\n@@DONE 2 0@@\n");

        assertEquals(List.of("x"), heard.done.get(0).lines());
        assertEquals(List.of(""), heard.done.get(1).lines());
    }

    @Test
    void takesAMarkOfAnotherCommandForOutput() {
        accept(
                """
                GUEST-UP 1
                @@BEGIN 2@@
                @@DONE 1 0@@
                @@DONE 2 x@@
                @@DONE 2 0@@ @@
                @@DONE 2 5@@
                """);

        assertEquals(
                List.of(
                        new Done(
                                2,
                                5,
                                List.of("@@DONE 1 0@@", "@@DONE 2 x@@", "@@DONE 2 0@@ @@"),
                                false)),
                heard.done);
    }

    @Test
    void ignoresMarksBeforeTheGuestIsUpAndEndsWithoutABeginning() {
        accept("@@BEGIN 1@@\n@@DONE 1 0@@\nGUEST-UP 1\n@@DONE 1 0@@\n");

        assertEquals(List.of(), heard.done);
    }

    @Test
    void survivesBytesOfAnyKind() {
        byte[] rubbish = new byte[512];
        for (int i = 0; i < rubbish.length; i++) {
            rubbish[i] = (byte) i;
        }

        accept("GUEST-UP 1\n@@BEGIN 1@@\n");
        protocol.accept(rubbish, rubbish.length);
        accept("@@DONE 1 3@@\n");

        assertEquals(1, heard.done.size());
        assertEquals(3, heard.done.getFirst().exitCode());
        assertEquals(3, heard.done.getFirst().lines().size());
    }

    @Test
    void findsTheMarkBehindALineThatIsTooLongToKeep() {
        accept("GUEST-UP 1\n@@BEGIN 1@@\n" + "y".repeat((2 * ConsoleProtocol.LINE_BYTES) + 17));
        accept("@@DONE 1 0@@\n");

        Done done = heard.done.getFirst();
        assertTrue(done.overflown());
        assertTrue(done.lines().getFirst().length() <= ConsoleProtocol.LINE_BYTES);
    }

    @Test
    void keepsABoundedPartOfEndlessOutput() {
        accept("GUEST-UP 1\n@@BEGIN 1@@\n");
        byte[] empty = bytes("\n".repeat(1 << 20));
        for (int i = 0; i < 5; i++) {
            protocol.accept(empty, empty.length);
        }
        accept("@@DONE 1 0@@\n@@BEGIN 2@@\nfine\n@@DONE 2 0@@\n");

        assertTrue(heard.done.getFirst().overflown());
        assertTrue(heard.done.getFirst().lines().size() <= ConsoleProtocol.OUTPUT_BYTES);
        assertEquals(new Done(2, 0, List.of("fine"), false), heard.done.get(1));
    }

    @Test
    void hearsTheLastLineOfAConsoleThatEndsInside() {
        accept("Kernel panic - not");
        protocol.end();
        protocol.end();

        assertEquals(1, heard.lines);
    }

    private void accept(String text) {
        byte[] bytes = bytes(text);
        protocol.accept(bytes, bytes.length);
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
