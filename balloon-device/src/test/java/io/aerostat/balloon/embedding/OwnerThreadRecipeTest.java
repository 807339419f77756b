package io.aerostat.balloon.embedding;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.aerostat.balloon.BalloonDevice;
import io.aerostat.balloon.BalloonOptions;
import io.aerostat.balloon.embedding.flat.FlatMachine;
import io.aerostat.balloon.embedding.flat.MappedDevice;
import io.aerostat.balloon.embedding.guest.BalloonProgram;
import io.aerostat.balloon.embedding.guest.GuestMap;
import io.aerostat.balloon.embedding.guest.Habits;
import io.aerostat.balloon.embedding.machine.LatchingController;
import io.aerostat.balloon.embedding.machine.Processor;
import io.aerostat.balloon.reclaim.NoReclaim;
import io.aerostat.virtio.device.Ownership;
import io.aerostat.virtio.memory.GuestMemory;
import io.aerostat.virtio.memory.RamRegion;
import io.aerostat.virtio.testkit.Spin;
import io.aerostat.virtio.transport.mmio.MmioDevice;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.nio.ByteBuffer;

/** Host (a) once more, with the balloon on a thread of its own. */
@Timeout(60)
final class OwnerThreadRecipeTest {
    private final LatchingController interrupts = new LatchingController();
    private final FlatMachine machine =
            new FlatMachine(ByteBuffer.allocateDirect(Example.RAM_BYTES), interrupts);
    private final GuestMap map =
            GuestMap.of(
                    FlatMachine.RAM_BASE, Example.RAM_BYTES, FlatExample.WINDOW, Example.SOURCE);
    private final OwnerThreadRecipe owner = new OwnerThreadRecipe();
    private final BalloonProgram guest = new BalloonProgram(machine, map, Habits.LINUX);
    private final Processor processor = new Processor(interrupts, guest);
    private BalloonDevice balloon;

    @BeforeEach
    void start() {
        GuestMemory memory =
                GuestMemory.of(RamRegion.ofBuffer(FlatMachine.RAM_BASE, machine.ram()));
        balloon = new BalloonDevice(memory, new NoReclaim(), BalloonOptions.DEFAULT);
        MmioDevice registers =
                new MmioDevice(
                        memory,
                        balloon,
                        level -> interrupts.set(Example.SOURCE, level),
                        Ownership.OWN_THREAD,
                        owner);
        machine.map(FlatExample.WINDOW, new Registers(registers));
        owner.start(registers);
        processor.reset();
    }

    @AfterEach
    void stop() throws InterruptedException {
        owner.stop();
    }

    private void runTo(int pages) {
        balloon.target(pages);
        Spin.until(
                () -> {
                    machine.run(processor, 100);
                    return balloon.actualPages() == pages;
                });
    }

    @Test
    void inflatesAndDeflates() {
        for (int target : new int[] {2000, 1, 3000, 0}) {
            runTo(target);

            assertEquals(target, guest.balloonedPages());
        }
        assertEquals(0, balloon.counters().anomalies());
    }

    @Test
    void goesOnOnTheRegisterThreadIfTheOwnerStops() throws InterruptedException {
        runTo(300);

        owner.stop();
        processor.reset();

        assertEquals(0, balloon.ledgerPages());
    }

    /** What an adapter does besides. */
    private record Registers(MmioDevice device) implements MappedDevice {
        @Override
        public int length() {
            return MmioDevice.WINDOW_BYTES;
        }

        @Override
        public long load(int offset, int sizeLog2) {
            return device.load(offset, 1 << sizeLog2);
        }

        @Override
        public void store(int offset, long value, int sizeLog2) {
            device.store(offset, 1 << sizeLog2, value);
        }
    }
}
