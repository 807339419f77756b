package io.aerostat.bench.linux;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * A back-end in Python, in a process of its own: bench/peers/vhost_balloon.py says what it does.
 */
final class PeerBackEnd implements BackEnd {
    static final String LABEL = "python";

    private static final String PYTHON = "python3";
    private static final int PROBE_SECONDS = 10;

    private final Path socket;
    private final Process process;
    private final Writer questions;
    private final BufferedReader answers;

    /**
     * Starts it, and waits until it listens.
     *
     * @param script what Python runs
     */
    PeerBackEnd(Path script, Path socket) throws IOException, InterruptedException {
        this.socket = socket;
        this.process =
                new ProcessBuilder(PYTHON, script.toString(), socket.toString())
                        .redirectError(ProcessBuilder.Redirect.INHERIT)
                        .start();
        this.questions = process.outputWriter(StandardCharsets.UTF_8);
        this.answers = process.inputReader(StandardCharsets.UTF_8);
        try {
            var _ = answer();
        } catch (IOException | InterruptedException e) {
            close();
            throw e;
        }
    }

    /** Tells whether this machine can run the script. */
    static boolean isPossible(Path script) throws InterruptedException {
        if (!Files.isRegularFile(script)) {
            return false;
        }
        try {
            Process probe =
                    new ProcessBuilder(PYTHON, "-c", "import socket; socket.recv_fds")
                            .redirectErrorStream(true)
                            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                            .start();
            boolean ended = probe.waitFor(PROBE_SECONDS, TimeUnit.SECONDS);
            probe.destroyForcibly();
            return ended && probe.exitValue() == 0;
        } catch (IOException e) {
            // There is no Python.
            return false;
        }
    }

    @Override
    public String label() {
        return LABEL;
    }

    @Override
    public Path socket() {
        return socket;
    }

    @Override
    public Change change(long pages, int ring, RequestTimes times)
            throws IOException, InterruptedException {
        long startNs = System.nanoTime();
        questions.write(pages + "\n");
        questions.flush();
        String answer = answer();
        long elapsedNs = System.nanoTime() - startNs;
        return parse(answer, elapsedNs);
    }

    /** A line of requests, pages and calls. */
    static Change parse(String answer, long elapsedNs) throws IOException {
        String[] words = answer.split(" ", -1);
        try {
            return new Change(
                    elapsedNs,
                    Long.parseLong(words[0]),
                    Long.parseLong(words[1]),
                    Long.parseLong(words[2]),
                    Optional.empty());
        } catch (NumberFormatException | ArrayIndexOutOfBoundsException e) {
            throw new IOException("the peer's answer is not understood: answer=" + answer, e);
        }
    }

    /** The next line. A peer that hangs must not hold the benchmark for ever. */
    private String answer() throws IOException, InterruptedException {
        CompletableFuture<Optional<String>> line = CompletableFuture.supplyAsync(this::line);
        try {
            return line.get(Latency.LONGEST_NS, TimeUnit.NANOSECONDS)
                    .orElseThrow(() -> new IOException("the peer has ended"));
        } catch (ExecutionException | TimeoutException e) {
            throw new IOException("the peer does not answer", e);
        }
    }

    private Optional<String> line() {
        try {
            return Optional.ofNullable(answers.readLine());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void close() {
        process.destroyForcibly();
    }
}
