package io.aerostat.vmm.linux;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.SeekableByteChannel;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Tells whether a program runs without shared libraries: an ELF file of 64 bits whose program
 * headers name no interpreter. In the initramfs there is nothing else to link it with.
 */
final class StaticProgram {
    private static final int HEADER_LENGTH = 64;
    private static final int MAGIC = 0x464C457F;
    private static final int CLASS_OFFSET = 4;
    private static final int CLASS_64_BITS = 2;
    private static final int TABLE_OFFSET = 32;
    private static final int ENTRY_LENGTH_OFFSET = 54;
    private static final int ENTRIES_OFFSET = 56;

    private static final int ENTRY_TYPE_LENGTH = 4;
    private static final int INTERPRETER = 3;

    private StaticProgram() {}

    /** False for what is no such file, or cannot be read. */
    static boolean is(Path file) {
        try (SeekableByteChannel channel = Files.newByteChannel(file)) {
            ByteBuffer header = read(channel, 0, HEADER_LENGTH);
            return header.remaining() == HEADER_LENGTH
                    && header.getInt(0) == MAGIC
                    && header.get(CLASS_OFFSET) == CLASS_64_BITS
                    && !hasInterpreter(channel, header);
        } catch (IOException e) {
            return false;
        }
    }

    private static boolean hasInterpreter(SeekableByteChannel channel, ByteBuffer header)
            throws IOException {
        long table = header.getLong(TABLE_OFFSET);
        int entryLength = header.getShort(ENTRY_LENGTH_OFFSET) & 0xFFFF;
        int entries = header.getShort(ENTRIES_OFFSET) & 0xFFFF;
        for (int i = 0; i < entries; i++) {
            ByteBuffer type = read(channel, table + ((long) i * entryLength), ENTRY_TYPE_LENGTH);
            if (type.remaining() < ENTRY_TYPE_LENGTH || type.getInt(0) == INTERPRETER) {
                return true;
            }
        }
        return false;
    }

    private static ByteBuffer read(SeekableByteChannel channel, long position, int length)
            throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(length).order(ByteOrder.LITTLE_ENDIAN);
        if (position < 0) {
            return bytes.flip();
        }
        channel.position(position);
        while (bytes.hasRemaining() && channel.read(bytes) >= 0) {
            // Goes on until it is full or the file ends.
        }
        return bytes.flip();
    }
}
