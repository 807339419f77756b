package io.aerostat.guest.task;

/**
 * What a task is at, and what it may be next.
 *
 * <pre>
 *             sleep                 stop                trace
 *      S, D ◀─────── RUNNING ──────────────▶ T ──────────────────▶ t
 *           ───────▶  │  │ ▲ ◀────────────── │                     │
 *             wake    │  │ └─────────────────┼── resume, untrace ──┘
 *                     │  │     resume        ◀──── untrace to stop ─┘
 *               exit  ▼  ▼ exit, parent does not care
 *                     Z ─▶ X
 *                     reap
 * </pre>
 *
 * <p>A sleeper that is stopped, traced or killed is woken first, as in Linux.
 */
public enum TaskState {
    /** Runs, or could. */
    RUNNING('R'),
    /** Sleeps, and a signal wakes it. */
    INTERRUPTIBLE('S'),
    /** Sleeps, and only what it waits for wakes it. */
    UNINTERRUPTIBLE('D'),
    /** Stopped by a signal. */
    STOPPED('T'),
    /** Stopped by its tracer. */
    TRACED('t'),
    /** Has ended; its parent has not asked yet how. */
    ZOMBIE('Z'),
    /** Has ended and is gone. */
    DEAD('X');

    private final char letter;

    TaskState(char letter) {
        this.letter = letter;
    }

    /** The letter that ps shows in its STAT column. */
    public char letter() {
        return letter;
    }

    /** Tells whether a task may go from this state to {@code next} in one move. */
    public boolean canBecome(TaskState next) {
        return switch (this) {
            case RUNNING -> next != RUNNING;
            case INTERRUPTIBLE, UNINTERRUPTIBLE -> next == RUNNING;
            case STOPPED -> next == RUNNING || next == TRACED;
            case TRACED -> next == RUNNING || next == STOPPED;
            case ZOMBIE -> next == DEAD;
            case DEAD -> false;
        };
    }

    /** Tells whether a task in this state is in a wait queue. */
    public boolean isSleeping() {
        return this == INTERRUPTIBLE || this == UNINTERRUPTIBLE;
    }

    /** Tells whether a task in this state has ended. */
    public boolean isExited() {
        return this == ZOMBIE || this == DEAD;
    }
}
