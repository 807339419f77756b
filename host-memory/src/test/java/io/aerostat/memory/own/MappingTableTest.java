package io.aerostat.memory.own;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.aerostat.memory.os.LinuxMemory;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;

final class MappingTableTest {
    private static final String SMAPS =
            """
            55d0c0a00000-55d0c0a21000 rw-p 00000000 00:00 0                          [heap]
            Size:                132 kB
            KernelPageSize:        4 kB
            Rss:                  12 kB
            THPeligible:           0
            VmFlags: rd wr mr mw me ac sd
            7f1200000000-7f1200200000 rw-s 00001000 00:1b 4711                       /dev/shm/ram of a guest (deleted)
            Size:               2048 kB
            VmFlags: rd wr sh mr mw me ms sd
            7f1200200000-7f1200600000 rw-p 00000000 00:10 4712                       /anon_hugepage (deleted)
            Size:               4096 kB
            KernelPageSize:     2048 kB
            VmFlags: rd wr mr mw me de ht sd
            7f1200700000-7f1200701000 r-xp 00000000 fe:00 18446744073709551615       /usr/lib/x.so
            Size:                  4 kB
            VmFlags: rd ex mr mw me sd
            ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0                  [vsyscall]
            Size:                  4 kB
            VmFlags: ex
            """;

    @Test
    void readsMappingsAndPassesOverTheirCounters() {
        MappingTable table = parse(SMAPS);

        assertEquals(5, table.mappings().size());
        assertEquals(
                new Mapping(
                        0x7f12_0000_0000L,
                        0x7f12_0020_0000L,
                        "rw-s",
                        4711,
                        "/dev/shm/ram of a guest (deleted)",
                        " rd wr sh mr mw me ms sd "),
                table.mappings().get(1));
    }

    @Test
    void readsTextsWithoutFlagsAndNames() {
        MappingTable table =
                parse(
                        """
                        7f0000001000-7f0000003000 rw-p 00000000 00:00 0
                        7f0000004000-7f0000005000 rw-p 00000000 00:00 0\s
                        """);

        assertEquals(2, table.mappings().size());
        assertEquals(
                new Mapping(0x7f00_0000_1000L, 0x7f00_0000_3000L, "rw-p", 0, "", ""),
                table.mappings().get(0));
        assertEquals("", table.mappings().get(1).name());
    }

    @Test
    void linesThatAreNoMappingsAreNone() {
        MappingTable table =
                parse(
                        """
                        VmFlags: rd

                        x-y rw-p 00000000 00:00 0
                        7f00-8f00 rw-p 0 0:0
                        7f00-8f00 rw-p 0 0:0 many
                        Name-of-something: 1 2 3 4 5
                        """);

        assertEquals(List.of(), table.mappings());
    }

    @Test
    void findsTheMappingOfAnAddress() {
        MappingTable table = parse(SMAPS);

        assertNull(table.at(0x7f12_0000_0000L - 1));
        assertEquals(4711, inodeAt(table, 0x7f12_0000_0000L));
        assertEquals(4711, inodeAt(table, 0x7f12_001F_FFFFL));
        assertEquals(4712, inodeAt(table, 0x7f12_0020_0000L));
        assertNull(table.at(0x7f12_0060_0000L));
        assertEquals("[vsyscall]", mappingAt(table, 0xffff_ffff_ff60_0000L).name());
    }

    @Test
    void findsWhereTheNextMappingStarts() {
        MappingTable table = parse(SMAPS);

        assertEquals(0x7f12_0070_0000L, table.nextStart(0x7f12_0060_0000L, Long.MAX_VALUE));
        assertEquals(0x7f12_0060_1000L, table.nextStart(0x7f12_0060_0000L, 0x7f12_0060_1000L));
    }

    @ParameterizedTest
    @CsvSource({
        "rw-p, 0,  '',               ' rd wr ac ',    DROP_TO_ZERO, NONE",
        "rw-p, 0,  [heap],           ' rd wr ac ',    DROP_TO_ZERO, NONE",
        "rw-p, 0,  [anon:guest],     '',              DROP_TO_ZERO, NONE",
        "rw-p, 42, /tmp/ram,         ' rd wr ac ',    DROP_TO_FILE, NONE",
        "rw-s, 42, /dev/shm/ram,     ' rd wr sh ms ', PUNCH_HOLE,   NONE",
        "rw-s, 42, /memfd:x,         '',              PUNCH_HOLE,   NONE",
        "rw-p, 42, /anon_hugepage,   ' rd wr ht ',    ,             HUGE_PAGES",
        "rw-s, 42, /dev/hugepages/x, ' rd wr sh ht ', ,             HUGE_PAGES",
        "rw-p, 0,  '',               ' rd wr lo ',    ,             LOCKED",
        "rw-s, 42, /dev/shm/ram,     ' rd wr sh lo ', ,             LOCKED",
        "r--p, 0,  '',               ' rd ',          ,             READ_ONLY",
        "r--s, 42, /dev/shm/ram,     ' rd sh ',       ,             READ_ONLY",
        "rw-s, 42, /dev/mem,         ' rd wr io pf ', ,             SPECIAL",
        "rw-s, 0,  '',               ' rd wr sh ',    ,             SPECIAL",
        "rw-p, 0,  [stack],          ' rd wr gd ac ', ,             SPECIAL",
        "r-xp, 0,  [vdso],           ' rd ex ',       ,             SPECIAL",
    })
    void choosesTheCallByTheKindOfMapping(
            String permissions,
            long inode,
            String name,
            String flags,
            Advice advice,
            Obstacle obstacle) {
        Mapping mapping = new Mapping(0x1000, 0x2000, permissions, inode, name, flags);

        assertEquals(advice, mapping.advice());
        assertEquals(obstacle, mapping.obstacle());
    }

    @Test
    void findsMemoryOfThisProcess() throws IOException {
        assumeTrue(LinuxMemory.isSupported(), "only Linux tells");
        ByteBuffer buffer = ByteBuffer.allocateDirect(1 << 20);
        long address = MemorySegment.ofBuffer(buffer).address();

        Mapping mapping = mappingAt(MappingTable.ofThisProcess(), address);

        assertEquals(Advice.DROP_TO_ZERO, mapping.advice());
        assertTrue(mapping.holds(address + buffer.capacity() - 1));
    }

    // The kernel writes it as it is; what stands behind it must not pass for a mapping.
    @Test
    void aCarriageReturnInANameEndsNoLine(@TempDir Path directory) throws IOException {
        assumeTrue(LinuxMemory.isSupported(), "only Linux tells");
        Path odd = directory.resolve("odd\r1000-2000 rw-s 00000000 00:00 4711 x");
        try (Arena arena = Arena.ofConfined();
                FileChannel file =
                        FileChannel.open(
                                odd,
                                StandardOpenOption.CREATE,
                                StandardOpenOption.READ,
                                StandardOpenOption.WRITE)) {
            MemorySegment mapped = file.map(MapMode.READ_WRITE, 0, 4096, arena);

            MappingTable table = MappingTable.ofThisProcess();

            assertEquals(odd.toString(), mappingAt(table, mapped.address()).name());
            assertNull(table.at(0x1000));
        }
    }

    private static MappingTable parse(String text) {
        return MappingTable.parse(text.lines().toList());
    }

    private static Mapping mappingAt(MappingTable table, long address) {
        Mapping mapping = table.at(address);
        assertNotNull(mapping);
        return mapping;
    }

    private static long inodeAt(MappingTable table, long address) {
        return mappingAt(table, address).inode();
    }
}
