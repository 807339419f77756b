package io.aerostat.bench;

import io.aerostat.balloon.BalloonDevice;
import io.aerostat.balloon.BalloonOptions;
import io.aerostat.balloon.range.PageReclaimer;
import io.aerostat.memory.backend.AnonymousBackend;
import io.aerostat.memory.backend.BackendOptions;
import io.aerostat.memory.backend.HugePages;
import io.aerostat.memory.backend.MemoryBackend;

import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

import java.util.concurrent.TimeUnit;

/**
 * What do larger host pages save? Private memory is given back in units of one guest page or many,
 * with transparent huge pages behind it or without.
 *
 * <p>One operation is one page of 4 KiB that goes into the balloon, given back or not: a unit that
 * is not whole stays, which is quick and saves the host nothing. So {@link DiscardTally} counts
 * what the host took. As in {@link InflateBenchmark}, whose {@link Stage#ANONYMOUS} is the
 * baseline: all pages are touched before each measured run, and that is not measured.
 *
 * <p>Run by {@code ./aerostat bench GranularityBenchmark [--quick]}.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@OperationsPerInvocation(RequestRig.PAGES)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(
        value = 2,
        jvmArgsAppend = {
            "--add-exports",
            "java.base/jdk.internal.misc=ALL-UNNAMED",
            "--enable-native-access=ALL-UNNAMED"
        })
@SuppressWarnings("NullAway.Init") // JMH sets parameters, and calls start() before all else.
public class GranularityBenchmark {
    /** The unit in KiB in which memory is given back. */
    @Param({"4", "16", "64", "2048"})
    public int unitKib;

    /** Whether transparent huge pages stand behind it. */
    @Param({"NEVER", "WANTED"})
    public HugePages hugePages;

    /** In what order the pages are named. */
    @Param({"CONTIGUOUS", "LINUX"})
    public PageOrder order;

    private BalloonDevice device;
    private RequestRig rig;
    private DiscardTally tally;

    /** Brings the device up. */
    @Setup(Level.Trial)
    public void start() {
        MemoryBackend backend =
                AnonymousBackend.map(
                        new BackendOptions(RequestRig.RAM_BYTES, 0, hugePages, unitKib << 10));
        PageReclaimer reclaimer = backend.reclaimer();
        BalloonOptions options = BalloonOptions.DEFAULT.withQueueSize(RequestRig.QUEUE_SIZE);
        ReclaimWarmUp.run(reclaimer);
        device = new BalloonDevice(backend.memory(), reclaimer, options);
        rig = new RequestRig(backend, device, order);
    }

    /** Makes all pages resident, and the balloon empty. */
    @Setup(Level.Invocation)
    public void fill(DiscardTally discards) {
        tally = discards;
        rig.deflate();
        rig.touch();
        tally.begin(device);
    }

    /** Counts what the host was asked and what it took. */
    @TearDown(Level.Invocation)
    public void count() {
        tally.end(device, RequestRig.PAGES);
    }

    /** Puts all pages into the balloon. */
    @Benchmark
    public int inflate() {
        return rig.inflate();
    }

    /** Unmaps the memory. */
    @TearDown(Level.Trial)
    public void stop() {
        rig.close();
    }
}
