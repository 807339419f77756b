package io.aerostat.vmm.vm;

import io.aerostat.memory.os.LinuxMemory;

import java.util.Locale;

/** What guest RAM is made of. */
public enum Backing {
    /** Private anonymous memory. */
    ANONYMOUS,
    /** A shared memory file, which another process could map. */
    MEMFD,
    /** The JVM's memory: nothing is given back to the host. */
    SIMULATED;

    /** The best there is on this platform. */
    public static Backing preferred() {
        return LinuxMemory.isSupported() ? ANONYMOUS : SIMULATED;
    }

    /** Tells whether this platform has it. */
    public boolean isSupported() {
        return this == SIMULATED || LinuxMemory.isSupported();
    }

    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
