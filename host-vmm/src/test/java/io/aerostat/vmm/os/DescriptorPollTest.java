package io.aerostat.vmm.os;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.aerostat.memory.os.LinuxMemory;

import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

import java.nio.file.Path;

@Timeout(60)
final class DescriptorPollTest {
    private static final int FOR_EVER = -1;

    private final DescriptorPoll poll = new DescriptorPoll(4);

    @BeforeAll
    static void needsLinux() {
        assumeTrue(LinuxMemory.isSupported(), "descriptors are polled on Linux alone");
    }

    @Test
    void tellsWhichDescriptorIsReady() {
        try (Descriptor quiet = EventDescriptors.create();
                Descriptor event = EventDescriptors.create()) {
            int quietSlot = poll.add(quiet);
            int eventSlot = poll.add(event);
            EventDescriptors.signal(event);

            assertEquals(1, poll.await(FOR_EVER));
            assertTrue(poll.isReady(eventSlot));
            assertFalse(poll.isReady(quietSlot));
            assertFalse(poll.isHungUp(eventSlot));
        }
    }

    @Test
    void isReadyAsLongAsThereIsSomethingToRead() {
        try (Descriptor event = EventDescriptors.create()) {
            int slot = poll.add(event);
            EventDescriptors.signal(event);

            assertEquals(1, poll.await(0));
            assertEquals(1, poll.await(0));
            EventDescriptors.drain(event);
            assertEquals(0, poll.await(0));
            assertFalse(poll.isReady(slot));
        }
    }

    @Test
    void bytesOnASocketAreReady() {
        try (SocketPair pair = new SocketPair()) {
            int slot = poll.add(pair.right);
            assertEquals(0, poll.await(0));

            pair.send("hello");

            assertEquals(1, poll.await(FOR_EVER));
            assertTrue(poll.isReady(slot));
        }
    }

    @Test
    void aConnectionToAcceptIsReady(@TempDir Path directory) {
        Path path = directory.resolve("s");
        try (Descriptor listener = UnixSockets.listen(path, 1)) {
            int slot = poll.add(listener);
            assertEquals(0, poll.await(0));

            try (Descriptor client = UnixSockets.connect(path)) {
                assertEquals(1, poll.await(FOR_EVER));
                assertTrue(poll.isReady(slot) && client.isOpen());
            }
        }
    }

    @Test
    void aPeerThatIsGoneIsHungUpAndItsEndIsReady() {
        try (SocketPair pair = new SocketPair()) {
            int slot = poll.add(pair.right);
            pair.left.close();

            assertEquals(1, poll.await(FOR_EVER));
            assertTrue(poll.isHungUp(slot));
            assertTrue(poll.isReady(slot));
        }
    }

    @Test
    void anotherThreadWakesTheOneThatWaits() throws InterruptedException {
        try (Descriptor event = EventDescriptors.create()) {
            int slot = poll.add(event);
            Thread waker = new Thread(() -> EventDescriptors.signal(event));

            waker.start();
            int ready = poll.await(FOR_EVER);
            waker.join();

            assertEquals(1, ready);
            assertTrue(poll.isReady(slot));
        }
    }

    @Test
    void theTimeIsOver() {
        try (Descriptor quiet = EventDescriptors.create()) {
            poll.add(quiet);
            long before = System.nanoTime();

            assertEquals(0, poll.await(20));

            long waitedNs = System.nanoTime() - before;
            assertTrue(waitedNs >= 19_000_000, "waitedNs=" + waitedNs);
        }
    }

    @Test
    void anEmptySetWaitsForTheTimeAlone() {
        assertEquals(0, poll.await(1));
    }

    @Test
    void whatWasRemovedIsNotWaitedFor() {
        try (Descriptor removed = EventDescriptors.create();
                Descriptor kept = EventDescriptors.create()) {
            int removedSlot = poll.add(removed);
            int keptSlot = poll.add(kept);
            EventDescriptors.signal(removed);
            EventDescriptors.signal(kept);
            assertEquals(2, poll.await(0));

            poll.remove(removedSlot);

            assertFalse(poll.isReady(removedSlot));
            assertTrue(poll.isReady(keptSlot));
            assertEquals(1, poll.await(0));
            assertFalse(poll.isReady(removedSlot));
        }
    }

    @Test
    void aFreeSlotIsTakenAgainAndNotReadyAtFirst() {
        try (Descriptor first = EventDescriptors.create();
                Descriptor second = EventDescriptors.create()) {
            int slot = poll.add(first);
            EventDescriptors.signal(first);
            poll.await(0);
            poll.remove(slot);

            assertEquals(slot, poll.add(second));
            assertFalse(poll.isReady(slot));
            assertEquals(0, poll.await(0));
        }
    }

    @Test
    void refusesMoreDescriptorsThanThereIsRoomFor() {
        DescriptorPoll forOne = new DescriptorPoll(1);
        try (Descriptor event = EventDescriptors.create()) {
            forOne.add(event);

            assertThrows(IllegalStateException.class, () -> forOne.add(event));
        }
        assertThrows(IllegalArgumentException.class, () -> new DescriptorPoll(0));
    }

    @Test
    void refusesToRemoveAFreeSlot() {
        assertThrows(IllegalArgumentException.class, () -> poll.remove(2));
    }

    // Its number may be another file's meanwhile.
    @Test
    void aDescriptorClosedButNotRemovedIsNotWaitedFor() {
        Descriptor event = EventDescriptors.create();
        int slot = poll.add(event);
        event.close();

        assertThrows(IllegalStateException.class, () -> poll.await(0));
        poll.remove(slot);
        assertEquals(0, poll.await(0));
    }
}
