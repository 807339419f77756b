package io.aerostat.memory.backend;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.aerostat.memory.os.LinuxMemory;

import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

final class MemfdBackendTest {
    private static final int PAGES = 64;

    @BeforeAll
    static void needsLinux() {
        assumeTrue(LinuxMemory.isSupported(), "files in memory exist on Linux alone");
    }

    @Test
    void pagesThatAnotherMappingTouchedAreResidentHereToo() throws IOException {
        try (MemfdBackend backend = map();
                TestRam ram = new TestRam(backend)) {
            ByteBuffer other = otherMappingOf(backend);

            other.put(5 * ram.unitBytes, (byte) 1);

            assertEquals(ram.unitBytes, backend.residentBytes());
            assertTrue(ram.isResident(5));
        }
    }

    @Test
    void discardedPagesAreGoneForAnotherMappingToo() throws IOException {
        try (MemfdBackend backend = map();
                TestRam ram = new TestRam(backend)) {
            ByteBuffer other = otherMappingOf(backend);
            other.put(5 * ram.unitBytes, (byte) 1);

            ram.reclaimer.discard(ram.ranges(5, 1));

            assertEquals(0, backend.residentBytes());
            assertEquals(0, other.get(5 * ram.unitBytes));
        }
    }

    @Test
    void eachRangeTakesACall() {
        try (TestRam ram = new TestRam(map())) {
            ram.reclaimer.discard(ram.everySecondPage(20));

            assertEquals(20, ram.reclaimer.discardCalls());
        }
    }

    // A process's descriptor takes the place of the file's: no holes can be punched into that.
    @Test
    void countsFailedCallsAndAcceptsNothing() throws Throwable {
        try (LogLines lines = new LogLines(MemoryBackend.class);
                MemfdBackend backend = map();
                TestRam ram = new TestRam(backend)) {
            ram.touch(0, PAGES);
            int process = LinuxMemory.pidfdOpen(ProcessHandle.current().pid());
            TestLibc.dup2(process, backend.fileDescriptor());
            LinuxMemory.close(process);

            long accepted = ram.reclaimer.discard(ram.ranges(0, 2, 8, 8));

            assertEquals(0, accepted);
            assertEquals(2, backend.failedCalls());
            assertEquals(2, ram.reclaimer.discardCalls());
            assertTrue(ram.holdsItsValue(0));
            assertEquals(1, lines.count());
        }
    }

    private static MemfdBackend map() {
        return MemfdBackend.map((long) PAGES * LinuxMemory.pageBytes(), TestRam.GPA);
    }

    private static ByteBuffer otherMappingOf(MemfdBackend backend) throws IOException {
        Path path = Path.of("/proc/self/fd/" + backend.fileDescriptor());
        try (FileChannel file =
                FileChannel.open(path, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            return file.map(FileChannel.MapMode.READ_WRITE, 0, file.size());
        }
    }
}
