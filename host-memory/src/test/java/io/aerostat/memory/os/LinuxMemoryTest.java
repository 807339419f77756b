package io.aerostat.memory.os;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

final class LinuxMemoryTest {
    private static final int READ_WRITE = LinuxMemory.PROT_READ | LinuxMemory.PROT_WRITE;

    @ParameterizedTest
    @CsvSource({
        "Linux, amd64, 8, true",
        "Linux, aarch64, 8, true",
        "Linux, riscv64, 8, false",
        "Linux, amd64, 4, false",
        "Mac OS X, aarch64, 8, false",
        "Windows 11, amd64, 8, false"
    })
    void knowsWhereItsCallsWork(String os, String architecture, long pointer, boolean works) {
        assertEquals(works, LinuxMemory.isSupported(os, architecture, pointer));
    }

    @Nested
    final class OnLinux {
        @BeforeEach
        void needsLinux() {
            assumeTrue(LinuxMemory.isSupported(), "Linux's calls exist on Linux alone");
        }

        @Test
        void aPageIsAPowerOfTwoFrom4096Up() {
            int pageBytes = LinuxMemory.pageBytes();

            assertTrue(pageBytes >= 4096);
            assertEquals(1, Integer.bitCount(pageBytes));
        }

        @Test
        void aFailureNamesTheCallItsArgumentsAndTheError() {
            OsException failure =
                    assertThrows(
                            OsException.class,
                            () -> LinuxMemory.madvise(1, 4096, LinuxMemory.MADV_DONTNEED));

            assertEquals("madvise", failure.call());
            assertEquals(22, failure.errno());
            assertEquals("EINVAL", failure.errnoName());
            assertEquals(
                    "madvise failed with EINVAL (errno 22): address=0x1, length=4096, advice=4",
                    failure.getMessage());
        }

        @Test
        void everyCallReportsItsFailure() {
            assertAllFail(
                    "EINVAL",
                    () -> LinuxMemory.mmap(0, READ_WRITE, LinuxMemory.MAP_ANONYMOUS, -1, 0),
                    () -> LinuxMemory.munmap(1, 4096),
                    () -> LinuxMemory.memfdCreate("test", -1),
                    () -> LinuxMemory.pidfdOpen(-1),
                    () -> LinuxMemory.mincore(1, 4096, MemorySegment.NULL));
            assertAllFail(
                    "EBADF",
                    () -> LinuxMemory.mmap(4096, READ_WRITE, LinuxMemory.MAP_SHARED, -1, 0),
                    () -> LinuxMemory.fallocate(-1, 0, 0, 4096),
                    () -> LinuxMemory.ftruncate(-1, 0),
                    () -> LinuxMemory.allocatedBytes(-1),
                    () -> LinuxMemory.duplicate(-1),
                    () -> FileStatus.pageBytesOf(-1),
                    () -> LinuxMemory.close(-1),
                    () -> LinuxMemory.processMadvise(-1, new IoVectors(1), 4));
        }

        @Test
        void aNumberWithoutANameIsStillTold() {
            OsException rare = new OsException("call", "argument=1", 4000);

            assertEquals(
                    "call failed with unknown error (errno 4000): argument=1", rare.getMessage());
        }

        @Test
        void aFileInMemoryOccupiesWhatWasAllocated() {
            int fd = LinuxMemory.memfdCreate("test", LinuxMemory.MFD_CLOEXEC);
            try {
                int page = LinuxMemory.pageBytes();
                LinuxMemory.ftruncate(fd, 16L * page);
                assertEquals(0, LinuxMemory.allocatedBytes(fd));

                LinuxMemory.fallocate(fd, 0, 2L * page, 3L * page);
                assertEquals(3L * page, LinuxMemory.allocatedBytes(fd));

                int punch = LinuxMemory.FALLOC_FL_PUNCH_HOLE | LinuxMemory.FALLOC_FL_KEEP_SIZE;
                LinuxMemory.fallocate(fd, punch, 3L * page, page);
                assertEquals(2L * page, LinuxMemory.allocatedBytes(fd));
            } finally {
                LinuxMemory.close(fd);
            }
        }

        @Test
        void aDuplicateIsTheSameFileAndAnotherFileIsNot() {
            int fd = LinuxMemory.memfdCreate("test", LinuxMemory.MFD_CLOEXEC);
            int other = LinuxMemory.memfdCreate("test", LinuxMemory.MFD_CLOEXEC);
            int duplicate = LinuxMemory.duplicate(fd);
            try {
                LinuxMemory.ftruncate(duplicate, 5000);

                assertEquals(5000, FileStatus.of(fd).sizeBytes());
                assertTrue(FileStatus.of(fd).isSameFileAs(FileStatus.of(duplicate)));
                assertFalse(FileStatus.of(fd).isSameFileAs(FileStatus.of(other)));
            } finally {
                LinuxMemory.close(fd);
                LinuxMemory.close(other);
                LinuxMemory.close(duplicate);
            }
        }

        @Test
        void aFileOfHugePagesSaysHowLargeTheyAre() {
            int flags = LinuxMemory.MFD_CLOEXEC | LinuxMemory.MFD_HUGETLB_2MB;
            int small = LinuxMemory.memfdCreate("test", LinuxMemory.MFD_CLOEXEC);
            int huge = LinuxMemory.memfdCreate("test", flags);
            try {
                assertEquals(LinuxMemory.pageBytes(), FileStatus.pageBytesOf(small));
                assertEquals(2 << 20, FileStatus.pageBytesOf(huge));
            } finally {
                LinuxMemory.close(small);
                LinuxMemory.close(huge);
            }
        }

        @Test
        void privateMemoryIsNotResidentAtFirst() {
            int page = LinuxMemory.pageBytes();
            int flags = LinuxMemory.MAP_PRIVATE | LinuxMemory.MAP_ANONYMOUS;
            long address = LinuxMemory.mmap(2L * page, READ_WRITE, flags, -1, 0);
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment resident = arena.allocate(2);

                LinuxMemory.mincore(address, 2L * page, resident);

                assertEquals(-1, resident.mismatch(arena.allocate(2)));
            } finally {
                LinuxMemory.munmap(address, 2L * page);
            }
        }

        private void assertAllFail(String errnoName, Runnable... calls) {
            for (Runnable call : calls) {
                assertEquals(errnoName, assertThrows(OsException.class, call::run).errnoName());
            }
        }
    }

    @Test
    void anArrayOfVectorsHoldsWhatItHasRoomFor() {
        IoVectors vectors = new IoVectors(2);
        vectors.add(4096, 1);
        assertFalse(vectors.isFull());
        vectors.add(8192, 1);

        assertTrue(vectors.isFull());
        assertThrows(IndexOutOfBoundsException.class, () -> vectors.add(0, 1));
        assertEquals(2, vectors.count());
        assertThrows(IllegalArgumentException.class, () -> new IoVectors(1025));
        assertThrows(IllegalArgumentException.class, () -> new IoVectors(0));
    }
}
