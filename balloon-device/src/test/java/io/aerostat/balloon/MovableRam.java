package io.aerostat.balloon;

import io.aerostat.virtio.memory.GuestMemory;
import io.aerostat.virtio.memory.PagedArray;
import io.aerostat.virtio.memory.RamAccess;
import io.aerostat.virtio.memory.RamAccessor;
import io.aerostat.virtio.memory.RamRegion;
import io.aerostat.virtio.testkit.GuestRam;

import org.agrona.BufferUtil;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/**
 * RAM of four places whose bytes come, go and move, each time of another kind. What was detached is
 * scribbled over and kept: whoever touches it is found out.
 *
 * <pre>
 *   [ place 0 ][ place 1 ][ place 2 ]          [ place 3 ]
 * </pre>
 */
final class MovableRam {
    static final int PLACES = 4;
    static final int PAGE = GuestRam.PAGE;
    static final int PLACE_PAGES = 64;
    static final int PLACE_BYTES = PLACE_PAGES * PAGE;

    private static final byte SCRIBBLE = (byte) 0xA5;

    /** Bytes of a place, and what they are when nobody may touch them any more. */
    private interface Backing {
        RamRegion region();

        /** The bytes are the embedder's own again. */
        void scribble();

        boolean isUntouched();
    }

    private record Bytes(RamRegion region, ByteBuffer bytes) implements Backing {
        @Override
        public void scribble() {
            for (int i = 0; i < bytes.capacity(); i++) {
                bytes.put(i, SCRIBBLE);
            }
        }

        @Override
        public boolean isUntouched() {
            return bytes.duplicate().clear().mismatch(allScribble(bytes.capacity())) < 0;
        }

        private static ByteBuffer allScribble(int count) {
            byte[] all = new byte[count];
            Arrays.fill(all, SCRIBBLE);
            return ByteBuffer.wrap(all);
        }
    }

    private static final class Pages implements Backing {
        private final RamRegion region;
        private final byte[][] pages;
        private final int pageBytes;

        Pages(long gpa, int pageBytes) {
            this.pageBytes = pageBytes;
            pages = new byte[PLACE_BYTES / pageBytes][];
            PagedArray array = new PagedArray(pages, pageBytes);
            region = RamRegion.ofAccessor(gpa, PLACE_BYTES, array);
        }

        @Override
        public RamRegion region() {
            return region;
        }

        @Override
        public void scribble() {
            for (int i = 0; i < pages.length; i++) {
                pages[i] = new byte[pageBytes];
                Arrays.fill(pages[i], SCRIBBLE);
            }
        }

        @Override
        public boolean isUntouched() {
            byte[] whole = new byte[pageBytes];
            Arrays.fill(whole, SCRIBBLE);
            return Arrays.stream(pages).allMatch(page -> Arrays.equals(page, whole));
        }
    }

    /** Sees reads, too. */
    private static final class Watched implements Backing, RamAccessor {
        private final PagedArray bytes = new PagedArray(new byte[PLACE_PAGES][], PAGE);
        private final RamRegion region;
        private volatile boolean gone;
        private volatile boolean touched;

        Watched(long gpa) {
            region = RamRegion.ofAccessor(gpa, PLACE_BYTES, this);
        }

        @Override
        public RamRegion region() {
            return region;
        }

        @Override
        public void scribble() {
            gone = true;
        }

        @Override
        public boolean isUntouched() {
            return !touched;
        }

        @Override
        public long load(long offset, int width) {
            touched |= gone;
            return bytes.load(offset, width);
        }

        @Override
        public void store(long offset, int width, long value) {
            touched |= gone;
            bytes.store(offset, width, value);
        }
    }

    final GuestMemory memory;
    private final Random random;
    private final Backing[] backings = new Backing[PLACES];
    private final List<Backing> gone = new ArrayList<>();

    MovableRam(Random random) {
        this.random = random;
        RamRegion[] regions = new RamRegion[PLACES];
        for (int place = 0; place < PLACES; place++) {
            backings[place] = make(place);
            regions[place] = backings[place].region();
        }
        memory = GuestMemory.of(regions);
    }

    static long gpa(int place) {
        return (1L << 20) + (place == 3 ? 5L : place) * PLACE_BYTES;
    }

    /** The place of an address; {@link #PLACES} if there is none. */
    static int placeOf(long address) {
        int place = 0;
        while (place < PLACES && (address < gpa(place) || address >= gpa(place) + PLACE_BYTES)) {
            place++;
        }
        return place;
    }

    private Backing make(int place) {
        long gpa = gpa(place);
        ByteBuffer direct = ByteBuffer.allocateDirect(PLACE_BYTES + Long.BYTES);
        direct = direct.alignedSlice(Long.BYTES).slice(0, PLACE_BYTES);
        return switch (random.nextInt(6)) {
            case 0 -> new Bytes(RamRegion.ofBuffer(gpa, direct), direct);
            case 1 -> {
                if (!RamAccess.supportsRawAddresses()) {
                    yield new Bytes(RamRegion.ofBuffer(gpa, direct), direct);
                }
                long address = BufferUtil.address(direct);
                yield new Bytes(RamRegion.ofAddress(gpa, PLACE_BYTES, address, direct), direct);
            }
            case 2 -> {
                byte[] array = new byte[PLACE_BYTES];
                yield new Bytes(RamRegion.ofArray(gpa, array), ByteBuffer.wrap(array));
            }
            case 3 -> new Pages(gpa, PAGE);
            case 4 -> new Pages(gpa, 4 * PAGE);
            default -> new Watched(gpa);
        };
    }

    boolean isAttached(int place) {
        return memory.region(place).isAttached();
    }

    /** The RAM of a place, as it is now. */
    RamRegion region(int place) {
        return memory.region(place);
    }

    /** Fresh RAM for a place; it is the embedder's part to attach it. */
    RamRegion renew(int place) {
        backings[place] = make(place);
        return backings[place].region();
    }

    /** The RAM of a place was detached: its bytes are nobody's business any more. */
    void wasDetached(int place) {
        backings[place].scribble();
        gone.add(backings[place]);
    }

    /**
     * Puts the bytes of a place somewhere else. Between passes; whoever calls says {@link
     * #wasDetached} of the old ones before.
     *
     * @return what says so: when the passes go on
     */
    Runnable move(int place) {
        Backing old = backings[place];
        RamAccess before = RamAccess.of(memory, gpa(place), PLACE_BYTES);
        int[] copy = new int[PLACE_BYTES / Integer.BYTES];
        before.getInts(0, copy, 0, copy.length);
        memory.detach(old.region());
        memory.attach(renew(place));
        RamAccess.of(memory, gpa(place), PLACE_BYTES).putInts(0, copy, 0, copy.length);
        gone.add(old);
        return old::scribble;
    }

    /** How many regions that are gone were touched since. */
    long touched() {
        return gone.stream().filter(backing -> !backing.isUntouched()).count();
    }
}
