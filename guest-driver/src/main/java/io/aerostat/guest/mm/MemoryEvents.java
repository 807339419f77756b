package io.aerostat.guest.mm;

/** What is worth a line in the guest's log. Called in the middle of the work: look, don't touch. */
public interface MemoryEvents {
    /** Nobody listens. */
    MemoryEvents NONE = new MemoryEvents() {};

    /**
     * A process was killed because there was no memory; its own has been freed.
     *
     * @param victim its address space
     * @param residentPages what it had in RAM
     * @param swappedPages what it had in the swap area
     */
    default void outOfMemoryKill(AddressSpace victim, long residentPages, long swappedPages) {}

    /**
     * A page of a process does not hold what was written to it.
     *
     * @param pfn the frame it is in
     */
    default void corruptedPage(AddressSpace space, int page, int pfn) {}

    /**
     * A cached page of a file does not hold the file's content.
     *
     * @param pfn the frame it is in
     */
    default void corruptedFilePage(int file, int index, int pfn) {}
}
