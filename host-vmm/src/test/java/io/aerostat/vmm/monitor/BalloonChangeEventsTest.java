package io.aerostat.vmm.monitor;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;

/** BALLOON_CHANGE: at most once a second, and the last size is never lost. */
final class BalloonChangeEventsTest {
    private final SteppedTimer timer = new SteppedTimer();
    private final List<Long> sent = new ArrayList<>();
    private OptionalLong actual = OptionalLong.empty();
    private final BalloonChangeEvents events =
            new BalloonChangeEvents(timer, () -> actual, sent::add);

    private void changeTo(long size) {
        actual = OptionalLong.of(size);
        events.changed();
    }

    @Test
    void sendsTheFirstChangeAtOnce() {
        changeTo(5);

        assertEquals(List.of(5L), sent);
    }

    @Test
    void keepsChangesBackForASecondAndThenSendsTheLast() {
        changeTo(5);
        changeTo(4);
        timer.advance(Duration.ofMillis(500));
        changeTo(3);
        timer.advance(Duration.ofMillis(499));
        assertEquals(List.of(5L), sent);

        timer.advance(Duration.ofMillis(1));

        assertEquals(List.of(5L, 3L), sent);
    }

    @Test
    void restsAfterALateOneToo() {
        changeTo(5);
        changeTo(4);
        timer.advance(Duration.ofSeconds(1));
        changeTo(3);
        assertEquals(List.of(5L, 4L), sent);

        timer.advance(Duration.ofSeconds(1));

        assertEquals(List.of(5L, 4L, 3L), sent);
    }

    @Test
    void sendsAtOnceAgainAfterAQuietSecond() {
        changeTo(5);
        timer.advance(Duration.ofSeconds(1));

        changeTo(4);

        assertEquals(List.of(5L, 4L), sent);
    }

    @Test
    void doesNotRepeatASize() {
        changeTo(5);
        changeTo(4);
        changeTo(5);
        timer.advance(Duration.ofSeconds(10));
        changeTo(5);

        assertEquals(List.of(5L), sent);
    }

    @Test
    void isSilentWhileThereIsNoGuest() {
        events.changed();
        timer.advance(Duration.ofSeconds(2));

        assertEquals(List.of(), sent);
    }

    @Test
    @Timeout(60)
    void reachesThoseWhoHaveNegotiated(@TempDir Path folder) throws IOException {
        try (MonitorRig rig = new MonitorRig(folder, SteppedGuest.running("a", 0));
                RawClient silent = new RawClient(rig.socket);
                RawClient listener = rig.client()) {
            silent.line();
            rig.guest.balloon(1);
            rig.advance(Duration.ofMillis(400));
            rig.guest.balloon(2);
            rig.guest.balloon(3);
            rig.advance(Duration.ofMillis(600));

            assertEquals(event(1_700_000_000, 123_456, 255), listener.line());
            assertEquals(event(1_700_000_001, 123_456, 253), listener.line());
            assertEquals("{\"return\":{}}", silent.ask("{'execute':'qmp_capabilities'}"));
        }
    }

    private static String event(long seconds, long microseconds, long mib) {
        return "{\"timestamp\":{\"seconds\":"
                + seconds
                + ",\"microseconds\":"
                + microseconds
                + "},\"event\":\"BALLOON_CHANGE\",\"data\":{\"actual\":"
                + (mib << 20)
                + "}}";
    }
}
