package io.aerostat.vmm.cli;

import java.io.PrintWriter;

/** The demo's checks: each is told when it is made, and all of them decide the exit code. */
final class DemoChecks {
    private final PrintWriter out;
    private boolean allHeld = true;

    DemoChecks(PrintWriter out) {
        this.out = out;
    }

    void that(String statement, boolean holds) {
        out.println((holds ? "  ok     " : "  FAILED ") + statement);
        allHeld &= holds;
    }

    void equal(String statement, long found, long expected) {
        boolean holds = found == expected;
        that(statement + " (" + found + (holds ? ")" : ", expected " + expected + ")"), holds);
    }

    boolean allHeld() {
        return allHeld;
    }
}
