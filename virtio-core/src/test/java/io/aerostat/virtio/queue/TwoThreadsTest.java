package io.aerostat.virtio.queue;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.aerostat.virtio.memory.RamAccess;
import io.aerostat.virtio.testkit.GuestRam;
import io.aerostat.virtio.testkit.RingBytes;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;

/**
 * A driver thread and a device thread exchange numbered buffers. Each sleeps until the other says
 * so and never looks by itself: a lost kick or interrupt ends in the time limit.
 *
 * <p>The driver writes a number into each buffer, the device checks that numbers arrive in order,
 * writes the answer behind the number and the number's low bits as the length. Orders that the
 * hardware at hand cannot reorder are not tested by this; jcstress has the rest.
 */
@Timeout(value = 120, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
final class TwoThreadsTest {
    private static final int BUFFER = 16;
    private static final int ANSWER = 8;

    static Stream<Arguments> cases() {
        return GuestRam.kinds()
                .filter(kind -> kind != GuestRam.Kind.WITH_HOLE)
                .flatMap(
                        kind ->
                                Stream.of(
                                        Arguments.of(kind, 256, Rings.NONE_NEGOTIATED, 200_000),
                                        Arguments.of(kind, 256, Rings.EVENT, 200_000),
                                        Arguments.of(kind, 2, Rings.NONE_NEGOTIATED, 20_000),
                                        Arguments.of(kind, 2, Rings.EVENT, 20_000)));
    }

    static Stream<Arguments> longCases() {
        return Stream.of(Rings.NONE_NEGOTIATED, Rings.EVENT)
                .map(
                        features ->
                                Arguments.of(
                                        GuestRam.Kind.DIRECT_BUFFER, 256, features, 2_000_000));
    }

    @ParameterizedTest
    @DisplayName(
            "payload and order hold between threads (SPLIT-DEV-16, SPLIT-DRV-33, SPLIT-DRV-34)")
    @MethodSource({"cases", "longCases"})
    void exchangesNumberedBuffersInOrder(GuestRam.Kind kind, int size, long features, int buffers)
            throws InterruptedException {
        Exchange exchange = new Exchange(kind, size, features, buffers);

        exchange.run();

        assertEquals(null, exchange.failure.get());
        assertEquals(buffers, exchange.answered);
    }

    /** One thread sleeps until another rings. A ring before the sleep counts. */
    private static final class Bell {
        private final AtomicBoolean rung = new AtomicBoolean();
        private volatile Thread sleeper;

        void ring() {
            rung.set(true);
            LockSupport.unpark(sleeper);
        }

        /** Sleeps until a ring and takes it; false if the other side failed, or time is up. */
        boolean await(AtomicReference<String> failure) {
            sleeper = Thread.currentThread();
            while (!rung.compareAndSet(true, false)) {
                if (failure.get() != null || sleeper.isInterrupted()) {
                    return false;
                }
                LockSupport.park(this);
            }
            return true;
        }
    }

    private static final class Exchange {
        private final GuestRam ram;
        private final DriverQueue driver;
        private final DeviceQueue device;
        private final int buffers;
        private final Bell kick = new Bell();
        private final Bell interrupt = new Bell();
        private final AtomicReference<String> failure = new AtomicReference<>();
        private int answered;

        Exchange(GuestRam.Kind kind, int size, long features, int buffers) {
            ram = Rings.ram(kind);
            RingBytes ring = Rings.ring(ram, size);
            driver = Rings.driver(ring, features);
            device = Rings.device(ring, features);
            this.buffers = buffers;
        }

        void run() throws InterruptedException {
            Thread deviceThread = new Thread(this::runDevice, "device");
            deviceThread.setDaemon(true);
            deviceThread.start();
            try {
                runDriver();
            } catch (RuntimeException | Error broken) {
                fail("driver: " + broken);
            } finally {
                if (answered < buffers) {
                    fail("driver stopped at " + answered);
                }
                deviceThread.join();
            }
        }

        /** The first failure counts; both sides are to see it. */
        private void fail(String what) {
            failure.compareAndSet(null, what);
            kick.ring();
            interrupt.ring();
        }

        private void runDriver() {
            RamAccess data = RamAccess.of(ram.memory(), Rings.DATA, 256 * BUFFER);
            int[] numberOf = new int[driver.size()];
            int sent = 0;
            driver.armAndRecheck();
            while (answered < buffers) {
                int head = sent < buffers ? driver.add(0, 1, false) : DriverQueue.FULL;
                if (head != DriverQueue.FULL) {
                    // The buffer's place follows from its head, which only add tells: so the
                    // element is a stand-in, and the head says where the number is.
                    numberOf[head] = sent;
                    data.putLong((long) head * BUFFER, sent);
                    sent++;
                    continue;
                }
                if (driver.publish()) {
                    kick.ring();
                }
                driver.disarm();
                if (!takeBack(data, numberOf) && !driver.armAndRecheck()) {
                    if (!interrupt.await(failure)) {
                        return;
                    }
                }
            }
        }

        /** Takes back all that is there; whether there was anything. */
        private boolean takeBack(RamAccess data, int[] numberOf) {
            boolean any = false;
            for (int head = driver.poll(); head != DriverQueue.NONE; head = driver.poll()) {
                if (head == DriverQueue.FAULT) {
                    throw new IllegalStateException("fault " + driver.fault());
                }
                long answer = data.getLong((long) head * BUFFER + ANSWER);
                if (answer != 3L * numberOf[head] + 1) {
                    throw new IllegalStateException("number " + numberOf[head] + ", " + answer);
                }
                answered++;
                any = true;
            }
            return any;
        }

        private void runDevice() {
            try {
                RamAccess data = RamAccess.of(ram.memory(), Rings.DATA, 256 * BUFFER);
                long expected = 0;
                while (expected < buffers && kick.await(failure)) {
                    do {
                        device.disarm();
                        expected = drain(data, expected);
                        if (device.publish()) {
                            interrupt.ring();
                        }
                    } while (device.armAndRecheck());
                }
            } catch (RuntimeException | Error broken) {
                fail("device: " + broken);
            }
        }

        private long drain(RamAccess data, long expected) {
            long number = expected;
            for (int code = device.poll(); code != DeviceQueue.NONE; code = device.poll()) {
                if (code == DeviceQueue.FAULT) {
                    throw new IllegalStateException("fault " + device.fault());
                }
                long place = (long) device.chain().head() * BUFFER;
                if (data.getLong(place) != number) {
                    throw new IllegalStateException(number + " was " + data.getLong(place));
                }
                data.putLong(place + ANSWER, 3 * number + 1);
                device.complete(device.chain().head(), 0);
                number++;
                if (number % 7 == 0 && device.publish()) {
                    interrupt.ring();
                }
            }
            return number;
        }
    }
}
