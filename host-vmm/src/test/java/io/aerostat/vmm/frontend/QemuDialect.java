package io.aerostat.vmm.frontend;

import io.aerostat.virtio.spec.balloon.BalloonConfigLayout;
import io.aerostat.vmm.vhost.message.ProtocolFeature;
import io.aerostat.vmm.vhost.message.Request;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.EnumSet;
import java.util.Set;

/**
 * As QEMU's generic vhost-user device speaks: call and error descriptors for every ring before
 * there is a driver, features with DRIVER_OK, all rings enabled whether they have a place or not,
 * and the configuration always as a whole.
 */
public final class QemuDialect implements Dialect {
    private static final long PROTOCOL_FEATURES =
            ProtocolFeature.MQ
                    | ProtocolFeature.REPLY_ACK
                    | ProtocolFeature.BACKEND_REQ
                    | ProtocolFeature.CONFIG;

    private static final Set<Request> ACKNOWLEDGED =
            EnumSet.of(
                    Request.SET_MEM_TABLE,
                    Request.SET_VRING_KICK,
                    Request.SET_VRING_CALL,
                    Request.SET_VRING_ERR,
                    Request.SET_VRING_ENABLE,
                    Request.SET_CONFIG,
                    Request.SET_BACKEND_REQ_FD);

    /** What the guest has last read or written. */
    private final ByteBuffer config =
            ByteBuffer.allocate(BalloonConfigLayout.LENGTH).order(ByteOrder.LITTLE_ENDIAN);

    private long features;

    private QemuDialect() {}

    /** As QEMU 11.1. */
    public static QemuDialect usual() {
        return new QemuDialect();
    }

    @Override
    public void greet(VhostDevice device) {
        FrontEnd frontEnd = device.frontEnd();
        frontEnd.askNumber(Request.GET_FEATURES);
        device.agreeOnProtocolFeatures(PROTOCOL_FEATURES, ACKNOWLEDGED);
        frontEnd.askNumber(Request.GET_QUEUE_NUM);
        device.openBackEndRequests();
        frontEnd.tell(Request.SET_OWNER, Payload.none());
        frontEnd.askNumber(Request.GET_FEATURES);
        for (Vring ring : device.rings()) {
            device.setCallEvent(ring);
            device.setError(ring);
        }
    }

    @Override
    public long offeredFeatures(VhostDevice device) {
        return device.frontEnd().askNumber(Request.GET_FEATURES) & ~ProtocolFeature.PRESENT;
    }

    @Override
    public boolean takeFeatures(VhostDevice device, long features) {
        this.features = features;
        return true;
    }

    @Override
    public void start(VhostDevice device) {
        device.frontEnd()
                .tell(Request.SET_FEATURES, Payload.number(features | ProtocolFeature.PRESENT));
        device.setMemTable(device.ram().regions().size());
        for (Vring ring : device.placedRings()) {
            device.setNum(ring);
            device.setBase(ring);
            device.setAddresses(ring);
            device.setKick(ring, false);
            device.setCallEvent(ring);
        }
        device.rings().forEach(ring -> device.setEnable(ring, true));
        device.rings().forEach(device::setCallEvent);
        // It kicks each ring once, with nothing in it.
        device.placedRings().forEach(Vring::kick);
        config.put(0, device.getConfig(0, config.capacity()));
    }

    @Override
    public void stop(VhostDevice device) {
        device.rings().forEach(ring -> device.setEnable(ring, false));
        device.placedRings().forEach(device::getBase);
    }

    @Override
    public int readConfig(VhostDevice device, int offset) {
        config.put(0, device.getConfig(0, config.capacity()));
        return config.getInt(offset);
    }

    @Override
    public void writeConfig(VhostDevice device, int offset, int value) {
        config.putInt(offset, value);
        device.setConfig(0, config.array().clone());
    }
}
