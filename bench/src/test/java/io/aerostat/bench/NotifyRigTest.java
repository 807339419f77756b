package io.aerostat.bench;

import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import com.sun.management.ThreadMXBean;

import io.aerostat.balloon.BalloonDevice;
import io.aerostat.balloon.BalloonOptions;
import io.aerostat.balloon.reclaim.NoReclaim;
import io.aerostat.virtio.memory.GuestMemory;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;

/** What a measured request is, on each kind of RAM. */
final class NotifyRigTest {
    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    private static final int WARM_UP_ROUNDS = 300;
    private static final int ROUNDS = 50;
    private static final int WINDOWS = 20;

    private final List<GuestMemory> memories = new ArrayList<>();
    private final List<BalloonDevice> devices = new ArrayList<>();

    private NotifyRig rigOn(RamKind ram) {
        return new NotifyRig(
                ram,
                memory -> {
                    BalloonDevice device =
                            new BalloonDevice(memory, new NoReclaim(), BalloonOptions.DEFAULT);
                    memories.add(memory);
                    devices.add(device);
                    return device;
                });
    }

    @ParameterizedTest
    @EnumSource
    void eachRequestPuts256PagesIntoTheLedgerAndTakesThemOut(RamKind ram) {
        NotifyRig rig = rigOn(ram);
        BalloonDevice device = devices.getFirst();

        for (int request = 0; request < NotifyRig.REQUESTS; request++) {
            assertEquals(1, rig.inflate(request));
            assertEquals(256L * (request + 1), device.ledgerPages());
        }
        for (int request = 0; request < NotifyRig.REQUESTS; request++) {
            assertEquals(1, rig.deflate(request));
            assertEquals(256L * (NotifyRig.REQUESTS - request - 1), device.ledgerPages());
        }
        assertAll(
                () -> assertEquals(2 * NotifyRig.REQUESTS, rig.interrupts()),
                () -> assertEquals(0, rig.doorbells()));
    }

    @ParameterizedTest
    @EnumSource
    void aRoundIsAllRequestsInAndOutAgain(RamKind ram) {
        NotifyRig rig = rigOn(ram);

        assertEquals(NotifyRig.REQUESTS_A_ROUND, rig.round());

        assertAll(
                () -> assertEquals(0, devices.getFirst().ledgerPages()),
                () -> assertEquals(NotifyRig.REQUESTS_A_ROUND, rig.interrupts()),
                () -> assertEquals(0, rig.doorbells()));
    }

    @ParameterizedTest
    @EnumSource
    void requestsLieAcrossTwoRegionsOfAdjacentBuffersAlone(RamKind ram) {
        rigOn(ram);
        GuestMemory memory = memories.getFirst();

        for (int request = 0; request < NotifyRig.REQUESTS; request++) {
            int first = memory.regionIndexOf(NotifyRig.gpa(request));
            int last = memory.regionIndexOf(NotifyRig.gpa(request) + 1023);

            assertEquals(ram == RamKind.ADJACENT_BUFFERS ? 1 : 0, last - first);
            assertNotEquals(NotifyRig.gpa(request) / 4096, (NotifyRig.gpa(request) + 1023) / 4096);
        }
    }

    @ParameterizedTest
    @EnumSource
    void requestsAllocateNothing(RamKind ram) {
        NotifyRig rig = rigOn(ram);
        rounds(rig, WARM_UP_ROUNDS);

        // The compiler may still be at work in the first windows.
        long allocated = Long.MAX_VALUE;
        for (int window = 0; window < WINDOWS && allocated != 0; window++) {
            long before = THREADS.getCurrentThreadAllocatedBytes();
            int returned = rounds(rig, ROUNDS);
            allocated = THREADS.getCurrentThreadAllocatedBytes() - before;
            assertEquals(ROUNDS * NotifyRig.REQUESTS_A_ROUND, returned);
        }

        assertEquals(0, allocated);
    }

    @ParameterizedTest
    @EnumSource
    void theBaselineAnswersEachRequestToo(RamKind ram) {
        NotifyRig rig = new NotifyRig(ram, memory -> new SinkDevice(RequestRig.QUEUE_SIZE));

        assertEquals(NotifyRig.REQUESTS_A_ROUND, rig.round());

        assertEquals(NotifyRig.REQUESTS_A_ROUND, rig.interrupts());
    }

    private static int rounds(NotifyRig rig, int count) {
        int returned = 0;
        for (int i = 0; i < count; i++) {
            returned += rig.round();
        }
        return returned;
    }
}
