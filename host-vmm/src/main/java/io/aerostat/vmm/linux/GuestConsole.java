package io.aerostat.vmm.linux;

import io.aerostat.vmm.linux.LinuxGuestException.Reason;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * Runs commands on a guest's console, one at a time. A daemon thread reads all that the guest
 * writes until its end. Safe for any thread.
 *
 * <p>A command that does not end in time keeps its turn: the guest goes on with it and reads no
 * other before. What it prints late is dropped.
 */
final class GuestConsole {
    /**
     * Less than the guest's terminal keeps before it throttles its input, some 3,960 bytes: after
     * that, User Mode Linux may never read on. Much less than a pipe holds, so that typing never
     * waits for the guest.
     */
    static final int LONGEST_COMMAND_BYTES = 3 << 10;

    private static final int READ_BYTES = 8192;

    private final InputStream output;
    private final OutputStream input;
    private final ConsoleLog log = new ConsoleLog();
    private final CompletableFuture<Void> up = new CompletableFuture<>();

    /** Held while the guest is busy with a command; the reader gives it back. */
    private final Semaphore turn = new Semaphore(1);

    private volatile Pending pending = new Pending(0, "", new CompletableFuture<>());
    private volatile boolean ended;

    /** A command that was typed. */
    private record Pending(int number, String command, CompletableFuture<CommandResult> result) {}

    private GuestConsole(InputStream output, OutputStream input) {
        this.output = output;
        this.input = input;
    }

    /** Reads and writes the console of a process, which must be new. */
    static GuestConsole of(Process process) {
        GuestConsole console =
                new GuestConsole(process.getInputStream(), process.getOutputStream());
        Thread reader = new Thread(console::read, "linux-console-" + process.pid());
        reader.setDaemon(true);
        reader.start();
        return console;
    }

    /** Waits until the guest answers. */
    void awaitUp(Duration deadline) throws InterruptedException {
        await(up, deadline.toNanos(), "the guest has not booted within " + deadline);
    }

    /**
     * Runs a command and waits for its end.
     *
     * @throws LinuxGuestException if that did not come within the deadline, or the guest is gone,
     *     or the output was too long
     */
    CommandResult run(String command, Duration deadline) throws InterruptedException {
        long endNs = System.nanoTime() + deadline.toNanos();
        CompletableFuture<CommandResult> result = type(command, deadline);
        return await(
                result,
                endNs - System.nanoTime(),
                "a command has not ended within " + deadline + ": command=" + command);
    }

    /**
     * Types a command when the guest is ready for one.
     *
     * @param deadline for an earlier one to end
     */
    CompletableFuture<CommandResult> type(String command, Duration deadline)
            throws InterruptedException {
        byte[] next = ConsoleProtocol.typed(pending.number() + 1, command);
        if (next.length > LONGEST_COMMAND_BYTES) {
            throw new IllegalArgumentException(
                    "a command is too long: bytes="
                            + next.length
                            + ", most="
                            + LONGEST_COMMAND_BYTES);
        }
        if (!turn.tryAcquire(deadline.toNanos(), TimeUnit.NANOSECONDS)) {
            throw failure(
                    Reason.DEADLINE,
                    "an earlier command has not ended within "
                            + deadline
                            + ": command="
                            + pending.command());
        }
        Pending mine = new Pending(pending.number() + 1, command, new CompletableFuture<>());
        pending = mine;
        if (ended) {
            // pairs with read(): either it sees this command, or this sees the end
            end(mine);
            return mine.result();
        }
        try {
            input.write(ConsoleProtocol.typed(mine.number(), command));
            input.flush();
        } catch (IOException e) {
            // The pipe is broken: the reader will see the end of the output, with the reason in it.
            log.add("(nothing can be typed any more: " + e.getMessage() + ")");
        }
        return mine.result();
    }

    /** The last lines, oldest first. */
    List<String> log() {
        return log.lines();
    }

    /** A failure with what the console says. */
    LinuxGuestException failure(Reason reason, String message) {
        return new LinuxGuestException(reason, message, log.lines());
    }

    private <T> T await(Future<T> future, long timeoutNs, String late) throws InterruptedException {
        try {
            return future.get(timeoutNs, TimeUnit.NANOSECONDS);
        } catch (TimeoutException e) {
            throw failure(Reason.DEADLINE, late);
        } catch (ExecutionException e) {
            if (e.getCause() instanceof LinuxGuestException failure) {
                // Told again here, so that the trace shows who asked.
                throw failure(failure.reason(), failure.summary());
            }
            throw new IllegalStateException(e);
        }
    }

    private void read() {
        ConsoleProtocol protocol = new ConsoleProtocol(new Answers());
        byte[] bytes = new byte[READ_BYTES];
        try {
            for (int count = output.read(bytes); count >= 0; count = output.read(bytes)) {
                protocol.accept(bytes, count);
            }
        } catch (IOException e) {
            log.add("(the console is closed: " + e.getMessage() + ")");
        }
        protocol.end();
        ended = true;
        up.completeExceptionally(failure(Reason.ENDED, "the guest has ended before it was up"));
        end(pending);
    }

    private void end(Pending command) {
        command.result()
                .completeExceptionally(
                        failure(Reason.ENDED, "the guest has ended: command=" + command.command()));
        turn.release();
    }

    /** Called by the reader. */
    private final class Answers implements ConsoleProtocol.Listener {
        @Override
        public void line(String line) {
            log.add(line);
        }

        @Override
        public void up() {
            up.complete(null);
        }

        @Override
        public void done(int number, int exitCode, List<String> lines, boolean overflown) {
            Pending command = pending;
            if (number != command.number()) {
                return;
            }
            if (overflown) {
                command.result()
                        .completeExceptionally(
                                failure(
                                        Reason.OUTPUT_TOO_LONG,
                                        "a command has printed too much: command="
                                                + command.command()));
            } else {
                command.result().complete(new CommandResult(exitCode, lines));
            }
            turn.release();
        }
    }
}
