package io.aerostat.vmm.vm;

import io.aerostat.balloon.BalloonOptions;
import io.aerostat.guest.balloon.BalloonDriverOptions;
import io.aerostat.vmm.vm.SetMemoryOutcome.Partial;
import io.aerostat.vmm.vm.SetMemoryOutcome.Reason;
import io.aerostat.vmm.vm.SetMemoryOutcome.Refused;
import io.aerostat.vmm.vm.SetMemoryOutcome.Stalled;

import org.jspecify.annotations.Nullable;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import java.util.function.Supplier;

/** A way in which setMemory ends without the size, and a scene in which it does. */
record SetMemoryEnding(
        String name,
        Class<? extends SetMemoryOutcome> kind,
        Reason reason,
        Supplier<SetMemoryOutcome> scene) {
    private static final int DEADLINE_MS = 500;

    /** All of them. */
    static final List<SetMemoryEnding> ALL =
            List.of(
                    new SetMemoryEnding(
                            "refused without device",
                            Refused.class,
                            Reason.NO_DEVICE,
                            () -> play(null, 0, machine -> {})),
                    new SetMemoryEnding(
                            "refused below floor",
                            Refused.class,
                            Reason.BELOW_FLOOR,
                            () -> {
                                try (Machine machine = new Machine().booted()) {
                                    return machine.vm
                                            .setMemory(new GuestSize(4096), deadline())
                                            .join();
                                }
                            }),
                    new SetMemoryEnding(
                            "stalled without guest",
                            Stalled.class,
                            Reason.NO_GUEST,
                            SetMemoryEnding::withoutGuest),
                    new SetMemoryEnding(
                            "stalled without driver",
                            Stalled.class,
                            Reason.NO_DRIVER,
                            () -> {
                                try (Machine machine = new Machine()) {
                                    return end(machine, ask(machine), Machine::step);
                                }
                            }),
                    new SetMemoryEnding(
                            "stalled without response",
                            Stalled.class,
                            Reason.NO_RESPONSE,
                            () -> play(BalloonOptions.DEFAULT, 0, Machine::stepHost)),
                    new SetMemoryEnding(
                            "partial without further response",
                            Partial.class,
                            Reason.NO_RESPONSE,
                            () -> {
                                try (Machine machine = new Machine(slowly(1)).booted()) {
                                    var _ = ask(machine);
                                    machine.stepFor(450);
                                    // Growing is no want of pages, wherever it stops.
                                    CompletableFuture<SetMemoryOutcome> up =
                                            machine.vm.setMemory(Machine.MAXIMUM, deadline());
                                    machine.stepFor(5);
                                    return end(machine, up, Machine::stepHost);
                                }
                            }),
                    new SetMemoryEnding(
                            "stalled out of pages",
                            Stalled.class,
                            Reason.OUT_OF_PAGES,
                            () ->
                                    play(
                                            BalloonOptions.DEFAULT,
                                            Machine.MAXIMUM.pages(),
                                            Machine::step)),
                    new SetMemoryEnding(
                            "partial out of pages",
                            Partial.class,
                            Reason.OUT_OF_PAGES,
                            () -> play(BalloonOptions.DEFAULT, 12_000, Machine::step)),
                    new SetMemoryEnding(
                            "partial still moving",
                            Partial.class,
                            Reason.STILL_MOVING,
                            () -> {
                                try (Machine machine = new Machine(slowly(1)).booted()) {
                                    return end(machine, ask(machine), Machine::step);
                                }
                            }),
                    new SetMemoryEnding(
                            "stalled by the rate",
                            Stalled.class,
                            Reason.RATE_LIMITED,
                            () ->
                                    play(
                                            BalloonOptions.DEFAULT.withPagesPerSecond(1),
                                            0,
                                            Machine::step)),
                    new SetMemoryEnding(
                            "partial by the rate",
                            Partial.class,
                            Reason.RATE_LIMITED,
                            () ->
                                    play(
                                            BalloonOptions.DEFAULT.withPagesPerSecond(1000),
                                            0,
                                            Machine::step)),
                    new SetMemoryEnding(
                            "partial taken back",
                            Partial.class,
                            Reason.TAKEN_BACK,
                            () -> {
                                try (Machine machine =
                                        new Machine(ModelMachine.ALL, ModelMachine.DRIVER)
                                                .booted()) {
                                    var _ =
                                            machine.guest.call(
                                                    guest -> guest.workload().grow(12_000));
                                    machine.step();
                                    CompletableFuture<SetMemoryOutcome> outcome =
                                            machine.vm.setMemory(
                                                    Machine.HALF, Duration.ofSeconds(2));
                                    machine.stepFor(1500);
                                    machine.guest.driver().orElseThrow().deflateOnOom(256);
                                    machine.stepFor(600);
                                    return outcome.join();
                                }
                            }),
                    new SetMemoryEnding(
                            "stalled by a broken device",
                            Stalled.class,
                            Reason.NEEDS_RESET,
                            () -> {
                                try (Machine machine = new Machine().booted()) {
                                    BrokenRing.breakInflateRing(machine);
                                    return end(machine, ask(machine), Machine::stepHost);
                                }
                            }),
                    new SetMemoryEnding(
                            "partial by a broken device",
                            Partial.class,
                            Reason.NEEDS_RESET,
                            () -> {
                                try (Machine machine = new Machine(slowly(1)).booted()) {
                                    CompletableFuture<SetMemoryOutcome> outcome = ask(machine);
                                    machine.stepFor(20);
                                    BrokenRing.breakInflateRing(machine);
                                    return end(machine, outcome, Machine::stepHost);
                                }
                            }),
                    new SetMemoryEnding(
                            "stalled by the end",
                            Stalled.class,
                            Reason.CLOSED,
                            () -> {
                                try (Machine machine = new Machine()) {
                                    return closed(machine, ask(machine));
                                }
                            }),
                    new SetMemoryEnding(
                            "partial by the end",
                            Partial.class,
                            Reason.CLOSED,
                            () -> {
                                try (Machine machine = new Machine(slowly(1)).booted()) {
                                    CompletableFuture<SetMemoryOutcome> outcome = ask(machine);
                                    machine.stepFor(20);
                                    return closed(machine, outcome);
                                }
                            }));

    SetMemoryOutcome play() {
        return scene.get();
    }

    @Override
    public String toString() {
        return name;
    }

    private static Duration deadline() {
        return Duration.ofMillis(DEADLINE_MS);
    }

    private static CompletableFuture<SetMemoryOutcome> ask(Machine machine) {
        return machine.vm.setMemory(Machine.HALF, deadline());
    }

    /** A guest of which others have some pages is asked for half of its memory. */
    private static SetMemoryOutcome play(
            @Nullable BalloonOptions balloon, long used, Consumer<Machine> millisecond) {
        try (Machine machine = new Machine(Optional.ofNullable(balloon)).booted()) {
            var _ = machine.guest.call(guest -> guest.workload().grow(used));
            machine.step();
            return end(machine, ask(machine), millisecond);
        }
    }

    private static SetMemoryOutcome end(
            Machine machine,
            CompletableFuture<SetMemoryOutcome> outcome,
            Consumer<Machine> millisecond) {
        for (int ms = 0; ms < DEADLINE_MS + 10; ms++) {
            millisecond.accept(machine);
        }
        return outcome.join();
    }

    private static SetMemoryOutcome withoutGuest() {
        BalloonControl control = new BalloonControl(Runnable::run, () -> 0, Machine.HALF);
        CompletableFuture<SetMemoryOutcome> outcome = control.setMemory(Machine.HALF, deadline());
        control.check(deadline().toNanos());
        return outcome.join();
    }

    private static SetMemoryOutcome closed(
            Machine machine, CompletableFuture<SetMemoryOutcome> outcome) {
        machine.step();
        machine.vm.close();
        return outcome.join();
    }

    /** A driver that moves so many pages in a millisecond, or a few more. */
    private static BalloonDriverOptions slowly(int pages) {
        return BalloonDriverOptions.DEFAULT.withRequests(
                new BalloonDriverOptions.Requests(128, 1, pages));
    }
}
