package io.aerostat.virtio.transport.mmio;

import io.aerostat.virtio.driver.DriverTransport;
import io.aerostat.virtio.driver.HandshakeFailure;
import io.aerostat.virtio.queue.QueueAddresses;
import io.aerostat.virtio.spec.DeviceType;
import io.aerostat.virtio.spec.InterruptStatus;
import io.aerostat.virtio.spec.MmioRegister;

import org.jspecify.annotations.Nullable;

/**
 * A driver's way to a device over virtio-mmio, version 2 (VIRTIO 1.4, 4.2.2.2, 4.2.3): aligned
 * 32-bit accesses to documented registers, nothing else.
 */
public final class MmioTransport implements DriverTransport {
    /**
     * Reads of Status that a reset is waited for. Devices of this project need one; a read that
     * leaves a guest takes about a microsecond, so that this is about a second.
     */
    static final int MAX_RESET_READS = 1_000_000;

    private static final long LOW_WORD = 0xFFFF_FFFFL;

    private final RegisterWindow window;

    /** A transport to the device behind {@code window}. */
    public MmioTransport(RegisterWindow window) {
        this.window = window;
    }

    @Override
    public @Nullable HandshakeFailure probe(int deviceId) {
        if (read(MmioRegister.MAGIC_VALUE) != MmioRegister.MAGIC) {
            return HandshakeFailure.NOT_VIRTIO;
        }
        if (read(MmioRegister.VERSION) != MmioRegister.MODERN_VERSION) {
            return HandshakeFailure.VERSION_UNKNOWN;
        }
        int found = read(MmioRegister.DEVICE_ID);
        if (found == DeviceType.NONE) {
            return HandshakeFailure.NO_DEVICE;
        }
        return found == deviceId ? null : HandshakeFailure.OTHER_DEVICE;
    }

    @Override
    public boolean reset() {
        write(MmioRegister.STATUS, 0);
        for (int reads = 0; reads < MAX_RESET_READS; reads++) {
            if (read(MmioRegister.STATUS) == 0) {
                return true;
            }
            Thread.onSpinWait();
        }
        return false;
    }

    @Override
    public int status() {
        return read(MmioRegister.STATUS);
    }

    @Override
    public void status(int status) {
        write(MmioRegister.STATUS, status);
    }

    @Override
    public long deviceFeatures() {
        write(MmioRegister.DEVICE_FEATURES_SEL, 0);
        long low = read(MmioRegister.DEVICE_FEATURES) & LOW_WORD;
        write(MmioRegister.DEVICE_FEATURES_SEL, 1);
        return low | (long) read(MmioRegister.DEVICE_FEATURES) << Integer.SIZE;
    }

    @Override
    public void driverFeatures(long features) {
        write(MmioRegister.DRIVER_FEATURES_SEL, 0);
        write(MmioRegister.DRIVER_FEATURES, (int) features);
        write(MmioRegister.DRIVER_FEATURES_SEL, 1);
        write(MmioRegister.DRIVER_FEATURES, (int) (features >>> Integer.SIZE));
    }

    @Override
    public int queueSizeMax(int queue) {
        write(MmioRegister.QUEUE_SEL, queue);
        return read(MmioRegister.QUEUE_SIZE_MAX);
    }

    @Override
    public boolean isQueueEnabled(int queue) {
        write(MmioRegister.QUEUE_SEL, queue);
        return read(MmioRegister.QUEUE_READY) != 0;
    }

    @Override
    public void enableQueue(int queue, QueueAddresses addresses) {
        write(MmioRegister.QUEUE_SEL, queue);
        write(MmioRegister.QUEUE_SIZE, addresses.size());
        write(MmioRegister.QUEUE_DESC_LOW, (int) addresses.descriptorTable());
        write(MmioRegister.QUEUE_DESC_HIGH, high(addresses.descriptorTable()));
        write(MmioRegister.QUEUE_DRIVER_LOW, (int) addresses.availableRing());
        write(MmioRegister.QUEUE_DRIVER_HIGH, high(addresses.availableRing()));
        write(MmioRegister.QUEUE_DEVICE_LOW, (int) addresses.usedRing());
        write(MmioRegister.QUEUE_DEVICE_HIGH, high(addresses.usedRing()));
        write(MmioRegister.QUEUE_READY, 1);
    }

    @Override
    public void kick(int queue) {
        write(MmioRegister.QUEUE_NOTIFY, queue);
    }

    @Override
    public int configGeneration() {
        return read(MmioRegister.CONFIG_GENERATION);
    }

    @Override
    public int readConfig(int offset) {
        return (int) window.load(MmioRegister.CONFIG_OFFSET + offset, Integer.BYTES);
    }

    @Override
    public void writeConfig(int offset, int value) {
        window.store(MmioRegister.CONFIG_OFFSET + offset, Integer.BYTES, value & LOW_WORD);
    }

    @Override
    public int interruptCauses() {
        return read(MmioRegister.INTERRUPT_STATUS) & InterruptStatus.DEFINED_MASK;
    }

    @Override
    public void acknowledge(int causes) {
        write(MmioRegister.INTERRUPT_ACK, causes & InterruptStatus.DEFINED_MASK);
    }

    private static int high(long address) {
        return (int) (address >>> Integer.SIZE);
    }

    private int read(MmioRegister register) {
        return (int) window.load(register.offset(), Integer.BYTES);
    }

    private void write(MmioRegister register, int value) {
        window.store(register.offset(), Integer.BYTES, value & LOW_WORD);
    }
}
