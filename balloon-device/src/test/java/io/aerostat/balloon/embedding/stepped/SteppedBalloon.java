package io.aerostat.balloon.embedding.stepped;

import io.aerostat.balloon.BalloonDevice;
import io.aerostat.balloon.reclaim.NoReclaim;
import io.aerostat.virtio.device.Ownership;
import io.aerostat.virtio.memory.GuestMemory;
import io.aerostat.virtio.memory.RamRegion;
import io.aerostat.virtio.transport.mmio.InterruptLine;
import io.aerostat.virtio.transport.mmio.MmioDevice;

import java.io.IOException;

/** A balloon for a {@link SteppedMachine}: it does nothing but in its step. */
public final class SteppedBalloon implements SteppedDevice {
    private final BalloonDevice balloon;
    private final MmioDevice registers;

    public SteppedBalloon(SteppedMachine machine, int source) {
        GuestMemory memory = GuestMemory.of(RamRegion.ofArray(0, machine.ram()));
        balloon = new BalloonDevice(memory, new NoReclaim());
        InterruptLine line = machine.line(source)::drive;
        registers = new MmioDevice(memory, balloon, line, Ownership.REGISTER_THREAD);
    }

    @Override
    public int read(int offset, int bytes) {
        return (int) registers.load(offset, bytes);
    }

    @Override
    public void write(int offset, int bytes, int value) {
        registers.store(offset, bytes, value);
    }

    @Override
    public void step(long cycles) {
        registers.poll(cycles * SteppedMachine.NS_PER_CYCLE);
    }

    @Override
    public byte[] saveState() {
        return registers.save();
    }

    @Override
    public void loadState(byte[] state) throws IOException {
        registers.restore(state);
    }

    /** For the host's user, from any thread: target, statistics, counters. */
    public BalloonDevice balloon() {
        return balloon;
    }
}
