package io.aerostat.memory.backend;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.System.Logger.Level;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.file.Path;

/**
 * Tries out what {@link MemorySegment#unload} does here, since nobody promises it: on Linux private
 * pages are gone and read as their file, elsewhere it is a hint, or nothing.
 *
 * <pre>
 *   before    ■■■■■■■■■■■■        two units, both written
 *   unload    ◀─one─▶
 *   after     □□□□□□■■■■■■        this is the unit that is looked for
 *             □□□□□□□□■■■■        the host's page is larger: try twice as much
 *             ■■■■■■■■■■■■        no reclaim on this host
 * </pre>
 */
final class UnloadProbe {
    /** What {@link #leastUnitBytes} answers where unloaded pages stay as they were. */
    static final int NONE = 0;

    private static final System.Logger LOG = System.getLogger(UnloadBackend.class.getName());

    private UnloadProbe() {}

    /**
     * The host's page in bytes, as far as it is one that {@link BackendOptions} can have for a
     * unit; otherwise {@link #NONE}.
     *
     * @param directory where its file is made
     * @throws UncheckedIOException if there can be no such file or mapping
     */
    static int leastUnitBytes(Path directory) {
        long bytes = 2L * BackendOptions.MAX_UNIT_BYTES;
        try (Arena arena = Arena.ofConfined();
                FileChannel file = PrivateFileMapping.openNameless(directory, bytes)) {
            return leastUnitBytes(file.map(MapMode.PRIVATE, 0, bytes, arena));
        } catch (IOException e) {
            throw new UncheckedIOException(
                    ("guest RAM cannot be mapped from a file: " + e.getMessage())
                            + (": directory=" + directory),
                    e);
        }
    }

    private static int leastUnitBytes(MemorySegment scratch) {
        for (int unit = BackendOptions.MIN_UNIT_BYTES;
                unit <= BackendOptions.MAX_UNIT_BYTES;
                unit *= 2) {
            MemorySegment unloaded = scratch.asSlice(0, unit);
            MemorySegment neighbour = scratch.asSlice(unit, unit);
            unloaded.fill((byte) 1);
            neighbour.fill((byte) 1);
            if (!unload(unloaded) || !holdsOnly(unloaded, 0)) {
                return NONE;
            }
            if (holdsOnly(neighbour, 1)) {
                return unit;
            }
        }
        return NONE;
    }

    private static boolean unload(MemorySegment segment) {
        try {
            segment.unload();
            return true;
        } catch (Exception e) {
            // A refusal by the host comes as an IOException that is not declared.
            LOG.log(Level.DEBUG, "nothing is returned to this host", e);
            return false;
        }
    }

    private static boolean holdsOnly(MemorySegment segment, int value) {
        for (long i = 0; i < segment.byteSize(); i++) {
            if (segment.get(ValueLayout.JAVA_BYTE, i) != value) {
                return false;
            }
        }
        return true;
    }
}
