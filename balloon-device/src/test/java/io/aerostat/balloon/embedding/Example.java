package io.aerostat.balloon.embedding;

import io.aerostat.balloon.BalloonDevice;
import io.aerostat.balloon.embedding.guest.BalloonProgram;
import io.aerostat.balloon.embedding.guest.GuestMap;
import io.aerostat.balloon.embedding.machine.InterruptController;

/** One of the example hosts, with its balloon and its guest, as a test wants to see it. */
public interface Example {
    /** Bytes of RAM. */
    int RAM_BYTES = 16 << 20;

    /** The balloon's interrupt. */
    int SOURCE = 7;

    /** The host's side of the balloon. */
    BalloonDevice balloon();

    /** The guest. */
    BalloonProgram guest();

    /** What the guest learned from its device tree. */
    GuestMap map();

    /** The guest's way to RAM and registers. */
    TappedBus bus();

    /** What the balloon's line drives. */
    InterruptController interrupts();

    /** Resets the processor and runs until the guest has nothing to do. */
    default void boot() {
        guest().boot();
        settle();
    }

    /** Runs until the guest has nothing to do. */
    void settle();

    /** Runs a little: a few turns of the processor, a frame, a slice of time. */
    void runALittle();

    /** Lets the balloon have what the host would give it anyway: its thread, or its time. */
    void attendToBalloon();

    /** Sets a target and runs until the guest has done what it can. */
    default void inflateTo(long pages) {
        balloon().target(pages);
        settle();
    }

    /**
     * Another machine of the same kind that goes on where this one is: RAM as the host copies it, a
     * balloon that was saved and restored.
     */
    Example successor();
}
