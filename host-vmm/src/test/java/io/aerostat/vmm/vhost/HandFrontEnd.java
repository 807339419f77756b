package io.aerostat.vmm.vhost;

import io.aerostat.virtio.spec.Feature;
import io.aerostat.virtio.spec.balloon.BalloonFeature;
import io.aerostat.virtio.spec.balloon.PageFrame;
import io.aerostat.vmm.frontend.FrontEnd;
import io.aerostat.vmm.frontend.FrontEndRam;
import io.aerostat.vmm.frontend.Payload;
import io.aerostat.vmm.os.Descriptor;
import io.aerostat.vmm.os.UnixSockets;
import io.aerostat.vmm.vhost.message.HeaderLayout;
import io.aerostat.vmm.vhost.message.ProtocolFeature;
import io.aerostat.vmm.vhost.message.Request;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;

/**
 * A front-end that says what the test wants, with three rings at the start of its RAM: inflate,
 * deflate, statistics. Has everything acknowledged that can be, once REPLY_ACK is taken.
 */
final class HandFrontEnd implements AutoCloseable {
    static final long RAM_BYTES = 16 << 20;

    /** What its driver takes. */
    static final long FEATURES = Feature.VERSION_1 | BalloonFeature.STATS_VQ;

    static final int INFLATE = 0;
    static final int DEFLATE = 1;
    static final int STATS = 2;

    static final long PROTOCOL =
            ProtocolFeature.MQ
                    | ProtocolFeature.REPLY_ACK
                    | ProtocolFeature.BACKEND_REQ
                    | ProtocolFeature.CONFIG;

    /** All that have no reply of their own. */
    static final Set<Request> TOLD =
            EnumSet.of(
                    Request.SET_FEATURES,
                    Request.SET_PROTOCOL_FEATURES,
                    Request.SET_OWNER,
                    Request.SET_MEM_TABLE,
                    Request.SET_BACKEND_REQ_FD,
                    Request.SET_VRING_NUM,
                    Request.SET_VRING_ADDR,
                    Request.SET_VRING_BASE,
                    Request.SET_VRING_KICK,
                    Request.SET_VRING_CALL,
                    Request.SET_VRING_ERR,
                    Request.SET_VRING_ENABLE,
                    Request.SET_CONFIG);

    final FrontEnd wire;
    final FrontEndRam ram;
    final List<HandRing> rings = new ArrayList<>();
    final Descriptor channel;
    private final Descriptor channelOfBackEnd;

    private HandFrontEnd(Path socket, FrontEndRam ram) {
        this.wire = FrontEnd.connect(socket);
        this.ram = ram;
        Descriptor[] pair = UnixSockets.pair();
        channel = pair[0];
        channelOfBackEnd = pair[1];
        long start = ram.regions().getFirst().guestAddress();
        for (int index = 0; index < 3; index++) {
            rings.add(new HandRing(ram.memory(), index, start + index * HandRing.BYTES));
        }
    }

    /** Connected, and nothing said; its RAM is closed with it. */
    static HandFrontEnd silent(Path socket) {
        return new HandFrontEnd(socket, FrontEndRam.likeQemu(RAM_BYTES));
    }

    static HandFrontEnd silent(Path socket, FrontEndRam ram) {
        return new HandFrontEnd(socket, ram);
    }

    /** All protocol features taken. */
    static HandFrontEnd greeted(Path socket) {
        return silent(socket).greet();
    }

    /** Its driver is up: all rings run from the start. */
    static HandFrontEnd started(Path socket) {
        return greeted(socket).start();
    }

    HandFrontEnd greet() {
        wire.acknowledged(TOLD);
        wire.askNumber(Request.GET_FEATURES);
        wire.askNumber(Request.GET_PROTOCOL_FEATURES);
        // Acknowledged by what it tells.
        wire.tell(Request.SET_PROTOCOL_FEATURES, Payload.number(PROTOCOL));
        wire.tell(Request.SET_BACKEND_REQ_FD, Payload.none(), channelOfBackEnd);
        return this;
    }

    /** A driver comes: all rings from 0 on. */
    HandFrontEnd start() {
        rings.forEach(HandRing::begin);
        return goOn(FEATURES, 0, 0, 0);
    }

    /** As QEMU says when the guest runs: features, table, rings, enable. */
    HandFrontEnd goOn(long features, int... bases) {
        features(features | ProtocolFeature.PRESENT);
        table();
        for (int i = 0; i < bases.length; i++) {
            setUp(rings.get(i), bases[i]);
        }
        for (int i = 0; i < bases.length; i++) {
            enable(i, true);
        }
        return this;
    }

