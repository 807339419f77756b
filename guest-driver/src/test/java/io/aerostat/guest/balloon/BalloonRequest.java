package io.aerostat.guest.balloon;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.stream.IntStream;

/** What the driver asked for in one buffer. Each is only equal to itself. */
final class BalloonRequest {
    private final int queue;
    private final int head;
    private final boolean isWritable;
    private final long[] gpas;
    private final long[] lengths;
    private final byte[] content;
    private final int[] pfns;

    BalloonRequest(
            int queue, int head, boolean isWritable, long[] gpas, long[] lengths, byte[] content) {
        this.queue = queue;
        this.head = head;
        this.isWritable = isWritable;
        this.gpas = gpas;
        this.lengths = lengths;
        this.content = content;
        this.pfns =
                isWritable
                        ? pfnsOf(gpas, lengths)
                        : queue > ScriptedBalloon.DEFLATE ? new int[0] : words(content);
    }

    private static int[] pfnsOf(long[] gpas, long[] lengths) {
        return IntStream.range(0, gpas.length)
                .flatMap(
                        i ->
                                IntStream.range(0, (int) (lengths[i] >>> 12))
                                        .map(page -> (int) (gpas[i] >>> 12) + page))
                .toArray();
    }

    private static int[] words(byte[] content) {
        assertEquals(0, content.length % Integer.BYTES, "numbers are whole");
        int[] words = new int[content.length / Integer.BYTES];
        ByteBuffer.wrap(content).order(ByteOrder.LITTLE_ENDIAN).asIntBuffer().get(words);
        return words;
    }

    /** Which of the balloon's queues, by its place in the standard. */
    int queue() {
        return queue;
    }

    int head() {
        return head;
    }

    /** Whether the device may write all of it; if not, none of it. */
    boolean isWritable() {
        return isWritable;
    }

    long gpa() {
        return gpas[0];
    }

    /** Bytes of each element. */
    long[] lengths() {
        return lengths.clone();
    }

    /** What the device could read when it got the request. */
    byte[] content() {
        return content.clone();
    }

    /** A buffer of 4 bytes as the number in it. */
    int command() {
        assertEquals(4, content.length, "bytes of a command");
        return words(content)[0];
    }

    /** The pages that the numbers name, or that the buffer consists of. */
    int[] pfns() {
        return pfns.clone();
    }

    int pages() {
        return pfns.length;
    }
}
