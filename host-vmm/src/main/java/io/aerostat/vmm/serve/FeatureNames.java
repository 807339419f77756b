package io.aerostat.vmm.serve;

import io.aerostat.balloon.BalloonOptions;
import io.aerostat.virtio.spec.balloon.BalloonFeature;
import io.aerostat.vmm.monitor.GuestReport;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The balloon's features by the names that users give them. */
public final class FeatureNames {
    private static final Map<String, Long> FEATURES = new LinkedHashMap<>();

    static {
        FEATURES.put("must-tell-host", BalloonFeature.MUST_TELL_HOST);
        FEATURES.put("stats-vq", BalloonFeature.STATS_VQ);
        FEATURES.put(GuestReport.DEFLATE_ON_OOM, BalloonFeature.DEFLATE_ON_OOM);
        FEATURES.put("free-page-hint", BalloonFeature.FREE_PAGE_HINT);
        FEATURES.put("page-poison", BalloonFeature.PAGE_POISON);
        FEATURES.put(GuestReport.FREE_PAGE_REPORTING, BalloonFeature.PAGE_REPORTING);
    }

    private FeatureNames() {}

    /** The names of the balloon's features in a mask, in their order; of no others. */
    public static List<String> of(long features) {
        List<String> names = new ArrayList<>();
        FEATURES.forEach(
                (name, mask) -> {
                    if ((features & mask) != 0) {
                        names.add(name);
                    }
                });
        return names;
    }

    /**
     * The mask that a list means.
     *
     * @param list names with commas between them: those and no others; or each with a sign, which
     *     puts it to the default or takes it away; or "all", "none", "default"
     * @throws IllegalArgumentException if it means nothing, with what is allowed
     */
    public static long parse(String list) {
        long features = startOf(list);
        for (String item : list.split(",", -1)) {
            boolean signed = item.startsWith("+") || item.startsWith("-");
            String name = signed ? item.substring(1) : item;
            switch (item) {
                case "all" -> features = BalloonOptions.ALL_FEATURES;
                case "none" -> features = 0;
                case "default" -> features = BalloonOptions.DEFAULT.features();
                default -> {
                    Long mask = FEATURES.get(name);
                    if (mask == null) {
                        throw new IllegalArgumentException(
                                "'"
                                        + item
                                        + "' is none of "
                                        + String.join(", ", FEATURES.keySet())
                                        + "; each with + or - before it changes the default");
                    }
                    features = item.startsWith("-") ? features & ~mask : features | mask;
                }
            }
        }
        return features;
    }

    private static long startOf(String list) {
        boolean changesTheDefault = list.startsWith("+") || list.startsWith("-");
        return changesTheDefault ? BalloonOptions.DEFAULT.features() : 0;
    }
}
