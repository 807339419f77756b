package io.aerostat.balloon.embedding.machine;

/** Runs a program, and interrupts it. */
public final class Processor {
    private final InterruptController interrupts;
    private final Program program;

    /** A processor that has not been reset. */
    public Processor(InterruptController interrupts, Program program) {
        this.interrupts = interrupts;
        this.program = program;
    }

    /** Starts the program. */
    public void reset() {
        program.boot();
    }

    /**
     * Handles one interrupt, or lets the program go on a little.
     *
     * @return false if it waits for an interrupt
     */
    public boolean turn() {
        int source = interrupts.claim();
        if (source == InterruptController.NONE) {
            return program.step();
        }
        program.interrupt(source);
        interrupts.complete(source);
        return true;
    }
}
