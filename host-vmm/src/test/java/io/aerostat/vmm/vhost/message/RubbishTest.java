package io.aerostat.vmm.vhost.message;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

import java.util.stream.Stream;

/** What no front-end may send: refused with its reason, and no descriptor stays open. */
final class RubbishTest {
    private static final String REGION = "00000000000000000010000000000000".repeat(2);

    static Stream<Arguments> headers() {
        return Stream.of(
                Arguments.of(
                        "01000000 00000000 00000000",
                        "message is not of version 1: request=GET_FEATURES, flags=0x0"),
                Arguments.of(
                        "01000000 02000000 00000000",
                        "message is not of version 1: request=GET_FEATURES, flags=0x2"),
                Arguments.of(
                        "474554202f20485454502f31",
                        "message is not of version 1: request=542393671, flags=0x5448202f"),
                Arguments.of(
                        "01000000 05000000 00000000",
                        "front-end sent a reply to nothing: request=GET_FEATURES, flags=0x5"),
                Arguments.of(
                        "01000000 11000000 00000000",
                        "message has unknown flags: request=GET_FEATURES, flags=0x11"),
                Arguments.of(
                        "01000000 01000080 00000000",
                        "message has unknown flags: request=GET_FEATURES, flags=0x80000001"),
                Arguments.of("00000000 01000000 00000000", "request is unknown: request=0"),
                Arguments.of("2c000000 01000000 00000000", "request is unknown: request=44"),
                Arguments.of(
                        "ffffffff 01000000 00000000", "request is unknown: request=4294967295"),
                Arguments.of(
                        "06000000 01000000 10000000",
                        "request was not offered: request=SET_LOG_BASE"),
                Arguments.of(
                        "22000000 01000000 00000000",
                        "request was not offered: request=RESET_DEVICE"),
                Arguments.of(
                        "23000000 09000000 08000000",
                        "request was not offered: request=VRING_KICK"),
                Arguments.of(
                        "25000000 09000000 28000000",
                        "request was not offered: request=ADD_MEM_REG"),
                Arguments.of(
                        "27000000 01000000 08000000",
                        "request was not offered: request=SET_STATUS"));
    }

    static Stream<Arguments> sizes() {
        return Stream.of(
                size("01", "GET_FEATURES", 1, "0"),
                size("02", "SET_FEATURES", 7, "8"),
                size("02", "SET_FEATURES", 9, "8"),
                size("03", "SET_OWNER", 8, "0"),
                size("04", "RESET_OWNER", 4, "0"),
                size("05", "SET_MEM_TABLE", 39, "40 to 264"),
                size("05", "SET_MEM_TABLE", 265, "40 to 264"),
                size("08", "SET_VRING_NUM", 4, "8"),
                size("09", "SET_VRING_ADDR", 39, "40"),
                size("0a", "SET_VRING_BASE", 16, "8"),
                size("0b", "GET_VRING_BASE", 0, "8"),
                size("0c", "SET_VRING_KICK", 4, "8"),
                size("0d", "SET_VRING_CALL", 12, "8"),
                size("0e", "SET_VRING_ERR", 0, "8"),
                size("0f", "GET_PROTOCOL_FEATURES", 8, "0"),
                size("10", "SET_PROTOCOL_FEATURES", 0, "8"),
                size("11", "GET_QUEUE_NUM", 8, "0"),
                size("12", "SET_VRING_ENABLE", 12, "8"),
                size("15", "SET_BACKEND_REQ_FD", 8, "0"),
                size("18", "GET_CONFIG", 11, "12 to 268"),
                size("18", "GET_CONFIG", 269, "12 to 268"),
                size("19", "SET_CONFIG", 4096, "12 to 268"),
                size("19", "SET_CONFIG", 0x7FFF_FFFF, "12 to 268"),
                Arguments.of(
                        "02000000 01000000 ffffffff",
                        "payload has the wrong size: request=SET_FEATURES, size=4294967295,"
                                + " expected=8"));
    }

    private static Arguments size(String number, String request, int size, String expected) {
        String hex = String.format("%08x", Integer.reverseBytes(size));
        return Arguments.of(
                number + "000000 01000000 " + hex,
                "payload has the wrong size: request="
                        + request
                        + ", size="
                        + size
                        + ", expected="
                        + expected);
    }

