package io.aerostat.balloon.embedding;

import io.aerostat.balloon.BalloonDevice;
import io.aerostat.balloon.embedding.guest.BalloonProgram;
import io.aerostat.balloon.embedding.guest.GuestMap;
import io.aerostat.balloon.embedding.guest.Habits;
import io.aerostat.balloon.embedding.machine.InterruptController;
import io.aerostat.balloon.embedding.machine.Processor;
import io.aerostat.balloon.embedding.stepped.SteppedBalloon;
import io.aerostat.balloon.embedding.stepped.SteppedMachine;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;

/** Host (c) with a balloon and a guest. */
public final class SteppedExample implements Example {
    private static final int SETTLING_SLICES = 1_000;

    private final Habits habits;
    private final InterruptController interrupts;
    private final SteppedMachine machine;
    private final SteppedBalloon balloon;
    private final GuestMap map;
    private final TappedBus bus;
    private final BalloonProgram guest;
    private final Processor processor;

    /** A machine at the start of its time. */
    public SteppedExample(Habits habits, InterruptController interrupts) {
        this.habits = habits;
        this.interrupts = interrupts;
        machine = new SteppedMachine(RAM_BYTES, interrupts);
        balloon = new SteppedBalloon(machine, SOURCE);
        machine.device(balloon);
        map = GuestMap.of(0, RAM_BYTES, SteppedMachine.DEVICE_BASE, SOURCE);
        bus = new TappedBus(machine, map.window());
        guest = new BalloonProgram(bus, map, habits);
        processor = new Processor(interrupts, guest);
    }

    /** The host itself. */
    public SteppedMachine machine() {
        return machine;
    }

    /** The balloon as the host has it. */
    public SteppedBalloon adapter() {
        return balloon;
    }

    /** Runs for so much virtual time. */
    public void runNs(long ns) {
        machine.run(processor, ns / SteppedMachine.NS_PER_CYCLE);
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
        machine.run(processor, (long) SETTLING_SLICES * SteppedMachine.CYCLES_PER_SLICE);
    }

    @Override
    public void runALittle() {
        machine.run(processor, SteppedMachine.CYCLES_PER_SLICE);
    }

    @Override
    public void attendToBalloon() {
        balloon.step(machine.cycles());
    }

    /** The machine's state, as the host's user would keep it in a file. */
    public byte[] state() {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (DataOutputStream out = new DataOutputStream(bytes)) {
            machine.saveState(out);
        } catch (IOException e) {
            throw new AssertionError(e);
        }
        return bytes.toByteArray();
    }

    @Override
    public SteppedExample successor() {
        SteppedExample next = new SteppedExample(habits, Examples.another(interrupts));
        next.load(state());
        return next;
    }

    /** Goes on from a state. */
    public void load(byte[] state) {
        try {
            machine.loadState(new DataInputStream(new ByteArrayInputStream(state)));
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }
}
