package io.aerostat.balloon.embedding.flat;

import io.aerostat.balloon.embedding.machine.Bus;
import io.aerostat.balloon.embedding.machine.InterruptController;
import io.aerostat.balloon.embedding.machine.Processor;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * A machine with flat RAM and memory-mapped devices. One thread runs the processor and with it the
 * devices; others may wake it up.
 */
public final class FlatMachine implements Bus {
    /** Address of the first byte of RAM. */
    public static final long RAM_BASE = 0x8000_0000L;

    /** Address of a slot for RAM that is plugged in while the machine runs. */
    public static final long SLOT_BASE = 0xC000_0000L;

    /** Bytes of RAM that fit in the slot. */
    public static final int SLOT_BYTES = 4 << 20;

    private final ByteBuffer ram;
    private final InterruptController interrupts;
    private final TreeMap<Long, ByteBuffer> memory = new TreeMap<>();
    private final TreeMap<Long, MappedDevice> devices = new TreeMap<>();
    private final AtomicBoolean woken = new AtomicBoolean();

    /** A machine without devices. */
    public FlatMachine(ByteBuffer ram, InterruptController interrupts) {
        this.ram = ram;
        this.interrupts = interrupts;
        plug(RAM_BASE, ram);
    }

    /** The RAM that it was made with. */
    public ByteBuffer ram() {
        return ram;
    }

    /** What devices drive their lines into. */
    public InterruptController interrupts() {
        return interrupts;
    }

    /** Puts a device at an address. */
    public void map(long address, MappedDevice device) {
        devices.put(address, device);
    }

    /** Puts more RAM at an address. */
    public void plug(long address, ByteBuffer buffer) {
        memory.put(address, buffer.duplicate().clear().order(ByteOrder.LITTLE_ENDIAN));
    }

    /** Takes RAM away. */
    public void unplug(long address) {
        memory.remove(address);
    }

    // the processor

    /** Has {@link MappedDevice#attend} called soon. Any thread: a device's user, a timer. */
    public void wakeUp() {
        woken.set(true);
    }

    /**
     * Runs the processor until it waits for an interrupt and no device needs it.
     *
     * @param turns how many turns at the most
     * @return whether it waits
     */
    public boolean run(Processor processor, int turns) {
        for (int turn = 0; turn < turns; turn++) {
            boolean attended = woken.getAndSet(false);
            if (attended) {
                devices.values().forEach(this::attend);
            }
            if (!processor.turn() && !attended) {
                return true;
            }
        }
        return false;
    }

    private void attend(MappedDevice device) {
        if (device.attend()) {
            wakeUp();
        }
    }

    // the bus

    @Override
    public long load(long address, int width) {
        Map.Entry<Long, ByteBuffer> bytes = memory.floorEntry(address);
        if (bytes != null && fits(address - bytes.getKey(), width, bytes.getValue().capacity())) {
            return load(bytes.getValue(), (int) (address - bytes.getKey()), width);
        }
        Map.Entry<Long, MappedDevice> device = devices.floorEntry(address);
        if (device != null && fits(address - device.getKey(), width, device.getValue().length())) {
            int offset = (int) (address - device.getKey());
            return device.getValue().load(offset, Integer.numberOfTrailingZeros(width));
        }
        return 0;
    }

    @Override
    public void store(long address, int width, long value) {
        Map.Entry<Long, ByteBuffer> bytes = memory.floorEntry(address);
        if (bytes != null && fits(address - bytes.getKey(), width, bytes.getValue().capacity())) {
            store(bytes.getValue(), (int) (address - bytes.getKey()), width, value);
            return;
        }
        Map.Entry<Long, MappedDevice> device = devices.floorEntry(address);
        if (device != null && fits(address - device.getKey(), width, device.getValue().length())) {
            int offset = (int) (address - device.getKey());
            device.getValue().store(offset, value, Integer.numberOfTrailingZeros(width));
        }
    }

    private static boolean fits(long offset, int width, int length) {
        return offset <= length - width;
    }

    private static long load(ByteBuffer bytes, int offset, int width) {
        return switch (width) {
            case 1 -> bytes.get(offset) & 0xFFL;
            case 2 -> bytes.getShort(offset) & 0xFFFFL;
            case 4 -> bytes.getInt(offset) & 0xFFFF_FFFFL;
            default -> bytes.getLong(offset);
        };
    }

    private static void store(ByteBuffer bytes, int offset, int width, long value) {
        switch (width) {
            case 1 -> bytes.put(offset, (byte) value);
            case 2 -> bytes.putShort(offset, (short) value);
            case 4 -> bytes.putInt(offset, (int) value);
            default -> bytes.putLong(offset, value);
        }
    }
}
