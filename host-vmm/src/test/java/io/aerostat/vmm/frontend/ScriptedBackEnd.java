package io.aerostat.vmm.frontend;

import io.aerostat.memory.os.LinuxMemory;
import io.aerostat.virtio.memory.GuestMemory;
import io.aerostat.virtio.memory.RamRegion;
import io.aerostat.virtio.queue.ChainCursor;
import io.aerostat.virtio.queue.DeviceQueue;
import io.aerostat.virtio.queue.QueueAddresses;
import io.aerostat.virtio.spec.balloon.PageFrame;
import io.aerostat.vmm.os.Descriptor;
import io.aerostat.vmm.os.EventDescriptors;
import io.aerostat.vmm.vhost.message.BackEndChannel;
import io.aerostat.vmm.vhost.message.FrontEndMessage;
import io.aerostat.vmm.vhost.message.MemoryRegion;
import io.aerostat.vmm.vhost.message.MessageReader;
import io.aerostat.vmm.vhost.message.MessageWriter;
import io.aerostat.vmm.vhost.message.Progress;
import io.aerostat.vmm.vhost.message.ProtocolViolation;

import org.jspecify.annotations.Nullable;

import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The least back-end there can be, stepped by hand: it writes down what it is told, answers, and
 * returns every buffer of the first two rings at once. It trusts the front-end in everything.
 */
final class ScriptedBackEnd implements AutoCloseable {
    private static final int RINGS = 5;

    /** A ring as far as it has been told. */
    private static final class Ring {
        private int size;
        private FrontEndMessage.@Nullable SetVringAddr place;
        private @Nullable Descriptor kick;
        private @Nullable Descriptor call;
        private @Nullable Descriptor error;
        private @Nullable DeviceQueue queue;
        private boolean isOn;
    }

    final List<String> log = new ArrayList<>();
    private final Descriptor socket;
    private final MessageReader reader;
    private final MessageWriter writer;
    private final long features;
    private final Ring[] rings = new Ring[RINGS];
    private final ByteBuffer config = ByteBuffer.allocate(16).order(ByteOrder.LITTLE_ENDIAN);
    private final List<MemoryRegion> regions = new ArrayList<>();
    private final List<Long> mappings = new ArrayList<>();
    private @Nullable GuestMemory memory;
    private @Nullable BackEndChannel channel;
    private long featuresTaken;
    private boolean isEnded;
    private boolean refusesFeatures;
    private long pagesTold;

    ScriptedBackEnd(Descriptor socket, long features) {
        this.socket = socket;
        this.reader = new MessageReader(socket);
        this.writer = new MessageWriter(socket);
        this.features = features;
        Arrays.setAll(rings, index -> new Ring());
    }

    /** It answers SET_FEATURES by a failure from now on. */
    void refuseFeatures() {
        refusesFeatures = true;
    }

    /** Page numbers in requests, since it was made. */
    long pagesTold() {
        return pagesTold;
    }

    int config(int offset) {
        return config.getInt(offset);
    }

    /** Sets a configuration field and says so. */
    void changeConfig(int offset, int value) {
        config.putInt(offset, value);
        if (channel != null) {
            channel.configChanged();
        }
    }

    boolean isEnded() {
        return isEnded;
    }

    /** The log since the last call. */
    List<String> takeLog() {
        List<String> taken = List.copyOf(log);
        log.clear();
        return taken;
    }

    /** Signals a ring's error descriptor. */
    void breakRing(int index) {
        EventDescriptors.signal(rings[index].error);
    }

    /** Handles all messages there are, and all kicks. */
    void step() {
        try {
            Progress progress = reader.poll();
            while (progress == Progress.MESSAGE) {
                handle(reader.message());
                progress = reader.poll();
            }
            isEnded = isEnded || progress == Progress.END;
        } catch (ProtocolViolation e) {
            throw new AssertionError(e);
        }
        Arrays.stream(rings).forEach(this::serve);
    }

    private void handle(FrontEndMessage message) throws ProtocolViolation {
        String text = message.toString().replaceAll("Descriptor\\[\\d+]", "fd");
        log.add(text + (reader.wantsAcknowledgement() ? " ack" : ""));
        switch (message) {
            case FrontEndMessage.GetFeatures() ->
                    writer.reply(reader.request(), features | 1L << 30);
            case FrontEndMessage.GetProtocolFeatures() -> writer.reply(reader.request(), 0x229);
            case FrontEndMessage.GetQueueNum() -> writer.reply(reader.request(), RINGS);
            case FrontEndMessage.GetVringBase(int index) -> stop(index);
            case FrontEndMessage.GetConfig get -> {
                byte[] bytes = new byte[get.size()];
                config.get(get.offset(), bytes);
                writer.replyConfig(get, bytes);
            }
            default -> accept(message);
        }
        if (reader.wantsAcknowledgement()) {
            boolean refused = refusesFeatures && message instanceof FrontEndMessage.SetFeatures;
            writer.reply(reader.request(), refused ? 1 : 0);
        }
    }

