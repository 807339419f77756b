package io.aerostat.vmm.frontend;

import io.aerostat.vmm.os.Descriptor;
import io.aerostat.vmm.vhost.message.ProtocolFeature;
import io.aerostat.vmm.vhost.message.Request;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;

/**
 * A device as its front-end has it: the connection, the guest's RAM, five rings, the back-end's
 * channel; and the single requests that the {@link Dialect}s are made of. Owns all but the RAM.
 */
public final class VhostDevice implements AutoCloseable {
    /** Rings of a balloon with every feature. */
    public static final int RINGS = 5;

    private final FrontEnd frontEnd;
    private final FrontEndRam ram;
    private final List<Vring> rings = new ArrayList<>();
    private final BackEndRequests backEndRequests = new BackEndRequests();

    /** A device that has said nothing yet. */
    public VhostDevice(FrontEnd frontEnd, FrontEndRam ram) {
        this.frontEnd = frontEnd;
        this.ram = ram;
        for (int index = 0; index < RINGS; index++) {
            rings.add(new Vring(index));
        }
    }

    /** The connection. */
    public FrontEnd frontEnd() {
        return frontEnd;
    }

    /** The guest's RAM. */
    public FrontEndRam ram() {
        return ram;
    }

    /** The rings, those not in use among them. */
    public List<Vring> rings() {
        return rings;
    }

    /** The rings that the driver has given a place. */
    public List<Vring> placedRings() {
        return rings.stream().filter(ring -> ring.addresses() != null).toList();
    }

    /** The back-end's own requests. */
    public BackEndRequests backEndRequests() {
        return backEndRequests;
    }

    // requests

    /** Asks which protocol features there are and takes those of them that are wanted. */
    void agreeOnProtocolFeatures(long wanted, Set<Request> acknowledged) {
        long offered = frontEnd.askNumber(Request.GET_PROTOCOL_FEATURES);
        long taken = offered & wanted;
        if ((taken & ProtocolFeature.REPLY_ACK) != 0) {
            frontEnd.acknowledged(acknowledged);
        }
        frontEnd.tell(Request.SET_PROTOCOL_FEATURES, Payload.number(taken));
    }

    void openBackEndRequests() {
        try (Descriptor given = backEndRequests.open()) {
            frontEnd.tell(Request.SET_BACKEND_REQ_FD, Payload.none(), given);
        }
    }

    /**
     * Sends the memory table.
     *
     * @param room regions that the payload has room for
     */
    void setMemTable(int room) {
        frontEnd.tell(Request.SET_MEM_TABLE, Payload.table(ram.regions(), room), ram.files());
    }

    void setNum(Vring ring) {
        int size = ring.addresses().size();
        frontEnd.tell(Request.SET_VRING_NUM, Payload.state(ring.index(), size));
    }

    void setBase(Vring ring) {
        frontEnd.tell(Request.SET_VRING_BASE, Payload.state(ring.index(), 0));
    }

    void setAddresses(Vring ring) {
        var addresses = ring.addresses();
        frontEnd.tell(
                Request.SET_VRING_ADDR,
                Payload.addresses(
                        ring.index(),
                        ram.userAddress(addresses.descriptorTable()),
                        ram.userAddress(addresses.usedRing()),
                        ram.userAddress(addresses.availableRing())));
    }

    void setKick(Vring ring, boolean blocks) {
        frontEnd.tell(Request.SET_VRING_KICK, Payload.number(ring.index()), ring.newKick(blocks));
    }

    void setCallEvent(Vring ring) {
        frontEnd.tell(Request.SET_VRING_CALL, Payload.number(ring.index()), ring.newCallEvent());
    }

    void setCallSocket(Vring ring) {
        try (Descriptor given = ring.newCallSocket()) {
            frontEnd.tell(Request.SET_VRING_CALL, Payload.number(ring.index()), given);
        }
    }

    void setError(Vring ring) {
        frontEnd.tell(Request.SET_VRING_ERR, Payload.number(ring.index()), ring.newError());
    }

    void setEnable(Vring ring, boolean enable) {
        frontEnd.tell(Request.SET_VRING_ENABLE, Payload.state(ring.index(), enable ? 1 : 0));
    }

    /** Stops a ring; the available index that it was at. */
    int getBase(Vring ring) {
        byte[] state = frontEnd.ask(Request.GET_VRING_BASE, Payload.state(ring.index(), 0));
        if (state.length != 2 * Integer.BYTES || Payload.intAt(state, 0) != ring.index()) {
            throw new AssertionError("no base of ring " + ring.index());
        }
        return Payload.intAt(state, Integer.BYTES);
    }

    /** So many bytes of the configuration space. */
    byte[] getConfig(int offset, int size) {
        byte[] asked = Payload.config(offset, new byte[size]);
        byte[] got = frontEnd.ask(Request.GET_CONFIG, asked);
        int header = asked.length - size;
        if (got.length != asked.length
                || Payload.intAt(got, 0) != offset
                || Payload.intAt(got, Integer.BYTES) != size) {
            throw new AssertionError("GET_CONFIG is answered by another size or offset");
        }
        return Arrays.copyOfRange(got, header, got.length);
    }

    void setConfig(int offset, byte[] content) {
        frontEnd.tell(Request.SET_CONFIG, Payload.config(offset, content));
    }

    /** Closes everything but the RAM. */
    @Override
    public void close() {
        rings.forEach(Vring::close);
        backEndRequests.close();
        frontEnd.close();
    }
}
