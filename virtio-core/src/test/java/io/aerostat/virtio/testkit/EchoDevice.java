package io.aerostat.virtio.testkit;

import io.aerostat.virtio.device.ConfigSpace;
import io.aerostat.virtio.device.DeviceController;
import io.aerostat.virtio.device.Interrupts;
import io.aerostat.virtio.device.VirtioDevice;
import io.aerostat.virtio.memory.GuestMemory;
import io.aerostat.virtio.memory.RamAccess;
import io.aerostat.virtio.queue.ChainCursor;
import io.aerostat.virtio.queue.DeviceQueue;
import io.aerostat.virtio.queue.QueueAddresses;
import io.aerostat.virtio.spec.Feature;

import java.util.List;
import java.util.concurrent.ConcurrentLinkedQueue;

/**
 * The smallest device: copies the readable part of each buffer to its writable part, as far as
 * there is room. It notes what its controller tells it, see {@link #told}.
 *
 * <p>Queues 0 to {@link #queueCount()} - 2 are always there, the last one only with {@link
 * #EXTRA_QUEUE}. Set it up before a controller runs it.
 */
public final class EchoDevice implements VirtioDevice {
    public static final int DEVICE_ID = 42;

    /** Feature: the last queue exists. */
    public static final long EXTRA_QUEUE = 1;

    /** Feature without a meaning, for negotiation. */
    public static final long SPARE = 1L << 1;

    public static final long OFFERED =
            Feature.VERSION_1 | Feature.EVENT_IDX | Feature.INDIRECT_DESC | EXTRA_QUEUE | SPARE;

    public static final int CONFIG_BYTES = 16;

    /** The one configuration field that the driver may write. */
    public static final int DRIVER_FIELD = 8;

    /** Bytes that one buffer echoes at most. */
    private static final int SCRATCH_BYTES = 1 << 16;

    private final RamAccess ram;
    private final byte[] scratch = new byte[SCRATCH_BYTES];
    private final ConfigSpace config =
            new ConfigSpace(CONFIG_BYTES, 1L << (DRIVER_FIELD / Integer.BYTES));
    private final ConcurrentLinkedQueue<String> told = new ConcurrentLinkedQueue<>();

    private long offered = OFFERED;
    private long refused;
    private int queueCount = 3;
    private int queueSize = 8;
    private int chainsPerPass = Integer.MAX_VALUE;
    private boolean publishesEach;
    private Runnable beforeEach = () -> {};
    private long echoed;

    public EchoDevice(GuestMemory memory) {
        ram = new RamAccess(memory);
    }

    public EchoDevice offering(long features) {
        offered = features;
        return this;
    }

    /** Makes the device refuse every set with one of these features. */
    public EchoDevice refusing(long features) {
        refused = features;
        return this;
    }

    public EchoDevice withQueues(int count, int size) {
        queueCount = count;
        queueSize = size;
        return this;
    }

    /** Makes {@link #service} return after so many buffers. */
    public EchoDevice servingPerPass(int chains) {
        chainsPerPass = chains;
        return this;
    }

    /** Makes the device return and tell each buffer on its own, not all of a pass at once. */
    public EchoDevice publishingEach() {
        publishesEach = true;
        return this;
    }

    /** Runs {@code action} on the owner before each buffer. */
    public EchoDevice beforeEach(Runnable action) {
        beforeEach = action;
        return this;
    }

    /** What the controller has told so far, in order. */
    public List<String> told() {
        return List.copyOf(told);
    }

    /** Buffers returned so far. The owner's. */
    public long echoed() {
        return echoed;
    }

    @Override
    public int deviceId() {
        return DEVICE_ID;
    }

    @Override
    public long offeredFeatures() {
        return offered;
    }

    @Override
    public boolean accepts(long features) {
        return (features & refused) == 0;
    }

    @Override
    public int queueCount() {
        return queueCount;
    }

    @Override
    public int queueSizeMax(int queue, long features) {
        boolean exists = queue < queueCount - 1 || (features & EXTRA_QUEUE) != 0;
        return exists ? queueSize : 0;
    }

    @Override
    public void attached(DeviceController controller) {
        told.add("attached");
    }

    @Override
    public ConfigSpace config() {
        return config;
    }

    @Override
    public void activate(long features) {
        told.add("activate 0x" + Long.toHexString(features));
    }

    @Override
    public void queueEnabled(int queue, QueueAddresses addresses) {
        told.add("enabled " + queue + " size " + addresses.size());
    }

    @Override
    public void queueDisabled(int queue) {
        told.add("disabled " + queue);
    }

    @Override
    public void configWritten() {
        told.add("configWritten");
    }

    @Override
    public void reset() {
        told.add("reset");
    }

    @Override
    public int service(int queue, DeviceQueue ring, Interrupts interrupts) {
        ring.disarm();
        int answer = echoAll(queue, ring, interrupts);
        publish(queue, ring, interrupts);
        if (answer == IDLE && ring.armAndRecheck()) {
            return MORE;
        }
        return answer;
    }

    private static void publish(int queue, DeviceQueue ring, Interrupts interrupts) {
        if (ring.publish()) {
            interrupts.usedBuffer(queue);
        }
    }

    private int echoAll(int queue, DeviceQueue ring, Interrupts interrupts) {
        for (int chains = 0; chains < chainsPerPass; chains++) {
            switch (ring.poll()) {
                case DeviceQueue.NONE -> {
                    return IDLE;
                }
                case DeviceQueue.FAULT -> {
                    return FAULT;
                }
                default -> {
                    if (!echo(ring)) {
                        return FAULT;
                    }
                    if (publishesEach) {
                        publish(queue, ring, interrupts);
                    }
                }
            }
        }
        return MORE;
    }

    private boolean echo(DeviceQueue ring) {
        beforeEach.run();
        ChainCursor chain = ring.chain();
        int read = 0;
        int written = 0;
        int step = chain.next();
        for (; step == ChainCursor.ELEMENT; step = chain.next()) {
            if (chain.isWritable()) {
                written += writeElement(chain, written, read);
            } else {
                read += readElement(chain, read);
            }
        }
        if (step == ChainCursor.FAULT) {
            return false;
        }
        ring.complete(chain.head(), written);
        echoed++;
        return true;
    }

    private int readElement(ChainCursor chain, int read) {
        int bytes = (int) Math.min(chain.length(), SCRATCH_BYTES - read);
        ram.map(chain.gpa(), bytes);
        for (int i = 0; i < bytes; i++) {
            scratch[read + i] = ram.getByte(i);
        }
        return bytes;
    }

    private int writeElement(ChainCursor chain, int written, int read) {
        int bytes = (int) Math.min(chain.length(), read - written);
        ram.map(chain.gpa(), bytes);
        for (int i = 0; i < bytes; i++) {
            ram.putByte(i, scratch[written + i]);
        }
        return bytes;
    }

    @Override
    public String toString() {
        return "EchoDevice[queueCount=" + queueCount + ", queueSize=" + queueSize + "]";
    }
}