    /** As QEMU says when the guest stands still, or is reset: where the rings stood. */
    int[] stop() {
        rings.forEach(ring -> enable(ring.index, false));
        return rings.stream().mapToInt(ring -> base(ring.index)).toArray();
    }

    void setUp(HandRing ring, int base) {
        num(ring.index, HandRing.SIZE);
        base(ring.index, base);
        addresses(ring);
        wire.tell(Request.SET_VRING_CALL, Payload.number(ring.index), ring.call);
        wire.tell(Request.SET_VRING_ERR, Payload.number(ring.index), ring.error);
        kick(ring);
    }

    void features(long features) {
        wire.tell(Request.SET_FEATURES, Payload.number(features));
    }

    void table() {
        table(ram);
    }

    void table(FrontEndRam told) {
        int regions = told.regions().size();
        wire.tell(Request.SET_MEM_TABLE, Payload.table(told.regions(), regions), told.files());
    }

    void num(int ring, int size) {
        wire.tell(Request.SET_VRING_NUM, Payload.state(ring, size));
    }

    void base(int ring, int base) {
        wire.tell(Request.SET_VRING_BASE, Payload.state(ring, base));
    }

    void addresses(HandRing ring) {
        wire.tell(Request.SET_VRING_ADDR, addressesOf(ring));
    }

    byte[] addressesOf(HandRing ring) {
        return Payload.addresses(
                ring.index,
                ram.userAddress(ring.place.descriptorTable()),
                ram.userAddress(ring.place.usedRing()),
                ram.userAddress(ring.place.availableRing()));
    }

    void kick(HandRing ring) {
        wire.tell(Request.SET_VRING_KICK, Payload.number(ring.index), ring.kick);
    }

    void enable(int ring, boolean on) {
        wire.tell(Request.SET_VRING_ENABLE, Payload.state(ring, on ? 1 : 0));
    }

    /** Stops a ring; where it stood. */
    int base(int ring) {
        ByteBuffer answer = littleEndian(wire.ask(Request.GET_VRING_BASE, Payload.state(ring, 0)));
        if (answer.getInt(0) != ring) {
            throw new AssertionError("the base of another ring: index=" + answer.getInt(0));
        }
        return answer.getInt(Integer.BYTES);
    }

    /** Bytes of the configuration space. */
    ByteBuffer config(int offset, int size) {
        byte[] answer = wire.ask(Request.GET_CONFIG, Payload.config(offset, new byte[size]));
        if (answer.length != 12 + size) {
            throw new AssertionError("another size: bytes=" + answer.length);
        }
        return littleEndian(Arrays.copyOfRange(answer, 12, answer.length));
    }

    int numPages() {
        return config(0, 4).getInt(0);
    }

    void setConfig(int offset, byte... content) {
        wire.tell(Request.SET_CONFIG, Payload.config(offset, content));
    }

    void actual(int pages) {
        setConfig(4, ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN).putInt(pages).array());
    }

    HandRing inflate() {
        return rings.get(INFLATE);
    }

    HandRing deflate() {
        return rings.get(DEFLATE);
    }

    HandRing stats() {
        return rings.get(STATS);
    }

    /** The number of a page that is neither ring nor buffer, from 0. */
    int pfn(int number) {
        long start = ram.regions().getFirst().guestAddress() + 4 * HandRing.BYTES;
        return (int) (start >>> PageFrame.SHIFT) + number;
    }

    /** So many pages that are neither ring nor buffer. */
    int[] pfns(int first, int count) {
        return HandRing.range(pfn(first), count);
    }

    /** Configuration changes told since the last call; fails unless none asks for a reply. */
    int takeConfigChanges() {
        int changes = 0;
        ByteBuffer into = ByteBuffer.allocate(HeaderLayout.LENGTH).order(ByteOrder.LITTLE_ENDIAN);
        while (UnixSockets.receive(channel, into, Descriptor::close) > 0) {
            if (into.hasRemaining()) {
                continue;
            }
            if (into.getInt(0) != 2
                    || into.getInt(4) != HeaderLayout.VERSION
                    || into.getInt(8) != 0) {
                throw new AssertionError("no configuration change: flags=" + into.getInt(4));
            }
            changes++;
            into.clear();
        }
        return changes;
    }

    private static ByteBuffer littleEndian(byte[] bytes) {
        return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }

    @Override
    public void close() {
        wire.close();
        rings.forEach(HandRing::close);
        channel.close();
        channelOfBackEnd.close();
        ram.close();
    }
}
