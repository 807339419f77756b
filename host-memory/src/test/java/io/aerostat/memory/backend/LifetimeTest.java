package io.aerostat.memory.backend;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
final class LifetimeTest {
    @Test
    void onlyTheFirstCloseCloses() {
        Lifetime lifetime = new Lifetime("test");

        assertTrue(lifetime.close());
        assertFalse(lifetime.close());
    }

    @Test
    void nobodyGetsInAfterClose() {
        Lifetime lifetime = new Lifetime("ram of a test");
        lifetime.close();

        IllegalStateException refused = assertThrows(IllegalStateException.class, lifetime::enter);

        assertThrows(IllegalStateException.class, lifetime::enter);
        assertThrows(IllegalStateException.class, lifetime::checkOpen);
        assertTrue(refused.getMessage().endsWith("ram of a test"));
    }

    @RepeatedTest(200)
    void closeWaitsForTheOneWhoIsIn() throws InterruptedException {
        Lifetime lifetime = new Lifetime("test");
        boolean[] insideWhenClosed = new boolean[1];
        boolean[] inside = {true};
        lifetime.enter();
        Thread closer =
                new Thread(
                        () -> {
                            lifetime.close();
                            insideWhenClosed[0] = inside[0];
                        });

        closer.start();
        awaitClosing(lifetime);
        inside[0] = false;
        lifetime.exit();
        closer.join();

        assertFalse(insideWhenClosed[0]);
    }

    private static void awaitClosing(Lifetime lifetime) {
        while (true) {
            try {
                lifetime.checkOpen();
                Thread.onSpinWait();
            } catch (IllegalStateException closing) {
                return;
            }
        }
    }
}