    static Stream<Arguments> payloads() {
        return Stream.of(
                Arguments.of(
                        "08000000 01000000 08000000 00000000 00000000",
                        "ring has an impossible size: request=SET_VRING_NUM, index=0, num=0,"
                                + " expected=1 to 32768"),
                Arguments.of(
                        "08000000 01000000 08000000 01000000 01800000",
                        "ring has an impossible size: request=SET_VRING_NUM, index=1, num=32769,"
                                + " expected=1 to 32768"),
                Arguments.of(
                        "08000000 01000000 08000000 01000000 00000080",
                        "ring has an impossible size: request=SET_VRING_NUM, index=1,"
                                + " num=2147483648, expected=1 to 32768"),
                Arguments.of(
                        "08000000 01000000 08000000 00010000 00010000",
                        "no ring can have this index: request=SET_VRING_NUM, index=256, expected=0"
                                + " to 255"),
                Arguments.of(
                        "0b000000 01000000 08000000 ffffffff 00000000",
                        "no ring can have this index: request=GET_VRING_BASE, index=4294967295,"
                                + " expected=0 to 255"),
                Arguments.of(
                        "09000000 01000000 28000000 00000080" + "00".repeat(36),
                        "no ring can have this index: request=SET_VRING_ADDR, index=2147483648,"
                                + " expected=0 to 255"),
                Arguments.of(
                        "0a000000 01000000 08000000 00000000 00000100",
                        "no index of a split ring: request=SET_VRING_BASE, index=0, base=0x10000,"
                                + " expected=0 to 0xffff"),
                Arguments.of(
                        "0a000000 01000000 08000000 02000000 00800080",
                        "no index of a split ring: request=SET_VRING_BASE, index=2,"
                                + " base=0x80008000, expected=0 to 0xffff"),
                Arguments.of(
                        "12000000 01000000 08000000 03000000 02000000",
                        "ring is neither on nor off: request=SET_VRING_ENABLE, index=3, enable=2,"
                                + " expected=0 or 1"),
                Arguments.of(
                        "0c000000 01000000 08000000 0003000000000000",
                        "reserved bits are set: request=SET_VRING_KICK, value=0x300"),
                Arguments.of(
                        "0d000000 01000000 08000000 0001000000000080",
                        "reserved bits are set: request=SET_VRING_CALL,"
                                + " value=0x8000000000000100"),
                Arguments.of(
                        "18000000 01000000 10000000 00000000 08000000 00000000 00000000",
                        "payload does not have the size that it says: request=GET_CONFIG,"
                                + " payload=16, size=8, expected=20"),
                Arguments.of(
                        "19000000 01000000 10000000 00000000 ffffffff 00000000 00000000",
                        "payload does not have the size that it says: request=SET_CONFIG,"
                                + " payload=16, size=4294967295, expected=4294967307"),
                Arguments.of(
                        "18000000 01000000 10000000 fd000000 04000000 00000000 00000000",
                        "configuration space ends before: request=GET_CONFIG, offset=253, size=4,"
                                + " most=256"),
                Arguments.of(
                        "19000000 01000000 10000000 ffffffff 04000000 00000000 00000000",
                        "configuration space ends before: request=SET_CONFIG, offset=4294967295,"
                                + " size=4, most=256"),
                Arguments.of(
                        "05000000 01000000 28000000 00000000 00000000" + REGION,
                        "memory table has a wrong number of regions: request=SET_MEM_TABLE,"
                                + " regions=0, expected=1 to 8"),
                Arguments.of(
                        "05000000 01000000 28000000 09000000 00000000" + REGION,
                        "memory table has a wrong number of regions: request=SET_MEM_TABLE,"
                                + " regions=9, expected=1 to 8"),
                Arguments.of(
                        "05000000 01000000 28000000 ffffffff 00000000" + REGION,
                        "memory table has a wrong number of regions: request=SET_MEM_TABLE,"
                                + " regions=4294967295, expected=1 to 8"),
                Arguments.of(
                        "05000000 01000000 47000000 02000000 00000000" + REGION + "11".repeat(31),
                        "memory table is shorter than its regions: request=SET_MEM_TABLE, size=71,"
                                + " regions=2, expected=72"));
    }

