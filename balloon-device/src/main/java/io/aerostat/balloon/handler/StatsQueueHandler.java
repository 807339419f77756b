package io.aerostat.balloon.handler;

import io.aerostat.balloon.stats.GuestStatistics;
import io.aerostat.virtio.device.VirtioDevice;
import io.aerostat.virtio.memory.GuestMemory;
import io.aerostat.virtio.memory.RamAccess;
import io.aerostat.virtio.queue.ChainCursor;
import io.aerostat.virtio.queue.DeviceQueue;
import io.aerostat.virtio.snapshot.SnapshotException;
import io.aerostat.virtio.snapshot.SnapshotReader;
import io.aerostat.virtio.snapshot.SnapshotWriter;
import io.aerostat.virtio.spec.balloon.StatEntryLayout;

import org.jspecify.annotations.Nullable;

/**
 * Serves the statistics queue (VIRTIO 1.4, 5.5.6.3): the device holds the driver's one buffer, and
 * returns it to ask for new figures.
 *
 * <pre>
 *   driver: buffer ─▶ read at once ─▶ held ──── asked, or due ───▶ returned ─▶ driver: new buffer
 * </pre>
 *
 * <p>The first buffer comes unasked. Who asks while none is held gets the figures of the next one.
 * A second buffer while one is held takes its place (QEMU does the same). Only so much of a buffer
 * is read as a driver could have a use for.
 *
 * <p>The owner's, but {@link #latest}.
 */
public final class StatsQueueHandler implements QueueHandler {
    /** Entries that are read of one buffer; what follows is not looked at. */
    public static final int MAX_ENTRIES = 256;

    private static final int NONE = -1;

    /** Buffers of one pass. A driver has use for one. */
    private static final int BUFFERS_PER_PASS = 16;

    private final BalloonCounters counters;
    private final RamAccess window;
    private final byte[] copy = new byte[MAX_ENTRIES * StatEntryLayout.LENGTH];

    private int held = NONE;

    /** Bytes copied of a buffer that is still to be decoded. */
    private int lastLength = NONE;

    private boolean asked;
    private long periodNs;
    private long dueNs;
    private long nowNs;
    private volatile @Nullable GuestStatistics latest;

    /** A handler that holds no buffer. */
    public StatsQueueHandler(GuestMemory memory, BalloonCounters counters) {
        this.window = new RamAccess(memory);
        this.counters = counters;
    }

    /** What the guest said last, or null. Any thread. */
    public @Nullable GuestStatistics latest() {
        return latest;
    }

    /** Forgets what the guest said: another guest may speak next. */
    public void forget() {
        latest = null;
    }

    /** Asks for new figures; the next pass over the queue returns the held buffer. */
    public void ask() {
        asked = true;
    }

    /** Asks every so often, from now on; 0 to ask no more by itself. */
    public void period(long periodNs) {
        this.periodNs = periodNs;
        dueNs = nowNs;
    }

    /** Time goes on. True if the queue wants a pass. */
    public boolean elapsed(long nowNs) {
        this.nowNs = nowNs;
        if (periodNs > 0 && held != NONE && !asked && nowNs - dueNs >= 0) {
            asked = true;
        }
        return asked && held != NONE;
    }

    @Override
    public void reset() {
        held = NONE;
        asked = false;
    }

    @Override
    public void save(SnapshotWriter out) {
        out.writeInt(held);
        out.writeBoolean(asked);
        out.writeLong(periodNs);
        out.writeLong(dueNs - nowNs);
        GuestStatistics figures = latest;
        out.writeBoolean(figures != null);
        if (figures == null) {
            return;
        }
        out.writeLong(figures.ageNs(nowNs));
        out.writeShort(figures.known().size() + figures.unknown().size());
        figures.known().forEach((tag, value) -> saveEntry(out, tag.tag(), value));
        figures.unknown().forEach((tag, value) -> saveEntry(out, tag, value));
    }

    private static void saveEntry(SnapshotWriter out, int tag, long value) {
        out.writeShort(tag);
        out.writeLong(value);
    }

