package io.aerostat.vmm.vhost;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.aerostat.vmm.frontend.ConnectionLost;
import io.aerostat.vmm.frontend.FrontEndRam;
import io.aerostat.vmm.frontend.Payload;
import io.aerostat.vmm.os.Descriptor;
import io.aerostat.vmm.vhost.message.ProtocolFeature;
import io.aerostat.vmm.vhost.message.Request;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

/**
 * A front-end that is wrong loses its connection, with one line; nothing else is the worse for it.
 */
@Timeout(60)
final class FrontEndRubbishTest {
    @TempDir Path directory;
    private final LogLines log = new LogLines();
    private ServedGuest served;
    private ServedGuest other;
    private HandFrontEnd otherFrontEnd;

    @BeforeEach
    void serve() {
        served = ServedGuest.in(directory, "wrong");
        other = ServedGuest.in(directory, "other");
        otherFrontEnd = HandFrontEnd.started(other.socket);
        otherFrontEnd.inflate().pages(otherFrontEnd.pfn(0));
        other.settle();
    }

    @AfterEach
    void close() {
        otherFrontEnd.close();
        other.close();
        served.close();
        log.close();
    }

    @ParameterizedTest
    @EnumSource
    void aConnectionIsClosedWithOneLine(Rubbish rubbish) {
        // What is opened once is not left behind.
        useAsItShouldBe();
        Leftovers before = Leftovers.now();

        boolean early = rubbish.isBeforeGreeting();
        try (HandFrontEnd frontEnd =
                early ? HandFrontEnd.silent(served.socket) : HandFrontEnd.greeted(served.socket)) {
            try {
                rubbish.send(frontEnd);
                if (rubbish != Rubbish.HALF_A_MESSAGE) {
                    frontEnd.wire.awaitClosed();
                }
            } catch (ConnectionLost e) {
                // It was sent, and the acknowledgement did not come.
            }
        }
        awaitGone();

        List<String> lines = log.take();
        assertEquals(1, lines.size(), lines::toString);
        String line = lines.getFirst();
        assertTrue(
                line.startsWith("WARNING guest wrong: connection closed: ")
                        && line.contains(rubbish.reason)
                        && !line.contains("\n"),
                line);
        assertEquals(before, Leftovers.now());
        useAsItShouldBe();
        otherFrontEnd.inflate().pages(otherFrontEnd.pfn(1));
        assertEquals(2, other.ledger());
        assertEquals(List.of(), log.all());
    }

    /** As above, at the worst moment: all rings run and pages are in the balloon. */
    @ParameterizedTest
    @EnumSource
    void aConnectionIsClosedWithOneLineWhileRingsRun(Rubbish rubbish) {
        useAsItShouldBe();
        Leftovers before = Leftovers.now();
        if (rubbish.isBeforeGreeting()) {
            return;
        }

        try (HandFrontEnd frontEnd = HandFrontEnd.started(served.socket)) {
            frontEnd.inflate().pages(frontEnd.pfns(0, 10));
            try {
                rubbish.send(frontEnd);
                if (rubbish != Rubbish.HALF_A_MESSAGE) {
                    frontEnd.wire.awaitClosed();
                }
            } catch (ConnectionLost e) {
                // It was sent, and the acknowledgement did not come.
            }
        }
        awaitGone();

        List<String> lines = log.take();
        assertEquals(1, lines.size(), lines::toString);
        assertTrue(lines.getFirst().contains(rubbish.reason), lines::toString);
        assertEquals(before, Leftovers.now());
        useAsItShouldBe();
        assertEquals(List.of(), log.all());
    }

    private void awaitGone() {
        ServedGuest.await(() -> !served.guest.isConnected(), "the connection is gone");
        served.settle();
    }

    private void useAsItShouldBe() {
        try (HandFrontEnd frontEnd = HandFrontEnd.started(served.socket)) {
            frontEnd.inflate().pages(frontEnd.pfn(0));
            assertEquals(1, served.ledger());
        }
        awaitGone();
    }

