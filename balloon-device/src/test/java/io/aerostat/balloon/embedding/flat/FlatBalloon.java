package io.aerostat.balloon.embedding.flat;

import io.aerostat.balloon.BalloonDevice;
import io.aerostat.balloon.range.PageReclaimer;
import io.aerostat.virtio.device.Ownership;
import io.aerostat.virtio.memory.GuestMemory;
import io.aerostat.virtio.memory.RamRegion;
import io.aerostat.virtio.transport.mmio.InterruptLine;
import io.aerostat.virtio.transport.mmio.MmioDevice;

import java.util.function.Function;

/** A balloon for a {@link FlatMachine}: the register write that kicks does the work. */
public final class FlatBalloon implements MappedDevice {
    private final BalloonDevice balloon;
    private final MmioDevice registers;

    public FlatBalloon(FlatMachine machine, int irq, Function<GuestMemory, PageReclaimer> reclaim) {
        RamRegion ram = RamRegion.ofBuffer(FlatMachine.RAM_BASE, machine.ram());
        RamRegion slot = RamRegion.absent(FlatMachine.SLOT_BASE, FlatMachine.SLOT_BYTES);
        GuestMemory memory = GuestMemory.of(ram, slot);
        balloon = new BalloonDevice(memory, reclaim.apply(memory));
        InterruptLine line = level -> machine.interrupts().set(irq, level);
        registers = new MmioDevice(memory, balloon, line, Ownership.NOTIFY_DRIVEN, machine::wakeUp);
    }

    @Override
    public int length() {
        return MmioDevice.WINDOW_BYTES;
    }

    @Override
    public long load(int offset, int sizeLog2) {
        return registers.load(offset, 1 << sizeLog2);
    }

    @Override
    public void store(int offset, long value, int sizeLog2) {
        registers.store(offset, 1 << sizeLog2, value);
    }

    @Override
    public boolean attend() {
        return registers.poll(System.nanoTime()) != 0;
    }

    /** For the host's user, from any thread: target, statistics, counters. */
    public BalloonDevice balloon() {
        return balloon;
    }

    /** For the machine, on the processor's thread: save, restore, attach and detach RAM. */
    public MmioDevice registers() {
        return registers;
    }
}
