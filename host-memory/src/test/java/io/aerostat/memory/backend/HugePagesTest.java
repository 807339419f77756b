package io.aerostat.memory.backend;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.aerostat.memory.os.LinuxMemory;
import io.aerostat.memory.os.OsException;
import io.aerostat.virtio.memory.RamAccess;

import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/**
 * Huge pages behind guest RAM. What the machine's administrator has not allowed is tested for what
 * holds without it.
 */
final class HugePagesTest {
    private static final Path TRANSPARENT = Path.of("/sys/kernel/mm/transparent_hugepage");
    private static final int UNIT = BackendKind.HUGE_PAGE_BYTES;
    private static final int UNITS = 16;

    // More than any machine's pool.
    private static final long ENDLESS_BYTES = 1L << 46;

    @BeforeAll
    static void needsLinux() {
        assumeTrue(LinuxMemory.isSupported(), "huge pages are asked for on Linux alone");
    }

    @ParameterizedTest
    @EnumSource(
            value = HugePages.class,
            names = {"WANTED", "HOST_POLICY"})
    void ramStartsAtAHugePagesAddressWhereverTheGuestSeesIt(HugePages hugePages) {
        for (long gpa : new long[] {0, 3L * LinuxMemory.pageBytes(), 5L * UNIT}) {
            BackendOptions options = BackendOptions.of(UNIT, gpa).withHugePages(hugePages);
            try (AnonymousBackend anonymous = AnonymousBackend.map(options);
                    MemfdBackend memfd = MemfdBackend.map(options)) {
                assertEquals(0, anonymous.mapping().address() % UNIT);
                assertEquals(0, memfd.mapping().address() % UNIT);
            }
        }
    }

    @Test
    void unitsOfPrivateMemoryAreHugePagesIfTheHostHasThem() throws IOException {
        try (AnonymousBackend backend = AnonymousBackend.map(wanted());
                TestRam ram = new TestRam(backend)) {
            long address = backend.mapping().address();

            touchOneByteOfEachUnit(ram);

            long huge = Smaps.bytes(address, "AnonHugePages");
            assertEquals(allows("enabled", "[always]", "[madvise]"), huge > 0);
            assertEquals(bytesTouchedBeside(huge), backend.residentBytes());
        }
    }

    @Test
    void unitsOfAMemoryFileAreHugePagesOnlyIfTheHostAllowsIt() throws IOException {
        try (MemfdBackend backend = MemfdBackend.map(wanted());
                TestRam ram = new TestRam(backend)) {
            long address = backend.mapping().address();

            touchOneByteOfEachUnit(ram);

            long huge = Smaps.bytes(address, "ShmemPmdMapped");
            boolean allowed =
                    allows("shmem_enabled", "[always]", "[within_size]", "[advise]", "[force]");
            assertTrue(allowed || huge == 0, "huge=" + huge);
            assertEquals(bytesTouchedBeside(huge), backend.residentBytes());
        }
    }

    @Test
    void aDiscardedUnitTakesItsHugePageWithItAndNoOther() throws IOException {
        try (AnonymousBackend backend = AnonymousBackend.map(wanted());
                TestRam ram = new TestRam(backend)) {
            ram.touch(0, UNITS);
            long address = backend.mapping().address();
            long before = Smaps.bytes(address, "AnonHugePages");

            ram.reclaimer.discard(ram.ranges(3, 1, 5, 2));
            long after = Smaps.bytes(address, "AnonHugePages");

            assertEquals((UNITS - 3L) * UNIT, backend.residentBytes());
            // A unit that the kernel had no huge page for does not count in either.
            assertTrue(after <= before && before - after <= 3L * UNIT, before + " " + after);
            assertTrue(before < (long) UNITS * UNIT || after == (UNITS - 3L) * UNIT, "" + after);
        }
    }

    @Test
    void reservedPagesWorkWhereTheyAreAndAreAskedForWhereNot() {
        BackendOptions options =
                BackendOptions.of(4L * UNIT, TestRam.GPA).withHugePages(HugePages.RESERVED);

        if (HugePagePool.has(2 * 4)) {
            try (TestRam anonymous = new TestRam(AnonymousBackend.map(options));
                    TestRam memfd = new TestRam(MemfdBackend.map(options))) {
                assertEquals(UNIT, anonymous.unitBytes);
                assertEquals(UNIT, memfd.unitBytes);
            }
        } else if (HugePagePool.has(4)) {
            AnonymousBackend.map(options).close();
        } else {
            assertAsksForPages(4, () -> AnonymousBackend.map(options));
            assertAsksForPages(4, () -> MemfdBackend.map(options));
        }
    }

    @Test
    void aPoolThatIsTooSmallIsNamedWithWhatToDo() {
        BackendOptions options =
                BackendOptions.of(ENDLESS_BYTES, 0).withHugePages(HugePages.RESERVED);

        assertAsksForPages(ENDLESS_BYTES / UNIT, () -> AnonymousBackend.map(options));
        assertAsksForPages(ENDLESS_BYTES / UNIT, () -> MemfdBackend.map(options));
    }

    @Test
    void reservedPagesRefuseRamThatIsNotWholeHugePages() {
        BackendOptions options =
                BackendOptions.of(UNIT + UNIT / 2, 0).withHugePages(HugePages.RESERVED);

        assertThrows(IllegalArgumentException.class, () -> AnonymousBackend.map(options));
        assertThrows(IllegalArgumentException.class, () -> MemfdBackend.map(options));
    }

    @Test
    void smallPagesAreNeverHuge() throws IOException {
        BackendOptions options = wanted().withHugePages(HugePages.NEVER);
        try (AnonymousBackend backend = AnonymousBackend.map(options);
                TestRam ram = new TestRam(backend)) {
            touchOneByteOfEachUnit(ram);

            assertEquals(bytesTouchedBeside(0), backend.residentBytes());
        }
    }

    private static BackendOptions wanted() {
        return new BackendOptions((long) UNITS * UNIT, TestRam.GPA, HugePages.WANTED, UNIT);
    }

    private static void touchOneByteOfEachUnit(TestRam ram) {
        RamAccess access =
                RamAccess.of(ram.backend.memory(), ram.gpa(0), (long) UNITS * ram.unitBytes);
        for (long unit = 0; unit < UNITS; unit++) {
            access.putByte(unit * ram.unitBytes + 5, (byte) 1);
        }
    }

    /** What a byte in each unit makes resident, of which {@code huge} bytes are huge pages. */
    private static long bytesTouchedBeside(long huge) {
        return huge + (UNITS - huge / UNIT) * LinuxMemory.pageBytes();
    }

    /** Tells whether the host's setting for huge pages of 2 MiB is one of the choices. */
    private static boolean allows(String file, String... choices) throws IOException {
        String chosen = read(TRANSPARENT.resolve("hugepages-2048kB").resolve(file));
        if (chosen.isEmpty() || chosen.contains("[inherit]")) {
            chosen = read(TRANSPARENT.resolve(file));
        }
        return Stream.of(choices).anyMatch(chosen::contains);
    }

    private static String read(Path path) throws IOException {
        return Files.exists(path) ? Files.readString(path) : "";
    }

    private static void assertAsksForPages(long pages, Executable map) {
        OsException refused = assertThrows(OsException.class, map);

        assertEquals("mmap", refused.call());
        assertEquals("ENOMEM", refused.errnoName());
        assertTrue(refused.getMessage().contains("vm.nr_hugepages=N"), refused.getMessage());
        assertTrue(refused.getMessage().endsWith("N=" + pages), refused.getMessage());
    }
}
