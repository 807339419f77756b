package io.aerostat.balloon;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.aerostat.virtio.device.Ownership;
import io.aerostat.virtio.snapshot.SnapshotException;
import io.aerostat.virtio.testkit.Seeds;

import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import java.util.Set;
import java.util.TreeSet;

/**
 * Guest traffic on all queues, host commands, machines saved and exchanged, and RAM that comes,
 * goes and moves in the middle of it: nothing throws, no RAM is touched that is gone, no request is
 * forgotten, the device fails if it must and only then, and the ledger is right.
 */
@Timeout(value = 120, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
final class MovingRamModelTest {
    private static final int SEEDS = 20;
    private static final int STEPS = 60;

    @ParameterizedTest
    @EnumSource
    void ledgerAndDriverAgreeWhateverHappensToRam(Ownership ownership) {
        Seeds.first(SEEDS).forEach(seed -> play(ownership, seed));
    }

    private static void play(Ownership ownership, long seed) {
        String replay = ownership + ", " + Seeds.replay(seed);
        try (MovingRamMachine machine = new MovingRamMachine(ownership, seed)) {
            Set<Long> model = new TreeSet<>();
            for (int step = 0; step < STEPS; step++) {
                step(machine, model, replay + ", step=" + step);
            }
        } catch (SnapshotException e) {
            throw new AssertionError(replay, e);
        }
    }

    private static void step(MovingRamMachine machine, Set<Long> model, String replay)
            throws SnapshotException {
        if (machine.needsReset()) {
            machine.bringUp();
            model.clear();
        }
        machine.begin();
        machine.request();
        for (int events = machine.random.nextInt(4); events > 0; events--) {
            machine.event();
        }
        machine.finish();

        assertEquals(0, machine.ram.touched(), () -> "old RAM was touched: " + replay);
        assertFalse(machine.mustFail() && !machine.needsReset(), () -> "no fault: " + replay);
        if (machine.needsReset()) {
            assertTrue(machine.mayFail(), () -> "a fault without a cause: " + replay);
            return;
        }
        assertNull(machine.driverFault(), replay);
        assertEquals(0, machine.unreturned(), () -> "requests in work: " + replay);
        machine.expect(model);
        Set<Long> ledger = machine.ledger();
        model.removeIf(machine::isUnknown);
        ledger.stream().filter(machine::isUnknown).forEach(model::add);
        assertEquals(model, ledger, replay);
        assertEquals(ledger.size(), machine.device.ledgerPages(), replay);
    }
}
