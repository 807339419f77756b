package io.aerostat.balloon.handler;

import io.aerostat.balloon.range.PageLedger;
import io.aerostat.balloon.range.PageRanges;
import io.aerostat.balloon.range.RamClip;
import io.aerostat.virtio.device.VirtioDevice;
import io.aerostat.virtio.memory.GuestMemory;
import io.aerostat.virtio.memory.RamAccess;
import io.aerostat.virtio.queue.ChainCursor;
import io.aerostat.virtio.queue.DeviceQueue;
import io.aerostat.virtio.snapshot.SnapshotException;
import io.aerostat.virtio.snapshot.SnapshotReader;
import io.aerostat.virtio.snapshot.SnapshotWriter;
import io.aerostat.virtio.spec.balloon.HintCommand;
import io.aerostat.virtio.spec.balloon.PageFrame;

import org.jspecify.annotations.Nullable;

/**
 * Serves the free page hinting queue (VIRTIO 1.4, 5.5.6.5): collects which pages were free at some
 * time since the host asked.
 *
 * <pre>
 *   host: start ─▶ id ─▶ driver: id │ pages, pages, pages, … │ STOP
 *                        begins     hints of this round        COMPLETE
 * </pre>
 *
 * <p>The guest may use a hinted page again at any time, even before its buffer is returned: a hint
 * is no licence to discard, and nothing here does. Hints are for whoever copies the guest's memory
 * and knows which pages were written since the round began: the others of the hinted ones need not
 * be copied.
 *
 * <p>The owner's, but {@link #round} and {@link #pages}. Allocates nothing after construction.
 */
public final class HintQueueHandler implements QueueHandler {
    /** An element costs a pass as much as this many pages, beside its own pages. */
    private static final int ELEMENT_COST = 16;

    /** Marking pages costs so much less than discarding them. */
    private static final int PAGES_PER_COST = 64;

    private static final HintRound[] ROUNDS = HintRound.values();

    private final RamClip clip;
    private final BalloonCounters counters;
    private final RamAccess window;
    private final PageLedger hinted;
    private final PageRanges element = new PageRanges(1);
    private final int workBudget;

    private int nextRound = HintCommand.FIRST_ROUND;
    private int wanted = HintCommand.STOP;
    private int told = HintCommand.STOP;
    private boolean inBuffer;
    private volatile HintRound round = HintRound.NONE;
    private volatile long pages;

    /**
     * @param workBudget bounds one pass, see the constants
     */
    public HintQueueHandler(
            GuestMemory memory, RamClip clip, BalloonCounters counters, int workBudget) {
        this.clip = clip;
        this.counters = counters;
        this.window = new RamAccess(memory);
        this.hinted = new PageLedger(memory);
        this.workBudget = workBudget;
    }

    // the host's commands; each answers what the driver is to be told

    /** Begins a round, in which all earlier hints are forgotten. */
    public int start() {
        wanted = nextRound++;
        if (nextRound == HintCommand.STOP) {
            // 2^32 rounds: numbers begin again behind the reserved ones.
            nextRound = HintCommand.FIRST_ROUND;
        }
        forget();
        round = HintRound.ASKED;
        return wanted;
    }

    /** Wants no more hints; those that came hold. */
    public int stop() {
        wanted = HintCommand.STOP;
        round = round == HintRound.NONE ? HintRound.NONE : HintRound.STOPPED;
        return HintCommand.STOP;
    }

    /** Needs the hints no more: the driver gives the pages back, and they may be written. */
    public int done() {
        wanted = HintCommand.STOP;
        forget();
        round = HintRound.NONE;
        return HintCommand.DONE;
    }

    private void forget() {
        hinted.clear();
        pages = 0;
    }

    // what came of it

    /** How far the round is. Any thread. */
    public HintRound round() {
        return round;
    }

    /** Pages hinted in this round. Any thread. */
    public long pages() {
        return pages;
    }

    /** The pages hinted in this round. */
    public PageLedger hinted() {
        return hinted;
    }

    // the queue

    @Override
    public void reset() {
        inBuffer = false;
        told = HintCommand.STOP;
    }

    @Override
    public int serve(DeviceQueue ring) {
        int outcome = drain(ring);
        pages = hinted.count();
        return outcome;
    }

