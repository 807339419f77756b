package io.aerostat.virtio.device;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.aerostat.virtio.queue.QueueFault;
import io.aerostat.virtio.spec.DeviceStatus;
import io.aerostat.virtio.spec.Feature;
import io.aerostat.virtio.testkit.DeviceLog;
import io.aerostat.virtio.testkit.EchoDevice;
import io.aerostat.virtio.testkit.GuestRam;
import io.aerostat.virtio.testkit.RingBytes;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

import java.util.ArrayList;
import java.util.List;

/** A transport whose queues break and go on one by one. */
final class FaultScopeTest {
    private static final int SIZE = 8;
    private static final int DRIVER_OK =
            DeviceStatus.ACKNOWLEDGE_FLAG
                    | DeviceStatus.DRIVER_FLAG
                    | DeviceStatus.FEATURES_OK_FLAG
                    | DeviceStatus.DRIVER_OK_FLAG;

    private final GuestRam ram = GuestRam.of(GuestRam.Kind.BYTE_ARRAY, 16 * GuestRam.PAGE);
    private final List<String> said = new ArrayList<>();
    private final EchoDevice echo = new EchoDevice(ram.memory());
    private final DeviceLog log = new DeviceLog();
    private final DeviceController controller =
            new DeviceController(
                    ram.memory(),
                    echo,
                    new Recorder(),
                    Ownership.REGISTER_THREAD,
                    () -> {},
                    FaultScope.QUEUE);

    @AfterEach
    void closeLog() {
        log.close();
    }

    private final class Recorder implements Interrupts {
        @Override
        public void usedBuffer(int queue) {
            said.add("used " + queue);
        }

        @Override
        public void configChanged() {
            said.add("config");
        }

        @Override
        public void queueFailed(int queue) {
            said.add("failed " + queue);
        }
    }

    private RingBytes ring(int queue) {
        return RingBytes.at(ram, SIZE, ram.base() + (long) queue * GuestRam.PAGE);
    }

    private void bringUp() {
        controller.acceptFeatures(1, (int) (Feature.VERSION_1 >>> 32));
        controller.writeStatus(DRIVER_OK);
        controller.enableQueue(0, ring(0).addresses());
        controller.enableQueue(1, ring(1).addresses());
    }

    private void offer(int queue) {
        ring(queue).descriptor(0, ram.base() + 8 * GuestRam.PAGE, 16, 0, 0);
        ring(queue).offer(0);
        controller.notifyQueue(queue);
    }

    private void poll() {
        while (controller.poll(0) > 0) {}
    }

    @Test
    void aBrokenRingStopsItsQueueAlone() {
        bringUp();
        ring(0).availableEntry(0, SIZE);
        ring(0).availableIdx(1);
        controller.notifyQueue(0);
        poll();

        offer(1);
        poll();

        assertEquals(List.of("failed 0", "used 1"), said);
        assertEquals(DRIVER_OK, controller.status());
        assertEquals(1, controller.faultCount(QueueFault.HEAD_OUT_OF_RANGE));
        assertTrue(echo.told().contains("disabled 0"), echo.told().toString());
    }

    @Test
    void aQueueThatBrokeIsServedNoMoreUntilItIsEnabledAnew() {
        bringUp();
        ring(0).availableEntry(0, SIZE);
        ring(0).availableIdx(1);
        controller.notifyQueue(0);
        poll();
        ring(0).availableEntry(0, 0);
        said.clear();

        controller.notifyQueue(0);
        poll();
        assertEquals(List.of(), said);
        controller.disableQueue(0);
        ring(0).descriptor(0, ram.base() + 8 * GuestRam.PAGE, 16, 0, 0);
        controller.enableQueue(0, ring(0).addresses());
        poll();

        assertEquals(List.of("used 0"), said);
    }

    @Test
    void aQueueInAnImpossiblePlaceFailsAlone() {
        bringUp();
        controller.disableQueue(1);
        controller.enableQueue(1, RingBytes.at(ram, SIZE, ram.end() - 16).addresses());
        offer(0);
        poll();

        assertEquals(List.of("failed 1", "used 0"), said);
        assertEquals(1, controller.faultCount(QueueFault.RING_OUTSIDE_RAM));
    }

    @Test
    void aSuspendedQueueGoesOnWhereItStood() {
        bringUp();
        offer(0);
        poll();
        offer(0);

        int index = controller.suspendQueue(0);
        assertFalse(controller.isQueueEnabled(0));
        poll();
        assertEquals(1, ring(0).usedIdx());
        controller.resumeQueue(0, ring(0).addresses(), index);
        poll();

        assertEquals(1, index);
        assertEquals(2, ring(0).usedIdx());
        assertEquals(List.of("used 0", "used 0"), said);
    }

    @Test
    void aQueueThatDoesNotExistCannotBeSuspended() {
        assertEquals(0, controller.suspendQueue(-1));
        assertEquals(0, controller.suspendQueue(99));
    }
}
