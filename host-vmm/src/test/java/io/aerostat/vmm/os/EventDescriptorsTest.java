package io.aerostat.vmm.os;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.aerostat.memory.os.CLibrary;
import io.aerostat.memory.os.LinuxMemory;
import io.aerostat.memory.os.OsException;

import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.ByteOrder;

final class EventDescriptorsTest {
    private static final int O_NONBLOCK = 0x800;
    private static final int O_CLOEXEC = 0x80000;

    @BeforeAll
    static void needsLinux() {
        assumeTrue(LinuxMemory.isSupported(), "event descriptors exist on Linux alone");
    }

    @Test
    void anEventIsThereOnceHoweverOftenItWasSignalled() {
        try (Descriptor event = EventDescriptors.create()) {
            assertFalse(EventDescriptors.drain(event));

            assertTrue(EventDescriptors.signal(event));
            assertTrue(EventDescriptors.signal(event));

            assertTrue(EventDescriptors.drain(event));
            assertFalse(EventDescriptors.drain(event));
        }
    }

    @Test
    void isNonBlockingAndDoesNotSurviveExecve() throws IOException {
        try (Descriptor event = EventDescriptors.create()) {
            int wanted = O_NONBLOCK | O_CLOEXEC;

            assertEquals(wanted, OpenFiles.flags(event) & wanted);
        }
    }

    @Test
    void aSocketIsGivenEightBytesForOne() {
        try (SocketPair pair = new SocketPair()) {
            assertTrue(EventDescriptors.signal(pair.left));

            assertEquals(Long.BYTES, pair.receive());
            pair.bytes.order(ByteOrder.nativeOrder());
            assertEquals(1, pair.bytes.getLong(0));
        }
    }

    @Test
    void aSocketIsDrainedOfOneSignalAtATime() {
        try (SocketPair pair = new SocketPair()) {
            EventDescriptors.signal(pair.left);
            EventDescriptors.signal(pair.left);

            assertTrue(EventDescriptors.drain(pair.right));
            assertTrue(EventDescriptors.drain(pair.right));
            assertFalse(EventDescriptors.drain(pair.right));
        }
    }

    @Test
    void aSignalToAPeerThatIsGoneIsFalse() {
        try (SocketPair pair = new SocketPair()) {
            pair.right.close();

            assertFalse(EventDescriptors.signal(pair.left));
            assertFalse(EventDescriptors.drain(pair.left));
        }
    }

    @Test
    void aPeerThatResetIsDrainedOfNothing() {
        try (SocketPair pair = new SocketPair()) {
            EventDescriptors.signal(pair.left);
            pair.right.close();

            assertFalse(EventDescriptors.drain(pair.left));
        }
    }

    @Test
    void aSignalToAFullSocketIsFalse() {
        try (SocketPair pair = new SocketPair()) {
            int signals = 0;
            while (signals < 10_000_000 && EventDescriptors.signal(pair.left)) {
                signals++;
            }

            assertTrue(signals > 0 && signals < 10_000_000, "signals=" + signals);
            assertTrue(EventDescriptors.drain(pair.right));
        }
    }

    // One more than 2^64 - 2 would have to wait; the kernel's counter is set by one write.
    @Test
    void aSignalToAFullCounterIsFalse() {
        try (Descriptor event = EventDescriptors.create();
                Arena arena = Arena.ofConfined()) {
            MemorySegment most = arena.allocateFrom(ValueLayout.JAVA_LONG, -2);
            NativeCalls.write(event.number(), most, Long.BYTES);

            assertFalse(EventDescriptors.signal(event));
            assertTrue(EventDescriptors.drain(event));
            assertTrue(EventDescriptors.signal(event));
        }
    }

    @Test
    void aSignalToWhatCannotBeWrittenIsFalse() {
        try (Descriptor process = Descriptor.owning(LinuxMemory.pidfdOpen(1))) {
            assertFalse(EventDescriptors.signal(process));
        }
    }

    @Test
    void drainingWhatCannotBeReadFails() {
        try (Descriptor process = Descriptor.owning(LinuxMemory.pidfdOpen(1))) {
            OsException failure =
                    assertThrows(OsException.class, () -> EventDescriptors.drain(process));

            assertEquals("EINVAL", failure.errnoName());
        }
    }

    @Test
    void aPipeWithoutAReaderIsFalseAndKillsNobody() throws Throwable {
        Descriptor[] pipe = pipe();
        pipe[0].close();

        try (Descriptor writer = pipe[1]) {
            assertFalse(EventDescriptors.signal(writer));
        }
    }

    @Test
    void aBlockingDescriptorIsMadeNonBlocking() throws Throwable {
        Descriptor[] pipe = pipe();
        try (Descriptor reader = pipe[0];
                Descriptor writer = pipe[1]) {
            assertEquals(0, OpenFiles.flags(reader) & O_NONBLOCK);

            EventDescriptors.nonBlocking(reader);

            assertFalse(EventDescriptors.drain(reader));
            assertTrue(EventDescriptors.signal(writer));
            assertTrue(EventDescriptors.drain(reader));
        }
    }

    @Test
    void aClosedDescriptorIsRefused() {
        Descriptor event = EventDescriptors.create();
        event.close();

        assertThrows(IllegalStateException.class, () -> EventDescriptors.signal(event));
        assertThrows(IllegalStateException.class, () -> EventDescriptors.drain(event));
        assertThrows(IllegalStateException.class, () -> EventDescriptors.nonBlocking(event));
    }

    private static Descriptor[] pipe() throws Throwable {
        MethodHandle pipe = CLibrary.function("pipe", ValueLayout.JAVA_INT, ValueLayout.ADDRESS);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment two = arena.allocate(ValueLayout.JAVA_INT, 2);
            assertEquals(0, (int) pipe.invokeExact(CLibrary.state(), two));
            return new Descriptor[] {
                Descriptor.owning(two.getAtIndex(ValueLayout.JAVA_INT, 0)),
                Descriptor.owning(two.getAtIndex(ValueLayout.JAVA_INT, 1))
            };
        }
    }
}
