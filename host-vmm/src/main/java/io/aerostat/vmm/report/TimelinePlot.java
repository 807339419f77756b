package io.aerostat.vmm.report;

import io.aerostat.vmm.report.Timeline.Mark;
import io.aerostat.vmm.report.Timeline.Sample;

import java.io.IOException;
import java.math.BigDecimal;
import java.math.MathContext;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Formatter;
import java.util.List;
import java.util.Locale;
import java.util.function.ToLongFunction;

/**
 * Draws a {@link Timeline} as an SVG picture: the guest's RAM as areas that lie on each other, the
 * balloon pressing from above; swap, target and what the host has in memory as lines.
 *
 * <pre>
 *   total ┌──────────────┐
 *         │░░░ balloon ░░│
 *         │   free       │    - - target
 *         │▒▒▒ cache ▒▒▒▒│    ─── swap
 *         │▓▓ anonymous ▓│    ... resident on the host
 *       0 └──────────────┘
 * </pre>
 *
 * <p>Written by hand: the chart libraries draw through AWT, which wants fonts and native libraries
 * that a server need not have.
 */
public final class TimelinePlot {
    private static final int WIDTH = 960;
    private static final int LEFT = 70;
    private static final int RIGHT = 760;
    private static final int TOP = 50;
    private static final int BOTTOM = 430;
    private static final int LEGEND_X = RIGHT + 20;
    private static final int LINE_HEIGHT = 20;
    private static final int TICKS = 6;
    private static final int SIGNIFICANT_DIGITS = 4;

    /** Numbers of marks that are nearer to each other would cover each other. */
    private static final int MARK_WIDTH = 12;

    private static final double[] NICE_STEPS = {1, 2, 5, 10};

    private static final String ANONYMOUS = "#4c78a8";
    private static final String CACHE = "#72b7b2";
    private static final String FREE = "#e9ecef";
    private static final String BALLOON = "#f2b134";
    private static final String SWAP = "#c0392b";
    private static final String TARGET = "#8a5a00";
    private static final String RESIDENT = "#111111";

    private final Timeline timeline;
    private final String title;
    private final Formatter svg = new Formatter(Locale.ROOT);
    private final double endSeconds;
    private final double topMib;

    private TimelinePlot(Timeline timeline, String title) {
        this.timeline = timeline;
        this.title = title;
        List<Sample> samples = timeline.samples();
        this.endSeconds = samples.isEmpty() ? 1 : Math.max(1e-9, samples.getLast().seconds());
        long highest = timeline.totalBytes();
        for (Sample sample : samples) {
            highest = Math.max(highest, sample.swap());
        }
        this.topMib = mib(highest);
    }

    /**
     * Draws a timeline into a file.
     *
     * @throws FileSystemException if that fails, with the file's name
     */
    public static void write(Timeline timeline, String title, Path file)
            throws FileSystemException {
        try {
            Files.writeString(file, new TimelinePlot(timeline, title).draw());
        } catch (IOException e) {
            throw new FileSystemException(file.toString(), null, e.getMessage());
        }
    }

    private String draw() {
        int height = BOTTOM + 50 + LINE_HEIGHT * timeline.marks().size();
        svg.format(
                "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 %d %d' width='%d' height='%d'"
                        + " font-family='sans-serif' font-size='13'>%n",
                WIDTH, height, WIDTH, height);
        svg.format("<rect width='%d' height='%d' fill='white'/>%n", WIDTH, height);
        text(LEFT, 28, "start", "#111111", title);
        areas();
        lines();
        axes();
        marks();
        legend();
        svg.format("</svg>%n");
        return svg.toString();
    }

    private void areas() {
        ToLongFunction<Sample> ground = sample -> 0;
        ToLongFunction<Sample> processes = Sample::anonymous;
        ToLongFunction<Sample> withCache = s -> s.anonymous() + s.cache();
        ToLongFunction<Sample> withFree = s -> s.anonymous() + s.cache() + s.free();
        area(ground, processes, ANONYMOUS);
        area(processes, withCache, CACHE);
        area(withCache, withFree, FREE);
        area(s -> timeline.totalBytes() - s.balloon(), s -> timeline.totalBytes(), BALLOON);
    }

    private void area(ToLongFunction<Sample> lower, ToLongFunction<Sample> upper, String colour) {
        StringBuilder points = new StringBuilder();
        for (Sample sample : timeline.samples()) {
            point(points, sample, upper);
        }
        for (Sample sample : timeline.samples().reversed()) {
            point(points, sample, lower);
        }
        svg.format("<polygon fill='%s' points='%s'/>%n", colour, points);
    }

    private void lines() {
        curve(s -> timeline.totalBytes() - s.target(), TARGET, "stroke-dasharray='7 4'");
        curve(Sample::swap, SWAP, "");
        curve(Sample::resident, RESIDENT, "stroke-dasharray='2 3'");
    }

