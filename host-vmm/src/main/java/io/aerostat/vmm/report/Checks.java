package io.aerostat.vmm.report;

import java.io.PrintWriter;

/** A story's checks: each is told when it is made, and all of them decide the exit code. */
public final class Checks {
    private final PrintWriter out;
    private boolean allHeld = true;

    /** Checks that are told to {@code out}, none of which has failed. */
    public Checks(PrintWriter out) {
        this.out = out;
    }

    /** Tells whether a statement holds. */
    public void that(String statement, boolean holds) {
        out.println((holds ? "  ok     " : "  FAILED ") + statement);
        allHeld &= holds;
    }

    /** Tells whether two figures are equal, with the one that was found. */
    public void equal(String statement, long found, long expected) {
        boolean holds = found == expected;
        that(statement + " (" + found + (holds ? ")" : ", expected " + expected + ")"), holds);
    }

    /** Tells whether two figures are no further apart than {@code tolerance}. */
    public void near(String statement, long found, long expected, long tolerance) {
        boolean holds = Math.abs(found - expected) <= tolerance;
        that(statement + " (" + found + ", " + expected + ")", holds);
    }

    /** Tells whether every check so far held. */
    public boolean allHeld() {
        return allHeld;
    }
}
