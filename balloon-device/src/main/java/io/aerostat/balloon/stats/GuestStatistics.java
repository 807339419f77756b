package io.aerostat.balloon.stats;

import io.aerostat.virtio.spec.balloon.StatTag;

import java.util.Collections;
import java.util.EnumMap;
import java.util.Map;
import java.util.OptionalLong;
import java.util.TreeMap;

/**
 * What a guest told of itself in one buffer. Values are 64 bits without sign, in the {@linkplain
 * StatTag#unit() unit} of their tag. They are the guest's word. Immutable.
 */
public final class GuestStatistics {
    private final Map<StatTag, Long> known;
    private final Map<Integer, Long> unknown;
    private final long receivedNs;

    private GuestStatistics(Map<StatTag, Long> known, Map<Integer, Long> unknown, long receivedNs) {
        this.known = Collections.unmodifiableMap(known);
        this.unknown = Collections.unmodifiableMap(unknown);
        this.receivedNs = receivedNs;
    }

    /** A figure, or empty if the guest did not supply it. */
    public OptionalLong value(StatTag tag) {
        Long value = known.get(tag);
        return value == null ? OptionalLong.empty() : OptionalLong.of(value);
    }

    /** The figures that have a name, by ascending tag. */
    public Map<StatTag, Long> known() {
        return known;
    }

    /** The figures whose tag has no name here, by ascending tag, 0 to 65535. */
    public Map<Integer, Long> unknown() {
        return unknown;
    }

    /** When the guest's buffer was read, by the clock of the device's owner. */
    public long receivedNs() {
        return receivedNs;
    }

    /** How old the figures are, in nanoseconds, at {@code nowNs} of the same clock. */
    public long ageNs(long nowNs) {
        return nowNs - receivedNs;
    }

    /** The same figures, received at another time of the clock. */
    public GuestStatistics receivedAt(long receivedNs) {
        return new GuestStatistics(known, unknown, receivedNs);
    }

    @Override
    public String toString() {
        return "GuestStatistics" + known + (unknown.isEmpty() ? "" : unknown.toString());
    }

    /** Collects entries as they are read; of two with one tag the later one holds. */
    public static final class Builder {
        private final Map<StatTag, Long> known = new EnumMap<>(StatTag.class);
        private final Map<Integer, Long> unknown = new TreeMap<>();

        /** A builder without entries. */
        public Builder() {}

        /**
         * Adds an entry.
         *
         * @param tag 0 to 65535
         */
        public void put(int tag, long value) {
            StatTag name = StatTag.ofTag(tag);
            if (name != null) {
                known.put(name, value);
            } else {
                unknown.put(tag, value);
            }
        }

        /** What was added, read at {@code receivedNs}. Ends the builder's use. */
        public GuestStatistics build(long receivedNs) {
            return new GuestStatistics(known, unknown, receivedNs);
        }
    }
}