    private void curve(ToLongFunction<Sample> value, String colour, String style) {
        StringBuilder points = new StringBuilder();
        for (Sample sample : timeline.samples()) {
            point(points, sample, value);
        }
        svg.format(
                "<polyline fill='none' stroke='%s' stroke-width='2' %s points='%s'/>%n",
                colour, style, points);
    }

    private void point(StringBuilder points, Sample sample, ToLongFunction<Sample> value) {
        points.append(
                String.format(
                        Locale.ROOT,
                        "%.1f,%.1f ",
                        x(sample.seconds()),
                        y(mib(value.applyAsLong(sample)))));
    }

    private void axes() {
        svg.format(
                "<path d='M%d %d V%d H%d' fill='none' stroke='#444444'/>%n",
                LEFT, TOP, BOTTOM, RIGHT);
        double step = niceStep(topMib);
        for (double value = 0; value <= topMib + step / 1e6; value += step) {
            svg.format("<path d='M%d %.1f h-5' stroke='#444444'/>%n", LEFT, y(value));
            text(LEFT - 9, y(value) + 4, "end", "#444444", number(value));
        }
        text(LEFT - 9, TOP - 10, "end", "#444444", "MiB");
        double seconds = niceStep(endSeconds);
        for (double value = 0; value <= endSeconds + seconds / 1e6; value += seconds) {
            svg.format("<path d='M%.1f %d v5' stroke='#444444'/>%n", x(value), BOTTOM);
            text(x(value), BOTTOM + 20, "middle", "#444444", number(value));
        }
        text(RIGHT + 12, BOTTOM + 20, "start", "#444444", "s");
    }

    private void marks() {
        int index = 0;
        double taken = 0;
        for (Mark mark : timeline.marks()) {
            index++;
            double labelX = Math.max(x(mark.seconds()), taken);
            taken = labelX + MARK_WIDTH;
            svg.format(
                    "<path d='M%.1f %d V%d' stroke='#444444' stroke-dasharray='1 3'/>%n",
                    x(mark.seconds()), TOP, BOTTOM);
            text(labelX, TOP - 6, "middle", "#444444", String.valueOf(index));
            String entry =
                    String.format(
                            Locale.ROOT, "%d   %.1f s   %s", index, mark.seconds(), mark.text());
            text(LEFT, BOTTOM + 30 + LINE_HEIGHT * (double) index, "start", "#444444", entry);
        }
    }

    private void legend() {
        int row = 0;
        for (String[] entry :
                new String[][] {
                    {BALLOON, "balloon"},
                    {FREE, "guest: free"},
                    {CACHE, "guest: page cache"},
                    {ANONYMOUS, "guest: processes"}
                }) {
            double y = TOP + 10 + LINE_HEIGHT * (double) row++;
            svg.format(
                    "<rect x='%d' y='%.1f' width='22' height='12' fill='%s' stroke='#999999'/>%n",
                    LEGEND_X, y, entry[0]);
            text(LEGEND_X + 30, y + 11, "start", "#111111", entry[1]);
        }
        row++;
        for (String[] entry :
                new String[][] {
                    {TARGET, "stroke-dasharray='7 4'", "size asked for"},
                    {SWAP, "", "guest: swap used"},
                    {RESIDENT, "stroke-dasharray='2 3'", "resident on the host"}
                }) {
            double y = TOP + 16 + LINE_HEIGHT * (double) row++;
            svg.format(
                    "<path d='M%d %.1f h22' stroke='%s' stroke-width='2' %s/>%n",
                    LEGEND_X, y, entry[0], entry[1]);
            text(LEGEND_X + 30, y + 5, "start", "#111111", entry[2]);
        }
    }

    private static double niceStep(double range) {
        double raw = range / TICKS;
        double magnitude = Math.pow(10, Math.floor(Math.log10(raw)));
        for (double nice : NICE_STEPS) {
            if (nice * magnitude >= raw) {
                return nice * magnitude;
            }
        }
        return raw;
    }

    private static String number(double value) {
        return new BigDecimal(value)
                .round(new MathContext(SIGNIFICANT_DIGITS))
                .stripTrailingZeros()
                .toPlainString();
    }

    private double x(double seconds) {
        return LEFT + (RIGHT - LEFT) * seconds / endSeconds;
    }

    private double y(double mib) {
        return BOTTOM - (BOTTOM - TOP) * mib / topMib;
    }

    private static double mib(long bytes) {
        return bytes / (double) (1 << 20);
    }

    private void text(double x, double y, String anchor, String colour, String content) {
        svg.format(
                "<text x='%.1f' y='%.1f' text-anchor='%s' fill='%s'"
                        + " xml:space='preserve'>%s</text>%n",
                x, y, anchor, colour, escaped(content));
    }

    private static String escaped(String content) {
        return content.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;");
    }
}