    private void accept(FrontEndMessage message) {
        switch (message) {
            case FrontEndMessage.SetFeatures(long taken) -> featuresTaken = taken;
            case FrontEndMessage.SetMemTable(List<MemoryRegion> table) -> map(table);
            case FrontEndMessage.SetVringNum(int index, int num) -> rings[index].size = num;
            case FrontEndMessage.SetVringAddr place -> rings[place.index()].place = place;
            case FrontEndMessage.SetVringKick(int index, Descriptor kick) -> {
                closeIfOpen(rings[index].kick);
                EventDescriptors.nonBlocking(kick);
                rings[index].kick = kick;
                if ((featuresTaken & 1L << 30) == 0) {
                    start(rings[index]);
                }
            }
            case FrontEndMessage.SetVringCall(int index, Descriptor call) -> {
                closeIfOpen(rings[index].call);
                rings[index].call = call;
            }
            case FrontEndMessage.SetVringErr(int index, Descriptor error) -> {
                closeIfOpen(rings[index].error);
                rings[index].error = error;
            }
            case FrontEndMessage.SetVringEnable(int index, boolean enable) -> {
                rings[index].isOn = false;
                if (enable) {
                    start(rings[index]);
                }
            }
            case FrontEndMessage.SetBackendReqFd(Descriptor given) ->
                    channel = new BackEndChannel(given);
            case FrontEndMessage.SetConfig set -> config.put(set.offset(), set.bytes());
            default -> {}
        }
    }

    @SuppressWarnings("restricted") // The bytes are those of our own mapping.
    private void map(List<MemoryRegion> table) {
        unmap();
        regions.addAll(table);
        List<RamRegion> ram = new ArrayList<>();
        for (MemoryRegion region : table) {
            long address =
                    LinuxMemory.mmap(
                            region.size(),
                            LinuxMemory.PROT_READ | LinuxMemory.PROT_WRITE,
                            LinuxMemory.MAP_SHARED,
                            region.descriptor().number(),
                            region.mmapOffset());
            mappings.add(address);
            ram.add(
                    RamRegion.ofBuffer(
                            region.guestAddress(),
                            MemorySegment.ofAddress(address)
                                    .reinterpret(region.size())
                                    .asByteBuffer()));
        }
        memory = GuestMemory.of(ram.toArray(RamRegion[]::new));
    }

    private void unmap() {
        for (int i = 0; i < mappings.size(); i++) {
            LinuxMemory.munmap(mappings.get(i), regions.get(i).size());
            regions.get(i).descriptor().close();
        }
        mappings.clear();
        regions.clear();
        Arrays.stream(rings).forEach(ring -> ring.queue = null);
    }

    private void start(Ring ring) {
        if (ring.place != null && ring.kick != null) {
            QueueAddresses addresses =
                    new QueueAddresses(
                            ring.size,
                            guestAddress(ring.place.descriptor()),
                            guestAddress(ring.place.available()),
                            guestAddress(ring.place.used()));
            ring.queue = new DeviceQueue(memory, addresses, featuresTaken);
            ring.isOn = true;
        }
    }

    private void stop(int index) throws ProtocolViolation {
        DeviceQueue queue = rings[index].queue;
        rings[index].queue = null;
        rings[index].isOn = false;
        rings[index].place = null;
        writer.replyVringBase(index, queue == null ? 0 : queue.availableIndex());
    }

    private long guestAddress(long userAddress) {
        for (MemoryRegion region : regions) {
            long offset = userAddress - region.userAddress();
            if (offset >= 0 && offset < region.size()) {
                return region.guestAddress() + offset;
            }
        }
        throw new AssertionError("no RAM: userAddress=0x" + Long.toHexString(userAddress));
    }

    /** Returns what is in the ring, but for the statistics buffer, which waits. */
    private void serve(Ring ring) {
        boolean isRequests = ring == rings[0] || ring == rings[1];
        if (ring.queue == null || !ring.isOn || !isRequests) {
            return;
        }
        EventDescriptors.drain(ring.kick);
        do {
            take(ring.queue);
            if (ring.queue.publish()) {
                EventDescriptors.signal(ring.call);
            }
        } while (ring.queue.armAndRecheck());
    }

    private void take(DeviceQueue queue) {
        while (queue.poll() == DeviceQueue.CHAIN) {
            ChainCursor chain = queue.chain();
            int head = chain.head();
            while (chain.next() == ChainCursor.ELEMENT) {
                pagesTold += chain.length() / PageFrame.NUMBER_BYTES;
            }
            queue.complete(head, 0);
        }
    }

    private static void closeIfOpen(@Nullable Descriptor descriptor) {
        if (descriptor != null) {
            descriptor.close();
        }
    }

    /** Hangs up. */
    @Override
    public void close() {
        unmap();
        for (Ring ring : rings) {
            closeIfOpen(ring.kick);
            closeIfOpen(ring.call);
            closeIfOpen(ring.error);
        }
        if (channel != null) {
            channel.close();
        }
        reader.close();
        writer.close();
        socket.close();
    }
}
