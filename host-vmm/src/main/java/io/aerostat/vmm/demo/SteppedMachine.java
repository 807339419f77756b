package io.aerostat.vmm.demo;

import io.aerostat.balloon.BalloonDevice;
import io.aerostat.balloon.BalloonOptions;
import io.aerostat.balloon.handler.BalloonCounter;
import io.aerostat.balloon.stats.GuestStatistics;
import io.aerostat.guest.mm.MemoryNode;
import io.aerostat.guest.model.GuestModel;
import io.aerostat.guest.model.GuestOptions;
import io.aerostat.guest.task.Jiffies;
import io.aerostat.virtio.driver.HandshakeFailure;
import io.aerostat.virtio.spec.balloon.PageFrame;
import io.aerostat.virtio.transport.mmio.MmioTransport;
import io.aerostat.vmm.report.Timeline;
import io.aerostat.vmm.vm.GuestSize;
import io.aerostat.vmm.vm.RamOptions;
import io.aerostat.vmm.vm.SetMemoryOutcome;
import io.aerostat.vmm.vm.StatisticsOutcome;
import io.aerostat.vmm.vm.VirtualMachine;
import io.aerostat.vmm.vm.VmOptions;

import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/**
 * A virtual machine and a guest under pressure on one thread and one virtual clock, with real RAM:
 * what is resident is what the host's kernel says. Equal plans give equal runs.
 */
final class SteppedMachine implements AutoCloseable {
    /** A tick of the guest's clock. */
    static final long STEP_NS = Jiffies.NS_PER_JIFFY;

    private static final int STEPS_PER_SAMPLE = 25;
    private static final int PASSES_PER_STEP = 64;
    private static final double NANOS = 1e9;
    private static final long ANSWER_SECONDS = 2;

    private final VirtualMachine vm;
    private final GuestModel guest;
    private final Timeline timeline;
    private Runnable afterProcesses = () -> {};
    private long steps;

    SteppedMachine(
            GuestSize maximum, RamOptions ram, BalloonOptions balloon, GuestOptions options) {
        VmOptions vmOptions =
                new VmOptions(
                        "demo", maximum, new GuestSize(PageFrame.BYTES), ram, Optional.of(balloon));
        vm = VirtualMachine.stepped(vmOptions, level -> {}, this::nowNs);
        guest =
                new GuestModel(
                        vm.memory(),
                        new MmioTransport(vm.balloonWindow().orElseThrow()),
                        options,
                        nowNs());
        timeline = new Timeline(maximum.bytes());
    }

    VirtualMachine vm() {
        return vm;
    }

    GuestModel guest() {
        return guest;
    }

    MemoryNode memory() {
        return guest.memory();
    }

    BalloonDevice balloon() {
        return vm.balloon().orElseThrow();
    }

    Timeline timeline() {
        return timeline;
    }

    long counter(BalloonCounter counter) {
        return balloon().counters().get(counter);
    }

    double seconds() {
        return steps * STEP_NS / NANOS;
    }

    private long nowNs() {
        return steps * STEP_NS;
    }

    /** Something else that runs in each step, after the guest's processes. */
    void alongWithProcesses(Runnable work) {
        afterProcesses = work;
    }

    /** Brings the balloon up. */
    void boot() {
        HandshakeFailure failure = guest.startBalloon();
        if (failure != null) {
            throw new IllegalStateException(
                    "the guest's balloon driver did not start: " + failure.description());
        }
        settle();
        sample();
    }

    /** One tick: the guest works, then the device. */
    void step() {
        steps++;
        guest.step(nowNs());
        afterProcesses.run();
        stepDevice();
        if (steps % STEPS_PER_SAMPLE == 0) {
            sample();
        }
    }

    private int stepDevice() {
        int work = 0;
        for (int pass = 0; pass < PASSES_PER_STEP; pass++) {
            int done = vm.step();
            work += done;
            if (done == 0) {
                break;
            }
        }
        return work;
    }

    void runFor(double seconds) {
        double end = seconds() + seconds;
        while (seconds() < end) {
            step();
        }
    }

    /** Steps until something holds, or so much time has passed. Tells whether it holds. */
    boolean runUntil(BooleanSupplier condition, double seconds) {
        double end = seconds() + seconds;
        while (!condition.getAsBoolean() && seconds() < end) {
            step();
        }
        return condition.getAsBoolean();
    }

    /** Driver and device do all that they can while the clock stands still. */
    void settle() {
        int work = 1;
        for (int i = 0; work > 0 && i < PASSES_PER_STEP; i++) {
            work = guest.stepBalloon(nowNs()) + stepDevice();
        }
    }

    /** Asks the guest for a size, without waiting. */
    CompletableFuture<SetMemoryOutcome> ask(GuestSize size, double seconds) {
        return vm.setMemory(size, Duration.ofMillis((long) (seconds * 1000)));
    }

    /** Steps until the guest has the size it was asked for, or the time is over. */
    SetMemoryOutcome await(
            CompletableFuture<SetMemoryOutcome> outcome, GuestSize size, double seconds) {
        long wanted = size.balloonWithin(vm.options().maximum()).pages();
        // Not until the future is done: it is completed elsewhere, at a time of its own.
        runUntil(
                () -> balloon().ledgerPages() == wanted && balloon().actualPages() == wanted,
                seconds);
        step();
        return outcome.join();
    }

    /**
     * The guest's answer to a question for statistics that it gets while its clock stands still.
     */
    GuestStatistics statistics() {
        CompletableFuture<StatisticsOutcome> answer = vm.statistics(Duration.ofSeconds(1));
        settle();
        StatisticsOutcome none =
                new StatisticsOutcome.Unanswered(StatisticsOutcome.Reason.NO_RESPONSE);
        // An answer that has not come by now never will: the clock stands still. The other thread
        // that completes it has a while.
        return switch (answer.completeOnTimeout(none, ANSWER_SECONDS, TimeUnit.SECONDS).join()) {
            case StatisticsOutcome.Answered answered -> answered.figures();
            case StatisticsOutcome.Unanswered unanswered ->
                    throw new IllegalStateException(
                            "no statistics: " + unanswered.reason().description());
        };
    }

    /** Looks at everything. */
    Timeline.Sample sample() {
        MemoryNode memory = memory();
        Timeline.Sample sample =
                new Timeline.Sample(
                        seconds(),
                        bytes(memory.anonymousPages()),
                        bytes(memory.cachePages()),
                        bytes(
                                memory.freePages()
                                        + memory.isolatedPages()
                                        + guest.driver().heldPages()),
                        bytes(balloon().ledgerPages()),
                        bytes(balloon().targetPages()),
                        bytes(memory.swapUsedPages()),
                        vm.backend().residentBytes());
        timeline.add(sample);
        return sample;
    }

    static long bytes(long pages) {
        return pages << PageFrame.SHIFT;
    }

    @Override
    public void close() {
        vm.close();
    }
}
