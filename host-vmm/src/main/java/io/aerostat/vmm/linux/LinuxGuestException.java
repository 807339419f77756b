package io.aerostat.vmm.linux;

import java.util.List;

/**
 * A Linux guest did not do what was asked. The message ends with the last lines of its console.
 *
 * <p>Unchecked, since only the owner of the guest can do anything about it.
 */
public final class LinuxGuestException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /** Why. */
    public enum Reason {
        /** The guest's process is gone: it panicked, was switched off or was killed. */
        ENDED,
        /** The guest lives, but was not ready in time. */
        DEADLINE,
        /** A command of one of the convenience methods failed. */
        COMMAND_FAILED,
        /** A command printed more than is kept. */
        OUTPUT_TOO_LONG
    }

    private static final int LINES_IN_MESSAGE = 40;

    private final Reason reason;
    private final String summary;
    private final transient List<String> console;

    /**
     * @param message one line
     * @param console the last lines of the console, oldest first
     */
    LinuxGuestException(Reason reason, String message, List<String> console) {
        super(withEvidence(message, console));
        this.reason = reason;
        this.summary = message;
        this.console = List.copyOf(console);
    }

    /** Why. */
    public Reason reason() {
        return reason;
    }

    /** The message without the console. */
    public String summary() {
        return summary;
    }

    /** The last lines of the console when it happened, oldest first. */
    public List<String> console() {
        return console;
    }

    private static String withEvidence(String message, List<String> console) {
        if (console.isEmpty()) {
            return message + "; its console is empty";
        }
        int from = Math.max(0, console.size() - LINES_IN_MESSAGE);
        return message
                + "; the last lines of its console:\n    "
                + String.join("\n    ", console.subList(from, console.size()));
    }
}
