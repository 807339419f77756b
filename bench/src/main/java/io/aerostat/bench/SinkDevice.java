package io.aerostat.bench;

import io.aerostat.virtio.device.ConfigSpace;
import io.aerostat.virtio.device.DeviceController;
import io.aerostat.virtio.device.Interrupts;
import io.aerostat.virtio.device.VirtioDevice;
import io.aerostat.virtio.queue.ChainCursor;
import io.aerostat.virtio.queue.DeviceQueue;
import io.aerostat.virtio.queue.QueueAddresses;
import io.aerostat.virtio.spec.DeviceType;
import io.aerostat.virtio.spec.Feature;
import io.aerostat.virtio.spec.balloon.BalloonConfigLayout;

/**
 * A device with a balloon's queues that walks each buffer and returns it without looking into it:
 * what the rings cost by themselves.
 */
final class SinkDevice implements VirtioDevice {
    private static final int QUEUES = 2;

    private final ConfigSpace config = new ConfigSpace(BalloonConfigLayout.LENGTH, 0);
    private final int queueSize;

    SinkDevice(int queueSize) {
        this.queueSize = queueSize;
    }

    @Override
    public int service(int queue, DeviceQueue ring, Interrupts interrupts) {
        ring.disarm();
        int polled = ring.poll();
        while (polled == DeviceQueue.CHAIN) {
            ChainCursor chain = ring.chain();
            while (chain.next() == ChainCursor.ELEMENT) {
                // Nothing to do with it.
            }
            ring.complete(chain.head(), 0);
            polled = ring.poll();
        }
        if (ring.publish()) {
            interrupts.usedBuffer(queue);
        }
        if (polled == DeviceQueue.FAULT) {
            return FAULT;
        }
        return ring.armAndRecheck() ? MORE : IDLE;
    }

    @Override
    public int deviceId() {
        return DeviceType.BALLOON;
    }

    @Override
    public long offeredFeatures() {
        return Feature.VERSION_1 | Feature.EVENT_IDX | Feature.INDIRECT_DESC;
    }

    @Override
    public boolean accepts(long features) {
        return true;
    }

    @Override
    public int queueCount() {
        return QUEUES;
    }

    @Override
    public int queueSizeMax(int queue, long features) {
        return queueSize;
    }

    @Override
    public ConfigSpace config() {
        return config;
    }

    @Override
    public void attached(DeviceController controller) {}

    @Override
    public void activate(long features) {}

    @Override
    public void queueEnabled(int queue, QueueAddresses addresses) {}

    @Override
    public void queueDisabled(int queue) {}

    @Override
    public void configWritten() {}

    @Override
    public void reset() {}
}
