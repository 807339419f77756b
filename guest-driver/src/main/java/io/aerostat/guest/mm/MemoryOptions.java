package io.aerostat.guest.mm;

import io.aerostat.guest.mm.frame.Watermarks;

import org.jspecify.annotations.Nullable;

/**
 * What a guest's memory has besides RAM, and how it is managed.
 *
 * @param watermarks how much is kept free; null for what Linux would choose for the RAM
 * @param swapPages size of the swap area, 0 for none. Each page takes 4 KiB of Java heap from its
 *     first use on
 * @param files how many files there are, at least 0
 * @param pagesPerFile size of each; each page takes 4 bytes of Java heap
 * @param swappiness 0 to 200: for each cached page that was used again lately, and so stays, this
 *     many 200ths of an anonymous page are looked at. 0 swaps only when no cached page is left
 * @param seed of all contents
 */
public record MemoryOptions(
        @Nullable Watermarks watermarks,
        int swapPages,
        int files,
        int pagesPerFile,
        int swappiness,
        long seed) {
    /** No swap, no files; a swappiness of 60, as in Linux. */
    public static final MemoryOptions DEFAULT = new MemoryOptions(null, 0, 0, 0, 60, 0);

    static final int MAX_SWAPPINESS = 200;

    /** Checks the ranges. */
    public MemoryOptions {
        if (swapPages < 0 || files < 0 || pagesPerFile < 0) {
            throw new IllegalArgumentException(
                    "sizes must not be negative: swapPages="
                            + swapPages
                            + (", files=" + files)
                            + (", pagesPerFile=" + pagesPerFile));
        }
        if (swappiness < 0 || swappiness > MAX_SWAPPINESS) {
            throw new IllegalArgumentException(
                    "swappiness must be 0 to 200: swappiness=" + swappiness);
        }
    }

    /** These options with given watermarks. */
    public MemoryOptions withWatermarks(Watermarks watermarks) {
        return new MemoryOptions(watermarks, swapPages, files, pagesPerFile, swappiness, seed);
    }

    /** These options with another swap area. */
    public MemoryOptions withSwapPages(int swapPages) {
        return new MemoryOptions(watermarks, swapPages, files, pagesPerFile, swappiness, seed);
    }

    /** These options with other files. */
    public MemoryOptions withFiles(int files, int pagesPerFile) {
        return new MemoryOptions(watermarks, swapPages, files, pagesPerFile, swappiness, seed);
    }

    /** These options with another swappiness. */
    public MemoryOptions withSwappiness(int swappiness) {
        return new MemoryOptions(watermarks, swapPages, files, pagesPerFile, swappiness, seed);
    }

    /** These options with another seed. */
    public MemoryOptions withSeed(long seed) {
        return new MemoryOptions(watermarks, swapPages, files, pagesPerFile, swappiness, seed);
    }
}
