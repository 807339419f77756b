package io.aerostat.vmm.vm;

import io.aerostat.balloon.BalloonDevice;
import io.aerostat.balloon.BalloonOptions;
import io.aerostat.guest.balloon.BalloonDriverOptions;
import io.aerostat.vmm.guest.InProcessGuest;

import java.util.Optional;

/** A machine and its guest on one thread and one clock, stepped by hand. */
final class Machine implements AutoCloseable {
    static final GuestSize MAXIMUM = new GuestSize(64L << 20);
    static final GuestSize FLOOR = new GuestSize(8L << 20);
    static final GuestSize HALF = new GuestSize(32L << 20);

    private static final long STEP_NS = 1_000_000;

    final VirtualMachine vm;
    final InProcessGuest guest;
    private long nowNs = 1;

    Machine() {
        this(Optional.of(BalloonOptions.DEFAULT));
    }

    Machine(Optional<BalloonOptions> balloon) {
        this(balloon, BalloonDriverOptions.DEFAULT);
    }

    Machine(BalloonDriverOptions driver) {
        this(Optional.of(BalloonOptions.DEFAULT), driver);
    }

    Machine(BalloonOptions balloon, BalloonDriverOptions driver) {
        this(Optional.of(balloon), driver);
    }

    private Machine(Optional<BalloonOptions> balloon, BalloonDriverOptions driver) {
        InProcessGuest.Interrupts interrupts = new InProcessGuest.Interrupts();
        VmOptions options =
                new VmOptions("test", MAXIMUM, FLOOR, RamOptions.of(Backing.preferred()), balloon);
        vm = VirtualMachine.stepped(options, interrupts, () -> nowNs);
        guest =
                new InProcessGuest(
                        vm.memory(), vm.balloonWindow(), interrupts, driver, 1, () -> nowNs);
    }

    long nowNs() {
        return nowNs;
    }

    BalloonDevice balloon() {
        return vm.balloon().orElseThrow();
    }

    Machine booted() {
        var failure = guest.boot();
        step();
        if (failure.join() != null) {
            throw new IllegalStateException("the guest did not boot: " + failure.join());
        }
        return this;
    }

    /** Both sides once, and a millisecond. */
    void step() {
        guest.step();
        vm.step();
        nowNs += STEP_NS;
    }

    /** Steps the host alone. */
    void stepHost() {
        vm.step();
        nowNs += STEP_NS;
    }

    void stepFor(long ms) {
        for (long i = 0; i < ms; i++) {
            step();
        }
    }

    @Override
    public void close() {
        guest.close();
        vm.close();
    }
}
