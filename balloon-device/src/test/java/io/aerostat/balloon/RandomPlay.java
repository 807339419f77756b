package io.aerostat.balloon;

import io.aerostat.balloon.range.PageReclaimer;
import io.aerostat.virtio.queue.DriverQueue;
import io.aerostat.virtio.spec.Feature;
import io.aerostat.virtio.spec.MmioRegister;
import io.aerostat.virtio.spec.balloon.BalloonFeature;
import io.aerostat.virtio.spec.balloon.BalloonQueue;
import io.aerostat.virtio.spec.balloon.QueueNumbering;

import java.util.Random;

/**
 * One seed's machine, with a random driver and a random host: what it does depends on the seed and
 * on nothing but what a driver and a host can see.
 */
final class RandomPlay {
    private static final long SECOND_NS = 1_000_000_000L;
    private static final int DATA_PAGES = SnapshotRig.RAM_PAGES - SnapshotRig.DATA_PAGE;

    /** Pages of the largest unit. */
    private static final int UNIT = 512;

    private static final int DATA = SnapshotRig.DATA_PAGE;

    /** Page numbers of a request: what its memory holds. */
    private static final int MAX_PFNS = SnapshotRig.PAGE / 4 - 1;

    private static final BalloonQueue[] QUEUES = BalloonQueue.values();

    final SnapshotRig rig;
    private final Random random;
    private final long always;
    long trace;

    RandomPlay(int unitBytes, boolean mustTellHost, long seed) {
        random = new Random(seed);
        always =
                Feature.VERSION_1
                        | BalloonFeature.STATS_VQ
                        | (mustTellHost ? BalloonFeature.MUST_TELL_HOST : 0);
        QueueNumbering[] numberings = QueueNumbering.values();
        BalloonOptions options =
                SnapshotRig.OPTIONS
                        .withNumbering(numberings[random.nextInt(numberings.length)])
                        .withWorkBudget(1 + random.nextInt(random.nextBoolean() ? 100 : 1500))
                        .withPagesPerSecond(random.nextInt(3) * 700L)
                        .withOomHoldNs(3 * SECOND_NS);
        boolean zero = random.nextBoolean();
        rig =
                new SnapshotRig(
                        options,
                        unitBytes,
                        zero ? PageReclaimer.Content.ZERO : PageReclaimer.Content.UNDEFINED);
        bringUp();
    }

    void step() {
        if (rig.needsReset() && random.nextInt(6) == 0) {
            bringUp();
        }
        switch (random.nextInt(32)) {
            case 0 -> rarely();
            case 1, 2, 3, 4, 5 -> pages(BalloonQueue.INFLATE);
            case 6, 7, 8 -> pages(BalloonQueue.DEFLATE);
            case 9, 10 -> supplyStatistics();
            case 11, 12, 13 -> hint();
            case 14, 15 -> report();
            case 16, 17 -> host();
            case 18, 19 -> writeConfig();
            case 20, 21, 22 -> rig.pass(timeGone());
            case 23 -> rig.transport.acknowledge(random.nextInt(4));
            case 24, 25, 26 -> reap();
            default -> rig.poll();
        }
    }

    private void rarely() {
        switch (random.nextInt(7)) {
            case 0 -> bringUp();
            case 1 -> rig.mmio.store(MmioRegister.STATUS.offset(), 4, random.nextInt(4));
            case 2, 3 -> breakRing();
            case 4 -> toggleQueue();
            case 5 -> rig.record.acceptAtMost(random.nextInt(3) << 21);
            default -> randomSelector();
        }
    }

    private void bringUp() {
        long some =
                Feature.INDIRECT_DESC
                        | Feature.EVENT_IDX
                        | BalloonFeature.DEFLATE_ON_OOM
                        | BalloonFeature.FREE_PAGE_HINT
                        | BalloonFeature.PAGE_REPORTING;
        // Some features, more often all of them; a few drivers have no statistics.
        long wanted = always | (some & (random.nextInt(3) == 0 ? random.nextInt() : -1L));
        wanted |= random.nextInt(3) == 0 ? BalloonFeature.PAGE_POISON : 0;
        wanted &= random.nextInt(5) == 0 ? ~BalloonFeature.STATS_VQ : -1L;
        rig.bringUp(wanted);
    }

    private long timeGone() {
        return switch (random.nextInt(4)) {
            case 0 -> random.nextInt(30_000_000);
            case 1 -> 4 * SECOND_NS;
            default -> random.nextLong() >>> 34;
        };
    }

    private void randomSelector() {
        MmioRegister[] selectors = {
            MmioRegister.QUEUE_SEL,
            MmioRegister.DEVICE_FEATURES_SEL,
            MmioRegister.DRIVER_FEATURES_SEL
        };
        MmioRegister register = selectors[random.nextInt(selectors.length)];
        rig.mmio.store(register.offset(), 4, random.nextInt(6));
    }

