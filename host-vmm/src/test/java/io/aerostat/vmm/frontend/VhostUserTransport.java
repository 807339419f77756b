package io.aerostat.vmm.frontend;

import io.aerostat.virtio.driver.DriverTransport;
import io.aerostat.virtio.driver.HandshakeFailure;
import io.aerostat.virtio.queue.QueueAddresses;
import io.aerostat.virtio.spec.DeviceStatus;
import io.aerostat.virtio.spec.DeviceType;
import io.aerostat.virtio.spec.InterruptStatus;

import org.jspecify.annotations.Nullable;

import java.util.function.Supplier;

/**
 * Runs a driver on a vhost-user back-end: the front-end's part of a bus. What the driver does to
 * registers becomes messages, as a {@link Dialect} has them; the rings it works in guest RAM.
 *
 * <p>When the back-end closes the connection, the device is not there any more: its status reads
 * all ones, and nothing else has an effect. One thread's.
 */
public final class VhostUserTransport implements DriverTransport, AutoCloseable {
    private static final int ALL_ONES = -1;
    private static final int QUEUE_SIZE = 256;

    private final VhostDevice device;
    private final Dialect dialect;
    private boolean isGreeted;
    private boolean isGone;
    private boolean isStarted;
    private int status;
    private int causes;
    private int generation;
    private long features;
    private long interrupts;

    /**
     * A transport over a connection on which nothing has been said.
     *
     * @param device closed with the transport
     */
    public VhostUserTransport(VhostDevice device, Dialect dialect) {
        this.device = device;
        this.dialect = dialect;
    }

    /** The device, to look at it, or to say something out of turn. */
    public VhostDevice device() {
        return device;
    }

    /** Interrupts taken since the transport was made. */
    public long interrupts() {
        return interrupts;
    }

    /** Tells whether the back-end has closed the connection, as far as has been noticed. */
    public boolean isGone() {
        return isGone;
    }

    /** Greets the back-end, unless that was done. */
    public void greet() {
        run(
                () -> {
                    if (!isGreeted) {
                        isGreeted = true;
                        dialect.greet(device);
                    }
                });
    }

    @Override
    public @Nullable HandshakeFailure probe(int deviceId) {
        greet();
        if (isGone) {
            return HandshakeFailure.NO_DEVICE;
        }
        return deviceId == DeviceType.BALLOON ? null : HandshakeFailure.OTHER_DEVICE;
    }

    @Override
    public boolean reset() {
        if (isStarted) {
            isStarted = false;
            run(() -> dialect.stop(device));
        }
        // What was on its way is of the life that has ended.
        device.rings().forEach(Vring::takeInterrupts);
        device.rings().forEach(Vring::forget);
        status = 0;
        causes = 0;
        return true;
    }

    @Override
    public int status() {
        isGone = isGone || device.frontEnd().isClosed();
        return isGone ? ALL_ONES : status;
    }

    @Override
    public void status(int value) {
        if (value == 0) {
            reset();
            return;
        }
        int added = value & ~status;
        status = value;
        if ((added & DeviceStatus.FEATURES_OK_FLAG) != 0
                && !ask(() -> dialect.takeFeatures(device, features), true)) {
            status &= ~DeviceStatus.FEATURES_OK_FLAG;
        }
        if ((added & DeviceStatus.DRIVER_OK_FLAG) != 0) {
            isStarted = true;
            run(() -> dialect.start(device));
        }
    }

    @Override
    public long deviceFeatures() {
        return ask(() -> dialect.offeredFeatures(device), 0L);
    }

    @Override
    public void driverFeatures(long features) {
        this.features = features;
    }

    @Override
    public int queueSizeMax(int queue) {
        return queue >= 0 && queue < VhostDevice.RINGS ? QUEUE_SIZE : 0;
    }

    @Override
    public boolean isQueueEnabled(int queue) {
        return device.rings().get(queue).addresses() != null;
    }

    @Override
    public void enableQueue(int queue, QueueAddresses addresses) {
        device.rings().get(queue).place(addresses);
    }

    @Override
    public void kick(int queue) {
        device.rings().get(queue).kick();
    }

    @Override
    public int configGeneration() {
        return generation;
    }

    @Override
    public int readConfig(int offset) {
        return ask(() -> dialect.readConfig(device, offset), ALL_ONES);
    }

    @Override
    public void writeConfig(int offset, int value) {
        run(() -> dialect.writeConfig(device, offset, value));
    }

    @Override
    public int interruptCauses() {
        for (Vring ring : device.rings()) {
            int taken = ring.takeInterrupts();
            if (taken > 0) {
                interrupts += taken;
                causes |= InterruptStatus.USED_BUFFER_FLAG;
            }
        }
        int changes = device.backEndRequests().takeConfigChanges();
        if (changes > 0) {
            generation += changes;
            causes |= InterruptStatus.CONFIG_CHANGE_FLAG;
        }
        return causes;
    }

    @Override
    public void acknowledge(int acknowledged) {
        causes &= ~acknowledged;
    }

    private void run(Runnable work) {
        ask(
                () -> {
                    work.run();
                    return true;
                },
                false);
    }

    /** Asks the back-end, or answers what a device that is not there would. */
    private <T> T ask(Supplier<T> question, T ofNobody) {
        if (isGone) {
            return ofNobody;
        }
        try {
            return question.get();
        } catch (ConnectionLost e) {
            isGone = true;
            return ofNobody;
        }
    }

    /** Closes the connection, and all descriptors but the RAM's. */
    @Override
    public void close() {
        isGone = true;
        device.close();
    }
}
