package io.aerostat.vmm.serve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.aerostat.balloon.BalloonOptions;
import io.aerostat.virtio.spec.Feature;
import io.aerostat.virtio.spec.balloon.BalloonFeature;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.util.List;

/** The balloon's features as users write them. */
final class FeatureNamesTest {
    private static final long DEFAULT = BalloonOptions.DEFAULT.features();

    @Test
    void namesAllFeaturesOfTheBalloonAndNoOthers() {
        assertEquals(
                List.of(
                        "must-tell-host",
                        "stats-vq",
                        "deflate-on-oom",
                        "free-page-hint",
                        "page-poison",
                        "free-page-reporting"),
                FeatureNames.of(BalloonOptions.ALL_FEATURES | Feature.VERSION_1));
        assertEquals(List.of(), FeatureNames.of(Feature.VERSION_1 | Feature.EVENT_IDX));
    }

    @Test
    void aListIsThoseFeaturesAlone() {
        assertEquals(
                BalloonFeature.STATS_VQ | BalloonFeature.DEFLATE_ON_OOM,
                FeatureNames.parse("stats-vq,deflate-on-oom"));
        assertEquals(BalloonOptions.ALL_FEATURES, FeatureNames.parse("all"));
        assertEquals(0, FeatureNames.parse("none"));
        assertEquals(DEFAULT, FeatureNames.parse("default"));
    }

    @Test
    void aSignChangesTheDefault() {
        assertEquals(BalloonOptions.ALL_FEATURES, FeatureNames.parse("+deflate-on-oom"));
        assertEquals(
                (DEFAULT | BalloonFeature.DEFLATE_ON_OOM) & ~BalloonFeature.PAGE_POISON,
                FeatureNames.parse("-page-poison,+deflate-on-oom"));
        assertEquals(
                BalloonOptions.ALL_FEATURES & ~BalloonFeature.STATS_VQ,
                FeatureNames.parse("all,-stats-vq"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "+", "turbo", "stats-vq,", "+all", "STATS-VQ"})
    void whatMeansNothingIsRefusedWithWhatIsAllowed(String list) {
        IllegalArgumentException refused =
                assertThrows(IllegalArgumentException.class, () -> FeatureNames.parse(list));

        assertTrue(refused.getMessage().contains("free-page-reporting"), refused.getMessage());
    }
}
