package io.aerostat.guest.mm.frame;

import io.aerostat.virtio.memory.RamAccess;
import io.aerostat.virtio.spec.balloon.PageFrame;

/**
 * What the bytes of a page should be, so that a page which was lost, mixed up with another or
 * written by somebody else is found. All 512 words of a page follow from its key, and each from its
 * place.
 */
public final class PageContent {
    /** The key of a page of zeros. */
    public static final long ZEROS = 0;

    private static final long GOLDEN_GAMMA = 0x9E37_79B9_7F4A_7C15L;

    private PageContent() {}

    /**
     * The key of a page's content; never {@link #ZEROS}.
     *
     * @param seed of all pages of a kind
     * @param owner whose page it is
     * @param index which of the owner's pages
     * @param version how often it was written
     */
    public static long key(long seed, int owner, int index, int version) {
        long key = mix(seed + GOLDEN_GAMMA * (owner + 1L));
        key = mix(key + GOLDEN_GAMMA * (index + 1L));
        key = mix(key + GOLDEN_GAMMA * (version + 1L));
        return key == ZEROS ? 1 : key;
    }

    /** Writes a page. */
    public static void fill(RamAccess page, long key) {
        if (key == ZEROS) {
            page.fill(0, PageFrame.BYTES, (byte) 0);
            return;
        }
        for (int offset = 0; offset < PageFrame.BYTES; offset += Long.BYTES) {
            page.putLong(offset, word(key, offset));
        }
    }

    /** Tells whether each bit of a page is as {@link #fill} left it. */
    public static boolean matches(RamAccess page, long key) {
        long wrong = 0;
        for (int offset = 0; offset < PageFrame.BYTES; offset += Long.BYTES) {
            wrong |= page.getLong(offset) ^ (key == ZEROS ? 0 : word(key, offset));
        }
        return wrong == 0;
    }

    private static long word(long key, int offset) {
        long mixed = (key + offset) * GOLDEN_GAMMA;
        return mixed ^ (mixed >>> 29);
    }

    private static long mix(long value) {
        long mixed = (value ^ (value >>> 30)) * 0xBF58_476D_1CE4_E5B9L;
        mixed = (mixed ^ (mixed >>> 27)) * 0x94D0_49BB_1331_11EBL;
        return mixed ^ (mixed >>> 31);
    }
}
