package io.aerostat.memory.own;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * The mappings of this process in the kernel's words.
 *
 * <pre>
 *   7f0000200000-7f0000300000 rw-s 00001000 00:1b 42      /dev/shm/ram       a mapping
 *   Rss:                 964 kB                                              of no interest
 *   VmFlags: rd wr sh mr mw me ms                                            its flags
 * </pre>
 *
 * <p>/proc/self/smaps has the flags; /proc/self/maps, where a kernel lacks the former, only the
 * first kind of line. Nothing says at once what a process has mapped: what is mapped throughout the
 * reading is in the table, other things may be or not. Source: proc_pid_smaps(5). Immutable.
 */
final class MappingTable {
    private static final Path WITH_FLAGS = Path.of("/proc/self/smaps");
    private static final Path WITHOUT_FLAGS = Path.of("/proc/self/maps");
    private static final String FLAGS = "VmFlags:";

    /** Start and end, permissions, offset, device, inode; then blanks and the name, if any. */
    private static final int FIELDS_BEFORE_NAME = 5;

    private final List<Mapping> mappings;

    private MappingTable(List<Mapping> mappings) {
        this.mappings = List.copyOf(mappings);
    }

    /**
     * The mappings of this process.
     *
     * @throws IOException if the kernel does not tell
     */
    static MappingTable ofThisProcess() throws IOException {
        // Names are bytes of whoever chose them; none of them needs to be text. The kernel escapes
        // the newline in them alone, so that nothing else ends a line.
        Path source = Files.exists(WITH_FLAGS) ? WITH_FLAGS : WITHOUT_FLAGS;
        return parse(List.of(Files.readString(source, StandardCharsets.ISO_8859_1).split("\n")));
    }

    /** The mappings of a text. Lines of other kinds are passed over. */
    static MappingTable parse(List<String> lines) {
        List<Mapping> mappings = new ArrayList<>();
        for (String line : lines) {
            Mapping mapping = mappingOf(line);
            if (mapping != null) {
                mappings.add(mapping);
            } else if (line.startsWith(FLAGS) && !mappings.isEmpty()) {
                Mapping last = mappings.removeLast();
                String flags = " " + line.substring(FLAGS.length()).strip() + " ";
                mappings.add(withFlags(last, flags));
            }
        }
        return new MappingTable(mappings);
    }

    private static Mapping withFlags(Mapping mapping, String flags) {
        return new Mapping(
                mapping.start(),
                mapping.end(),
                mapping.permissions(),
                mapping.inode(),
                mapping.name(),
                flags);
    }

    private static @Nullable Mapping mappingOf(String line) {
        String[] fields = line.split(" +", FIELDS_BEFORE_NAME + 1);
        int dash = fields[0].indexOf('-');
        if (fields.length < FIELDS_BEFORE_NAME || dash < 0 || fields[1].length() != 4) {
            return null;
        }
        try {
            return new Mapping(
                    Long.parseUnsignedLong(fields[0].substring(0, dash), 16),
                    Long.parseUnsignedLong(fields[0].substring(dash + 1), 16),
                    fields[1],
                    Long.parseUnsignedLong(fields[4]),
                    fields.length > FIELDS_BEFORE_NAME ? fields[FIELDS_BEFORE_NAME] : "",
                    "");
        } catch (NumberFormatException notAMapping) {
            return null;
        }
    }

    /** All of them, by ascending address. */
    List<Mapping> mappings() {
        return mappings;
    }

    /** The mapping that holds the byte at {@code address}, or null. */
    @Nullable Mapping at(long address) {
        for (Mapping mapping : mappings) {
            if (mapping.holds(address)) {
                return mapping;
            }
        }
        return null;
    }

    /** Where the next mapping behind {@code address} starts, but {@code limit} at most. */
    long nextStart(long address, long limit) {
        long next = limit;
        for (Mapping mapping : mappings) {
            if (Long.compareUnsigned(mapping.start(), address) > 0) {
                next = Long.compareUnsigned(mapping.start(), next) < 0 ? mapping.start() : next;
            }
        }
        return next;
    }
}
