package io.aerostat.memory.backend;

import io.aerostat.memory.os.LinuxMemory;
import io.aerostat.virtio.memory.RamRegion;

import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * A backend with a unit, for tests that run for each of them.
 *
 * @param unitBytes what its reclaimer says
 */
record BackendKind(Maker maker, HugePages hugePages, int unitBytes) {
    static final int HUGE_PAGE_BYTES = 2 << 20;

    /** Makes a backend. */
    enum Maker {
        ANONYMOUS_TOGETHER,
        ANONYMOUS_ONE_BY_ONE,
        MEMFD,
        FILE_REGIONS,
        UNLOAD,
        SIMULATED;

        MemoryBackend map(BackendOptions options) {
            return switch (this) {
                case ANONYMOUS_TOGETHER -> AnonymousBackend.map(options, true);
                case ANONYMOUS_ONE_BY_ONE -> AnonymousBackend.map(options, false);
                case MEMFD -> MemfdBackend.map(options);
                case FILE_REGIONS -> RegionFiles.mapInThree(options);
                case UNLOAD -> UnloadBackends.map(options, bufferBytes(options.unitBytes()));
                case SIMULATED -> SimulatedBackend.map(options, bufferBytes(options.unitBytes()));
            };
        }

        // Few units in each, and no whole number of them if there are small ones, so that ranges
        // cross from one into the next.
        private static int bufferBytes(int unitBytes) {
            return Math.max(5 * RamRegion.PAGE_BYTES, unitBytes + unitBytes / 4);
        }

        int leastUnitBytes() {
            return this == SIMULATED ? RamRegion.PAGE_BYTES : LinuxMemory.pageBytes();
        }

        static Stream<Maker> here() {
            return LinuxMemory.isSupported() ? Stream.of(values()) : Stream.of(SIMULATED);
        }

        static Stream<Maker> onLinux() {
            return here().filter(maker -> maker != SIMULATED);
        }

        /** Tells whether the unit may be larger than the pages of what is mapped. */
        boolean choosesItsUnit() {
            return this != FILE_REGIONS;
        }

        /** Tells whether there may be huge pages behind it. */
        boolean hasHugePages() {
            return this != UNLOAD;
        }
    }

    /** All that this machine can do. */
    static Stream<BackendKind> all() {
        Stream<BackendKind> smallPages = Maker.here().flatMap(BackendKind::ofSmallPages);
        Stream<BackendKind> transparent =
                Maker.onLinux()
                        .filter(Maker::choosesItsUnit)
                        .filter(Maker::hasHugePages)
                        .map(maker -> new BackendKind(maker, HugePages.WANTED, HUGE_PAGE_BYTES));
        Stream<BackendKind> reserved =
                Maker.onLinux()
                        .filter(Maker::hasHugePages)
                        .filter(maker -> HugePagePool.has(HugePagePool.TEST_PAGES))
                        .map(maker -> new BackendKind(maker, HugePages.RESERVED, HUGE_PAGE_BYTES));
        return Stream.concat(smallPages, Stream.concat(transparent, reserved));
    }

    /** Those whose unit is the smallest that they can do. */
    static Stream<BackendKind> ofSmallestUnits() {
        return all().filter(kind -> kind.unitBytes == kind.maker.leastUnitBytes());
    }

    /** Those whose unit is several guest pages. */
    static Stream<BackendKind> ofLargeUnits() {
        return all().filter(kind -> kind.unitBytes > RamRegion.PAGE_BYTES);
    }

    private static Stream<BackendKind> ofSmallPages(Maker maker) {
        return IntStream.of(4 << 10, 16 << 10, 64 << 10, HUGE_PAGE_BYTES)
                .limit(maker.choosesItsUnit() ? 4 : 1)
                .map(unit -> Math.max(unit, maker.leastUnitBytes()))
                .distinct()
                .mapToObj(unit -> new BackendKind(maker, HugePages.NEVER, unit));
    }

    /** Maps it at {@link TestRam#GPA}. */
    MemoryBackend map(long bytes) {
        return map(bytes, TestRam.GPA);
    }

    MemoryBackend map(long bytes, long gpa) {
        return maker.map(new BackendOptions(bytes, gpa, hugePages, unitBytes));
    }

    @Override
    public String toString() {
        return maker + ", huge pages " + hugePages + ", units of " + unitBytes;
    }
}
