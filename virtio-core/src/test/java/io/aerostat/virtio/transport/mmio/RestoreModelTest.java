package io.aerostat.virtio.transport.mmio;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.aerostat.virtio.device.Ownership;
import io.aerostat.virtio.queue.DriverQueue;
import io.aerostat.virtio.snapshot.SnapshotException;
import io.aerostat.virtio.spec.Feature;
import io.aerostat.virtio.spec.MmioRegister;
import io.aerostat.virtio.testkit.DeviceLog;
import io.aerostat.virtio.testkit.EchoDevice;
import io.aerostat.virtio.testkit.EchoMachine;
import io.aerostat.virtio.testkit.Seeds;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import java.util.Random;
import java.util.stream.LongStream;

/**
 * Random traffic on two machines, one of which is saved and goes on as another device, on the same
 * RAM, after every step: nobody can tell them apart.
 */
final class RestoreModelTest {
    private static final int STEPS = 600;
    private static final long[] FEATURE_SETS = {
        Feature.VERSION_1,
        Feature.VERSION_1 | Feature.EVENT_IDX,
        Feature.VERSION_1 | Feature.EVENT_IDX | Feature.INDIRECT_DESC | EchoDevice.EXTRA_QUEUE
    };

    private final DeviceLog log = new DeviceLog();

    @AfterEach
    void closeLog() {
        log.close();
    }

    static LongStream seeds() {
        return Seeds.first(40);
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void aRestoredMachineDoesWhatTheSavedOneWouldHaveDone(long seed) throws SnapshotException {
        Play plain = new Play(seed);
        Play saved = new Play(seed);

        for (int step = 0; step < STEPS; step++) {
            plain.step();
            saved.step();
            saved.succeed();

            String where = "step " + step + ", " + Seeds.replay(seed);
            assertEquals(plain.registers(), saved.registers(), where);
            assertEquals(plain.ram(), saved.ram(), where);
            assertEquals(plain.trace, saved.trace, where);
        }
        assertTrue(plain.back > 0, Seeds.replay(seed));
    }

    private static final class Play {
        private final Random random;
        private final int elementsPerPass;
        private EchoMachine machine;
        private final DriverQueue[] queues = new DriverQueue[3];
        private long features;
        private long trace;
        private int back;

        Play(long seed) {
            random = new Random(seed);
            elementsPerPass = 1 + random.nextInt(3);
            machine = new EchoMachine(this::tailor);
        }

        private EchoDevice tailor(EchoDevice echo) {
            return echo.restingAfter(elementsPerPass);
        }

        void succeed() throws SnapshotException {
            EchoMachine next =
                    new EchoMachine(
                            machine.memory,
                            this::tailor,
                            Ownership.REGISTER_THREAD,
                            () -> {},
                            level -> {});
            next.device.restore(machine.device.save());
            machine = next;
        }

        void step() {
            switch (random.nextInt(40)) {
                case 0 -> bringUp();
                case 1 -> randomRegister();
                case 2 -> oneOfMany(this::breakRing);
                case 3, 4 -> hostChangesConfig();
                case 5, 6 ->
                        machine.device.store(0x100 + EchoDevice.DRIVER_FIELD, 4, random.nextInt());
                case 7, 8 -> machine.write(MmioRegister.INTERRUPT_ACK, random.nextInt(4));
                case 9 -> toggleQueue();
                case 10, 11, 12, 13, 14 -> takeBack();
                case 15, 16, 17, 18, 19, 20 -> offer();
                default -> machine.controller().poll(0);
            }
        }

        private void oneOfMany(Runnable rare) {
            if (random.nextInt(4) == 0) {
                rare.run();
            } else {
                offer();
            }
        }

        private void bringUp() {
            machine.status(0);
            features = FEATURE_SETS[random.nextInt(FEATURE_SETS.length)];
            machine.negotiate(features);
            for (int queue = 0; queue < queues.length; queue++) {
                queues[queue] = machine.driverQueue(queue, features);
                machine.enable(queue);
            }
            machine.status(EchoMachine.DRIVER_OK);
        }

        private void randomRegister() {
            MmioRegister[] registers = MmioRegister.values();
            MmioRegister register = registers[random.nextInt(registers.length)];
            int value = random.nextInt(8);
            if (register != MmioRegister.QUEUE_SIZE || random.nextInt(4) == 0) {
                machine.write(register, value);
            }
        }

        private void breakRing() {
            int queue = random.nextInt(3);
            machine.ram.putShort(machine.place(queue).availableRing() + 2, random.nextInt());
            machine.kick(queue);
        }

        private void hostChangesConfig() {
            int value = random.nextInt();
            EchoMachine at = machine;
            at.controller()
                    .execute(
                            () -> {
                                at.echo.config().set(0, value);
                                at.controller().configChanged();
                            });
            at.controller().poll(0);
        }

        private void toggleQueue() {
            int queue = random.nextInt(3);
            machine.write(MmioRegister.QUEUE_SEL, queue);
            machine.write(MmioRegister.QUEUE_READY, 0);
            if (random.nextBoolean()) {
                queues[queue] = machine.driverQueue(queue, features);
                machine.enable(queue);
            }
        }

        private void offer() {
            int queue = random.nextInt(3);
            DriverQueue driver = queues[queue];
            if (driver == null || driver.freeDescriptors() < 2 || driver.fault() != null) {
                return;
            }
            machine.offer(driver, 8 * queue + random.nextInt(8), random.nextLong());
            machine.kick(queue);
        }

        private void takeBack() {
            DriverQueue driver = queues[random.nextInt(3)];
            int token = driver == null ? -1 : driver.poll();
            back += token >= 0 ? 1 : 0;
            trace = trace * 31 + token;
        }

        String registers() {
            StringBuilder all = new StringBuilder();
            for (long offset = 0; offset < MmioDevice.WINDOW_BYTES; offset += 4) {
                all.append(Long.toHexString(machine.device.load(offset, 4))).append(' ');
            }
            return all.append(machine.irq.level())
                    .append(' ')
                    .append(machine.echo.echoed())
                    .toString();
        }

        int ram() {
            int hash = 0;
            for (int queue = 0; queue < 3; queue++) {
                hash = hash * 31 + range((long) queue * EchoMachine.RING_SPACING, 512);
            }
            return hash * 31 + range(EchoMachine.BUFFERS, 24 * 16);
        }

        private int range(long gpa, int bytes) {
            int hash = 0;
            for (int i = 0; i < bytes; i++) {
                hash = hash * 31 + machine.ram.getByte(gpa + i);
            }
            return hash;
        }
    }
}
