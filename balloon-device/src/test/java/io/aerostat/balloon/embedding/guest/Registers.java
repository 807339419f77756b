package io.aerostat.balloon.embedding.guest;

import io.aerostat.balloon.embedding.machine.Bus;

/** The registers of one virtio-mmio window, by loads and stores of the bus. */
final class Registers {
    private final Bus bus;
    private final long window;
    private final int configWidth;

    Registers(Bus bus, long window, int configWidth) {
        this.bus = bus;
        this.window = window;
        this.configWidth = configWidth;
    }

    int read(int register) {
        return (int) bus.load(window + register, 4);
    }

    void write(int register, int value) {
        bus.store(window + register, 4, value);
    }

    void writePair(int register, long value) {
        write(register, (int) value);
        write(register + 4, (int) (value >>> 32));
    }

    /** The high word first, as Linux reads them. */
    long deviceFeatures() {
        write(VirtioMmio.DEVICE_FEATURES_SEL, 1);
        long high = read(VirtioMmio.DEVICE_FEATURES);
        write(VirtioMmio.DEVICE_FEATURES_SEL, 0);
        return high << 32 | (read(VirtioMmio.DEVICE_FEATURES) & 0xFFFF_FFFFL);
    }

    void driverFeatures(long features) {
        write(VirtioMmio.DRIVER_FEATURES_SEL, 1);
        write(VirtioMmio.DRIVER_FEATURES, (int) (features >>> 32));
        write(VirtioMmio.DRIVER_FEATURES_SEL, 0);
        write(VirtioMmio.DRIVER_FEATURES, (int) features);
    }

    /** One access of four bytes, or several narrow ones of one generation. */
    int readConfig(int offset) {
        if (configWidth == 4) {
            return read(VirtioMmio.CONFIG + offset);
        }
        int value;
        int generation;
        do {
            generation = read(VirtioMmio.CONFIG_GENERATION);
            value = 0;
            for (int at = 0; at < 4; at += configWidth) {
                long part = bus.load(window + VirtioMmio.CONFIG + offset + at, configWidth);
                value |= (int) part << (8 * at);
            }
        } while (read(VirtioMmio.CONFIG_GENERATION) != generation);
        return value;
    }

    void writeConfig(int offset, int value) {
        long mask = (1L << (8 * configWidth)) - 1;
        for (int at = 0; at < 4; at += configWidth) {
            long part = (value >>> (8 * at)) & mask;
            bus.store(window + VirtioMmio.CONFIG + offset + at, configWidth, part);
        }
    }
}
