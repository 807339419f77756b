package io.aerostat.virtio.driver;

import io.aerostat.virtio.queue.QueueAddresses;
import io.aerostat.virtio.spec.DeviceStatus;
import io.aerostat.virtio.spec.Feature;
import io.aerostat.virtio.spec.QueueLimits;

import org.jspecify.annotations.Nullable;

import java.util.function.LongUnaryOperator;

/**
 * Brings a device up (VIRTIO 1.4, 3.1.1).
 *
 * <pre>
 *   negotiate(...)   probe, reset, ACKNOWLEDGE, DRIVER, features, FEATURES_OK, read back
 *   enableQueue(...) for each queue; other set-up of the device
 *   finish()         DRIVER_OK
 * </pre>
 *
 * <p>Each step answers null, or why it failed; then FAILED is set if there is a device that
 * listens, and nothing but a new {@link #negotiate} may follow.
 */
public final class DriverHandshake {
    private final DriverTransport transport;
    private long offered;
    private long features;

    /** A handshake over a transport. */
    public DriverHandshake(DriverTransport transport) {
        this.transport = transport;
    }

    /**
     * Finds the device and agrees on features.
     *
     * @param deviceId the type of device to expect
     * @param known the features that the driver can use; it takes those of them that are offered
     * @param required those of {@code known} that it cannot do without; VERSION_1 is always
     *     required
     */
    public @Nullable HandshakeFailure negotiate(int deviceId, long known, long required) {
        return negotiate(deviceId, offered -> offered & known, required);
    }

    /**
     * Finds the device and agrees on features, for a driver that takes some features only together
     * with others.
     *
     * @param deviceId the type of device to expect
     * @param choice the features that the driver takes of those offered; others than offered are
     *     left out
     * @param required those that it cannot do without; VERSION_1 is always required
     */
    public @Nullable HandshakeFailure negotiate(
            int deviceId, LongUnaryOperator choice, long required) {
        HandshakeFailure absent = transport.probe(deviceId);
        if (absent != null) {
            return absent;
        }
        features = 0;
        if (!transport.reset()) {
            // It is left alone: whatever is written now may hit the device in any state.
            return HandshakeFailure.RESET_UNFINISHED;
        }
        addStatus(DeviceStatus.ACKNOWLEDGE_FLAG);
        addStatus(DeviceStatus.DRIVER_FLAG);
        long must = required | Feature.VERSION_1;
        offered = transport.deviceFeatures();
        long taken = offered & (choice.applyAsLong(offered) | must);
        if ((taken & must) != must) {
            return fail(HandshakeFailure.FEATURE_MISSING);
        }
        transport.driverFeatures(taken);
        addStatus(DeviceStatus.FEATURES_OK_FLAG);
        if ((transport.status() & DeviceStatus.FEATURES_OK_FLAG) == 0) {
            return fail(HandshakeFailure.FEATURES_REFUSED);
        }
        features = taken;
        return null;
    }

    /** The features on offer, as last read by {@link #negotiate}. */
    public long offered() {
        return offered;
    }

    /** The negotiated features; 0 before {@link #negotiate} has succeeded. */
    public long features() {
        return features;
    }

    /**
     * How large a queue may be: the largest power of two within what the device says.
     *
     * @return entries, or 0 if there is no such queue
     */
    public int queueSizeMax(int queue) {
        long max = Integer.toUnsignedLong(transport.queueSizeMax(queue));
        return Integer.highestOneBit((int) Math.min(max, QueueLimits.MAX_SIZE));
    }

    /** Makes a queue live at the given place, whose memory is zero. */
    public @Nullable HandshakeFailure enableQueue(int queue, QueueAddresses addresses) {
        if (transport.isQueueEnabled(queue)) {
            return fail(HandshakeFailure.QUEUE_IN_USE);
        }
        if (addresses.size() > queueSizeMax(queue)) {
            return fail(HandshakeFailure.QUEUE_MISSING);
        }
        transport.enableQueue(queue, addresses);
        return null;
    }

    /** Tells the device that its driver is ready. */
    public @Nullable HandshakeFailure finish() {
        addStatus(DeviceStatus.DRIVER_OK_FLAG);
        if ((transport.status() & DeviceStatus.DEVICE_NEEDS_RESET_FLAG) != 0) {
            return fail(HandshakeFailure.NEEDS_RESET);
        }
        return null;
    }

    /** Gives up for a reason of the driver's own. */
    public HandshakeFailure fail(HandshakeFailure reason) {
        addStatus(DeviceStatus.FAILED_FLAG);
        return reason;
    }

    // The driver never turns a bit off: it adds to what it reads (2.1.1).
    private void addStatus(int flag) {
        transport.status(transport.status() | flag);
    }
}
