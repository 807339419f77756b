package io.aerostat.guest.model;

import io.aerostat.virtio.device.ConfigSpace;
import io.aerostat.virtio.device.DeviceController;
import io.aerostat.virtio.device.Interrupts;
import io.aerostat.virtio.device.VirtioDevice;
import io.aerostat.virtio.memory.GuestMemory;
import io.aerostat.virtio.memory.RamAccess;
import io.aerostat.virtio.queue.ChainCursor;
import io.aerostat.virtio.queue.DeviceQueue;
import io.aerostat.virtio.queue.QueueAddresses;
import io.aerostat.virtio.spec.DeviceType;
import io.aerostat.virtio.spec.Feature;
import io.aerostat.virtio.spec.balloon.BalloonConfigLayout;
import io.aerostat.virtio.spec.balloon.BalloonFeature;
import io.aerostat.virtio.spec.balloon.StatTag;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.EnumMap;
import java.util.Map;

/** A balloon of three queues that confirms requests when a test lets it, and reads statistics. */
final class PlayedBalloon implements VirtioDevice {
    private static final int STATS = 2;
    private static final int QUEUES = 3;
    private static final int QUEUE_SIZE = 64;
    private static final int ENTRY_BYTES = 10;

    private record Request(DeviceQueue ring, int queue, int head) {}

    private final RamAccess ram;
    private final ConfigSpace config;
    private final long offered;
    private final Deque<Request> requests = new ArrayDeque<>();
    private DeviceController controller;
    private Interrupts interrupts;

    /** Requests are returned as soon as they come in. */
    boolean confirms = true;

    /** What the driver's last statistics say. */
    final Map<StatTag, Long> statistics = new EnumMap<>(StatTag.class);

    PlayedBalloon(GuestMemory memory, long features) {
        ram = new RamAccess(memory);
        offered = Feature.VERSION_1 | BalloonFeature.STATS_VQ | features;
        config =
                new ConfigSpace(
                        BalloonConfigLayout.LENGTH,
                        1L << (BalloonConfigLayout.ACTUAL_OFFSET / Integer.BYTES));
    }

    void target(long pages) {
        config.set(BalloonConfigLayout.NUM_PAGES_OFFSET, (int) pages);
        controller.configChanged();
    }

    long actual() {
        return config.get(BalloonConfigLayout.ACTUAL_OFFSET);
    }

    /** Lets the device run, which confirms what it may. */
    void poll() {
        while (controller.poll(0) != 0) {
            // It says when nothing is left.
        }
        while (confirms && !requests.isEmpty()) {
            Request request = requests.remove();
            request.ring().complete(request.head(), 0);
            if (request.ring().publish()) {
                interrupts.usedBuffer(request.queue());
            }
        }
    }

    @Override
    public int service(int queue, DeviceQueue ring, Interrupts interrupts) {
        this.interrupts = interrupts;
        do {
            while (ring.poll() == DeviceQueue.CHAIN) {
                ChainCursor chain = ring.chain();
                while (chain.next() == ChainCursor.ELEMENT) {
                    if (queue == STATS) {
                        read(chain);
                    }
                }
                if (queue != STATS) {
                    requests.add(new Request(ring, queue, chain.head()));
                }
            }
        } while (ring.armAndRecheck());
        return IDLE;
    }

    private void read(ChainCursor chain) {
        ram.map(chain.gpa(), chain.length());
        for (int entry = 0; entry < chain.length(); entry += ENTRY_BYTES) {
            int tag = (ram.getByte(entry) & 0xFF) | (ram.getByte(entry + 1) & 0xFF) << 8;
            long value = 0;
            for (int i = ENTRY_BYTES - 1; i >= Short.BYTES; i--) {
                value = value << Byte.SIZE | (ram.getByte(entry + i) & 0xFF);
            }
            statistics.put(StatTag.ofTag(tag), value);
        }
    }

    @Override
    public int deviceId() {
        return DeviceType.BALLOON;
    }

    @Override
    public long offeredFeatures() {
        return offered;
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
        return QUEUE_SIZE;
    }

    @Override
    public void attached(DeviceController controller) {
        this.controller = controller;
    }

    @Override
    public ConfigSpace config() {
        return config;
    }

    @Override
    public void activate(long features) {}

    @Override
    public void queueEnabled(int queue, QueueAddresses addresses) {}

    @Override
    public void queueDisabled(int queue) {}

    @Override
    public void configWritten() {}

    @Override
    public void reset() {
        requests.clear();
        statistics.clear();
        config.set(BalloonConfigLayout.ACTUAL_OFFSET, 0);
    }
}
