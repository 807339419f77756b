package io.aerostat.vmm.os;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.sun.management.ThreadMXBean;

import io.aerostat.memory.os.LinuxMemory;

import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.util.function.Consumer;

/** Signalling, waiting, sending and receiving allocate nothing once they are compiled. */
final class DescriptorAllocationTest {
    // How long the compiler takes depends on the machine's load; what allocates in compiled code
    // does so in every window.
    private static final int WINDOWS = 100;
    private static final int ROUNDS = 10_000;

    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    private final Consumer<Descriptor> taker = Descriptor::close;
    private final ByteBuffer bytes = ByteBuffer.allocateDirect(64);
    private final DescriptorPoll poll = new DescriptorPoll(3);

    @BeforeAll
    static void needsLinux() {
        assumeTrue(LinuxMemory.isSupported(), "these calls work on Linux alone");
    }

    @Test
    void aRoundAllocatesNothing() {
        try (SocketPair pair = new SocketPair();
                Descriptor event = EventDescriptors.create()) {
            poll.add(event);
            int slot = poll.add(pair.right);

            long allocated = allocatedBytes(pair, event, slot);
            for (int i = 1; i < WINDOWS && allocated != 0; i++) {
                allocated = allocatedBytes(pair, event, slot);
            }

            assertEquals(0, allocated);
        }
    }

    private long allocatedBytes(SocketPair pair, Descriptor event, int slot) {
        long before = THREADS.getCurrentThreadAllocatedBytes();
        for (int i = 0; i < ROUNDS; i++) {
            round(pair, event, slot);
        }
        return THREADS.getCurrentThreadAllocatedBytes() - before;
    }

    private void round(SocketPair pair, Descriptor event, int slot) {
        EventDescriptors.signal(event);
        UnixSockets.send(pair.left, bytes.clear());
        EventDescriptors.signal(pair.left);
        int ready = poll.await(0);
        if (ready != 2 || !poll.isReady(slot) || !EventDescriptors.drain(event)) {
            throw new AssertionError("not ready: ready=" + ready);
        }
        int received = 0;
        while (received < 64 + Long.BYTES) {
            received += UnixSockets.receive(pair.right, bytes.clear(), taker);
        }
    }
}
