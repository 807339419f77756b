package io.aerostat.balloon.embedding.guest;

/**
 * What a guest learns from its device tree.
 *
 * @param ram address of the first byte of RAM
 * @param ramBytes bytes of RAM there, at least 1 MiB
 * @param rings address of five pages of RAM for the rings, one each
 * @param window address of the balloon's registers
 * @param source the balloon's interrupt
 */
public record GuestMap(long ram, long ramBytes, long rings, long window, int source) {
    /** Bytes of a page. */
    public static final int PAGE = 4096;

    /** Pages at the start of RAM that are never given away: the program's own. */
    public static final int OWN_PAGES = 32;

    private static final int BUFFERS_PAGE = 1;
    private static final int RINGS_PAGE = 2;
    private static final int TABLE_PAGE = 8;

    /** A map whose rings lie in the program's own pages. */
    public static GuestMap of(long ram, long ramBytes, long window, int source) {
        return new GuestMap(ram, ramBytes, ram + (long) RINGS_PAGE * PAGE, window, source);
    }

    /** This map with other places for the rings. */
    public GuestMap withRings(long rings) {
        return new GuestMap(ram, ramBytes, rings, window, source);
    }

    /** Address of the first page that may be given away. */
    public long firstPage() {
        return ram + (long) OWN_PAGES * PAGE;
    }

    /** Pages that may be given away. */
    public int pages() {
        return (int) (ramBytes / PAGE) - OWN_PAGES;
    }

    long variables() {
        return ram;
    }

    long buffers() {
        return ram + (long) BUFFERS_PAGE * PAGE;
    }

    long pageTable() {
        return ram + (long) TABLE_PAGE * PAGE;
    }

    /** Entries that the table of pages has room for. */
    int pageTableLength() {
        return (OWN_PAGES - TABLE_PAGE) * PAGE / Integer.BYTES;
    }
}
