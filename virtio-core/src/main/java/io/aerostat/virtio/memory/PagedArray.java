package io.aerostat.virtio.memory;

import org.jspecify.annotations.Nullable;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Arrays;

/**
 * Guest RAM in pages of byte arrays, as emulators have it that want no more of it than their guest
 * has touched: a page that is null reads as zeros and takes no memory, and the first store to it
 * makes it.
 *
 * <pre>
 *   offset    | page index | place in the page |
 *   pages     [ 0 ]──▶ byte[pageBytes]
 *             [ 1 ]──▶ null                        zeros
 *             [ 2 ]──▶ byte[pageBytes]
 * </pre>
 *
 * <p>The table is the embedder's own, shared with its processor. Where both run on one thread
 * nothing more is to be said. Otherwise, a page that is null may be made by both at once, and one
 * of them loses what it stored: have the guest's processor make its pages through {@link #store},
 * which agrees with itself on one.
 *
 * <p>A page that is dropped and stored to again is another array. A processor that remembers the
 * array of a page, as for a faster look-up, must look in the table again, or it goes on with one
 * that nobody else sees: have it forget them all when a page is dropped, in whatever thread.
 */
public final class PagedArray implements RamAccessor {
    private static final VarHandle PAGE = MethodHandles.arrayElementVarHandle(byte[][].class);
    private static final VarHandle SHORT = view(short[].class);
    private static final VarHandle INT = view(int[].class);
    private static final VarHandle LONG = view(long[].class);

    private final byte[] @Nullable [] pages;
    private final int pageShift;
    private final int pageMask;

    /**
     * RAM in the given pages.
     *
     * @param pages used as it is; each null or an array of {@code pageBytes}
     * @param pageBytes a power of two from {@value RamRegion#PAGE_BYTES} up
     */
    public PagedArray(byte[] @Nullable [] pages, int pageBytes) {
        if (pageBytes < RamRegion.PAGE_BYTES || Integer.bitCount(pageBytes) != 1) {
            throw new IllegalArgumentException(
                    "pages must be a power of two from 4096 bytes up: pageBytes=" + pageBytes);
        }
        for (int i = 0; i < pages.length; i++) {
            byte @Nullable [] page = pages[i];
            if (page != null && page.length != pageBytes) {
                throw new IllegalArgumentException(
                        "page is of another size: index="
                                + (i + ", bytes=" + page.length)
                                + (", pageBytes=" + pageBytes));
            }
        }
        this.pages = pages;
        this.pageShift = Integer.numberOfTrailingZeros(pageBytes);
        this.pageMask = pageBytes - 1;
    }

    private static VarHandle view(Class<?> array) {
        return MethodHandles.byteArrayViewVarHandle(array, ByteOrder.LITTLE_ENDIAN);
    }

    /** Bytes of all pages, there or not. */
    public long length() {
        return (long) pages.length << pageShift;
    }

    /** Bytes of a page. */
    public int pageBytes() {
        return pageMask + 1;
    }

    @Override
    public long load(long offset, int width) {
        int at = (int) offset & pageMask;
        if (at + width > pageBytes()) {
            return loadAcross(offset, width);
        }
        byte @Nullable [] page = pages[(int) (offset >>> pageShift)];
        if (page == null) {
            return 0;
        }
        return switch (width) {
            case Byte.BYTES -> page[at] & 0xFFL;
            case Short.BYTES -> (short) SHORT.get(page, at) & 0xFFFFL;
            case Integer.BYTES -> (int) INT.get(page, at) & 0xFFFF_FFFFL;
            default -> (long) LONG.get(page, at);
        };
    }

    @Override
    public void store(long offset, int width, long value) {
        int at = (int) offset & pageMask;
        if (at + width > pageBytes()) {
            storeAcross(offset, width, value);
            return;
        }
        byte[] page = pageAt((int) (offset >>> pageShift));
        switch (width) {
            case Byte.BYTES -> page[at] = (byte) value;
            case Short.BYTES -> SHORT.set(page, at, (short) value);
            case Integer.BYTES -> INT.set(page, at, (int) value);
            default -> LONG.set(page, at, value);
        }
    }

    @Override
    public void loadInts(long offset, int[] target, int index, int count) {
        int done = 0;
        while (done < count) {
            long from = offset + (long) done * Integer.BYTES;
            int at = (int) from & pageMask;
            int inPage = Math.min(count - done, (pageBytes() - at) / Integer.BYTES);
            if (inPage == 0) {
                target[index + done++] = (int) loadAcross(from, Integer.BYTES);
                continue;
            }
            copyInts(pages[(int) (from >>> pageShift)], at, target, index + done, inPage);
            done += inPage;
        }
    }

    private static void copyInts(
            byte @Nullable [] page, int at, int[] target, int index, int count) {
        if (page == null) {
            Arrays.fill(target, index, index + count, 0);
            return;
        }
        for (int i = 0; i < count; i++) {
            target[index + i] = (int) INT.get(page, at + i * Integer.BYTES);
        }
    }

    /**
     * Lets go of the pages of a range: they are null, and read as zeros.
     *
     * @param offset bytes, a multiple of {@link #pageBytes}
     * @param bytes a multiple of {@link #pageBytes}
     * @return bytes of the pages that were there
     * @throws IllegalArgumentException if these are not whole pages of this RAM; nothing is changed
     */
    public long drop(long offset, long bytes) {
        requirePages(offset, bytes);
        long dropped = 0;
        int end = (int) ((offset + bytes) >>> pageShift);
        for (int i = (int) (offset >>> pageShift); i < end; i++) {
            dropped += pages[i] == null ? 0 : pageBytes();
            pages[i] = null;
        }
        return dropped;
    }

    /**
     * Bytes of a range whose pages are there.
     *
     * @param offset bytes, a multiple of {@link #pageBytes}
     * @param bytes a multiple of {@link #pageBytes}
     * @throws IllegalArgumentException if these are not whole pages of this RAM
     */
    public long residentBytes(long offset, long bytes) {
        requirePages(offset, bytes);
        long resident = 0;
        int end = (int) ((offset + bytes) >>> pageShift);
        for (int i = (int) (offset >>> pageShift); i < end; i++) {
            resident += pages[i] == null ? 0 : pageBytes();
        }
        return resident;
    }

    /**
     * Nothing, if these are whole pages of this RAM.
     *
     * @throws IllegalArgumentException if they are not
     */
    public void requirePages(long offset, long bytes) {
        boolean inside = offset >= 0 && bytes >= 0 && offset <= length() - bytes;
        if (!inside || ((offset | bytes) & pageMask) != 0) {
            throw new IllegalArgumentException(
                    "not whole pages of this RAM: offset="
                            + (offset + ", bytes=" + bytes)
                            + (", pageBytes=" + pageBytes() + ", length=" + length()));
        }
    }

    private byte[] pageAt(int index) {
        byte @Nullable [] page = pages[index];
        if (page != null) {
            return page;
        }
        byte[] made = new byte[pageBytes()];
        byte @Nullable [] other =
                (byte[]) PAGE.compareAndExchange(pages, index, (byte[]) null, made);
        return other == null ? made : other;
    }

    private long loadAcross(long offset, int width) {
        long value = 0;
        for (int i = width - 1; i >= 0; i--) {
            value = value << Byte.SIZE | load(offset + i, Byte.BYTES);
        }
        return value;
    }

    private void storeAcross(long offset, int width, long value) {
        for (int i = 0; i < width; i++) {
            store(offset + i, Byte.BYTES, value >>> (i * Byte.SIZE));
        }
    }
}
