package io.aerostat.vmm.vm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.util.Optional;

final class SizesTest {
    @Test
    void whatTheGuestLosesTheBalloonHas() {
        GuestSize maximum = new GuestSize(1L << 30);

        assertEquals(new BalloonSize(65536), new GuestSize(768L << 20).balloonWithin(maximum));
        assertEquals(new GuestSize(768L << 20), new BalloonSize(65536).guestWithin(maximum));
    }

    @Test
    void roundsAGuestUpToPages() {
        assertEquals(new GuestSize(8192), GuestSize.roundedUp(4097));
        assertEquals(new GuestSize(4096), GuestSize.roundedUp(4096));
    }

    @ParameterizedTest
    @ValueSource(longs = {0, -4096, 1, 4095, 4097})
    void refusesAGuestOfPartialPages(long bytes) {
        assertThrows(IllegalArgumentException.class, () -> new GuestSize(bytes));
    }

    @Test
    void refusesANegativeBalloon() {
        assertThrows(IllegalArgumentException.class, () -> new BalloonSize(-1));
    }

    @Test
    void refusesAFloorAboveTheMaximum() {
        GuestSize maximum = new GuestSize(4096);
        GuestSize floor = new GuestSize(8192);

        assertThrows(
                IllegalArgumentException.class,
                () ->
                        new VmOptions(
                                "test",
                                maximum,
                                floor,
                                RamOptions.of(Backing.SIMULATED),
                                Optional.empty()));
    }
}
