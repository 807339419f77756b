package io.aerostat.bench;

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
 * How many pages a second go into the balloon?
 *
 * <p>One operation is one page of 4 KiB; a request has 256 of them, as Linux sends them. Driver and
 * device take turns on one thread: descriptors, kick, device, used ring and, by {@link Stage},
 * ledger and host memory. The page numbers lie ready in guest RAM. For the stages that give memory
 * back, all pages are resident before each measured run; making them so, and the deflate, are not
 * measured.
 *
 * <p>Run by {@code ./aerostat bench [--quick]}.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
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
public class InflateBenchmark {
    /** How much of the device takes part. */
    @Param public Stage stage;

    /** In what order the pages are named. */
    @Param public PageOrder order;

    private RequestRig rig;
    private HotPathAllocation allocation;

    /** Brings the device up. */
    @Setup(Level.Trial)
    public void start() {
        rig = InflateRig.of(stage, order);
    }

    /** Makes all pages resident, and the balloon empty. */
    @Setup(Level.Invocation)
    public void fill(HotPathAllocation hotPath) {
        allocation = hotPath;
        rig.deflate();
        if (stage.givesBack()) {
            rig.touch();
        }
        allocation.begin();
    }

    /** Counts what this thread allocated meanwhile. */
    @TearDown(Level.Invocation)
    public void count() {
        allocation.end(RequestRig.PAGES);
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
