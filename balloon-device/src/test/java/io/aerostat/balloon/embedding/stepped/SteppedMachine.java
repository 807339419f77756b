package io.aerostat.balloon.embedding.stepped;

import io.aerostat.balloon.embedding.machine.Bus;
import io.aerostat.balloon.embedding.machine.InterruptController;
import io.aerostat.balloon.embedding.machine.Processor;

import org.jspecify.annotations.Nullable;

import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;

/** A machine whose time is counted in cycles, and in nothing else. One thread. */
public final class SteppedMachine implements Bus {
    /** Nanoseconds of virtual time in a cycle. */
    public static final int NS_PER_CYCLE = 10;

    /** Where the device's registers are. RAM begins at 0. */
    public static final long DEVICE_BASE = 0xF000_0000L;

    /** Cycles between two steps of the device. */
    public static final int CYCLES_PER_SLICE = 1000;

    private static final int CYCLES_PER_TURN = 100;
    private static final int DEVICE_BYTES = 4096;

    private final byte[] ram;
    private final InterruptController interrupts;
    private @Nullable SteppedDevice device;
    private long cycles;

    /** A machine without a device, whose RAM holds zeros. */
    public SteppedMachine(int ramBytes, InterruptController interrupts) {
        this.ram = new byte[ramBytes];
        this.interrupts = interrupts;
    }

    /** A wire to the interrupt controller. */
    @FunctionalInterface
    public interface Line {
        /** Puts the wire high or low. */
        void drive(boolean high);
    }

    /** The RAM. */
    public byte[] ram() {
        return ram;
    }

    /** The wire of an interrupt source. */
    public Line line(int source) {
        return high -> interrupts.set(source, high);
    }

    /** Puts in the one device. */
    public void device(SteppedDevice device) {
        this.device = device;
    }

    /** Virtual time since the machine was made. */
    public long cycles() {
        return cycles;
    }

    /** Runs for so many cycles, whole slices. */
    public void run(Processor processor, long cycles) {
        for (long end = this.cycles + cycles; this.cycles < end; ) {
            int used = 0;
            while (used < CYCLES_PER_SLICE && processor.turn()) {
                used += CYCLES_PER_TURN;
            }
            // A processor that waits lets the rest of the slice go by.
            this.cycles += CYCLES_PER_SLICE;
            if (device != null) {
                device.step(this.cycles);
            }
        }
    }

    // states

    /** Writes RAM, clock and device; the interrupt controller has no state but the wires. */
    public void saveState(DataOutput out) throws IOException {
        out.writeLong(cycles);
        out.writeInt(ram.length);
        out.write(ram);
        if (device != null) {
            byte[] state = device.saveState();
            out.writeInt(state.length);
            out.write(state);
        }
    }

    /** Goes on from a state of the same kind of machine. */
    public void loadState(DataInput in) throws IOException {
        cycles = in.readLong();
        if (in.readInt() != ram.length) {
            throw new IOException("state of another machine: ramBytes=" + ram.length);
        }
        in.readFully(ram);
        if (device != null) {
            byte[] state = new byte[in.readInt()];
            in.readFully(state);
            device.loadState(state);
        }
    }

    // the bus

    @Override
    public long load(long address, int width) {
        long offset = address - DEVICE_BASE;
        if (device != null && offset >= 0 && offset <= DEVICE_BYTES - width) {
            if (width < Long.BYTES) {
                return device.read((int) offset, width) & 0xFFFF_FFFFL;
            }
            long low = device.read((int) offset, Integer.BYTES) & 0xFFFF_FFFFL;
            return low | (long) device.read((int) offset + 4, Integer.BYTES) << Integer.SIZE;
        }
        long value = 0;
        for (int i = 0; i < width && isRam(address + i); i++) {
            value |= (ram[(int) address + i] & 0xFFL) << (Byte.SIZE * i);
        }
        return value;
    }

    @Override
    public void store(long address, int width, long value) {
        long offset = address - DEVICE_BASE;
        if (device != null && offset >= 0 && offset <= DEVICE_BYTES - width) {
            device.write((int) offset, Math.min(width, Integer.BYTES), (int) value);
            if (width == Long.BYTES) {
                device.write((int) offset + 4, Integer.BYTES, (int) (value >>> Integer.SIZE));
            }
            return;
        }
        for (int i = 0; i < width && isRam(address + i); i++) {
            ram[(int) address + i] = (byte) (value >>> (Byte.SIZE * i));
        }
    }

    private boolean isRam(long address) {
        return address >= 0 && address < ram.length;
    }
}
