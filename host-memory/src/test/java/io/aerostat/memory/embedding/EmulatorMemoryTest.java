package io.aerostat.memory.embedding;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.aerostat.balloon.embedding.Example;
import io.aerostat.balloon.embedding.FlatExample;
import io.aerostat.balloon.embedding.flat.FlatMachine;
import io.aerostat.balloon.embedding.guest.Habits;
import io.aerostat.balloon.embedding.machine.LatchingController;
import io.aerostat.balloon.range.PageReclaimer;
import io.aerostat.memory.backend.AnonymousBackend;
import io.aerostat.memory.backend.MemoryBackend;
import io.aerostat.memory.backend.UnloadBackend;
import io.aerostat.memory.own.AdviceReclaimer;
import io.aerostat.virtio.memory.GuestMemory;

import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import java.nio.ByteBuffer;
import java.util.function.Function;

/**
 * An emulator with flat RAM, as docs/embedding.md has it: what its guest gives, the kernel has
 * back.
 */
final class EmulatorMemoryTest {
    private static final int PAGE = 4096;
    private static final int PAGES = 2000;

    /** Whose RAM it is, and how it goes back. */
    enum Ram {
        ANONYMOUS_AND_ITS_OWN_RECLAIMER,
        ANONYMOUS_AND_ADVICE,
        UNLOAD
    }

    @AutoClose private MemoryBackend backend;

    private FlatExample emulator(Ram ram) {
        backend =
                ram == Ram.UNLOAD
                        ? UnloadBackend.map(Example.RAM_BYTES, FlatMachine.RAM_BASE)
                        : AnonymousBackend.map(Example.RAM_BYTES, FlatMachine.RAM_BASE);
        Function<GuestMemory, PageReclaimer> reclaimer =
                ram == Ram.ANONYMOUS_AND_ADVICE
                        ? AdviceReclaimer::of
                        : memory -> backend.reclaimer();
        ByteBuffer bytes = backend.buffers().get(0);
        for (int page = 0; page < bytes.capacity(); page += PAGE) {
            bytes.put(page, (byte) 1);
        }
        FlatExample emulator =
                new FlatExample(bytes, Habits.LINUX, new LatchingController(), reclaimer);
        emulator.boot();
        return emulator;
    }

    @ParameterizedTest
    @EnumSource
    void whatTheGuestGivesTheKernelHasBack(Ram ram) {
        FlatExample emulator = emulator(ram);
        long before = backend.residentBytes();

        emulator.inflateTo(PAGES);

        assertEquals(PAGES, emulator.balloon().ledgerPages());
        assertEquals((long) PAGES * PAGE, before - backend.residentBytes());
    }

    @ParameterizedTest
    @EnumSource
    void theGuestGetsItsPagesAgain(Ram ram) {
        FlatExample emulator = emulator(ram);
        emulator.inflateTo(PAGES);
        long low = backend.residentBytes();

        emulator.inflateTo(0);
        ByteBuffer bytes = backend.buffers().get(0);
        int zeros = 0;
        for (int page = 0; page < bytes.capacity(); page += PAGE) {
            zeros += bytes.get(page) == 0 ? 1 : 0;
            bytes.put(page, (byte) 2);
        }

        assertTrue(zeros >= PAGES, "zeros=" + zeros);
        assertEquals(low + (long) PAGES * PAGE, backend.residentBytes());
    }
}
