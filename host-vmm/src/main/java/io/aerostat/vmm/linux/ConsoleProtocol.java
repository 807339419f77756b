package io.aerostat.vmm.linux;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The words on a guest's console. A host types
 *
 * <pre>
 * RUN number lines
 * ... that many lines of shell
 * </pre>
 *
 * and the guest, once it has said {@code GUEST-UP}, answers
 *
 * <pre>
 * &#64;&#64;BEGIN number&#64;&#64;
 * ... what the command prints, its last line perhaps without an end
 * &#64;&#64;DONE number code&#64;&#64;
 * </pre>
 *
 * Marks are never typed, so an echo of what is typed cannot be taken for an answer; whatever stands
 * before the beginning is no part of it. A terminal ends lines with CR LF: one CR goes with the LF.
 *
 * <p>Takes bytes as they arrive, in pieces of any size, and keeps a bounded amount of them. One
 * thread.
 */
final class ConsoleProtocol {
    /** What the console says. */
    interface Listener {
        /** Any whole line, marks and kernel messages included. */
        void line(String line);

        /** The guest answers from now on. */
        void up();

        /**
         * A command has ended.
         *
         * @param lines what it printed; the beginning of it if {@code overflown}
         */
        void done(int number, int exitCode, List<String> lines, boolean overflown);
    }

    /** What is kept of one command's output, in bytes. */
    static final int OUTPUT_BYTES = 4 << 20;

    /** What is kept of one line; what a mark needs is kept in any case. */
    static final int LINE_BYTES = 1 << 20;

    /** More than the longest mark. */
    private static final int MARK_BYTES = 64;

    private static final String UP = "GUEST-UP ";
    private static final Pattern BEGIN = Pattern.compile("@@BEGIN (\\d{1,9})@@$");
    private static final Pattern DONE = Pattern.compile("@@DONE (\\d{1,9}) (\\d{1,3})@@$");
    private static final int NO_COMMAND = -1;

    private final Listener listener;
    private final List<String> output = new ArrayList<>();

    private byte[] line = new byte[1024];
    private int length;
    private boolean cut;
    private boolean isUp;
    private int current = NO_COMMAND;
    private long outputBytes;
    private boolean overflown;

    ConsoleProtocol(Listener listener) {
        this.listener = listener;
    }

    /**
     * What to type for a command.
     *
     * @param command shell text of any number of lines
     */
    static byte[] typed(int number, String command) {
        if (command.indexOf('\0') >= 0) {
            throw new IllegalArgumentException("a command has no NUL: command=" + command);
        }
        long lines = command.chars().filter(c -> c == '\n').count() + 1;
        return ("RUN " + number + " " + lines + "\n" + command + "\n")
                .getBytes(StandardCharsets.UTF_8);
    }

    /** Takes the next bytes of the console. */
    void accept(byte[] bytes, int count) {
        for (int i = 0; i < count; i++) {
            if (bytes[i] == '\n') {
                endLine();
            } else {
                append(bytes[i]);
            }
        }
    }

    /** The console ends, perhaps in the middle of a line. */
    void end() {
        if (length > 0) {
            endLine();
        }
    }

    private void append(byte value) {
        if (length == LINE_BYTES) {
            // The middle goes, the end stays: a mark may stand there.
            System.arraycopy(
                    line, length - MARK_BYTES, line, length - (2 * MARK_BYTES), MARK_BYTES);
            length -= MARK_BYTES;
            cut = true;
        }
        if (length == line.length) {
            line = Arrays.copyOf(line, Math.min(LINE_BYTES, length * 2));
        }
        line[length++] = value;
    }

    private void endLine() {
        boolean hasReturn = length > 0 && line[length - 1] == '\r';
        String text = new String(line, 0, hasReturn ? length - 1 : length, StandardCharsets.UTF_8);
        int bytes = length;
        boolean wasCut = cut;
        length = 0;
        cut = false;
        listener.line(text);
        if (!isUp) {
            isUp = text.startsWith(UP);
            if (isUp) {
                listener.up();
            }
        } else if (current == NO_COMMAND) {
            begin(text);
        } else {
            overflown |= wasCut;
            continueWith(text, bytes);
        }
    }

    private void begin(String text) {
        Matcher mark = BEGIN.matcher(text);
        if (mark.find()) {
            current = Integer.parseInt(mark.group(1));
            output.clear();
            outputBytes = 0;
            overflown = false;
        }
    }

    private void continueWith(String text, int bytes) {
        Optional<Matcher> mark = doneMark(text);
        String printed = mark.map(m -> text.substring(0, m.start())).orElse(text);
        if (mark.isEmpty() || !printed.isEmpty()) {
            keep(printed, bytes);
        }
        if (mark.isPresent()) {
            int number = current;
            current = NO_COMMAND;
            listener.done(
                    number, Integer.parseInt(mark.get().group(2)), List.copyOf(output), overflown);
            output.clear();
        }
    }

    private Optional<Matcher> doneMark(String text) {
        if (!text.endsWith("@@")) {
            return Optional.empty();
        }
        int start = text.lastIndexOf("@@DONE ");
        Matcher mark = DONE.matcher(text);
        boolean isOurs =
                start >= 0 && mark.find(start) && Integer.parseInt(mark.group(1)) == current;
        return isOurs ? Optional.of(mark) : Optional.empty();
    }

    private void keep(String text, int bytes) {
        // Even an empty line takes room here.
        outputBytes += bytes + 1;
        if (outputBytes <= OUTPUT_BYTES) {
            output.add(text);
        } else {
            overflown = true;
        }
    }
}
