package io.aerostat.memory.own;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.aerostat.balloon.range.PageRanges;
import io.aerostat.balloon.range.PageReclaimer;
import io.aerostat.balloon.range.PageReclaimer.Content;
import io.aerostat.memory.os.LinuxMemory;
import io.aerostat.virtio.memory.GuestMemory;
import io.aerostat.virtio.memory.RamRegion;

import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;

/** Memory that is gone is never advised on: somebody else's may lie there by then. */
final class OwnRamDetachTest {
    private static final int PAGES = 16;
    private static final int WRITTEN = 0x5A;

    private final int page = LinuxMemory.pageBytes();
    private final long length = (long) PAGES * page;

    @BeforeAll
    static void needsLinux() {
        assumeTrue(LinuxMemory.isSupported(), "memory is given back on Linux alone");
    }

    // The same address is mapped again at once, by somebody whose bytes must not be dropped.
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void whatIsMappedInPlaceOfADetachedRegionIsLeftAlone(boolean told) {
        long address = map();
        GuestMemory memory = GuestMemory.of(region(address));
        AdviceReclaimer reclaimer = AdviceReclaimer.of(memory);

        memory.detach(memory.region(0));
        LinuxMemory.munmap(address, length);
        mapAt(address);
        bytesAt(address).fill((byte) WRITTEN);
        if (told) {
            reclaimer.memoryChanged();
        }
        long accepted = reclaimer.discard(all());
        reclaimer.reuse(all());
        long resident = reclaimer.residentBytes(OwnRam.GPA, length);
        byte kept = bytesAt(address).get(ValueLayout.JAVA_BYTE, 3L * page);
        LinuxMemory.munmap(address, length);

        assertEquals(0, accepted);
        assertEquals(0, reclaimer.discardCalls());
        assertEquals(PageReclaimer.UNKNOWN, resident);
        assertEquals(WRITTEN, kept);
    }

    @Test
    void discardsNothingOfWhatIsUnmapped() {
        long address = map();
        GuestMemory memory = GuestMemory.of(region(address));
        AdviceReclaimer reclaimer = AdviceReclaimer.of(memory);

        memory.detach(memory.region(0));
        LinuxMemory.munmap(address, length);

        assertEquals(0, reclaimer.discard(all()));
        assertEquals(0, reclaimer.failedCalls());
    }

    @Test
    void ramThatIsAttachedInPlaceOfOtherIsGivenBackOnceItIsKnown() {
        GuestMemory memory = GuestMemory.of(RamRegion.absent(OwnRam.GPA, length));
        AdviceReclaimer reclaimer = AdviceReclaimer.of(memory);
        assertEquals(0, reclaimer.reports().size());
        assertEquals(0, reclaimer.discard(all()));

        try (OwnRam ram = OwnRam.of(OwnRam.Kind.SHARED_FILE_IN_MEMORY, PAGES)) {
            ram.fill(WRITTEN);
            memory.attach(ram.region);
            assertEquals(0, reclaimer.discard(all()));

            reclaimer.memoryChanged();

            assertEquals(length, reclaimer.discard(all()));
            assertEquals(Content.ZERO, reclaimer.contentAfterDiscard());
            assertEquals(1, reclaimer.reports().size());
            assertTrue(ram.holds(0, length, 0));
        }
    }

    @Test
    void aBufferWhoseArenaIsClosedIsLeftAlone() {
        AdviceReclaimer reclaimer;
        try (Arena arena = Arena.ofShared()) {
            ByteBuffer buffer = arena.allocate(length, page).asByteBuffer();
            GuestMemory memory = GuestMemory.of(RamRegion.ofBuffer(OwnRam.GPA, buffer));
            reclaimer = AdviceReclaimer.of(memory);
            assertEquals(length, reclaimer.discard(all()));
        }

        long accepted = reclaimer.discard(all());
        reclaimer.memoryChanged();

        assertEquals(0, accepted + reclaimer.discard(all()));
        assertEquals(1, reclaimer.discardCalls());
        assertEquals(0, reclaimer.failedCalls());
    }

    private PageRanges all() {
        PageRanges ranges = new PageRanges(1);
        ranges.add(OwnRam.GPA / RamRegion.PAGE_BYTES, (int) (length / RamRegion.PAGE_BYTES));
        return ranges;
    }

    private RamRegion region(long address) {
        return RamRegion.ofBuffer(OwnRam.GPA, bytesAt(address).asByteBuffer());
    }

    private long map() {
        int protection = LinuxMemory.PROT_READ | LinuxMemory.PROT_WRITE;
        int flags = LinuxMemory.MAP_PRIVATE | LinuxMemory.MAP_ANONYMOUS;
        return LinuxMemory.mmap(length, protection, flags, -1, 0);
    }

    private void mapAt(long address) {
        int protection = LinuxMemory.PROT_READ | LinuxMemory.PROT_WRITE;
        int flags = LinuxMemory.MAP_PRIVATE | LinuxMemory.MAP_ANONYMOUS;
        LinuxMemory.mmapAt(address, length, protection, flags, -1);
    }

    @SuppressWarnings("restricted") // A test of memory that comes and goes.
    private MemorySegment bytesAt(long address) {
        return MemorySegment.ofAddress(address).reinterpret(length);
    }
}
