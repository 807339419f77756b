package io.aerostat.balloon;

import static io.aerostat.balloon.BalloonRig.DEFLATE;
import static io.aerostat.balloon.BalloonRig.INFLATE;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.aerostat.balloon.handler.BalloonCounter;
import io.aerostat.virtio.spec.balloon.BalloonFeature;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What the driver says is in the balloon: believed as far as it can be true. */
@DisplayName("BALLOON-DESC-04, -11, BALLOON-DRV-14, -15: the driver's part of the configuration")
final class ActualTest {
    private final BalloonRig rig = new BalloonRig().start();

    private long falseActuals() {
        return rig.counter(BalloonCounter.FALSE_ACTUAL);
    }

    @Test
    void anActualThatIsTheLedgersIsBelieved() {
        rig.inflate(rig.dataRun(0, 30));
        rig.actual(30);
        rig.deflate(rig.dataRun(0, 10));
        rig.actual(20);
        rig.actual(20);

        assertEquals(0, falseActuals());
        assertEquals(20, rig.device.actualPages());
    }

    @Test
    void oneWriteForSeveralRequestsIsBelieved() {
        rig.inflate(rig.dataRun(0, 30));
        rig.inflate(rig.dataRun(30, 30));
        rig.deflate(rig.dataRun(0, 5));

        rig.actual(55);

        assertEquals(0, falseActuals());
    }

    @Test
    void anActualThatLagsBehindSeveralInflatesInFlightIsBelieved() {
        for (int i = 0; i < 5; i++) {
            rig.offer(INFLATE, rig.dataRun(10 * i, 10));
        }
        rig.kick(INFLATE);
        rig.settle();

        for (int told = 10; told <= 50; told += 10) {
            rig.queues[INFLATE].poll();
            rig.actual(told);
        }

        assertEquals(50, rig.device.ledgerPages());
        assertEquals(0, falseActuals());
    }

    @Test
    void anActualThatLagsBehindSeveralDeflatesInFlightIsBelieved() {
        rig.inflate(rig.dataRun(0, 50));
        rig.actual(50);
        for (int i = 0; i < 5; i++) {
            rig.offer(DEFLATE, rig.dataRun(10 * i, 10));
        }
        rig.kick(DEFLATE);
        rig.settle();

        for (int told = 40; told >= 0; told -= 10) {
            rig.queues[DEFLATE].poll();
            rig.actual(told);
        }

        assertEquals(0, falseActuals());
    }

    @Test
    void anActualThatIsWrittenWhileMoreRequestsAreDoneIsBelieved() {
        rig.offer(INFLATE, rig.dataRun(0, 10));
        rig.kick(INFLATE);
        rig.settle();
        rig.offer(INFLATE, rig.dataRun(10, 10));
        rig.kick(INFLATE);
        rig.transport.writeConfig(4, 10);

        rig.settle();
        rig.actual(20);

        assertEquals(0, falseActuals());
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 29, 31, 416, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF})
    void anActualThatNothingExplainsIsCounted(int told) {
        rig.inflate(rig.dataRun(0, 30));
        rig.actual(30);

        rig.actual(told);

        assertEquals(1, falseActuals());
        assertEquals(Integer.toUnsignedLong(told), rig.device.actualPages());
        assertEquals(30, rig.device.ledgerPages());
    }

    @Test
    void anActualAheadOfTheLedgerIsCounted() {
        rig.offer(INFLATE, rig.dataRun(0, 10));

        rig.actual(10);

        assertEquals(1, falseActuals());
    }

    @Test
    void anActualThatCountsPagesTheDeviceRefusedIsCounted() {
        rig.inflate(rig.data(0), -1, rig.pfn(2));

        rig.actual(3);

        assertEquals(1, falseActuals());
    }

    @Test
    void everyFalseActualIsCountedAndATrueOneAfterItIsNot() {
        rig.inflate(rig.dataRun(0, 30));

        rig.actual(31);
        rig.actual(31);
        rig.actual(30);
        rig.actual(29);

        assertEquals(3, falseActuals());
    }

    @Test
    void aDriverThatDoesNotKnowOfAResetYetIsNotAccused() {
        rig.inflate(rig.dataRun(0, 30));
        rig.actual(30);

        rig.transport.reset();
        rig.actual(30);

        assertEquals(0, falseActuals());
        assertEquals(0, rig.device.actualPages());
    }

    @Test
    void afterAReinitializationOnlyNothingIsTrue() {
        rig.inflate(rig.dataRun(0, 30));
        rig.actual(30);
        rig.start();

        rig.actual(0);
        long honest = falseActuals();
        rig.actual(30);

        assertEquals(0, honest);
        assertEquals(1, falseActuals());
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 4})
    @DisplayName("num_pages is the host's: the driver's writes of any width are ignored")
    void writesOfTheTargetAreIgnored(int width) {
        rig.device.target(0x123);
        rig.settle();
        rig.takeInterrupts();

        for (int offset = 0; offset < 4; offset += width) {
            rig.mmio.store(0x100 + offset, width, -1);
        }
        rig.settle();

        assertEquals(0x123, rig.device.targetPages());
        assertEquals(0x123, rig.transport.readConfig(0));
        assertEquals(0, rig.takeInterrupts());
        assertEquals(0, falseActuals());
    }

    @Test
    void ofAWriteOverBothFieldsOnlyActualIsTaken() {
        rig.device.target(0x123);
        rig.settle();
        rig.inflate(rig.dataRun(0, 7));

        rig.mmio.store(0x100, 8, 7L << 32 | 0xFFFF);
        rig.settle();

        assertEquals(0x123, rig.device.targetPages());
        assertEquals(7, rig.device.actualPages());
        assertEquals(0, falseActuals());
    }

    @Test
    void writesBehindTheFieldsAreIgnored() {
        BalloonRig rig =
                new BalloonRig(BalloonOptions.DEFAULT.withFeatures(BalloonFeature.MUST_TELL_HOST));

        rig.mmio.store(0x108, 4, -1);
        rig.mmio.store(0x10C, 4, -1);
        rig.mmio.store(0x106, 1, 0);
        rig.settle();

        assertEquals(0, rig.mmio.load(0x108, 8));
        assertEquals(0, rig.device.actualPages());
        assertEquals(0, rig.counter(BalloonCounter.FALSE_ACTUAL));
    }
}
