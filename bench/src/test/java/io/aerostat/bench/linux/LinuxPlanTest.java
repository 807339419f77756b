package io.aerostat.bench.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.aerostat.bench.linux.LinuxPlan.Workload;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.util.List;

final class LinuxPlanTest {
    @Test
    void measuresASmallGuestAndALargeOne() {
        for (LinuxPlan plan :
                List.of(LinuxPlan.parse(List.of()), LinuxPlan.parse(List.of("--quick")))) {
            List<Long> sizes = plan.guests().stream().map(Workload::guestBytes).toList();
            assertEquals(List.of(134_217_728L, 1_073_741_824L), sizes);
        }
    }

    @Test
    void aQuickLookIsShorterAndStillHasWarmUps() {
        LinuxPlan full = LinuxPlan.parse(List.of());
        LinuxPlan quick = LinuxPlan.parse(List.of("--quick"));

        assertTrue(quick.singleRequests() < full.singleRequests());
        for (int i = 0; i < full.guests().size(); i++) {
            assertTrue(quick.guests().get(i).rounds() < full.guests().get(i).rounds());
            assertTrue(quick.guests().get(i).warmUps() > 0);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"--quik", "InflateBenchmark", "-p", ""})
    void refusesAllElseByName(String argument) {
        IllegalArgumentException refusal =
                assertThrows(
                        IllegalArgumentException.class,
                        () -> LinuxPlan.parse(List.of("--quick", argument)));

        assertEquals("--linux goes with --quick alone: argument=" + argument, refusal.getMessage());
    }
}
