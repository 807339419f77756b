package io.aerostat.balloon.embedding;

import io.aerostat.balloon.BalloonDevice;
import io.aerostat.balloon.embedding.guest.BalloonProgram;
import io.aerostat.balloon.embedding.guest.GuestMap;
import io.aerostat.balloon.embedding.guest.Habits;
import io.aerostat.balloon.embedding.machine.InterruptController;
import io.aerostat.balloon.embedding.machine.Processor;
import io.aerostat.balloon.embedding.paged.PagedBalloon;
import io.aerostat.balloon.embedding.paged.PagedMachine;
import io.aerostat.virtio.snapshot.SnapshotException;

/** Host (b) with a balloon and a guest. */
public final class PagedExample implements Example {
    private static final int SLOT = 3;
    private static final int ENOUGH_FRAMES = 10_000;

    private final Habits habits;
    private final InterruptController interrupts;
    private final PagedMachine machine;
    private final PagedBalloon balloon;
    private final GuestMap map;
    private final TappedBus bus;
    private final BalloonProgram guest;
    private final Processor processor;

    /** With host pages of the guest's size. */
    public PagedExample(Habits habits, InterruptController interrupts) {
        this(GuestMap.PAGE, habits, interrupts);
    }

    /** With host pages of {@code pageBytes}, a power of two from 4096 up. */
    public PagedExample(int pageBytes, Habits habits, InterruptController interrupts) {
        this.habits = habits;
        this.interrupts = interrupts;
        machine = new PagedMachine(RAM_BYTES / pageBytes, pageBytes, interrupts);
        balloon = new PagedBalloon(machine, SLOT, SOURCE);
        machine.connect(SLOT, balloon);
        map = GuestMap.of(0, RAM_BYTES, PagedMachine.addressOf(SLOT), SOURCE);
        bus = new TappedBus(machine, map.window());
        guest = new BalloonProgram(bus, map, habits);
        processor = new Processor(interrupts, guest);
    }

    /** The host itself. */
    public PagedMachine machine() {
        return machine;
    }

    /** The balloon as the host has it. */
    public PagedBalloon adapter() {
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
        // A host's command comes in with one frame, and the guest acts on it in the next.
        int idleFrames = 0;
        for (int frame = 0; idleFrames < 2; frame++) {
            if (frame == ENOUGH_FRAMES) {
                throw new AssertionError("the guest finds no end");
            }
            idleFrames = machine.frame(processor) ? idleFrames + 1 : 0;
        }
    }

    @Override
    public void runALittle() {
        machine.frame(processor);
    }

    @Override
    public void attendToBalloon() {
        balloon.endOfFrame();
    }

    @Override
    public PagedExample successor() {
        byte[] state = balloon.registers().save();
        PagedExample next =
                new PagedExample(machine.pageBytes(), habits, Examples.another(interrupts));
        for (int page = 0; page < machine.pages().length; page++) {
            byte[] bytes = machine.pages()[page];
            next.machine.pages()[page] = bytes == null ? null : bytes.clone();
        }
        try {
            next.balloon.registers().restore(state);
        } catch (SnapshotException e) {
            throw new AssertionError(e);
        }
        return next;
    }
}
