package io.aerostat.guest.balloon;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.aerostat.guest.balloon.BalloonDriver.State;
import io.aerostat.virtio.driver.HandshakeFailure;
import io.aerostat.virtio.spec.DeviceStatus;
import io.aerostat.virtio.spec.DeviceType;
import io.aerostat.virtio.spec.MmioRegister;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.EnumSource.Mode;
import org.junit.jupiter.params.provider.ValueSource;

import java.util.List;

/** What a failed start leaves behind: nothing. */
final class BalloonStartTest {
    /** Every way in which {@link BalloonDriver#start} can fail. */
    enum Obstacle {
        WRONG_MAGIC(HandshakeFailure.NOT_VIRTIO) {
            @Override
            void put(BalloonRig rig) {
                rig.bus.falsify(MmioRegister.MAGIC_VALUE, value -> 0);
            }
        },
        OTHER_VERSION(HandshakeFailure.VERSION_UNKNOWN) {
            @Override
            void put(BalloonRig rig) {
                rig.bus.falsify(MmioRegister.VERSION, value -> 1);
            }
        },
        EMPTY_SLOT(HandshakeFailure.NO_DEVICE) {
            @Override
            void put(BalloonRig rig) {
                rig.bus.falsify(MmioRegister.DEVICE_ID, value -> DeviceType.NONE);
            }
        },
        FUTURE_BALLOON(HandshakeFailure.OTHER_DEVICE) {
            @Override
            void put(BalloonRig rig) {
                rig.bus.falsify(MmioRegister.DEVICE_ID, value -> 13);
            }
        },
        LEGACY_DEVICE(HandshakeFailure.FEATURE_MISSING) {
            @Override
            void put(BalloonRig rig) {
                rig.bus.falsify(MmioRegister.DEVICE_FEATURES, value -> 0);
            }
        },
        FEATURES_REFUSED(HandshakeFailure.FEATURES_REFUSED) {
            @Override
            void put(BalloonRig rig) {
                rig.device.refusesFeatures = true;
            }
        },
        NO_INFLATE_QUEUE(HandshakeFailure.QUEUE_MISSING) {
            @Override
            void put(BalloonRig rig) {
                rig.device.missingQueue = ScriptedBalloon.INFLATE;
            }
        },
        NO_DEFLATE_QUEUE(HandshakeFailure.QUEUE_MISSING) {
            @Override
            void put(BalloonRig rig) {
                rig.device.missingQueue = ScriptedBalloon.DEFLATE;
            }
        },
        QUEUE_IN_USE(HandshakeFailure.QUEUE_IN_USE) {
            @Override
            void put(BalloonRig rig) {
                rig.bus.falsify(MmioRegister.QUEUE_READY, value -> 1);
            }
        },
        NO_MEMORY_AT_ALL(HandshakeFailure.NO_MEMORY) {
            @Override
            void put(BalloonRig rig) {
                rig.pressure.refuseAfter(0);
            }
        },
        NO_MEMORY_FOR_THE_FIRST_BUFFERS(HandshakeFailure.NO_MEMORY) {
            @Override
            void put(BalloonRig rig) {
                rig.pressure.refuseAfter(1);
            }
        },
        NO_MEMORY_FOR_THE_SECOND_RING(HandshakeFailure.NO_MEMORY) {
            @Override
            void put(BalloonRig rig) {
                rig.pressure.refuseAfter(2);
            }
        },
        NO_MEMORY_FOR_THE_LAST_BUFFERS(HandshakeFailure.NO_MEMORY) {
            @Override
            void put(BalloonRig rig) {
                rig.pressure.refuseAfter(3);
            }
        },
        DEVICE_GIVES_UP(HandshakeFailure.NEEDS_RESET) {
            @Override
            void put(BalloonRig rig) {
                int ready = 15;
                int needsReset = ready | DeviceStatus.DEVICE_NEEDS_RESET_FLAG;
                rig.bus.falsify(
                        MmioRegister.STATUS, status -> status == ready ? needsReset : status);
            }
        };

        final HandshakeFailure failure;

        Obstacle(HandshakeFailure failure) {
            this.failure = failure;
        }

        abstract void put(BalloonRig rig);

        static void removeAll(BalloonRig rig) {
            rig.bus.tellTheTruth();
            rig.pressure.refuseAfter(Long.MAX_VALUE);
            rig.device.refusesFeatures = false;
            rig.device.missingQueue = -1;
        }
    }

    @ParameterizedTest
    @EnumSource
    void saysWhyItFailed(Obstacle obstacle) {
        BalloonRig rig = new BalloonRig();
        obstacle.put(rig);

        HandshakeFailure failure = rig.driver.start();

        assertEquals(obstacle.failure, failure);
    }

    @ParameterizedTest
    @EnumSource
    void leavesNothingAllocatedAndIsDown(Obstacle obstacle) {
        BalloonRig rig = new BalloonRig();
        obstacle.put(rig);

        rig.driver.start();

        assertEquals(State.DOWN, rig.driver.state());
        assertEquals(BalloonRig.RAM_PAGES, rig.pages.freePages());
        assertEquals(0, rig.driver.pinnedPages());
    }

