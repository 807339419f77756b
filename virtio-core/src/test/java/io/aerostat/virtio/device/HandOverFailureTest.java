package io.aerostat.virtio.device;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.util.concurrent.atomic.AtomicReference;

/** A hand-over whose command fails: the owner is told, nobody waits for ever. */
@Timeout(value = 10, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
final class HandOverFailureTest {
    @Test
    void returnsThoughTheCommandThrewOnTheOwner() throws InterruptedException {
        OwnerMailbox mailbox = new OwnerMailbox(Ownership.OWN_THREAD, () -> {});
        AtomicReference<Throwable> thrown = new AtomicReference<>();
        Thread owner =
                new Thread(
                        () -> {
                            mailbox.tryEnter();
                            while (mailbox.drain() == 0) {
                                Thread.onSpinWait();
                            }
                        });
        owner.setDaemon(true);
        owner.setUncaughtExceptionHandler((thread, e) -> thrown.set(e));
        owner.start();

        boolean completed =
                mailbox.handOver(
                        () -> {
                            throw new IllegalStateException("a broken device");
                        });

        owner.join();
        assertFalse(completed);
        assertEquals("a broken device", thrown.get().getMessage());
    }
}
