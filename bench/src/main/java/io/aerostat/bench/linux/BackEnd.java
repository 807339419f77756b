package io.aerostat.bench.linux;

import java.io.IOException;
import java.nio.file.Path;

/** A balloon for one guest. */
sealed interface BackEnd extends AutoCloseable permits OwnBackEnd, PeerBackEnd {
    /** For tables. */
    String label();

    /** Where the guest's front-end connects. */
    Path socket();

    /**
     * Brings the balloon to a size, and waits until it is there.
     *
     * @param pages of 4 KiB in the balloon
     * @param ring the number of the ring that is used
     * @param times is told how long requests took, where the back-end can tell
     * @throws IOException if it does not get there
     */
    Change change(long pages, int ring, RequestTimes times)
            throws IOException, InterruptedException;

    @Override
    void close();
}