    @ParameterizedTest
    @EnumSource
    void startsOnceTheObstacleIsGone(Obstacle obstacle) {
        BalloonRig rig = new BalloonRig();
        obstacle.put(rig);
        for (int attempt = 0; attempt < 10; attempt++) {
            rig.driver.start();
        }

        Obstacle.removeAll(rig);
        rig.inflatedTo(300);

        assertEquals(State.RUNNING, rig.driver.state());
    }

    @ParameterizedTest
    @EnumSource
    void retriesARestartUntilTheObstacleIsGone(Obstacle obstacle) {
        BalloonRig rig = new BalloonRig().inflatedTo(300);
        rig.device.needReset();
        rig.step();
        obstacle.put(rig);
        for (int attempt = 0; attempt < 10; attempt++) {
            rig.waitForRetry();
            rig.step();
        }
        State before = rig.driver.state();

        Obstacle.removeAll(rig);
        rig.waitForRetry();
        rig.settle();

        assertEquals(State.RESTARTING, before);
        assertEquals(300, rig.device.actual());
    }

    @ParameterizedTest
    @EnumSource(
            mode = Mode.EXCLUDE,
            names = {"WRONG_MAGIC", "OTHER_VERSION", "EMPTY_SLOT", "FUTURE_BALLOON"})
    @DisplayName("INIT-DRV-12, FEAT-DRV-10: a driver that gives up says FAILED")
    void setsFailed(Obstacle obstacle) {
        BalloonRig rig = new BalloonRig();
        obstacle.put(rig);

        rig.driver.start();

        List<Long> written = rig.bus.stores(MmioRegister.STATUS);
        long last = written.stream().filter(value -> value != 0).reduce(0L, (a, b) -> b);
        assertEquals(DeviceStatus.FAILED_FLAG, last & DeviceStatus.FAILED_FLAG);
    }

    @ParameterizedTest
    @EnumSource(
            mode = Mode.EXCLUDE,
            names = {"WRONG_MAGIC", "OTHER_VERSION", "EMPTY_SLOT", "FUTURE_BALLOON"})
    @DisplayName("INIT-DRV-13: and does nothing more to the device but reset it")
    void doesNotGoOnAfterFailed(Obstacle obstacle) {
        BalloonRig rig = new BalloonRig();
        obstacle.put(rig);

        rig.driver.start();

        List<RegisterLog.Access> log = rig.bus.accesses();
        int failed = 0;
        while ((log.get(failed).value() & DeviceStatus.FAILED_FLAG) == 0
                || !log.get(failed).isStore()) {
            failed++;
        }
        assertEquals(
                List.of(),
                log.subList(failed + 1, log.size()).stream()
                        .filter(RegisterLog.Access::isStore)
                        .filter(access -> access.value() != 0)
                        .toList());
    }

    @ParameterizedTest
    @EnumSource(names = {"WRONG_MAGIC", "OTHER_VERSION", "EMPTY_SLOT", "FUTURE_BALLOON"})
    @DisplayName("MMIO-DRV-08, -10, -12, -29: what is no balloon is not written to")
    void leavesForeignDevicesAlone(Obstacle obstacle) {
        BalloonRig rig = new BalloonRig();
        obstacle.put(rig);

        rig.driver.start();

        assertEquals(
                List.of(),
                rig.bus.accesses().stream().filter(RegisterLog.Access::isStore).toList());
    }

    @Test
    @DisplayName("STATUS-DRV-03: after FAILED the next attempt begins with a reset")
    void resetsTheDeviceBeforeTheNextAttempt() {
        BalloonRig rig = new BalloonRig();
        rig.device.refusesFeatures = true;
        rig.driver.start();
        rig.bus.clear();

        rig.driver.start();

        assertEquals(List.of(0L, 1L, 3L), rig.bus.stores(MmioRegister.STATUS).subList(0, 3));
    }

    @Test
    void refusesToStartTwice() {
        BalloonRig rig = new BalloonRig().started();

        assertThrows(IllegalStateException.class, rig.driver::start);

        assertEquals(State.RUNNING, rig.driver.state());
    }

    @Test
    void needsRingsThatTheAllocatorCanGiveInOnePiece() {
        BalloonDriverOptions large =
                BalloonDriverOptions.DEFAULT.withRequests(
                        new BalloonDriverOptions.Requests(4096, 4, 256));
        BalloonRig rig = new BalloonRig(large);
        rig.device.queueSizeMax = 4096;
        rig.pressure.refuseAbove(3);

        HandshakeFailure failure = rig.driver.start();

        assertEquals(HandshakeFailure.NO_MEMORY, failure);
        assertEquals(BalloonRig.RAM_PAGES, rig.pages.freePages());
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 64, 32768})
    void takesAQueueOfAnySizeThatTheDeviceHas(int deviceSize) {
        BalloonRig rig = new BalloonRig();
        rig.device.queueSizeMax = deviceSize;

        HandshakeFailure failure = rig.driver.start();

        assertNull(failure);
        assertEquals(Math.min(deviceSize, 16), rig.device.place(ScriptedBalloon.INFLATE).size());
    }
}
