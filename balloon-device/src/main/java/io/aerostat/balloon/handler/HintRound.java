package io.aerostat.balloon.handler;

/** How far the free page hinting that the host asked for has come. */
public enum HintRound {
    /** The host has asked for none. */
    NONE,
    /** The host has asked; the driver has not begun. */
    ASKED,
    /** The driver sends hints. */
    RUNNING,
    /** The driver has no more: it has said STOP. */
    COMPLETE,
    /** The host has told the driver to stop; what was hinted holds. */
    STOPPED
}
