package io.aerostat.vmm.vm;

import io.aerostat.virtio.transport.mmio.RegisterWindow;

import org.jspecify.annotations.Nullable;

/** A window that leads to a device, to another one, or nowhere: then it reads all ones. */
final class Bus implements RegisterWindow {
    private @Nullable RegisterWindow device;

    Bus(RegisterWindow device) {
        this.device = device;
    }

    void plug(RegisterWindow device) {
        this.device = device;
    }

    void unplug() {
        device = null;
    }

    @Override
    public long load(long offset, int width) {
        RegisterWindow there = device;
        return there == null ? -1L >>> (Long.SIZE - Byte.SIZE * width) : there.load(offset, width);
    }

    @Override
    public void store(long offset, int width, long value) {
        RegisterWindow there = device;
        if (there != null) {
            there.store(offset, width, value);
        }
    }
}
