package io.aerostat.vmm.frontend;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.aerostat.guest.balloon.BalloonDriver;
import io.aerostat.guest.balloon.BalloonDriverOptions;
import io.aerostat.guest.balloon.DeviceLoss;
import io.aerostat.guest.mm.MemoryOptions;
import io.aerostat.guest.model.GuestModel;
import io.aerostat.guest.model.GuestOptions;
import io.aerostat.guest.workload.PressureOptions;
import io.aerostat.virtio.driver.HandshakeFailure;
import io.aerostat.virtio.spec.DeviceStatus;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import java.util.List;

/** Our own driver over vhost-user. */
final class VhostUserTransportTest {
    @ParameterizedTest
    @EnumSource
    void theDriverFollowsTheTarget(Manner manner) {
        try (FrontEndRig rig = new FrontEndRig(manner)) {
            assertNull(rig.driver.start());

            rig.target(1000);
            assertTrue(rig.runUntil(() -> rig.actual() == 1000));
            assertEquals(1000, rig.backEnd.pagesTold());
            assertEquals(1000, rig.driver.balloonedPages());

            rig.target(0);
            assertTrue(rig.runUntil(() -> rig.actual() == 0));
            assertEquals(2000, rig.backEnd.pagesTold());
            assertTrue(rig.transport.interrupts() >= 2, "one for each way at least");
        }
    }

    @ParameterizedTest
    @EnumSource
    void theDriverComesBackOnTheSameConnection(Manner manner) {
        try (FrontEndRig rig = new FrontEndRig(manner)) {
            rig.target(100);
            for (int life = 0; life < 3; life++) {
                assertNull(rig.driver.start());
                assertTrue(rig.runUntil(() -> rig.driver.balloonedPages() == 100), "" + life);
                rig.driver.forceRemove();
                assertEquals(rig.pages.totalPages(), rig.pages.freePages());
            }
        }
    }

    @Test
    void speaksAsUml() {
        try (FrontEndRig rig = new FrontEndRig(Manner.UML)) {
            rig.transport.greet();
            assertEquals(
                    List.of(
                            "SetOwner[]",
                            "GetFeatures[]",
                            "GetProtocolFeatures[]",
                            "SetProtocolFeatures[features=552] ack",
                            "SetBackendReqFd[descriptor=fd] ack"),
                    rig.backEnd.takeLog());

            assertNull(rig.driver.start());
            List<String> start = rig.backEnd.takeLog();
            long features = FrontEndRig.FEATURES | 1L << 30;
            assertEquals("GetFeatures[]", start.get(0));
            assertEquals("SetFeatures[features=" + features + "] ack", start.get(1));
            assertEquals(
                    "SetMemTable[regions=[MemoryRegion[guestAddress=11173888, size=16777216,"
                            + " userAddress=11173888, mmapOffset=11173888, descriptor=fd]]] ack",
                    start.get(2));
            assertEquals(
                    List.of(
                            "SetVringCall ack",
                            "SetVringNum ack",
                            "SetVringBase ack",
                            "SetVringAddr ack"),
                    names(start.subList(3, 7)));
            assertEquals(names(start.subList(3, 7)), names(start.subList(7, 11)));
            assertEquals(names(start.subList(3, 7)), names(start.subList(11, 15)));
            assertEquals(
                    List.of(
                            "SetVringKick[index=0, descriptor=fd] ack",
                            "SetVringEnable[index=0, enable=true] ack",
                            "SetVringKick[index=1, descriptor=fd] ack",
                            "SetVringEnable[index=1, enable=true] ack",
                            "SetVringKick[index=2, descriptor=fd] ack",
                            "SetVringEnable[index=2, enable=true] ack",
                            "GetConfig[offset=0, size=4, flags=0]"),
                    start.subList(15, start.size()));

            rig.driver.forceRemove();
            assertEquals(
                    List.of(
                            "SetVringEnable[index=2, enable=false] ack",
                            "SetVringEnable[index=1, enable=false] ack",
                            "SetVringEnable[index=0, enable=false] ack",
                            "GetFeatures[]"),
                    rig.backEnd.takeLog());
        }
    }

