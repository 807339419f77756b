package io.aerostat.virtio.testkit;

import io.aerostat.virtio.device.ConfigSpace;
import io.aerostat.virtio.device.DeviceController;
import io.aerostat.virtio.device.Interrupts;
import io.aerostat.virtio.device.RestoredQueues;
import io.aerostat.virtio.device.VirtioDevice;
import io.aerostat.virtio.memory.GuestMemory;
import io.aerostat.virtio.memory.RamAccess;
import io.aerostat.virtio.queue.ChainCursor;
import io.aerostat.virtio.queue.DeviceQueue;
import io.aerostat.virtio.queue.QueueAddresses;
import io.aerostat.virtio.snapshot.SnapshotException;
import io.aerostat.virtio.snapshot.SnapshotReader;
import io.aerostat.virtio.snapshot.SnapshotWriter;
import io.aerostat.virtio.spec.Feature;

import java.util.Arrays;
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
    private final ConfigSpace config =
            new ConfigSpace(CONFIG_BYTES, 1L << (DRIVER_FIELD / Integer.BYTES));
    private final ConcurrentLinkedQueue<String> told = new ConcurrentLinkedQueue<>();

    private long offered = OFFERED;
    private long refused;
    private int queueCount = 3;
    private int queueSize = 8;
    private int chainsPerPass = Integer.MAX_VALUE;
    private int elementsPerPass = Integer.MAX_VALUE;
    private boolean publishesEach;
    private Runnable beforeEach = () -> {};
    private long echoed;
    private long ticks;
    private Place[] places = places(queueCount);

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
        places = places(count);
        queueSize = size;
        return this;
    }

    /** Makes {@link #service} return after so many buffers. */
    public EchoDevice servingPerPass(int chains) {
        chainsPerPass = chains;
        return this;
    }

    /** Makes {@link #service} return after so many elements, inside a buffer if need be. */
    public EchoDevice restingAfter(int elements) {
        elementsPerPass = elements;
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

    /** How often the device was told the time. The owner's. */
    public long ticks() {
        return ticks;
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
        places[queue].inChain = false;
    }

    @Override
    public void configWritten() {
        told.add("configWritten");
    }

    @Override
    public void reset() {
        told.add("reset");
        for (Place place : places) {
            place.inChain = false;
        }
    }

    @Override
    public void elapsed(long nowNs) {
        ticks++;
    }

    private static Place[] places(int count) {
        Place[] places = new Place[count];
        Arrays.setAll(places, i -> new Place());
        return places;
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
        Place place = places[queue];
        int elements = elementsPerPass;
        for (int chains = 0; chains < chainsPerPass; chains++) {
            if (!place.inChain) {
                int polled = ring.poll();
                if (polled != DeviceQueue.CHAIN) {
                    return polled == DeviceQueue.NONE ? IDLE : FAULT;
                }
                beforeEach.run();
                place.start();
            }
            ChainCursor chain = ring.chain();
            int step = ChainCursor.ELEMENT;
            for (; step == ChainCursor.ELEMENT && elements > 0; elements--) {
                step = chain.next();
                if (step == ChainCursor.ELEMENT) {
                    place.echo(ram, chain);
                }
            }
            if (step != ChainCursor.END) {
                return step == ChainCursor.FAULT ? FAULT : MORE;
            }
            ring.complete(chain.head(), place.written);
            place.inChain = false;
            echoed++;
            if (publishesEach) {
                publish(queue, ring, interrupts);
            }
        }
        return MORE;
    }

    @Override
    public void save(SnapshotWriter out) {
        out.writeLong(echoed);
        for (Place place : places) {
            place.save(out);
        }
    }

    @Override
    public Runnable prepareRestore(SnapshotReader in, RestoredQueues queues)
            throws SnapshotException {
        long savedEchoed = in.readLong("echoed");
        Place[] saved = new Place[places.length];
        for (int queue = 0; queue < saved.length; queue++) {
            saved[queue] = Place.restored(in, queues.ring(queue));
        }
        return () -> {
            told.add("restored 0x" + Long.toHexString(queues.features()));
            echoed = savedEchoed;
            System.arraycopy(saved, 0, places, 0, saved.length);
        };
    }

    /** How far the device is in the buffer of one queue. */
    private static final class Place {
        private byte[] scratch = new byte[0];
        private boolean inChain;
        private int read;
        private int written;

        void start() {
            inChain = true;
            read = 0;
            written = 0;
        }

        void echo(RamAccess ram, ChainCursor chain) {
            if (chain.isWritable()) {
                written += writeElement(ram, chain);
            } else {
                read += readElement(ram, chain);
            }
        }

        private int readElement(RamAccess ram, ChainCursor chain) {
            int bytes = (int) Math.min(chain.length(), SCRATCH_BYTES - read);
            if (scratch.length < read + bytes) {
                scratch = Arrays.copyOf(scratch, Math.max(2 * scratch.length, read + bytes));
            }
            ram.map(chain.gpa(), bytes);
            for (int i = 0; i < bytes; i++) {
                scratch[read + i] = ram.getByte(i);
            }
            return bytes;
        }

        private int writeElement(RamAccess ram, ChainCursor chain) {
            int bytes = (int) Math.min(chain.length(), read - written);
            ram.map(chain.gpa(), bytes);
            for (int i = 0; i < bytes; i++) {
                ram.putByte(i, scratch[written + i]);
            }
            return bytes;
        }

        void save(SnapshotWriter out) {
            out.writeBoolean(inChain);
            if (inChain) {
                out.writeInt(read);
                out.writeInt(written);
                out.writeBytes(Arrays.copyOf(scratch, read));
            }
        }

        static Place restored(SnapshotReader in, DeviceQueue ring) throws SnapshotException {
            Place place = new Place();
            place.inChain = in.readBoolean("inChain");
            if (place.inChain) {
                if (ring == null || !ring.isOut(ring.chain().head())) {
                    throw SnapshotException.impossible("inChain", 1);
                }
                place.read = in.readInt("read", 0, SCRATCH_BYTES);
                place.written = in.readInt("written", 0, place.read);
                place.scratch = in.readBytes("scratch", place.read);
            }
            return place;
        }
    }

    @Override
    public String toString() {
        return "EchoDevice[queueCount=" + queueCount + ", queueSize=" + queueSize + "]";
    }
}
