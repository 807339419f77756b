package io.aerostat.balloon.embedding;

import io.aerostat.balloon.BalloonDevice;
import io.aerostat.balloon.embedding.flat.FlatBalloon;
import io.aerostat.balloon.embedding.flat.FlatMachine;
import io.aerostat.balloon.embedding.guest.BalloonProgram;
import io.aerostat.balloon.embedding.guest.GuestMap;
import io.aerostat.balloon.embedding.guest.Habits;
import io.aerostat.balloon.embedding.machine.InterruptController;
import io.aerostat.balloon.embedding.machine.Processor;
import io.aerostat.balloon.range.PageReclaimer;
import io.aerostat.balloon.reclaim.NoReclaim;
import io.aerostat.virtio.memory.GuestMemory;
import io.aerostat.virtio.snapshot.SnapshotException;

import java.nio.ByteBuffer;
import java.util.function.Function;

/** Host (a) with a balloon and a guest. */
public final class FlatExample implements Example {
    /** Address of the balloon's registers. */
    public static final long WINDOW = 0x1000_1000L;

    private static final int ENOUGH_TURNS = 100_000;

    private final Habits habits;
    private final InterruptController interrupts;
    private final Function<GuestMemory, PageReclaimer> reclaimer;
    private final FlatMachine machine;
    private final FlatBalloon balloon;
    private final GuestMap map;
    private final TappedBus bus;
    private final BalloonProgram guest;
    private final Processor processor;

    /** With RAM that nobody can take back. */
    public FlatExample(Habits habits, InterruptController interrupts) {
        this(ByteBuffer.allocateDirect(RAM_BYTES), habits, interrupts, memory -> new NoReclaim());
    }

    /** With the RAM of one's choice, and whatever takes it back. */
    public FlatExample(
            ByteBuffer ram,
            Habits habits,
            InterruptController interrupts,
            Function<GuestMemory, PageReclaimer> reclaimer) {
        this.habits = habits;
        this.interrupts = interrupts;
        this.reclaimer = reclaimer;
        machine = new FlatMachine(ram, interrupts);
        balloon = new FlatBalloon(machine, SOURCE, reclaimer);
        machine.map(WINDOW, balloon);
        map = GuestMap.of(FlatMachine.RAM_BASE, ram.capacity(), WINDOW, SOURCE);
        bus = new TappedBus(machine, WINDOW);
        guest = new BalloonProgram(bus, map, habits);
        processor = new Processor(interrupts, guest);
    }

    /** The host itself. */
    public FlatMachine machine() {
        return machine;
    }

    /** The balloon as the host has it. */
    public FlatBalloon adapter() {
        return balloon;
    }

    @Override
    public BalloonDevice balloon() {
        return balloon.balloon();
    }

    @Override
    public BalloonProgram guest() {
        return guest;
    }

    @Override
    public GuestMap map() {
        return map;
    }

    @Override
    public TappedBus bus() {
        return bus;
    }

    @Override
    public InterruptController interrupts() {
        return interrupts;
    }

    @Override
    public void settle() {
        if (!machine.run(processor, ENOUGH_TURNS)) {
            throw new AssertionError("the guest finds no end");
        }
    }

    @Override
    public void runALittle() {
        machine.run(processor, 3);
    }

    @Override
    public void attendToBalloon() {
        balloon.attend();
    }

    @Override
    public FlatExample successor() {
        byte[] state = balloon.registers().save();
        ByteBuffer ram = ByteBuffer.allocateDirect(machine.ram().capacity());
        ram.put(0, machine.ram(), 0, ram.capacity());
        FlatExample next = new FlatExample(ram, habits, Examples.another(interrupts), reclaimer);
        try {
            next.balloon.registers().restore(state);
        } catch (SnapshotException e) {
            throw new AssertionError(e);
        }
        return next;
    }
}
