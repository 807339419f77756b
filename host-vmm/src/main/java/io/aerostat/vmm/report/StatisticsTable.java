package io.aerostat.vmm.report;

import io.aerostat.balloon.stats.GuestStatistics;
import io.aerostat.virtio.spec.balloon.StatTag;

import java.util.Locale;
import java.util.Map;

/** What a guest says of its memory, a line a figure. */
public final class StatisticsTable {
    private StatisticsTable() {}

    /** The figures that have a name, in KiB where they are memory. */
    public static String of(GuestStatistics figures) {
        StringBuilder lines = new StringBuilder();
        for (Map.Entry<StatTag, Long> entry : figures.known().entrySet()) {
            boolean bytes = entry.getKey().unit() == StatTag.Unit.BYTES;
            lines.append(
                    String.format(
                            Locale.ROOT,
                            "  %-16s %,14d%s%n",
                            entry.getKey().name().toLowerCase(Locale.ROOT),
                            bytes ? entry.getValue() >> 10 : entry.getValue(),
                            bytes ? " KiB" : ""));
        }
        return lines.toString();
    }
}
