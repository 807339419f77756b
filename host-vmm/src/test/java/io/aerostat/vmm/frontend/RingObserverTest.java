package io.aerostat.vmm.frontend;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import io.aerostat.guest.balloon.BalloonDriver;
import io.aerostat.guest.balloon.BalloonDriverOptions;
import io.aerostat.guest.page.BuddyAllocator;
import io.aerostat.virtio.memory.RamRegion;
import io.aerostat.virtio.spec.balloon.PageFrame;
import io.aerostat.vmm.vhost.RingObserver;
import io.aerostat.vmm.vhost.VhostUserGuest;
import io.aerostat.vmm.vhost.VhostUserOptions;
import io.aerostat.vmm.vm.BalloonSize;
import io.aerostat.vmm.vm.SetMemoryOutcome;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;

/** What an observer sees of our own driver's rings. */
final class RingObserverTest {
    private static final int PAGES = 1000;
    private static final Duration SOON = Duration.ofSeconds(20);

    private final List<String> seen = new CopyOnWriteArrayList<>();

    private final class Listing implements RingObserver {
        @Override
        public void kicked(int ring) {
            seen.add("kick " + ring);
        }

        @Override
        public void interrupted(int ring) {
            seen.add("interrupt " + ring);
        }
    }

    private List<String> takeSeen(int ring) {
        List<String> found = seen.stream().filter(line -> line.endsWith(" " + ring)).toList();
        seen.clear();
        return found;
    }

    @Test
    void seesAKickBeforeTheInterruptThatAnswersIt(@TempDir Path directory) throws Exception {
        Path socket = directory.resolve("balloon.sock");
        try (VhostUserGuest guest =
                        VhostUserGuest.serve(VhostUserOptions.of("seen", socket), new Listing());
                FrontEndRam ram = Manner.UML.ram(FrontEndRig.RAM_BYTES);
                VhostUserTransport transport =
                        new VhostUserTransport(
                                new VhostDevice(FrontEnd.connect(socket), ram),
                                Manner.UML.dialect())) {
            RamRegion region = ram.memory().region(0);
            BuddyAllocator pages =
                    new BuddyAllocator(
                            region.gpa() >>> PageFrame.SHIFT, region.length() >>> PageFrame.SHIFT);
            BalloonDriver driver =
                    new BalloonDriver(ram.memory(), pages, transport, BalloonDriverOptions.DEFAULT);
            assertNull(driver.start());

            run(driver, guest, PAGES);
            List<String> inflate = takeSeen(0);
            run(driver, guest, 0);
            List<String> deflate = takeSeen(1);

            assertEquals("kick 0", inflate.getFirst());
            assertEquals("interrupt 0", inflate.getLast());
            assertEquals("kick 1", deflate.getFirst());
            assertEquals("interrupt 1", deflate.getLast());
        }
    }

    private static void run(BalloonDriver driver, VhostUserGuest guest, long pages)
            throws Exception {
        BalloonSize balloon = new BalloonSize(pages);
        var maximum = guest.control().attached().orElseThrow().maximum();
        CompletableFuture<SetMemoryOutcome> end =
                guest.control().setMemory(balloon.guestWithin(maximum), SOON);
        while (!end.isDone()) {
            driver.doWork(System.nanoTime());
            Thread.onSpinWait();
        }
        assertEquals(new SetMemoryOutcome.Reached(balloon), end.get());
    }
}
