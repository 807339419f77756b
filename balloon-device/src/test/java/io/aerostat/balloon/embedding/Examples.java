package io.aerostat.balloon.embedding;

import io.aerostat.balloon.embedding.guest.Habits;
import io.aerostat.balloon.embedding.machine.InterruptController;
import io.aerostat.balloon.embedding.machine.LatchingController;
import io.aerostat.balloon.embedding.machine.LevelController;

/** The example hosts, each with either kind of interrupt controller. */
public enum Examples {
    FLAT,
    FLAT_LATCHING,
    PAGED,
    PAGED_LATCHING,
    STEPPED,
    STEPPED_LATCHING;

    /** A new machine whose guest has the habits of Linux, not started. */
    public Example make() {
        return make(Habits.LINUX);
    }

    /** A new machine, not started. */
    public Example make(Habits habits) {
        return switch (this) {
            case FLAT -> new FlatExample(habits, new LevelController());
            case FLAT_LATCHING -> new FlatExample(habits, new LatchingController());
            case PAGED -> new PagedExample(habits, new LevelController());
            case PAGED_LATCHING -> new PagedExample(habits, new LatchingController());
            case STEPPED -> new SteppedExample(habits, new LevelController());
            case STEPPED_LATCHING -> new SteppedExample(habits, new LatchingController());
        };
    }

    /** A new interrupt controller of the same kind. */
    static InterruptController another(InterruptController like) {
        return like instanceof LatchingController
                ? new LatchingController()
                : new LevelController();
    }
}
