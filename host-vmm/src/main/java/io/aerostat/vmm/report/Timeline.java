package io.aerostat.vmm.report;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/** How a machine's memory was used over time: samples in order of time, and what happened. */
public final class Timeline {
    /**
     * One look; all memory in bytes.
     *
     * @param seconds on the machine's clock, from the story's start
     * @param anonymous what processes of the guest have in RAM
     * @param cache what the guest's page cache has
     * @param free what nobody in the guest uses
     * @param balloon what is in the balloon
     * @param target what the guest is asked to have in it
     * @param swap what the guest has swapped out
     * @param resident what the host has of the guest's RAM in memory, by its kernel's word
     */
    public record Sample(
            double seconds,
            long anonymous,
            long cache,
            long free,
            long balloon,
            long target,
            long swap,
            long resident) {}

    /**
     * Something that happened.
     *
     * @param text a few words
     */
    public record Mark(double seconds, String text) {}

    private final long totalBytes;
    private final List<Sample> samples = new ArrayList<>();
    private final List<Mark> marks = new ArrayList<>();

    /** A timeline of a guest with {@code totalBytes} of RAM. */
    public Timeline(long totalBytes) {
        this.totalBytes = totalBytes;
    }

    /** Adds a look, later than all before. */
    public void add(Sample sample) {
        samples.add(sample);
    }

    /** Adds something that happened, later than all before. */
    public void mark(double seconds, String text) {
        marks.add(new Mark(seconds, text));
    }

    /** RAM of the guest. */
    public long totalBytes() {
        return totalBytes;
    }

    /** The looks. */
    public List<Sample> samples() {
        return Collections.unmodifiableList(samples);
    }

    /** What happened. */
    public List<Mark> marks() {
        return Collections.unmodifiableList(marks);
    }
}
