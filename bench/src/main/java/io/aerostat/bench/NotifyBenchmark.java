package io.aerostat.bench;

import io.aerostat.balloon.BalloonDevice;
import io.aerostat.balloon.BalloonOptions;
import io.aerostat.balloon.reclaim.NoReclaim;

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
import org.openjdk.jmh.annotations.Warmup;

import java.util.concurrent.TimeUnit;

/**
 * What does an emulator's processor wait for when its guest kicks the balloon, by the kind of RAM?
 *
 * <p>One operation is one request of 256 page numbers, alternating 64 to inflate and 64 to deflate,
 * so that the ledger works and ends empty: the driver offers it, stores to QueueNotify, sees the
 * interrupt line high, acknowledges and takes the buffer back. No memory is given back. {@link
 * Device#SINK} is the baseline: all of this, to a device that looks at no page number.
 *
 * <p>A sample is a round of 128 requests, short enough that most are not interrupted by other work
 * on the machine.
 *
 * <p>Raw addresses are used if the JVM has the export, so this is run with it and without: by
 * {@code ./aerostat bench --embedding [--quick]}, see {@link EmbeddingRun}.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.SampleTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@OperationsPerInvocation(NotifyRig.REQUESTS_A_ROUND)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(2)
@SuppressWarnings("NullAway.Init") // JMH sets parameters, and calls start() before all else.
public class NotifyBenchmark {
    /**
     * Rounds before all else. The compiler's last step comes after some 6,000, and makes a request
     * several times as fast as the first one did; seconds would be too few where other work takes
     * its processor.
     */
    private static final int WARM_UP_ROUNDS = 10_000;

    /** What answers. */
    public enum Device {
        /** The balloon. */
        BALLOON,
        /** A device that walks each buffer and looks at no page number. */
        SINK
    }

    /** How the guest's RAM is held. */
    @Param public RamKind ram;

    /** What answers. */
    @Param public Device device;

    private NotifyRig rig;
    private HotPathAllocation allocation;

    /** Brings the device up, and lets the compiler do its work. */
    @Setup(Level.Trial)
    public void start() {
        rig = rigOn(ram, device);
        for (int i = 0; i < WARM_UP_ROUNDS; i++) {
            rig.round();
        }
    }

    private static NotifyRig rigOn(RamKind ram, Device device) {
        BalloonOptions options = BalloonOptions.DEFAULT.withQueueSize(RequestRig.QUEUE_SIZE);
        return switch (device) {
            case BALLOON ->
                    new NotifyRig(
                            ram, memory -> new BalloonDevice(memory, new NoReclaim(), options));
            case SINK -> new NotifyRig(ram, memory -> new SinkDevice(RequestRig.QUEUE_SIZE));
        };
    }

    /** Begins to count what this thread allocates. */
    @Setup(Level.Invocation)
    public void begin(HotPathAllocation hotPath) {
        allocation = hotPath;
        allocation.begin();
    }

    /** A round of requests. */
    @Benchmark
    public int round() {
        int requests = rig.round();
        // Here, and not after the method: JMH allocates when it notes a round's time. It adds less
        // than 1 ns to a request.
        allocation.end((long) requests * RequestRig.PAGES_PER_REQUEST);
        return requests;
    }
}