    /** Things that the reader of messages lets pass. */
    enum Rubbish {
        UNKNOWN_REQUEST("request is unknown") {
            @Override
            void send(HandFrontEnd frontEnd) {
                frontEnd.wire.send(99, 1, Payload.none());
            }
        },
        HALF_A_MESSAGE("connection ended inside a message") {
            @Override
            void send(HandFrontEnd frontEnd) {
                frontEnd.wire.sendRaw(new byte[] {1, 0, 0, 0, 1, 0});
                frontEnd.wire.close();
            }
        },
        CONFIG_NOT_ACCEPTED("not accepted: request=GetConfig") {
            @Override
            void send(HandFrontEnd frontEnd) {
                frontEnd.config(0, 4);
            }
        },
        CONFIG_WRITE_NOT_ACCEPTED("not accepted: request=SetConfig") {
            @Override
            void send(HandFrontEnd frontEnd) {
                accept(frontEnd, ProtocolFeature.MQ);
                frontEnd.actual(1);
            }
        },
        QUEUE_NUM_NOT_ACCEPTED("not accepted: request=GetQueueNum") {
            @Override
            void send(HandFrontEnd frontEnd) {
                accept(frontEnd, ProtocolFeature.CONFIG);
                frontEnd.wire.askNumber(Request.GET_QUEUE_NUM);
            }
        },
        CHANNEL_NOT_ACCEPTED("not accepted: request=SetBackendReqFd") {
            @Override
            void send(HandFrontEnd frontEnd) {
                accept(frontEnd, ProtocolFeature.CONFIG);
                frontEnd.wire.tell(
                        Request.SET_BACKEND_REQ_FD, Payload.none(), frontEnd.inflate().call);
            }
        },
        UNOFFERED_FEATURE("features were accepted that were not offered: features=0x400000000") {
            @Override
            void send(HandFrontEnd frontEnd) {
                frontEnd.features(HandFrontEnd.FEATURES | (1L << 34));
            }
        },
        UNOFFERED_PROTOCOL_FEATURE("protocol features were accepted that were not offered") {
            @Override
            void send(HandFrontEnd frontEnd) {
                accept(frontEnd, HandFrontEnd.PROTOCOL | (1L << 16));
            }
        },
        RING_FIVE("no such ring: index=5") {
            @Override
            void send(HandFrontEnd frontEnd) {
                frontEnd.num(5, 64);
            }
        },
        KICK_OF_RING_FIVE("no such ring: index=5") {
            @Override
            void send(HandFrontEnd frontEnd) {
                frontEnd.wire.tell(
                        Request.SET_VRING_KICK, Payload.number(5), frontEnd.inflate().kick);
            }
        },
        CALL_OF_RING_255("no such ring: index=255") {
            @Override
            void send(HandFrontEnd frontEnd) {
                frontEnd.wire.tell(
                        Request.SET_VRING_CALL, Payload.number(255), frontEnd.inflate().call);
            }
        },
        ERROR_OF_RING_255("no such ring: index=255") {
            @Override
            void send(HandFrontEnd frontEnd) {
                frontEnd.wire.tell(
                        Request.SET_VRING_ERR, Payload.number(255), frontEnd.inflate().error);
            }
        },
        ENABLE_OF_RING_5("no such ring: index=5") {
            @Override
            void send(HandFrontEnd frontEnd) {
                frontEnd.enable(5, true);
            }
        },
        BASE_OF_RING_5("no such ring: index=5") {
            @Override
            void send(HandFrontEnd frontEnd) {
                frontEnd.base(5);
            }
        },
        KICK_WITHOUT_DESCRIPTOR("ring without a kick descriptor: index=1") {
            @Override
            void send(HandFrontEnd frontEnd) {
                frontEnd.wire.tell(Request.SET_VRING_KICK, Payload.number(0x101));
            }
        },
        LOG_FLAG("ring wants a log") {
            @Override
            void send(HandFrontEnd frontEnd) {
                byte[] addresses = frontEnd.addressesOf(frontEnd.inflate());
                addresses[4] = 1;
                frontEnd.wire.tell(Request.SET_VRING_ADDR, addresses);
            }
        },
        RING_OUTSIDE("ring part is outside of the memory table") {
            @Override
            void send(HandFrontEnd frontEnd) {
                frontEnd.features(HandFrontEnd.FEATURES | ProtocolFeature.PRESENT);
                frontEnd.table();
                frontEnd.num(0, HandRing.SIZE);
                place(frontEnd, 0x1000, 0x2000, 0x3000);
            }
        },
        RING_OUTSIDE_BEFORE_THERE_IS_RAM("ring part is outside of the memory table") {
            @Override
            void send(HandFrontEnd frontEnd) {
                frontEnd.features(HandFrontEnd.FEATURES | ProtocolFeature.PRESENT);
                frontEnd.setUp(frontEnd.inflate(), 0);
                place(frontEnd, 0x1000, 0x2000, 0x3000);
                frontEnd.enable(0, true);
                frontEnd.table();
            }
        },
        RING_THAT_STRADDLES_THE_END("available=0x") {
            @Override
            void send(HandFrontEnd frontEnd) {
                frontEnd.features(HandFrontEnd.FEATURES | ProtocolFeature.PRESENT);
                frontEnd.table();
                frontEnd.num(0, HandRing.SIZE);
                long start = frontEnd.ram.regions().getFirst().userAddress();
                long end = start + HandFrontEnd.RAM_BYTES;
                // Two flags, two indices and 64 entries; one byte is missing.
                place(frontEnd, start, start + 0x1000, end - 4 - 128 + 1);
            }
        },
        RING_ADDRESS_THAT_WRAPS("descriptor=0xfffffffffffffff0") {
            @Override
            void send(HandFrontEnd frontEnd) {
                frontEnd.features(HandFrontEnd.FEATURES | ProtocolFeature.PRESENT);
                frontEnd.table();
                frontEnd.num(0, HandRing.SIZE);
                long start = frontEnd.ram.regions().getFirst().userAddress();
                place(frontEnd, -16, start, start);
            }
        },
        RING_THAT_GROWS_OUT_OF_RAM("ring part is outside of the memory table") {
            @Override
            void send(HandFrontEnd frontEnd) {
                frontEnd.features(HandFrontEnd.FEATURES | ProtocolFeature.PRESENT);
                frontEnd.table();
                frontEnd.setUp(frontEnd.inflate(), 0);
                long start = frontEnd.ram.regions().getFirst().userAddress();
                place(frontEnd, start + HandFrontEnd.RAM_BYTES - 64 * 16, start, start + 0x1000);
                frontEnd.num(0, 1024);
                frontEnd.enable(0, true);
            }
        },
        RAM_WITHOUT_THE_RINGS_THAT_RUN("ring part is outside of the memory table") {
            @Override
            void send(HandFrontEnd frontEnd) {
                frontEnd.features(HandFrontEnd.FEATURES | ProtocolFeature.PRESENT);
                frontEnd.table();
                frontEnd.setUp(frontEnd.deflate(), 0);
                frontEnd.enable(HandFrontEnd.DEFLATE, true);
                table(frontEnd, region(0, 0x1000, 0, 0));
            }
        },
        RAM_WITHOUT_THE_RINGS_OF_A_DRIVER_THAT_RUNS("ring part is outside of the memory table") {
            @Override
            void send(HandFrontEnd frontEnd) {
                frontEnd.start();
                frontEnd.inflate().pages(frontEnd.pfns(0, 20));
                table(frontEnd, region(0, 0x1000, 0, 0));
            }
        },
        REGIONS_THAT_OVERLAP_FOR_THE_GUEST("RAM regions overlap") {
            @Override
            void send(HandFrontEnd frontEnd) {
                table(frontEnd, region(0, 0x2000, 0, 0), region(0x1000, 0x2000, 0x8000, 0x2000));
            }
        },
        REGIONS_THAT_OVERLAP_FOR_THE_FRONT_END("regions overlap for the front-end") {
            @Override
            void send(HandFrontEnd frontEnd) {
                table(frontEnd, region(0, 0x2000, 0, 0), region(0x8000, 0x2000, 0x1000, 0x2000));
            }
        },
        EQUAL_REGIONS("overlap") {
            @Override
            void send(HandFrontEnd frontEnd) {
                table(frontEnd, region(0, 0x1000, 0, 0), region(0, 0x1000, 0, 0));
            }
        },
        REGION_THAT_WRAPS_FOR_THE_GUEST("memory table is refused: no such region") {
            @Override
            void send(HandFrontEnd frontEnd) {
                table(frontEnd, region(-0x1000, 0x2000, 0, 0));
            }
        },
        REGION_THAT_WRAPS_FOR_THE_FRONT_END("region wraps or is empty") {
            @Override
            void send(HandFrontEnd frontEnd) {
                table(frontEnd, region(0, 0x2000, -0x1000, 0));
            }
        },
        REGION_OF_NO_SIZE("region wraps or is empty") {
            @Override
            void send(HandFrontEnd frontEnd) {
                table(frontEnd, region(0, 0, 0, 0));
            }
        },
        REGION_OF_NEGATIVE_SIZE("region wraps or is empty") {
            @Override
            void send(HandFrontEnd frontEnd) {
                table(frontEnd, region(0, -0x1000, 0, 0));
            }
        },
        MISALIGNED_GUEST_ADDRESS("memory table is refused: a region must be whole pages") {
            @Override
            void send(HandFrontEnd frontEnd) {
                table(frontEnd, region(0x800, 0x1000, 0, 0));
            }
        },
        MISALIGNED_SIZE("memory table is refused: a region must be whole pages") {
            @Override
            void send(HandFrontEnd frontEnd) {
                table(frontEnd, region(0, 0x1001, 0, 0));
            }
        },
        MISALIGNED_OFFSET("memory table is refused: a region must be whole pages") {
            @Override
            void send(HandFrontEnd frontEnd) {
                table(frontEnd, region(0, 0x1000, 0, 0x10));
            }
        },
        NEGATIVE_OFFSET("memory table is refused") {
            @Override
            void send(HandFrontEnd frontEnd) {
                table(frontEnd, region(0, 0x1000, 0, -0x1000));
            }
        },
        FILE_SHORTER_THAN_ITS_REGION("memory table is refused") {
            @Override
            void send(HandFrontEnd frontEnd) {
                table(frontEnd, region(0, HandFrontEnd.RAM_BYTES + 0x1000, 0, 0));
            }
        },
        FILE_THAT_ENDS_BEFORE_ITS_REGION("memory table is refused") {
            @Override
            void send(HandFrontEnd frontEnd) {
                table(frontEnd, region(0, 0x1000, 0, HandFrontEnd.RAM_BYTES));
            }
        },
        REGION_BEYOND_2_TO_THE_44("to 2^44") {
            @Override
            void send(HandFrontEnd frontEnd) {
                table(frontEnd, region(1L << 44, 0x1000, 0, 0));
            }
        },
        SECOND_REGION_IS_WRONG("memory table is refused") {
            @Override
            void send(HandFrontEnd frontEnd) {
                table(
                        frontEnd,
                        region(0, 0x1000, 0, 0),
                        region(0x1000, 0x1000, 0x1000, HandFrontEnd.RAM_BYTES));
            }
        },
        SOCKET_FOR_RAM("memory table is refused") {
            @Override
            void send(HandFrontEnd frontEnd) {
                tableOf(frontEnd, frontEnd.channel);
            }
        },
        EVENT_FOR_RAM("memory table is refused") {
            @Override
            void send(HandFrontEnd frontEnd) {
                tableOf(frontEnd, frontEnd.inflate().kick);
            }
        };