    private void toggleQueue() {
        BalloonQueue queue = QUEUES[random.nextInt(QUEUES.length)];
        boolean again = random.nextInt(4) != 0;
        if (!isUsable(queue)) {
            return;
        }
        rig.mmio.store(MmioRegister.QUEUE_SEL.offset(), 4, rig.indexOf(queue));
        rig.mmio.store(MmioRegister.QUEUE_READY.offset(), 4, 0);
        rig.drivers[queue.ordinal()] = null;
        if (again) {
            rig.enable(queue);
        }
    }

    private void breakRing() {
        BalloonQueue queue = QUEUES[random.nextInt(QUEUES.length)];
        int how = random.nextInt(4);
        if (!isUsable(queue)) {
            return;
        }
        int available = rig.rings[queue.ordinal()].availableIdx();
        switch (how) {
            case 0 -> rig.rings[queue.ordinal()].availableIdx(available + 100);
            case 1 -> {
                int slot = available % SnapshotRig.QUEUE_SIZE;
                rig.rings[queue.ordinal()].availableEntry(slot, 77);
                rig.rings[queue.ordinal()].availableIdx(available + 1);
            }
            default -> {
                // Broken not before the second element: the walk has begun then.
                long gpa = rig.slot(queue);
                rig.write(gpa, rig.data(5), rig.data(6));
                rig.offer(queue, new long[] {gpa, 0}, new long[] {6, 4}, 2, 0);
            }
        }
        rig.kick(queue);
    }

    private boolean isUsable(BalloonQueue queue) {
        DriverQueue driver = rig.drivers[queue.ordinal()];
        return driver != null
                && rig.transport.status() == 0xF
                && driver.fault() == null
                && driver.inFlight() < SnapshotRig.SLOTS
                && driver.freeDescriptors() >= 16;
    }

    // the driver

    private void pages(BalloonQueue queue) {
        int[] pfns = pfns();
        int surplus = random.nextInt(5) == 0 ? 1 + random.nextInt(3) : 0;
        int elements = 1 + random.nextInt(6);
        int writable = random.nextInt(4) == 0 ? 1 : 0;
        boolean kick = random.nextInt(4) != 0;
        if (!isUsable(queue)) {
            return;
        }
        long gpa = rig.slot(queue);
        rig.write(gpa, pfns);
        long bytes = 4L * pfns.length + surplus;
        long[] gpas = new long[elements + writable];
        long[] lengths = new long[elements + writable];
        int cut = 0;
        for (; cut < elements && bytes > 0; cut++) {
            boolean last = cut == elements - 1;
            lengths[cut] = last ? bytes : 1 + random.nextInt((int) bytes);
            gpas[cut] = gpa;
            gpa += lengths[cut];
            bytes -= lengths[cut];
        }
        if (writable == 1) {
            gpas[cut] = rig.gpa(SnapshotRig.DATA_PAGE);
            lengths[cut] = 4;
        }
        rig.offer(queue, gpas, lengths, cut, writable);
        if (kick) {
            rig.poll();
        }
    }

    private int[] pfns() {
        if (random.nextInt(12) == 0) {
            return rig.dataRun(2 * UNIT - DATA - random.nextInt(3), UNIT + random.nextInt(9));
        }
        int[] pfns =
                switch (random.nextInt(8)) {
                    case 0 -> new int[1 + random.nextInt(MAX_PFNS)];
                    case 1, 2 -> new int[40 + random.nextInt(200)];
                    default -> new int[1 + random.nextInt(30)];
                };
        int jumps = 5 + random.nextInt(500);
        int last = rig.data(random.nextInt(DATA_PAGES));
        for (int i = 0; i < pfns.length; i++) {
            int odd = random.nextInt(jumps);
            last =
                    switch (odd) {
                        case 0 -> random.nextInt();
                        case 1 -> rig.pfn(random.nextInt(15));
                        case 2 -> rig.pfn(SnapshotRig.RAM_PAGES + random.nextInt(3));
                        case 3 -> rig.data(random.nextInt(DATA_PAGES));
                        default -> last + 1;
                    };
            // The tables and requests themselves stay: one never knows what is in them then.
            boolean kept = last >= rig.pfn(15) && last < rig.data(0);
            last = kept || last >= rig.data(DATA_PAGES) + 3 ? rig.data(odd) : last;
            pfns[i] = last;
        }
        return pfns;
    }

