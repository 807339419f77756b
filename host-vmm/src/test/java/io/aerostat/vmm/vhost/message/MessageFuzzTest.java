package io.aerostat.vmm.vhost.message;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.aerostat.virtio.testkit.Seeds;
import io.aerostat.vmm.os.Descriptor;
import io.aerostat.vmm.os.UnixSockets;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.LongStream;

/**
 * Streams of messages, damaged at random or made of nothing but chance: messages, a violation or
 * the end come out, no other exception, and nothing stays open.
 */
final class MessageFuzzTest {
    private static final int STREAMS = 100;

    /** A message of a stream: its bytes, and how many descriptors go with it. */
    @SuppressWarnings("ArrayRecordComponent") // Never compared.
    private record Part(byte[] bytes, int descriptors) {}

    private static final List<Part> VALID =
            List.of(
                    part("01000000 01000000 00000000", 0),
                    part("02000000 09000000 08000000 2300004001000000", 0),
                    part("03000000 01000000 00000000", 0),
                    part("05000000 09000000 48000000 01000000 00000000" + "00".repeat(64), 1),
                    part("05000000 09000000 08010000 08000000 00000000" + "00".repeat(256), 8),
                    part("08000000 01000000 08000000 03000000 00010000", 0),
                    part("09000000 01000000 28000000 02000000" + "00".repeat(36), 0),
                    part("0a000000 01000000 08000000 01000000 ffff0000", 0),
                    part("0b000000 01000000 08000000 01000000 00000000", 0),
                    part("0c000000 09000000 08000000 0100000000000000", 1),
                    part("0d000000 09000000 08000000 0101000000000000", 0),
                    part("0e000000 09000000 08000000 0400000000000000", 1),
                    part("12000000 09000000 08000000 04000000 01000000", 0),
                    part("15000000 09000000 00000000", 1),
                    part("18000000 01000000 10000000 00000000 04000000 00000000 00000000", 0),
                    part("19000000 09000000 10000000 04000000 04000000 00000000 00800000", 0));

    private static Part part(String hex, int descriptors) {
        return new Part(Wire.bytes(hex), descriptors);
    }

    static LongStream seeds() {
        return Seeds.first(20);
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void validStreamsAreReadToTheirEnd(long seed) {
        Random random = new Random(seed);
        for (int i = 0; i < STREAMS / 10; i++) {
            List<Part> parts = stream(random);

            Outcome outcome = play(parts, random, Seeds.replay(seed));

            assertEquals(new Outcome(parts.size(), null), outcome, Seeds.replay(seed));
        }
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void damagedStreamsEndInMessagesOrViolations(long seed) {
        Random random = new Random(seed);
        int violations = 0;
        for (int i = 0; i < STREAMS; i++) {
            List<Part> parts = stream(random);
            int damages = 1 + random.nextInt(3);
            for (int damage = 0; damage < damages; damage++) {
                int which = random.nextInt(parts.size());
                parts.set(which, damaged(parts.get(which), random));
            }

            Outcome outcome = play(parts, random, Seeds.replay(seed));

            violations += outcome.violation == null ? 0 : 1;
        }
        // Damage where any value is right is none; but mostly it is.
        assertTrue(violations > STREAMS / 2, violations + ", " + Seeds.replay(seed));
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void chanceIsNoMessage(long seed) {
        Random random = new Random(seed);
        for (int i = 0; i < STREAMS; i++) {
            byte[] bytes = new byte[HeaderLayout.LENGTH + random.nextInt(300)];
            random.nextBytes(bytes);

            Outcome outcome =
                    play(List.of(new Part(bytes, random.nextInt(9))), random, Seeds.replay(seed));

            assertNotNull(outcome.violation, Seeds.replay(seed));
        }
    }

    // Once for all streams of a test: counting takes longer than a stream.
    @AfterEach
    void nothingStaysOpen() {
        assertEquals(0, Wire.openFiles());
    }

    private static List<Part> stream(Random random) {
        List<Part> parts = new ArrayList<>();
        int count = 1 + random.nextInt(12);
        for (int i = 0; i < count; i++) {
            parts.add(VALID.get(random.nextInt(VALID.size())));
        }
        return parts;
    }

    private static Part damaged(Part part, Random random) {
        byte[] bytes = part.bytes.clone();
        int at = random.nextInt(bytes.length);
        switch (random.nextInt(6)) {
            case 0 -> bytes[at] ^= (byte) (1 << random.nextInt(8));
            case 1 -> bytes[at] = (byte) random.nextInt(256);
            case 2 -> bytes[at % HeaderLayout.LENGTH] = (byte) random.nextInt(256);
            case 3 -> {
                return new Part(Arrays.copyOf(bytes, Math.max(at, 1)), part.descriptors);
            }
            case 4 -> {
                return new Part(
                        Arrays.copyOf(bytes, bytes.length + 1 + random.nextInt(20)),
                        part.descriptors);
            }
            default -> {
                return new Part(bytes, random.nextInt(12));
            }
        }
        return new Part(bytes, part.descriptors);
    }

    /** How many messages came out, and what ended them if it was not the end. */
    private record Outcome(int messages, String violation) {}

    /** Sends a stream in pieces, reads in between, and closes: nothing is left of it. */
    private static Outcome play(List<Part> parts, Random random, String replay) {
        long buffers = Wire.bufferBytes();
        int messages = 0;
        String violation = null;
        try (Wire wire = new Wire();
                MessageReader reader = new MessageReader(wire.backEnd)) {
            boolean reads = random.nextBoolean();
            for (Part part : parts) {
                sendInPieces(wire, part, random);
                for (int i = reads ? random.nextInt(3) : 0; i > 0; i--) {
                    messages += take(reader, random) == Progress.MESSAGE ? 1 : 0;
                }
            }
            wire.frontEnd.close();
            Progress progress = take(reader, random);
            while (progress != Progress.END) {
                // With the end in the socket there is always something: else it would spin.
                assertEquals(Progress.MESSAGE, progress, replay);
                messages++;
                progress = take(reader, random);
            }
        } catch (ProtocolViolation e) {
            violation = e.getMessage();
        }
        assertEquals(buffers, Wire.bufferBytes(), replay);
        return new Outcome(messages, violation);
    }

    private static void sendInPieces(Wire wire, Part part, Random random) {
        ByteBuffer bytes = ByteBuffer.wrap(part.bytes);
        Descriptor[] files = wire.files(part.descriptors);
        while (bytes.hasRemaining()) {
            int rest = bytes.remaining();
            int piece = random.nextInt(4) == 0 ? 1 + random.nextInt(rest) : rest;
            bytes.limit(bytes.position() + piece);
            UnixSockets.send(wire.frontEnd, bytes, files);
            bytes.limit(part.bytes.length);
            files = new Descriptor[0];
        }
        wire.closeFiles();
    }

    /** Takes over what comes, or forgets to. */
    private static Progress take(MessageReader reader, Random random) throws ProtocolViolation {
        Progress progress = reader.poll();
        if (progress == Progress.MESSAGE && random.nextInt(4) > 0) {
            reader.message().closeDescriptors();
        }
        return progress;
    }
}
