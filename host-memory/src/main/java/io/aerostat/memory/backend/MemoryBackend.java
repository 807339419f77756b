package io.aerostat.memory.backend;

import io.aerostat.balloon.range.PageReclaimer;
import io.aerostat.virtio.memory.GuestMemory;

import java.nio.ByteBuffer;
import java.util.List;

/**
 * Guest RAM and the way to give its pages back. Whoever makes a backend closes it.
 *
 * <p>After {@link #close} the calls that reach memory or the operating system throw {@link
 * IllegalStateException}: {@link #memory}, {@link #buffers}, {@link #reclaimer}, {@link
 * #residentBytes}, and the reclaimer's discard and residentBytes. Names and counters still answer,
 * and reuse does nothing: a balloon whose RAM was detached may be reset after the RAM is unmapped.
 *
 * <p>Looking at guest memory is not free of effects: a read of a page that was given back brings it
 * back, filled with zeros. So whoever wants to know what is resident asks, and never looks.
 */
public sealed interface MemoryBackend extends AutoCloseable
        permits AnonymousBackend,
                FileRegionsBackend,
                MemfdBackend,
                SimulatedBackend,
                UnloadBackend {
    /**
     * The guest's RAM, the same object each time. It must not be used after {@link #close}: its
     * addresses are then stale, and touching one ends the JVM. Nothing can check that, so stop
     * every user of the memory first.
     *
     * @throws IllegalStateException if the backend is closed
     */
    GuestMemory memory();

    /**
     * The RAM as buffers, for an emulator's own processor: the same bytes, little-endian, at most 1
     * GiB in each, in order of guest address. All but the last are of equal length and without a
     * gap between them; RAM of several regions has its own buffers for each region.
     *
     * <p>New views each time, whose positions and limits are the caller's own. As with {@link
     * #memory} nobody may use them after {@link #close}.
     *
     * @throws IllegalStateException if the backend is closed
     */
    List<ByteBuffer> buffers();

    /**
     * Gives pages of this RAM back, in the unit that it was mapped with, the same object each time.
     * It knows a page by its guest address, and so is nothing for RAM of others that is attached in
     * place of this: {@link io.aerostat.memory.own.AdviceReclaimer} follows what comes and goes.
     * Refuses ranges that are not whole units inside this RAM with {@link
     * IllegalArgumentException}, before any of them is touched.
     *
     * @throws IllegalStateException if the backend is closed
     */
    PageReclaimer reclaimer();

    /** What the RAM is made of: "anonymous", "files", "memfd", "private file" or "simulated". */
    String backing();

    /** How pages are given back, such as "madvise(MADV_DONTNEED)". */
    String reclaimerName();

    /**
     * Bytes of this RAM that the host has to provide now, in the kernel's own words and in its own
     * pages, whatever the unit; {@link PageReclaimer#UNKNOWN} if it does not tell. May be slow. Any
     * thread may ask.
     *
     * @throws IllegalStateException if the backend is closed
     */
    long residentBytes();

    /**
     * System calls for reclaim and residency that failed since the start. Such a failure is no
     * exception: it is counted here, the first one is logged, and the call that met it answers
     * less. Any thread may ask.
     */
    long failedCalls();

    /**
     * Unmaps the RAM; waits for calls of this backend that other threads are in. A second close
     * does nothing. Not to be called while anyone may use {@link #memory}.
     */
    @Override
    void close();
}