    static Stream<Arguments> descriptors() {
        String table = "05000000 01000000 48000000 02000000 00000000" + REGION + REGION;
        String one = "05000000 01000000 48000000 01000000 00000000" + REGION + REGION;
        return Stream.of(
                descriptors("01000000 01000000 00000000", 1, "GET_FEATURES", 0),
                descriptors("03000000 01000000 00000000", 8, "SET_OWNER", 0),
                descriptors(table, 0, "SET_MEM_TABLE", 2),
                descriptors(table, 1, "SET_MEM_TABLE", 2),
                descriptors(table, 3, "SET_MEM_TABLE", 2),
                descriptors(one, 2, "SET_MEM_TABLE", 1),
                descriptors("0c000000 01000000 08000000 0000000000000000", 0, "SET_VRING_KICK", 1),
                descriptors("0d000000 01000000 08000000 0000000000000000", 2, "SET_VRING_CALL", 1),
                descriptors("0e000000 01000000 08000000 0001000000000000", 1, "SET_VRING_ERR", 0),
                descriptors("15000000 01000000 00000000", 0, "SET_BACKEND_REQ_FD", 1),
                descriptors("15000000 01000000 00000000", 2, "SET_BACKEND_REQ_FD", 1),
                descriptors(
                        "19000000 01000000 10000000 04000000 04000000 00000000 00000000",
                        1,
                        "SET_CONFIG",
                        0));
    }

    private static Arguments descriptors(String hex, int sent, String request, int expected) {
        String what = sent < expected ? "lacks" : "has surplus";
        String values = ", descriptors=" + sent + ", expected=" + expected;
        return Arguments.of(
                hex, sent, "message " + what + " descriptors: request=" + request + values);
    }

    @ParameterizedTest
    @MethodSource({"headers", "sizes"})
    void headerIsRefusedBeforeItsPayloadIsThere(String hex, String reason) {
        assertRefused(hex, 0, reason);
    }

    @ParameterizedTest
    @MethodSource({"headers", "sizes"})
    void descriptorsOfARefusedHeaderAreClosed(String hex, String reason) {
        assertRefused(hex, 3, reason);
    }

    @ParameterizedTest
    @MethodSource("payloads")
    void payloadIsRefused(String hex, String reason) {
        assertRefused(hex, 0, reason);
    }

    @ParameterizedTest
    @MethodSource("descriptors")
    void missingOrSurplusDescriptorsAreRefused(String hex, int sent, String reason) {
        assertRefused(hex, sent, reason);
    }

    @Test
    void payloadIsRefusedWithItsDescriptors() {
        assertRefused(
                "12000000 01000000 08000000 03000000 02000000",
                1,
                "message has surplus descriptors: request=SET_VRING_ENABLE, descriptors=1,"
                        + " expected=0");
    }

    @Test
    void moreDescriptorsThanAnyMessageHasAreRefusedWithTheFirstByte() {
        assertRefused(
                "05",
                9,
                "message has surplus descriptors: request=unknown yet, descriptors=9, most=8");
    }

    @Test
    void descriptorsThatTheKernelCouldNotHandOverAreRefused() {
        try (Wire wire = new Wire();
                MessageReader reader = new MessageReader(wire.backEnd)) {
            wire.send("03000000 01000000 00000000", wire.files(20));
            wire.closeFiles();

            var violation = assertThrows(ProtocolViolation.class, reader::poll);

            assertEquals(
                    "descriptors of a message were lost",
                    violation.getMessage().replaceFirst(":.*", ""));
            assertEquals(0, Wire.openFiles());
        }
    }

    private static void assertRefused(String hex, int sent, String reason) {
        long buffers = Wire.bufferBytes();
        try (Wire wire = new Wire();
                MessageReader reader = new MessageReader(wire.backEnd)) {
            wire.send(hex, wire.files(sent));
            wire.closeFiles();

            var violation = assertThrows(ProtocolViolation.class, reader::poll);

            assertEquals(reason, violation.getMessage());
            assertEquals(0, Wire.openFiles());
            assertEquals(buffers, Wire.bufferBytes());
        }
    }
}
