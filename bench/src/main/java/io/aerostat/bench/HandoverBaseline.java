package io.aerostat.bench;

import org.jctools.queues.atomic.SpscAtomicArrayQueue;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

import java.util.concurrent.TimeUnit;

/**
 * What would handing the same requests over cost with Java objects and no guest? Baseline of {@link
 * InflateBenchmark} at {@link Stage#RING}: requests of 256 pages go to the device through one
 * JCTools queue and come back through another, 16 at a time, on one thread. One operation is one
 * page.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@OperationsPerInvocation(RequestRig.PAGES)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(2)
public class HandoverBaseline {
    private static final int CAPACITY = 128;
    private static final int BATCH = 16;

    private final SpscAtomicArrayQueue<int[]> available = new SpscAtomicArrayQueue<>(CAPACITY);
    private final SpscAtomicArrayQueue<int[]> used = new SpscAtomicArrayQueue<>(CAPACITY);
    private final int[] request = new int[RequestRig.PAGES_PER_REQUEST];

    /** Hands all requests over and takes them back. */
    @Benchmark
    public int handOver() {
        int returned = 0;
        for (int sent = 0; sent < RequestRig.REQUESTS; sent += BATCH) {
            for (int i = 0; i < BATCH; i++) {
                available.offer(request);
            }
            for (int[] taken = available.poll(); taken != null; taken = available.poll()) {
                used.offer(taken);
            }
            while (used.poll() != null) {
                returned++;
            }
        }
        return returned;
    }
}