    @Test
    void speaksAsUmlWhoseDriverDropsAFeature() {
        try (FrontEndRig rig = new FrontEndRig(Manner.UML_WITHOUT_ENABLE)) {
            assertNull(rig.driver.start());
            rig.driver.forceRemove();

            List<String> log = rig.backEnd.takeLog();

            long features = FrontEndRig.FEATURES;
            int first = log.indexOf("SetFeatures[features=" + (features | 1L << 30) + "] ack");
            assertEquals("SetFeatures[features=" + features + "] ack", log.get(first + 1));
            assertTrue(log.stream().noneMatch(line -> line.startsWith("SetVringEnable")));
            assertEquals("GetFeatures[]", log.getLast());
        }
    }

    @Test
    void speaksAsQemu() {
        try (FrontEndRig rig = new FrontEndRig(Manner.QEMU_TWO_REGIONS)) {
            rig.transport.greet();
            List<String> greeting = rig.backEnd.takeLog();
            assertEquals(
                    List.of(
                            "GetFeatures[]",
                            "GetProtocolFeatures[]",
                            "SetProtocolFeatures[features=553]",
                            "GetQueueNum[]",
                            "SetBackendReqFd[descriptor=fd] ack",
                            "SetOwner[]",
                            "GetFeatures[]",
                            "SetVringCall[index=0, descriptor=fd] ack",
                            "SetVringErr[index=0, descriptor=fd] ack"),
                    greeting.subList(0, 9));
            assertEquals(17, greeting.size());

            assertNull(rig.driver.start());
            List<String> start = rig.backEnd.takeLog();
            assertEquals("GetFeatures[]", start.get(0));
            assertEquals(
                    "SetFeatures[features=" + (FrontEndRig.FEATURES | 1L << 30) + "]",
                    start.get(1));
            assertEquals(
                    "SetMemTable[regions=[MemoryRegion[guestAddress=0, size=8388608,"
                            + " userAddress=139716158554112, mmapOffset=0, descriptor=fd],"
                            + " MemoryRegion[guestAddress=4294967296, size=8388608,"
                            + " userAddress=139720453521408, mmapOffset=8388608,"
                            + " descriptor=fd]]] ack",
                    start.get(2));
            assertEquals(
                    List.of(
                            "SetVringNum",
                            "SetVringBase",
                            "SetVringAddr",
                            "SetVringKick ack",
                            "SetVringCall ack"),
                    names(start.subList(3, 8)));
            assertEquals("SetVringEnable[index=0, enable=true] ack", start.get(18));
            assertEquals("SetVringEnable[index=4, enable=true] ack", start.get(22));
            assertEquals("SetVringCall[index=4, descriptor=fd] ack", start.get(27));
            assertEquals("GetConfig[offset=0, size=16, flags=0]", start.get(28));

            rig.target(300);
            assertTrue(rig.runUntil(() -> rig.actual() == 300));
            rig.backEnd.takeLog();
            rig.driver.forceRemove();
            assertEquals(
                    List.of(
                            "SetVringEnable[index=0, enable=false] ack",
                            "SetVringEnable[index=1, enable=false] ack",
                            "SetVringEnable[index=2, enable=false] ack",
                            "SetVringEnable[index=3, enable=false] ack",
                            "SetVringEnable[index=4, enable=false] ack",
                            "GetVringBase[index=0]",
                            "GetVringBase[index=1]",
                            "GetVringBase[index=2]"),
                    rig.backEnd.takeLog());
        }
    }

    private static List<String> names(List<String> log) {
        return log.stream().map(line -> line.replaceAll("\\[.*]", "")).toList();
    }

    @Test
    void umlWritesOneFieldAndQemuAll() {
        try (FrontEndRig rig = new FrontEndRig(Manner.UML)) {
            assertNull(rig.driver.start());
            rig.backEnd.takeLog();
            rig.transport.writeConfig(4, 7);
            rig.transport.readConfig(8);
            List<String> log = rig.backEnd.takeLog();
            assertEquals("SetConfig[offset=4, flags=0, bytes=07000000] ack", log.get(0));
            assertEquals("GetConfig[offset=0, size=12, flags=0]", log.get(1));
            assertEquals(7, rig.actual());
        }
        try (FrontEndRig rig = new FrontEndRig(Manner.QEMU)) {
            assertNull(rig.driver.start());
            rig.backEnd.takeLog();
            rig.transport.writeConfig(4, 7);
            rig.transport.readConfig(8);
            List<String> log = rig.backEnd.takeLog();
            assertEquals(
                    "SetConfig[offset=0, flags=0, bytes="
                            + "00000000"
                            + "07000000"
                            + "00000000"
                            + "00000000"
                            + "] ack",
                    log.get(0));
            assertEquals("GetConfig[offset=0, size=16, flags=0]", log.get(1));
            assertEquals(7, rig.actual());
        }
    }

