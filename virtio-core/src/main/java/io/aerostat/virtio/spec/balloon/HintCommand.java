package io.aerostat.virtio.spec.balloon;

/**
 * Values of {@code free_page_hint_cmd_id}, and of the buffers by which a driver tells under which
 * command it sends hints (VIRTIO 1.4, 5.5.6.5). Numbers without sign; those from {@link
 * #FIRST_ROUND} up each stand for one round of hints.
 */
public final class HintCommand {
    /** No more hints; pages that were hinted stay with the driver. */
    public static final int STOP = 0;

    /** Hinting is over; the driver gives hinted pages back to the guest. */
    public static final int DONE = 1;

    /** The lowest number of a round. */
    public static final int FIRST_ROUND = 2;

    /** Bytes of a buffer that carries a command. */
    public static final int LENGTH = Integer.BYTES;

    private HintCommand() {}
}
