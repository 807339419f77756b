package io.aerostat.vmm.os;

/**
 * {@code struct pollfd}, an entry of the array that poll(2) takes.
 *
 * <pre>
 *   offset 0  fd       4 bytes  a negative one is passed over
 *   offset 4  events   2 bytes  what is waited for
 *   offset 6  revents  2 bytes  what there is, set by the kernel; 0 for one passed over
 * </pre>
 *
 * <p>Source: poll(2).
 */
final class PollEntryLayout {
    static final long FD_OFFSET = 0;
    static final long EVENTS_OFFSET = FD_OFFSET + Integer.BYTES;
    static final long RETURNED_EVENTS_OFFSET = EVENTS_OFFSET + Short.BYTES;
    static final long LENGTH = RETURNED_EVENTS_OFFSET + Short.BYTES;

    private PollEntryLayout() {}
}
