package io.aerostat.memory.own;

/** Why bytes of guest RAM can never be given back to the host, and what its owner does about it. */
public enum Obstacle {
    /** All can be given back. */
    NONE("nothing is lost", "leave it as it is"),

    /**
     * The RAM does not lie on the host's pages as the guest's pages do. Its first and its last page
     * are shared with who knows whom; and of each range that the guest gives, the page that it
     * begins in and the one that it ends in are kept, so that single pages give nothing.
     */
    UNALIGNED(
            "it does not lie on whole pages of the host, so that a page of each range that the"
                    + " guest gives back is kept too",
            "allocate it by AnonymousBackend.map, UnloadBackend.map or FileChannel.map; or,"
                    + " resident from the start, by ByteBuffer.allocateDirect(bytes +"
                    + " page).alignedSlice(page)"),

    /** The RAM has no address: it is an array, or behind an accessor. */
    NO_ADDRESS(
            "it lies in the Java heap or behind an accessor, where the host cannot reach it",
            "allocate it by AnonymousBackend.map, UnloadBackend.map or FileChannel.map; or keep it"
                    + " in a PagedArray with a PagedReclaimer"),

    /** Huge pages of the host's pool (hugetlbfs). */
    HUGE_PAGES(
            "it is made of reserved huge pages, which go back as a whole or not at all",
            "allocate it by AnonymousBackend.map or MemfdBackend.map with HugePages.RESERVED"),

    /** Locked in memory. */
    LOCKED("it is locked in memory", "do not lock it: no mlock or mlockall"),

    /** The mapping may not be written. */
    READ_ONLY("its mapping is not writable", "map it for reading and writing"),

    /** A device's memory, or what the kernel maps for purposes of its own. */
    SPECIAL(
            "it is a device's or the kernel's own mapping",
            "allocate it by AnonymousBackend.map or UnloadBackend.map"),

    /** The kernel knows no mapping there. */
    NOT_MAPPED(
            "the kernel knows no mapping there", "detach the region before its memory is unmapped");

    private final String reason;
    private final String remedy;

    Obstacle(String reason, String remedy) {
        this.reason = reason;
        this.remedy = remedy;
    }

    /** What is the matter, as the second half of a sentence. */
    public String reason() {
        return reason;
    }

    /** What to do, as a command. */
    public String remedy() {
        return remedy;
    }
}