    @Override
    public void save(SnapshotWriter out) {
        out.writeBoolean(inBuffer);
        out.writeInt(nextRound);
        out.writeInt(wanted);
        out.writeInt(told);
        out.writeByte(round.ordinal());
        hinted.save(out);
    }

    @Override
    public Runnable prepareRestore(SnapshotReader in, @Nullable DeviceQueue ring)
            throws SnapshotException {
        boolean savedInBuffer = QueueHandler.readInBuffer(in, ring);
        int savedNext = in.readInt("nextRound");
        int savedWanted = in.readInt("wantedRound");
        int savedTold = in.readInt("toldRound");
        int savedRound = in.readByte("round");
        if (savedRound >= ROUNDS.length) {
            throw SnapshotException.impossible("round", savedRound);
        }
        if (savedNext == HintCommand.STOP || savedNext == HintCommand.DONE) {
            throw SnapshotException.impossible("nextRound", savedNext);
        }
        boolean inRound =
                ROUNDS[savedRound] != HintRound.NONE && ROUNDS[savedRound] != HintRound.STOPPED;
        boolean isRound = savedWanted != HintCommand.STOP && savedWanted != HintCommand.DONE;
        if (inRound != isRound) {
            throw SnapshotException.impossible("wantedRound", savedWanted);
        }
        Runnable pagesHinted = hinted.prepareRestore(in);
        return () -> {
            inBuffer = savedInBuffer;
            nextRound = savedNext;
            wanted = savedWanted;
            told = savedTold;
            round = ROUNDS[savedRound];
            pagesHinted.run();
            pages = hinted.count();
        };
    }

    private int drain(DeviceQueue ring) {
        int budget = workBudget;
        while (budget > 0) {
            if (!inBuffer) {
                int polled = ring.poll();
                if (polled != DeviceQueue.CHAIN) {
                    return polled == DeviceQueue.NONE ? VirtioDevice.IDLE : VirtioDevice.FAULT;
                }
                inBuffer = true;
            }
            budget -= ELEMENT_COST;
            int step = ring.chain().next();
            if (step == ChainCursor.FAULT) {
                return VirtioDevice.FAULT;
            }
            if (step == ChainCursor.END) {
                ring.complete(ring.chain().head(), 0);
                inBuffer = false;
            } else if (ring.chain().isWritable()) {
                budget -= takePages(ring.chain());
            } else {
                takeCommand(ring.chain());
            }
        }
        return VirtioDevice.MORE;
    }

    private void takeCommand(ChainCursor chain) {
        if (chain.length() != HintCommand.LENGTH) {
            counters.add(BalloonCounter.MALFORMED_HINTS, 1);
            return;
        }
        window.map(chain.gpa(), HintCommand.LENGTH);
        told = window.getInt(0);
        if (wanted == HintCommand.STOP) {
            return;
        }
        if (told == wanted) {
            counters.add(BalloonCounter.HINT_ROUNDS, round == HintRound.ASKED ? 1 : 0);
            round = HintRound.RUNNING;
        } else if (told == HintCommand.STOP && round == HintRound.RUNNING) {
            round = HintRound.COMPLETE;
        }
    }

    /** Takes the whole pages of an element, if they belong to the round. Returns what it cost. */
    private int takePages(ChainCursor chain) {
        long first = (chain.gpa() + PageFrame.BYTES - 1) >>> PageFrame.SHIFT;
        long end = (chain.gpa() + chain.length()) >>> PageFrame.SHIFT;
        boolean whole = ((end - first) << PageFrame.SHIFT) == chain.length();
        counters.add(BalloonCounter.MALFORMED_HINTS, whole ? 0 : 1);
        if (first >= end) {
            return 0;
        }
        if (round != HintRound.RUNNING || told != wanted) {
            counters.add(BalloonCounter.STALE_HINTS, end - first);
            return 0;
        }
        element.clear();
        element.add(first, (int) (end - first));
        PageRanges free = clip.clip(element);
        for (int i = 0; i < free.count(); i++) {
            counters.add(BalloonCounter.PAGES_HINTED, hinted.add(free.pfn(i), free.pages(i)));
        }
        counters.add(BalloonCounter.PAGES_OF_LIVE_RING, clip.protectedPages());
        return (int) ((end - first) / PAGES_PER_COST);
    }
}
