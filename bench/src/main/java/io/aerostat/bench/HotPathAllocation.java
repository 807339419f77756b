package io.aerostat.bench;

import com.sun.management.ThreadMXBean;

import org.openjdk.jmh.annotations.AuxCounters;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;

import java.lang.management.ManagementFactory;

/**
 * What the measured calls allocate, by the JVM's count of the thread's bytes. JMH's own profiler
 * divides all that is allocated in an iteration, the harness's share included, by the pages: with
 * calls to the operating system in them there are too few pages in an iteration for that to vanish.
 */
@AuxCounters(AuxCounters.Type.EVENTS)
@State(Scope.Thread)
public class HotPathAllocation {
    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    /** Bytes that the measured calls allocated. */
    public long hotPathBytes;

    /** Pages of the measured calls. */
    public long hotPathPages;

    private long before;

    void begin() {
        before = THREADS.getCurrentThreadAllocatedBytes();
    }

    void end(long pages) {
        hotPathBytes += THREADS.getCurrentThreadAllocatedBytes() - before;
        hotPathPages += pages;
    }
}
