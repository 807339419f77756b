package io.aerostat.vmm.frontend;

import io.aerostat.vmm.vhost.message.ProtocolFeature;
import io.aerostat.vmm.vhost.message.Request;

import java.util.EnumSet;
import java.util.List;
import java.util.Set;

/**
 * As User Mode Linux speaks: everything is acknowledged, interrupts come over sockets, kicks by
 * descriptors that block, and the configuration is read from its start to the field wanted.
 */
public final class UmlDialect implements Dialect {
    private static final long PROTOCOL_FEATURES =
            ProtocolFeature.REPLY_ACK | ProtocolFeature.BACKEND_REQ | ProtocolFeature.CONFIG;

    /** It always sends room for two. */
    private static final int TABLE_ROOM = 2;

    private static final Set<Request> ACKNOWLEDGED =
            EnumSet.of(
                    Request.SET_PROTOCOL_FEATURES,
                    Request.SET_BACKEND_REQ_FD,
                    Request.SET_FEATURES,
                    Request.SET_MEM_TABLE,
                    Request.SET_VRING_NUM,
                    Request.SET_VRING_BASE,
                    Request.SET_VRING_ADDR,
                    Request.SET_VRING_KICK,
                    Request.SET_VRING_CALL,
                    Request.SET_VRING_ENABLE,
                    Request.SET_CONFIG);

    private final boolean dropsEnable;

    private UmlDialect(boolean dropsEnable) {
        this.dropsEnable = dropsEnable;
    }

    /** As with a driver that takes the features it is offered. */
    public static UmlDialect usual() {
        return new UmlDialect(false);
    }

    /**
     * As with a driver that drops a feature late: SET_FEATURES comes again, without {@link
     * ProtocolFeature#PRESENT}, and SET_VRING_ENABLE never.
     */
    public static UmlDialect withoutEnable() {
        return new UmlDialect(true);
    }

    @Override
    public void greet(VhostDevice device) {
        device.frontEnd().tell(Request.SET_OWNER, Payload.none());
        device.frontEnd().askNumber(Request.GET_FEATURES);
        device.agreeOnProtocolFeatures(PROTOCOL_FEATURES, ACKNOWLEDGED);
        device.openBackEndRequests();
    }

    @Override
    public long offeredFeatures(VhostDevice device) {
        return device.frontEnd().askNumber(Request.GET_FEATURES) & ~ProtocolFeature.PRESENT;
    }

    @Override
    public boolean takeFeatures(VhostDevice device, long features) {
        boolean taken = setFeatures(device, features | ProtocolFeature.PRESENT);
        return dropsEnable ? taken && setFeatures(device, features) : taken;
    }

    private static boolean setFeatures(VhostDevice device, long features) {
        FrontEnd frontEnd = device.frontEnd();
        return frontEnd.tellForAnswer(Request.SET_FEATURES, Payload.number(features)) == 0;
    }

    @Override
    public void start(VhostDevice device) {
        device.setMemTable(Math.max(TABLE_ROOM, device.ram().regions().size()));
        for (Vring ring : device.placedRings()) {
            device.setCallSocket(ring);
            device.setNum(ring);
            device.setBase(ring);
            device.setAddresses(ring);
        }
        for (Vring ring : device.placedRings()) {
            device.setKick(ring, true);
            if (!dropsEnable) {
                device.setEnable(ring, true);
            }
        }
    }

    @Override
    public void stop(VhostDevice device) {
        List<Vring> rings = device.placedRings().reversed();
        if (!dropsEnable) {
            rings.forEach(ring -> device.setEnable(ring, false));
        }
        device.frontEnd().askNumber(Request.GET_FEATURES);
    }

    @Override
    public int readConfig(VhostDevice device, int offset) {
        return Payload.intAt(device.getConfig(0, offset + Integer.BYTES), offset);
    }

    @Override
    public void writeConfig(VhostDevice device, int offset, int value) {
        device.setConfig(offset, Payload.bytes(Integer.BYTES).putInt(value).array());
    }
}
