package io.aerostat.virtio.queue;

import io.aerostat.virtio.spec.Feature;
import io.aerostat.virtio.testkit.GuestRam;
import io.aerostat.virtio.testkit.RingBytes;

import org.junit.jupiter.params.provider.Arguments;

import java.util.Arrays;
import java.util.stream.Stream;

/** Where the queue tests put their rings and payloads, and what they run them on. */
final class Rings {
    static final long NONE_NEGOTIATED = Feature.VERSION_1;
    static final long EVENT = Feature.VERSION_1 | Feature.EVENT_IDX;
    static final long INDIRECT = Feature.VERSION_1 | Feature.INDIRECT_DESC;
    static final long BOTH = EVENT | INDIRECT;

    /** Payload and tables: pages 8 to 15 of the RAM, behind the ring. */
    static final long DATA = GuestRam.DEFAULT_BASE + 8 * GuestRam.PAGE;

    private Rings() {}

    /** 16 pages of RAM at 0x10000; the ring is behind the edge of two regions, or across it. */
    static GuestRam ram(GuestRam.Kind kind) {
        return GuestRam.of(kind, 16 * GuestRam.PAGE);
    }

    /** A ring that starts 32 bytes before an edge, so that its parts lie across edges. */
    static RingBytes ring(GuestRam ram, int size) {
        return RingBytes.at(ram, size, ram.base() + GuestRam.PAGE - 32);
    }

    static DeviceQueue device(RingBytes ring, long features) {
        return new DeviceQueue(ring.ram().memory(), ring.addresses(), features);
    }

    static DriverQueue driver(RingBytes ring, long features) {
        return new DriverQueue(ring.ram().memory(), ring.addresses(), features, null);
    }

    static Stream<GuestRam.Kind> kinds() {
        return GuestRam.kinds();
    }

    static Stream<Arguments> kindsAndSizes(int... sizes) {
        return kinds().flatMap(
                        kind ->
                                Stream.of(sizes)
                                        .flatMapToInt(Arrays::stream)
                                        .mapToObj(size -> Arguments.of(kind, size)));
    }
}
