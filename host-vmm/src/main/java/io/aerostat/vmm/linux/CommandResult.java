package io.aerostat.vmm.linux;

import java.util.List;

/**
 * What a command in the guest did.
 *
 * @param exitCode 0 to 255, 0 for success
 * @param lines what it printed on both streams, without line ends; text that is not UTF-8 has
 *     replacement characters
 */
public record CommandResult(int exitCode, List<String> lines) {
    /** Copies the lines. */
    public CommandResult {
        lines = List.copyOf(lines);
    }

    /** Tells whether the exit code is 0. */
    public boolean isSuccess() {
        return exitCode == 0;
    }

    /** The lines as one text, with a line feed between each two. */
    public String text() {
        return String.join("\n", lines);
    }
}
