package io.aerostat.vmm.monitor.message;

import com.fasterxml.jackson.databind.node.ObjectNode;

import io.aerostat.balloon.stats.GuestStatistics;
import io.aerostat.virtio.spec.balloon.StatTag;

import java.math.BigInteger;
import java.util.Optional;
import java.util.OptionalLong;

/** A guest's statistics by QEMU's names. Values are 64 bits without sign. */
public final class StatisticsJson {
    /** What QEMU gives for a figure that the guest did not supply: all bits set. */
    private static final long ABSENT = -1;

    private StatisticsJson() {}

    /** QEMU's name of a statistic. */
    public static String nameOf(StatTag tag) {
        return switch (tag) {
            case SWAP_IN -> "stat-swap-in";
            case SWAP_OUT -> "stat-swap-out";
            case MAJFLT -> "stat-major-faults";
            case MINFLT -> "stat-minor-faults";
            case MEMFREE -> "stat-free-memory";
            case MEMTOT -> "stat-total-memory";
            case AVAIL -> "stat-available-memory";
            case CACHES -> "stat-disk-caches";
            case HTLB_PGALLOC -> "stat-htlb-pgalloc";
            case HTLB_PGFAIL -> "stat-htlb-pgfail";
            case OOM_KILL -> "stat-oom-kills";
            case ALLOC_STALL -> "stat-alloc-stalls";
            case ASYNC_SCAN -> "stat-async-scans";
            case DIRECT_SCAN -> "stat-direct-scans";
            case ASYNC_RECLAIM -> "stat-async-reclaims";
            case DIRECT_RECLAIM -> "stat-direct-reclaims";
        };
    }

    /** Every figure that has a name; those that are absent as QEMU gives them. */
    public static ObjectNode all(Optional<GuestStatistics> statistics) {
        ObjectNode json = QmpJson.object();
        for (StatTag tag : StatTag.values()) {
            OptionalLong value =
                    statistics.map(figures -> figures.value(tag)).orElse(OptionalLong.empty());
            put(json, nameOf(tag), value.orElse(ABSENT));
        }
        return json;
    }

    /** The figures that are there; one without a name as "stat-" and its tag. */
    public static ObjectNode present(GuestStatistics statistics) {
        ObjectNode json = QmpJson.object();
        statistics.known().forEach((tag, value) -> put(json, nameOf(tag), value));
        statistics.unknown().forEach((tag, value) -> put(json, "stat-" + tag, value));
        return json;
    }

    private static void put(ObjectNode json, String name, long value) {
        if (value >= 0) {
            json.put(name, value);
        } else {
            json.put(name, new BigInteger(Long.toUnsignedString(value)));
        }
    }
}
