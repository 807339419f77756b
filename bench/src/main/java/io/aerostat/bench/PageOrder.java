package io.aerostat.bench;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Objects;
import java.util.SplittableRandom;

/** In what order a guest names its pages. */
public enum PageOrder {
    /** One run, ascending. */
    CONTIGUOUS,
    /** Aligned runs of 16, anywhere. */
    RUNS_OF_16,
    /** Single pages, anywhere. */
    SCATTERED,
    /** As a real Linux 6.1 guest did. */
    LINUX;

    private static final int RUN = 16;
    private static final String RECORDED = "linux-6.1-inflate-runs.txt";

    /** Draws {@code count} different page numbers from [first, end). */
    int[] pages(int count, int first, int end) {
        return switch (this) {
            case CONTIGUOUS -> runs(count, first, count, new int[] {0});
            case RUNS_OF_16 -> runs(count, first, RUN, shuffled((end - first) / RUN));
            case SCATTERED -> runs(count, first, 1, shuffled(end - first));
            case LINUX -> recorded(count, first, end);
        };
    }

    private static int[] runs(int count, int first, int run, int[] places) {
        int[] pages = new int[count];
        for (int i = 0; i < count; i++) {
            pages[i] = first + places[i / run] * run + i % run;
        }
        return pages;
    }

    private static int[] shuffled(int count) {
        SplittableRandom random = new SplittableRandom(1);
        int[] places = new int[count];
        for (int i = 0; i < count; i++) {
            int j = random.nextInt(i + 1);
            places[i] = places[j];
            places[j] = i;
        }
        return places;
    }

    private static int[] recorded(int count, int first, int end) {
        int[] pages = new int[count];
        int filled = 0;
        try (BufferedReader lines =
                new BufferedReader(
                        new InputStreamReader(
                                Objects.requireNonNull(
                                        PageOrder.class.getResourceAsStream(RECORDED)),
                                StandardCharsets.UTF_8))) {
            for (String line = lines.readLine();
                    line != null && filled < count;
                    line = lines.readLine()) {
                if (line.startsWith("#")) {
                    continue;
                }
                int blank = line.indexOf(' ');
                int page = Integer.parseInt(line.substring(0, blank));
                int run = Integer.parseInt(line.substring(blank + 1));
                for (int i = 0; i < run && filled < count; i++) {
                    pages[filled++] = page - i;
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        for (int page : pages) {
            if (page < first || page >= end) {
                throw new IllegalStateException(
                        "recorded page is outside the benchmark's RAM: page=" + page);
            }
        }
        return pages;
    }
}