    @Test
    void refusedFeaturesAreTheDriversToKnow() {
        try (FrontEndRig rig = new FrontEndRig(Manner.UML)) {
            rig.backEnd.refuseFeatures();

            assertEquals(HandshakeFailure.FEATURES_REFUSED, rig.driver.start());
        }
    }

    @ParameterizedTest
    @EnumSource
    void aBackEndThatHangsUpIsALostDevice(Manner manner) {
        try (FrontEndRig rig = new FrontEndRig(manner)) {
            assertNull(rig.driver.start());
            rig.target(100);
            assertTrue(rig.runUntil(() -> rig.driver.balloonedPages() == 100));

            rig.backEnd.close();
            for (int i = 0; i < 2000; i++) {
                rig.driver.doWork(i * 10_000_000L);
            }

            assertTrue(rig.transport.isGone());
            assertEquals(-1, rig.transport.status());
            assertEquals(DeviceLoss.GONE, rig.driver.lastLoss());
            assertEquals(BalloonDriver.State.RESTARTING, rig.driver.state());
            assertEquals(HandshakeFailure.NO_DEVICE, rig.driver.lastFailure());
            assertEquals(rig.pages.totalPages(), rig.pages.freePages());
        }
    }

    @Test
    void aBrokenRingIsToldByItsErrorDescriptor() {
        try (FrontEndRig rig = new FrontEndRig(Manner.QEMU)) {
            assertNull(rig.driver.start());
            Vring ring = rig.transport.device().rings().get(1);
            assertFalse(ring.takeError());

            rig.backEnd.breakRing(1);

            assertTrue(ring.takeError());
            assertFalse(ring.takeError());
        }
    }

    @Test
    void aStatusWrittenAsZeroStopsTheDevice() {
        try (FrontEndRig rig = new FrontEndRig(Manner.QEMU)) {
            assertNull(rig.driver.start());
            assertNotEquals(0, rig.transport.status() & DeviceStatus.DRIVER_OK_FLAG);

            rig.transport.status(0);

            assertEquals(0, rig.transport.status());
            assertFalse(rig.transport.isQueueEnabled(0));
            assertEquals("GetVringBase[index=2]", rig.backEnd.takeLog().getLast());
        }
    }

    @Test
    void aWholeGuestRunsOverIt() {
        try (FrontEndRig rig = new FrontEndRig(Manner.UML)) {
            GuestModel guest =
                    new GuestModel(
                            rig.ram.memory(),
                            rig.transport,
                            new GuestOptions(
                                    MemoryOptions.DEFAULT,
                                    BalloonDriverOptions.DEFAULT,
                                    PressureOptions.DEFAULT.withProcesses(2).withPages(256, 64),
                                    1),
                            0);
            assertNull(guest.startBalloon());
            rig.target(500);

            for (int i = 1; i < 200; i++) {
                guest.step(i * 4_000_000L);
                rig.backEnd.step();
            }

            assertEquals(500, guest.driver().balloonedPages());
            assertEquals(500, rig.actual());
        }
    }

    @ParameterizedTest
    @EnumSource
    void leavesNothingOpen(Manner manner) {
        try (FrontEndRig rig = new FrontEndRig(manner)) {
            assertNull(rig.driver.start());
        }
        long before = openDescriptors();

        for (int i = 0; i < 20; i++) {
            try (FrontEndRig rig = new FrontEndRig(manner)) {
                assertNull(rig.driver.start());
                rig.driver.forceRemove();
                assertNull(rig.driver.start());
            }
        }

        assertEquals(before, openDescriptors());
    }

    /** Of the kinds that a front-end has. */
    private static long openDescriptors() {
        return OpenDescriptors.of(
                OpenDescriptors.SOCKET, OpenDescriptors.EVENT, FrontEndRam.FILE_NAME);
    }
}
