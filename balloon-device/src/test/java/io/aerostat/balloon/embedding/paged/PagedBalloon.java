package io.aerostat.balloon.embedding.paged;

import io.aerostat.balloon.BalloonDevice;
import io.aerostat.balloon.reclaim.PagedReclaimer;
import io.aerostat.virtio.device.Ownership;
import io.aerostat.virtio.memory.GuestMemory;
import io.aerostat.virtio.memory.PagedArray;
import io.aerostat.virtio.memory.RamRegion;
import io.aerostat.virtio.transport.mmio.InterruptLine;
import io.aerostat.virtio.transport.mmio.MmioDevice;

/** A balloon for a {@link PagedMachine}: pages in it are null again, and cost nothing. */
public final class PagedBalloon implements Peripheral {
    private final long address;
    private final BalloonDevice balloon;
    private final MmioDevice registers;

    public PagedBalloon(PagedMachine machine, int slot, int irq) {
        address = PagedMachine.addressOf(slot);
        PagedArray ram = new PagedArray(machine.pages(), machine.pageBytes());
        GuestMemory memory = GuestMemory.of(RamRegion.ofPages(0, ram));
        balloon = new BalloonDevice(memory, new PagedReclaimer(memory));
        InterruptLine line = high -> machine.interrupt(irq, high);
        registers = new MmioDevice(memory, balloon, line, Ownership.NOTIFY_DRIVEN);
    }

    @Override
    public long read(long at, int bits) {
        return registers.load(at - address, bits / Byte.SIZE);
    }

    @Override
    public void write(long at, int bits, long value) {
        registers.store(at - address, bits / Byte.SIZE, value);
    }

    @Override
    public void endOfFrame() {
        registers.poll(System.nanoTime());
    }

    /** For the host's user, from any thread: target, statistics, counters. */
    public BalloonDevice balloon() {
        return balloon;
    }

    /** For the machine, between two of the processor's instructions: save, restore, reset. */
    public MmioDevice registers() {
        return registers;
    }
}
