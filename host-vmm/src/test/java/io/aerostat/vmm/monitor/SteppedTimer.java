package io.aerostat.vmm.monitor;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/** Time that a test steps. One thread at a time; actions run where the step is made. */
final class SteppedTimer implements EventTimer {
    static final Instant START = Instant.ofEpochSecond(1_700_000_000, 123_456_789);

    private record Due(Instant at, Runnable action) {}

    private final List<Due> waiting = new ArrayList<>();
    private Instant now = START;

    @Override
    public Instant now() {
        return now;
    }

    @Override
    public void after(Duration delay, Runnable action) {
        waiting.add(new Due(now.plus(delay), action));
    }

    /** Lets time pass. */
    void advance(Duration time) {
        Instant end = now.plus(time);
        while (true) {
            Due next =
                    waiting.stream()
                            .filter(due -> !due.at.isAfter(end))
                            .min(Comparator.comparing(Due::at))
                            .orElse(null);
            if (next == null) {
                now = end;
                return;
            }
            waiting.remove(next);
            now = next.at;
            next.action.run();
        }
    }
}
