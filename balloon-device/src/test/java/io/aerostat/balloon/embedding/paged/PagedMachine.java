package io.aerostat.balloon.embedding.paged;

import io.aerostat.balloon.embedding.machine.Bus;
import io.aerostat.balloon.embedding.machine.InterruptController;
import io.aerostat.balloon.embedding.machine.Processor;

import org.jspecify.annotations.Nullable;

import java.util.Arrays;
import java.util.Objects;

/** A machine whose RAM takes memory page by page, as the guest writes it. One thread. */
public final class PagedMachine implements Bus {
    /** Where the peripherals begin: 64 KiB for each. RAM begins at 0. */
    public static final long PERIPHERALS_BASE = 0x1F00_0000L;

    private static final int PERIPHERAL_SHIFT = 16;

    /** How much a processor does in a frame. */
    private static final int TURNS_PER_FRAME = 100;

    private final int pageBytes;
    private final byte[] @Nullable [] pages;
    private final InterruptController interrupts;
    private final @Nullable Peripheral[] peripherals = new @Nullable Peripheral[16];

    /**
     * A machine without peripherals, whose RAM holds zeros.
     *
     * @param pageBytes a power of two
     */
    public PagedMachine(int pageCount, int pageBytes, InterruptController interrupts) {
        this.pageBytes = pageBytes;
        this.pages = new byte[pageCount] @Nullable [];
        this.interrupts = interrupts;
    }

    /** The RAM; null is a page of zeros. */
    public byte[] @Nullable [] pages() {
        return pages;
    }

    /** Bytes of a page. */
    public int pageBytes() {
        return pageBytes;
    }

    /** Pages that take memory. */
    public long pagesInUse() {
        return Arrays.stream(pages).filter(Objects::nonNull).count();
    }

    /** Puts a peripheral in a slot, 0 to 15. */
    public void connect(int slot, Peripheral peripheral) {
        peripherals[slot] = peripheral;
    }

    /** Where the peripheral of a slot is. */
    public static long addressOf(int slot) {
        return PERIPHERALS_BASE + ((long) slot << PERIPHERAL_SHIFT);
    }

    /** A peripheral asserts or clears its interrupt. */
    public void interrupt(int irq, boolean asserted) {
        interrupts.set(irq, asserted);
    }

    /**
     * Runs one frame.
     *
     * @return whether the processor waited for an interrupt all the time
     */
    public boolean frame(Processor processor) {
        int turns = 0;
        while (turns < TURNS_PER_FRAME && processor.turn()) {
            turns++;
        }
        for (Peripheral peripheral : peripherals) {
            if (peripheral != null) {
                peripheral.endOfFrame();
            }
        }
        return turns == 0;
    }

    // the bus

    @Override
    public long load(long address, int width) {
        Peripheral peripheral = peripheralAt(address);
        if (peripheral != null) {
            return peripheral.read(address, Byte.SIZE * width);
        }
        long value = 0;
        for (int i = 0; i < width; i++) {
            value |= (long) loadByte(address + i) << (Byte.SIZE * i);
        }
        return value;
    }

    @Override
    public void store(long address, int width, long value) {
        Peripheral peripheral = peripheralAt(address);
        if (peripheral != null) {
            peripheral.write(address, Byte.SIZE * width, value);
            return;
        }
        for (int i = 0; i < width; i++) {
            storeByte(address + i, (byte) (value >>> (Byte.SIZE * i)));
        }
    }

    private @Nullable Peripheral peripheralAt(long address) {
        long slot = (address - PERIPHERALS_BASE) >>> PERIPHERAL_SHIFT;
        return slot < peripherals.length ? peripherals[(int) slot] : null;
    }

    private int loadByte(long address) {
        long index = Long.divideUnsigned(address, pageBytes);
        byte[] page = index < pages.length ? pages[(int) index] : null;
        return page == null ? 0 : page[(int) address & (pageBytes - 1)] & 0xFF;
    }

    private void storeByte(long address, byte value) {
        long index = Long.divideUnsigned(address, pageBytes);
        if (index >= pages.length) {
            return;
        }
        byte[] page = pages[(int) index];
        if (page == null) {
            page = new byte[pageBytes];
            pages[(int) index] = page;
        }
        page[(int) address & (pageBytes - 1)] = value;
    }
}