    private void supplyStatistics() {
        int entries = random.nextInt(6);
        long[] figures = new long[2 * entries];
        for (int i = 0; i < figures.length; i += 2) {
            figures[i] = random.nextInt(4) == 0 ? random.nextInt(1 << 16) : random.nextInt(8);
            figures[i + 1] = random.nextLong() >>> random.nextInt(64);
        }
        int surplus = random.nextInt(8) == 0 ? 3 : 0;
        boolean more = random.nextInt(4) == 0;
        if (!isUsable(BalloonQueue.STATS)
                || (rig.driver(BalloonQueue.STATS).inFlight() > 0 && !more)) {
            return;
        }
        if (surplus == 0 && entries > 0) {
            rig.supply(figures);
        } else {
            long gpa = rig.slot(BalloonQueue.STATS);
            rig.ram.putLe64(gpa, 1);
            long[] lengths = {7L + surplus};
            rig.offer(BalloonQueue.STATS, new long[] {gpa}, lengths, 1, 0);
        }
    }

    private void hint() {
        int kind = random.nextInt(6);
        int first = random.nextInt(DATA_PAGES - 1);
        int pages =
                1 + random.nextInt(Math.min(random.nextInt(3) == 0 ? 600 : 20, DATA_PAGES - first));
        int skew = random.nextInt(10) == 0 ? 100 : 0;
        int told = random.nextInt(6) == 0 ? random.nextInt(4) : (int) rig.mmio.load(0x108, 4);
        if (!isUsable(BalloonQueue.FREE_PAGE_HINT)) {
            return;
        }
        if (kind < 2) {
            rig.hintCommand(random.nextInt(4) == 0 ? 0 : told);
            return;
        }
        long gpa = rig.gpa(SnapshotRig.DATA_PAGE + first) + skew;
        long bytes = (long) pages * SnapshotRig.PAGE - skew;
        if (kind == 2) {
            long slot = rig.slot(BalloonQueue.FREE_PAGE_HINT);
            rig.ram.putLe32(slot, told);
            long[] gpas = {slot, gpa, gpa};
            rig.offer(BalloonQueue.FREE_PAGE_HINT, gpas, new long[] {4, bytes, bytes}, 1, 2);
        } else {
            rig.offer(BalloonQueue.FREE_PAGE_HINT, new long[] {gpa}, new long[] {bytes}, 0, 1);
        }
    }

    private void report() {
        int elements = 1 + random.nextInt(4);
        long[] gpas = new long[elements];
        long[] lengths = new long[elements];
        for (int i = 0; i < elements; i++) {
            int first = random.nextInt(DATA_PAGES - 1);
            int most = Math.min(random.nextInt(3) == 0 ? 1100 : 20, DATA_PAGES - first);
            int skew = random.nextInt(8) == 0 ? 10 : 0;
            // Once in a while what no free page holds: a ring.
            int page = random.nextInt(20) == 0 ? 0 : SnapshotRig.DATA_PAGE + first;
            gpas[i] = rig.gpa(page) + skew;
            lengths[i] = (1L + random.nextInt(most)) * SnapshotRig.PAGE - skew;
            lengths[i] = page == 0 ? 8 * SnapshotRig.PAGE - skew : lengths[i];
        }
        boolean readable = random.nextInt(8) == 0;
        if (isUsable(BalloonQueue.REPORTING)) {
            int read = readable ? 1 : 0;
            rig.offer(BalloonQueue.REPORTING, gpas, lengths, read, elements - read);
        }
    }

    private void writeConfig() {
        int ledger = (int) rig.device.ledgerPages();
        int actual = random.nextInt(5) == 0 ? random.nextInt(2000) : ledger;
        int poison = random.nextInt(2);
        if (random.nextInt(4) == 0) {
            rig.mmio.store(0x10C, 4, poison);
        } else {
            rig.mmio.store(0x104, 4, actual);
        }
    }

    private void reap() {
        for (DriverQueue driver : rig.drivers) {
            int token = 0;
            while (driver != null && token >= 0) {
                token = driver.poll();
                trace = trace * 31 + token;
            }
        }
    }

    // the host

    private void host() {
        switch (random.nextInt(9)) {
            case 0, 1, 2 -> rig.device.target(random.nextInt(DATA_PAGES));
            case 3 -> rig.device.statistics().request();
            case 4 -> rig.device.statistics().period(random.nextInt(3) * SECOND_NS);
            case 5, 6 -> rig.device.hinting().start();
            case 7 -> rig.device.hinting().stop();
            default -> rig.device.hinting().done();
        }
        // What was not run is not saved.
        rig.poll();
    }

    /** A request was taken and is not back, nor held. */
    boolean isInsideRequest() {
        DriverQueue driver = rig.drivers[BalloonQueue.INFLATE.ordinal()];
        return driver != null && driver.inFlight() > 0 && !rig.needsReset();
    }
}
