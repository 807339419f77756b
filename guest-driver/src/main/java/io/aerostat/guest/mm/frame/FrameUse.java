package io.aerostat.guest.mm.frame;

/** What a page frame is used for. Every frame has exactly one use. */
public enum FrameUse {
    /** By others, since before the memory manager was made; or no RAM. */
    RESERVED,
    /** Not used. */
    FREE,
    /** A page of a file. */
    CACHE,
    /** A page of a process. */
    ANONYMOUS,
    /** With the balloon: ballooned, or the balloon driver's own. */
    BALLOON,
    /** Free, but kept aside so that compaction can make a block of it. */
    ISOLATED
}