    /**
     * {@inheritDoc}
     *
     * <p>The clock may be another one: until {@link #clockStarts} all is told as if it were 0 now.
     */
    @Override
    public Runnable prepareRestore(SnapshotReader in, @Nullable DeviceQueue ring)
            throws SnapshotException {
        int savedHeld = in.readInt("heldBuffer");
        if (savedHeld != NONE && (ring == null || !ring.isOut(savedHeld))) {
            throw SnapshotException.impossible("heldBuffer", savedHeld);
        }
        boolean savedAsked = in.readBoolean("asked");
        long savedPeriod = in.readLong("periodNs", 0, Long.MAX_VALUE);
        long savedDue = in.readLong("dueInNs");
        GuestStatistics savedFigures = in.readBoolean("hasFigures") ? readFigures(in) : null;
        return () -> {
            nowNs = 0;
            held = savedHeld;
            asked = savedAsked;
            periodNs = savedPeriod;
            dueNs = savedDue;
            latest = savedFigures;
        };
    }

    private static GuestStatistics readFigures(SnapshotReader in) throws SnapshotException {
        long ageNs = in.readLong("ageNs", 0, Long.MAX_VALUE);
        int entries = in.readShort("entries");
        GuestStatistics.Builder figures = new GuestStatistics.Builder();
        for (int i = 0; i < entries; i++) {
            figures.put(in.readShort("tag"), in.readLong("value"));
        }
        return figures.build(-ageNs);
    }

    /** The clock, which stood at 0 when this was restored, goes on from {@code nowNs}. */
    public void clockStarts(long nowNs) {
        this.nowNs += nowNs;
        dueNs += nowNs;
        GuestStatistics figures = latest;
        latest = figures == null ? null : figures.receivedAt(figures.receivedNs() + nowNs);
    }

    @Override
    public int serve(DeviceQueue ring) {
        int outcome = VirtioDevice.MORE;
        for (int i = 0; i < BUFFERS_PER_PASS; i++) {
            int polled = ring.poll();
            if (polled != DeviceQueue.CHAIN) {
                outcome = polled == DeviceQueue.NONE ? VirtioDevice.IDLE : VirtioDevice.FAULT;
                break;
            }
            if (!take(ring)) {
                outcome = VirtioDevice.FAULT;
                break;
            }
        }
        if (lastLength >= 0) {
            // Of several buffers the last one tells.
            latest = decode(lastLength);
            lastLength = NONE;
        }
        if (asked && held != NONE && outcome != VirtioDevice.FAULT) {
            ring.complete(held, 0);
            held = NONE;
            asked = false;
        }
        return outcome;
    }

    /** Reads a buffer and holds it. False if it is broken. */
    private boolean take(DeviceQueue ring) {
        int length = read(ring.chain());
        if (length < 0) {
            return false;
        }
        if (held != NONE) {
            counters.add(BalloonCounter.SURPLUS_STATISTICS, 1);
            ring.complete(held, 0);
        }
        held = ring.chain().head();
        dueNs = nowNs + periodNs;
        counters.add(BalloonCounter.STATISTICS, 1);
        lastLength = length;
        // These are the figures that somebody waits for.
        asked = false;
        return true;
    }

    /**
     * Copies a buffer, each byte read once, however it is cut into elements. Negative if its chain
     * is broken; the whole chain is looked at.
     */
    private int read(ChainCursor chain) {
        int length = 0;
        boolean malformed = false;
        int step = chain.next();
        while (step == ChainCursor.ELEMENT) {
            if (!chain.isWritable()) {
                int part = (int) Math.min(chain.length(), copy.length - length);
                malformed |= part < chain.length();
                window.map(chain.gpa(), chain.length());
                for (int i = 0; i < part; i++) {
                    copy[length + i] = window.getByte(i);
                }
                length += part;
            }
            step = chain.next();
        }
        malformed |= length % StatEntryLayout.LENGTH != 0;
        counters.add(BalloonCounter.MALFORMED_STATISTICS, malformed ? 1 : 0);
        return step == ChainCursor.END ? length : -1;
    }

    private GuestStatistics decode(int length) {
        GuestStatistics.Builder figures = new GuestStatistics.Builder();
        int end = length - StatEntryLayout.LENGTH;
        for (int entry = 0; entry <= end; entry += StatEntryLayout.LENGTH) {
            figures.put(
                    (int) littleEndian(entry + StatEntryLayout.TAG_OFFSET, Short.BYTES),
                    littleEndian(entry + StatEntryLayout.VALUE_OFFSET, Long.BYTES));
        }
        return figures.build(nowNs);
    }

    private long littleEndian(int offset, int bytes) {
        long value = 0;
        for (int i = bytes - 1; i >= 0; i--) {
            value = value << Byte.SIZE | (copy[offset + i] & 0xFF);
        }
        return value;
    }
}
