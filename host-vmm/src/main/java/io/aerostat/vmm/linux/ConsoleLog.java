package io.aerostat.vmm.linux;

import java.util.ArrayDeque;
import java.util.List;
import java.util.regex.Pattern;

/** The last lines of a console. Safe for any thread; memory is bounded whatever is written. */
final class ConsoleLog {
    private static final int LINES = 400;
    private static final int LINE_LENGTH = 1000;

    /** Whoever prints the log does not want them on a terminal. */
    private static final Pattern CONTROL = Pattern.compile("[\\p{Cntrl}&&[^\t]]");

    private final ArrayDeque<String> lines = new ArrayDeque<>(LINES);

    synchronized void add(String line) {
        if (lines.size() == LINES) {
            lines.removeFirst();
        }
        String start = line.substring(0, Math.min(LINE_LENGTH, line.length()));
        lines.addLast(CONTROL.matcher(start).replaceAll("?"));
    }

    /** Oldest first. */
    synchronized List<String> lines() {
        return List.copyOf(lines);
    }
}