        private final String reason;

        Rubbish(String reason) {
            this.reason = reason;
        }

        abstract void send(HandFrontEnd frontEnd);

        boolean isBeforeGreeting() {
            return this == CONFIG_NOT_ACCEPTED
                    || this == CONFIG_WRITE_NOT_ACCEPTED
                    || this == QUEUE_NUM_NOT_ACCEPTED
                    || this == CHANNEL_NOT_ACCEPTED;
        }

        private static void accept(HandFrontEnd frontEnd, long features) {
            frontEnd.wire.tell(Request.SET_PROTOCOL_FEATURES, Payload.number(features));
        }

        private static void place(HandFrontEnd frontEnd, long table, long used, long available) {
            frontEnd.wire.tell(
                    Request.SET_VRING_ADDR, Payload.addresses(0, table, used, available));
        }

        private static FrontEndRam.Region region(
                long guestAddress, long size, long userAddress, long offset) {
            return new FrontEndRam.Region(guestAddress, size, userAddress, offset);
        }

        private static void table(HandFrontEnd frontEnd, FrontEndRam.Region... regions) {
            Descriptor[] files = new Descriptor[regions.length];
            Arrays.fill(files, frontEnd.ram.file());
            frontEnd.wire.tell(
                    Request.SET_MEM_TABLE, Payload.table(List.of(regions), regions.length), files);
        }

        private static void tableOf(HandFrontEnd frontEnd, Descriptor file) {
            frontEnd.wire.tell(
                    Request.SET_MEM_TABLE,
                    Payload.table(List.of(region(0, 0x1000, 0, 0)), 1),
                    file);
        }
    }
}
