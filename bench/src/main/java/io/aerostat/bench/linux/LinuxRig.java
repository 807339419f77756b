package io.aerostat.bench.linux;

import io.aerostat.virtio.spec.balloon.PageFrame;
import io.aerostat.vmm.linux.CommandResult;
import io.aerostat.vmm.linux.LinuxGuest;
import io.aerostat.vmm.linux.LinuxGuestOptions;
import io.aerostat.vmm.linux.LinuxPackages;

import java.io.IOException;
import java.time.Duration;

/** One guest on one back-end, and what is done to it. */
final class LinuxRig implements AutoCloseable {
    /** What Linux sends in one request. */
    static final int PAGES_PER_REQUEST = 256;

    /** A request's pages have 1 MiB. */
    private static final long REQUEST_KIB = PAGES_PER_REQUEST * (PageFrame.BYTES >> 10);

    /** What the balloon leaves of the guest's free memory, so that the guest never runs short. */
    private static final long KEPT_BY_BALLOON_KIB = 16 << 10;

    /** What a file leaves of it: less, so that nearly all pages of the balloon were written to. */
    private static final long KEPT_BY_FILE_KIB = 8 << 10;

    /** Besides, a part of free memory that what grows with the guest takes: watermarks, indexes. */
    private static final long KEPT_PART = 64;

    private static final Duration DEADLINE = Duration.ofSeconds(60);

    private final LinuxGuest guest;
    private final BackEnd backEnd;
    private final Measurements measured;
    private final RequestTimes uncounted = RequestTimes.none();
    private final long fileRequests;

    private LinuxRig(LinuxGuest guest, BackEnd backEnd, long guestBytes, long freeKib) {
        this.guest = guest;
        this.backEnd = backEnd;
        long usableKib = freeKib - freeKib / KEPT_PART;
        long requests = (usableKib - KEPT_BY_BALLOON_KIB) / REQUEST_KIB;
        this.fileRequests = (usableKib - KEPT_BY_FILE_KIB) / REQUEST_KIB;
        this.measured = new Measurements(backEnd.label(), guestBytes, requests * PAGES_PER_REQUEST);
    }

    /** Boots a guest on a back-end, which is closed with it, or if it does not boot. */
    static LinuxRig start(LinuxPackages packages, BackEnd backEnd, long guestBytes)
            throws IOException, InterruptedException {
        LinuxGuest guest;
        try {
            guest =
                    LinuxGuest.start(
                            packages,
                            LinuxGuestOptions.of(guestBytes)
                                    .withBalloonSocket(backEnd.socket())
                                    .withBalloonLoaded());
        } catch (IOException | InterruptedException | RuntimeException e) {
            backEnd.close();
            throw e;
        }
        try {
            long freeKib = guest.meminfo().getOrDefault("MemFree", 0L);
            return new LinuxRig(guest, backEnd, guestBytes, freeKib);
        } catch (InterruptedException | RuntimeException e) {
            guest.close();
            backEnd.close();
            throw e;
        }
    }

    /** What was measured so far. */
    Measurements measured() {
        return measured;
    }

    /** Such as {@code 6.1.176}. */
    String kernelRelease() throws InterruptedException {
        return guest.kernelRelease();
    }

    /** Has one request sent and nothing else, and takes it back. */
    void single() throws IOException, InterruptedException {
        long ns =
                backEnd.change(
                                PAGES_PER_REQUEST,
                                RoundKind.INFLATE_CLEAN.ring(),
                                measured.singles())
                        .elapsedNs();
        measured.singleCalls().record(ns);
        var _ = backEnd.change(0, RoundKind.DEFLATE.ring(), uncounted);
    }

    /** Has the guest write to all its memory, and free it again. */
    void dirty() throws IOException, InterruptedException {
        CommandResult result =
                guest.run(
                        "dd if=/dev/zero of=/tmp/fill bs=1M count="
                                + fileRequests
                                + " && rm /tmp/fill",
                        DEADLINE);
        if (!result.isSuccess()) {
            throw new IOException(
                    "the guest cannot write its memory full: MiB="
                            + (fileRequests + ", backEnd=" + backEnd.label())
                            + (", said=" + result.text()));
        }
    }

    /** Inflates or deflates all the way. */
    void change(RoundKind kind) throws IOException, InterruptedException {
        long pages = kind == RoundKind.DEFLATE ? 0 : measured.balloonPages();
        long residentBefore = guest.residentShmemBytes();
        Change change = backEnd.change(pages, kind.ring(), measured.requests(kind));
        if (change.pages() < measured.balloonPages()) {
            throw new IOException(
                    "the guest moved fewer pages than asked for: asked="
                            + (measured.balloonPages() + ", moved=" + change.pages()));
        }
        long released = residentBefore - guest.residentShmemBytes();
        measured.add(new Round(kind, change, released));
    }

    @Override
    public void close() {
        guest.close();
        backEnd.close();
    }
}
