package io.aerostat.vmm.realguest;

import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.aerostat.balloon.BalloonOptions;
import io.aerostat.vmm.linux.LinuxGuestException;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

import java.util.List;

/** Several guests of one process. */
final class RealGuestNeighboursTest {
    @RegisterExtension static final ServedGuests GUESTS = new ServedGuests();

    @Test
    void oneGoesOnWhenOthersCrash() throws Exception {
        ServedGuest panics = boot(1_000);
        ServedGuest killed = boot(3_000);
        ServedGuest other = boot(4_000);

        LinuxGuestException panic =
                assertThrows(
                        LinuxGuestException.class,
                        () -> panics.run("echo c > /proc/sysrq-trigger; sleep 9"));
        kill(killed);

        assertSame(LinuxGuestException.Reason.ENDED, panic.reason());
        for (ServedGuest guest : List.of(panics, killed)) {
            guest.awaitGone();
            Await.until("its process has ended", () -> !guest.linux().isAlive());
        }
        other.assertAllAgreeOn(4_000);
        other.inflateTo(1_000);
        other.assertGivenBack();
    }

    private static ServedGuest boot(long pages) throws Exception {
        ServedGuest guest = GUESTS.serve(BalloonOptions.DEFAULT).boot(ServedGuests.SMALL).load();
        guest.inflateTo(pages);
        return guest;
    }

    /** With its helpers, which share the connection. */
    private static void kill(ServedGuest guest) {
        ProcessHandle kernel = ProcessHandle.of(guest.linux().pid()).orElseThrow();
        List<ProcessHandle> helpers = kernel.descendants().toList();
        kernel.destroyForcibly();
        helpers.forEach(ProcessHandle::destroyForcibly);
    }
}
