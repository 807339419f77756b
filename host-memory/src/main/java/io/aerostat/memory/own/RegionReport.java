package io.aerostat.memory.own;

/**
 * What of a region can never be given back to the host. A value.
 *
 * @param gpa guest-physical address of the region
 * @param length bytes of the region
 * @param keptBytes bytes that can never be given back, 0 to {@code length}
 * @param obstacle why: the one that keeps most of them
 */
public record RegionReport(long gpa, long length, long keptBytes, Obstacle obstacle) {
    /** What is the matter, as the second half of a sentence. */
    public String reason() {
        return obstacle.reason();
    }

    /** What to do, as a command. */
    public String remedy() {
        return obstacle.remedy();
    }

    /** All of it in a sentence or two, for a log. */
    public String message() {
        String which = "gpa=0x" + Long.toHexString(gpa) + ", length=" + length;
        return keptBytes == 0
                ? "guest RAM: all of it can be given back to the host: " + which
                : ("guest RAM: " + keptBytes + " of " + length)
                        + (" bytes can never be given back to the host: " + reason())
                        + ("; " + remedy() + ": " + which);
    }
}
