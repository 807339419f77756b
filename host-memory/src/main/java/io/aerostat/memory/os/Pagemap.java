package io.aerostat.memory.os;

import static java.nio.file.StandardOpenOption.READ;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * What the kernel says of each page of this process, in a file: residency without a native call.
 *
 * <pre>
 *   entry of a page, 8 bytes at (address / page size) · 8
 *   bit 63      present
 *   bit 62      swapped out
 *   bit 61      a page of a file, or of shared memory; otherwise private
 *   bits 54..0  not told to everyone, not used
 * </pre>
 *
 * <p>Source: proc_pid_pagemap(5), the kernel's admin-guide/mm/pagemap. Any thread.
 */
public final class Pagemap {
    private static final Path FILE = Path.of("/proc/self/pagemap");
    private static final long PRESENT_FLAG = 1L << 63;
    private static final long OF_FILE_FLAG = 1L << 61;

    /** Entries that are read at a time. */
    private static final int CHUNK_ENTRIES = 8192;

    private final int pageBytes;

    /**
     * @param pageBytes of the host, as the caller knows it: this class makes no native call
     */
    public Pagemap(int pageBytes) {
        this.pageBytes = pageBytes;
    }

    /** Tells whether this host has such a file. */
    public static boolean isThere() {
        return Files.exists(FILE);
    }

    /**
     * Bytes of pages that are present and private to this process.
     *
     * @param address of the first byte, whole pages
     * @param bytes whole pages
     * @throws IOException if the kernel does not tell
     */
    public long privateBytes(long address, long bytes) throws IOException {
        long entries = bytes / pageBytes;
        long first = address / pageBytes;
        long found = 0;
        int room = (int) Math.min(entries, CHUNK_ENTRIES) * Long.BYTES;
        ByteBuffer chunk = ByteBuffer.allocate(room).order(ByteOrder.nativeOrder());
        try (FileChannel file = FileChannel.open(FILE, READ)) {
            for (long done = 0; done < entries; done += chunk.limit() / Long.BYTES) {
                int now = (int) Math.min(CHUNK_ENTRIES, entries - done);
                readFully(file, chunk.clear().limit(now * Long.BYTES), first + done);
                found += countPrivate(chunk);
            }
        }
        return found * pageBytes;
    }

    private static void readFully(FileChannel file, ByteBuffer chunk, long entry)
            throws IOException {
        long start = entry * Long.BYTES;
        while (chunk.hasRemaining()) {
            if (file.read(chunk, start + chunk.position()) < 0) {
                throw new IOException("the kernel tells nothing of a page: entry=" + entry);
            }
        }
    }

    private static long countPrivate(ByteBuffer chunk) {
        long found = 0;
        for (int i = 0; i < chunk.limit(); i += Long.BYTES) {
            found += (chunk.getLong(i) & (PRESENT_FLAG | OF_FILE_FLAG)) == PRESENT_FLAG ? 1 : 0;
        }
        return found;
    }
}
