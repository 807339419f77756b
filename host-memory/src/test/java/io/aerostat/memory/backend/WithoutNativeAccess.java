package io.aerostat.memory.backend;

import io.aerostat.memory.own.AdviceReclaimer;
import io.aerostat.virtio.memory.GuestMemory;
import io.aerostat.virtio.memory.RamRegion;

/** A program that gives guest RAM back in a JVM that refuses native calls. */
final class WithoutNativeAccess {
    static final String DONE = "given back without native calls";

    private static final int PAGES = 64;

    private WithoutNativeAccess() {}

    /** Prints {@link #DONE} as its last line if all went well. */
    public static void main(String[] arguments) {
        requireRefusal(() -> AnonymousBackend.map(1 << 20, 0));
        requireRefusal(
                () -> AdviceReclaimer.of(GuestMemory.of(RamRegion.ofArray(0, new byte[4096]))));

        try (TestRam ram = new TestRam(UnloadBackend.map(16L << 20, TestRam.GPA))) {
            long unit = ram.unitBytes;
            ram.touch(0, PAGES);
            require("resident", PAGES * unit, ram.backend.residentBytes());

            long accepted = ram.reclaimer.discard(ram.ranges(1, 1, 8, 30));

            require("accepted", 31 * unit, accepted);
            require("resident", (PAGES - 31) * unit, ram.backend.residentBytes());
            require("failed", 0, ram.backend.failedCalls());
            require("zero", 1, ram.isZero(1) && ram.isZero(8) && ram.isZero(37) ? 1 : 0);
            require("kept", 1, ram.holdsItsValue(0) && ram.holdsItsValue(38) ? 1 : 0);
        }
        System.out.println(DONE);
    }

    private static void requireRefusal(Runnable nativeCall) {
        try {
            nativeCall.run();
        } catch (UnsupportedOperationException refused) {
            String message = String.valueOf(refused.getMessage());
            require("way out", 1, message.contains("--enable-native-access") ? 1 : 0);
            return;
        }
        throw new AssertionError("this JVM does not refuse native calls");
    }

    private static void require(String what, long expected, long actual) {
        if (expected != actual) {
            throw new AssertionError(what + ": expected=" + expected + ", actual=" + actual);
        }
    }
}
