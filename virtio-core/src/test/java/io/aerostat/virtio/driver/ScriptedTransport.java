package io.aerostat.virtio.driver;

import io.aerostat.virtio.queue.QueueAddresses;
import io.aerostat.virtio.spec.DeviceStatus;

import java.util.ArrayList;
import java.util.List;

/** A transport to a device that plays a part: good unless a field says otherwise. */
final class ScriptedTransport implements DriverTransport {
    HandshakeFailure absent;
    long offered = -1;
    boolean refusesFeatures;
    boolean neverResets;
    boolean queueEnabled;
    boolean breaksAtDriverOk;
    int queueSizeMax = 8;

    /** Bits that are on without the driver, from the reset on. */
    int foreignStatus;

    long accepted;
    final List<Integer> statusWrites = new ArrayList<>();

    private final List<String> steps = new ArrayList<>();
    private int status;

    /** All steps. Of reads of the status those after FEATURES_OK and DRIVER_OK were written. */
    List<String> steps() {
        return List.copyOf(steps);
    }

    void clear() {
        steps.clear();
    }

    boolean isFailed() {
        return (status & DeviceStatus.FAILED_FLAG) != 0;
    }

    @Override
    public HandshakeFailure probe(int deviceId) {
        steps.add("probe " + deviceId);
        return absent;
    }

    @Override
    public boolean reset() {
        steps.add("reset");
        status = foreignStatus;
        return !neverResets;
    }

    @Override
    public int status() {
        if (!steps.isEmpty() && steps.get(steps.size() - 1).matches("status (11|15)")) {
            steps.add("status? " + status);
        }
        return status;
    }

    @Override
    public void status(int value) {
        steps.add("status " + value);
        statusWrites.add(value);
        status = value;
        if (refusesFeatures) {
            status &= ~DeviceStatus.FEATURES_OK_FLAG;
        }
        if (breaksAtDriverOk && (value & DeviceStatus.DRIVER_OK_FLAG) != 0) {
            status |= DeviceStatus.DEVICE_NEEDS_RESET_FLAG;
        }
    }

    @Override
    public long deviceFeatures() {
        steps.add("offer?");
        return offered;
    }

    @Override
    public void driverFeatures(long features) {
        steps.add("features 0x" + Long.toHexString(features));
        accepted = features;
    }

    @Override
    public int queueSizeMax(int queue) {
        steps.add("sizeMax? " + queue);
        return queueSizeMax;
    }

    @Override
    public boolean isQueueEnabled(int queue) {
        steps.add("enabled? " + queue);
        return queueEnabled;
    }

    @Override
    public void enableQueue(int queue, QueueAddresses addresses) {
        steps.add("enable " + queue);
    }

    @Override
    public void kick(int queue) {
        steps.add("kick " + queue);
    }

    @Override
    public int configGeneration() {
        return 0;
    }

    @Override
    public int readConfig(int offset) {
        return 0;
    }

    @Override
    public void writeConfig(int offset, int value) {
        steps.add("config " + offset);
    }

    @Override
    public int interruptCauses() {
        return 0;
    }

    @Override
    public void acknowledge(int causes) {
        steps.add("acknowledge " + causes);
    }
}
