package io.aerostat.virtio.queue;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import io.aerostat.virtio.testkit.RingBytes;

import java.lang.reflect.Field;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * A fresh queue with a driver and a device that sleep whenever they may, and the notifications on
 * their way. Each side is a loop as real ones are: work, arm, look once more, sleep until notified.
 * A step is one call of a queue (the device completes its batch in one).
 */
final class SleepySides {
    /** What is played. */
    record Scenario(
            int size, int buffers, int batch, long features, boolean disarm, boolean reverse) {}

    /** One side; a step each time, until asleep or done. */
    private interface Side {
        boolean canStep();

        void step();
    }

    /** Offers the buffers, batch by batch, and takes them back. */
    private static final class Driver implements Side {
        private enum DriverState {
            OFFER,
            PUBLISH,
            DISARM,
            POLL,
            ARM,
            ASLEEP,
            DONE
        }

        private final SleepySides world;
        private DriverState state = DriverState.OFFER;
        private int added;
        private int unpublished;

        Driver(SleepySides world) {
            this.world = world;
        }

        @Override
        public boolean canStep() {
            return state != DriverState.DONE && (state != DriverState.ASLEEP || world.interrupt);
        }

        @Override
        public void step() {
            state =
                    switch (state) {
                        case OFFER -> offer();
                        case PUBLISH -> publish();
                        case DISARM -> disarm();
                        case POLL -> poll();
                        case ARM ->
                                world.driver.armAndRecheck()
                                        ? DriverState.DISARM
                                        : DriverState.ASLEEP;
                        case ASLEEP -> wake();
                        case DONE -> DriverState.DONE;
                    };
        }

        private DriverState offer() {
            if (added == world.scenario.buffers()) {
                return unpublished > 0 ? DriverState.PUBLISH : DriverState.DISARM;
            }
            int head = world.driver.add(Rings.DATA + added, 1, false);
            if (head == DriverQueue.FULL) {
                return unpublished > 0 ? DriverState.PUBLISH : DriverState.DISARM;
            }
            added++;
            unpublished++;
            return unpublished == world.scenario.batch() ? DriverState.PUBLISH : DriverState.OFFER;
        }

        private DriverState publish() {
            world.kick |= world.driver.publish();
            unpublished = 0;
            return added < world.scenario.buffers() ? DriverState.OFFER : DriverState.DISARM;
        }

        private DriverState disarm() {
            if (world.scenario.disarm()) {
                world.driver.disarm();
            }
            return DriverState.POLL;
        }

        private DriverState poll() {
            int head = world.driver.poll();
            if (head == DriverQueue.NONE) {
                return DriverState.ARM;
            }
            world.returned.add(head);
            if (added < world.scenario.buffers()) {
                return DriverState.OFFER;
            }
            return world.returned.size() == world.scenario.buffers()
                    ? DriverState.DONE
                    : DriverState.POLL;
        }

        @Override
        public String toString() {
            return state + " " + added + " " + unpublished;
        }

        private DriverState wake() {
            world.interrupt = false;
            return DriverState.DISARM;
        }
    }

    /** Takes what there is, returns it batch by batch or when there is no more. */
    private static final class Device implements Side {
        private enum DeviceState {
            DISARM,
            POLL,
            COMPLETE,
            PUBLISH,
            PUBLISH_LAST,
            ARM,
            ASLEEP
        }

        private final SleepySides world;
        private final List<Integer> taken = new ArrayList<>();
        private DeviceState state = DeviceState.ASLEEP;

        Device(SleepySides world) {
            this.world = world;
        }

        @Override
        public boolean canStep() {
            return state != DeviceState.ASLEEP || world.kick;
        }

        @Override
        public void step() {
            state =
                    switch (state) {
                        case DISARM -> disarm();
                        case POLL -> poll();
                        case COMPLETE -> complete();
                        case PUBLISH -> publish(DeviceState.POLL);
                        case PUBLISH_LAST -> publish(DeviceState.ARM);
                        case ARM ->
                                world.device.armAndRecheck()
                                        ? DeviceState.DISARM
                                        : DeviceState.ASLEEP;
                        case ASLEEP -> wake();
                    };
        }

        private DeviceState disarm() {
            if (world.scenario.disarm()) {
                world.device.disarm();
            }
            return DeviceState.POLL;
        }

        private DeviceState poll() {
            if (world.device.poll() == DeviceQueue.NONE) {
                complete();
                return DeviceState.PUBLISH_LAST;
            }
            taken.add(world.device.chain().head());
            world.device.chain().next();
            world.seen.add(world.device.chain().gpa() - Rings.DATA);
            return taken.size() == world.scenario.batch() ? DeviceState.COMPLETE : DeviceState.POLL;
        }

        private DeviceState complete() {
            while (!taken.isEmpty()) {
                int next = world.scenario.reverse() ? taken.size() - 1 : 0;
                world.device.complete(taken.remove(/* index */ next), 0);
            }
            return DeviceState.PUBLISH;
        }

        private DeviceState publish(DeviceState next) {
            world.interrupt |= world.device.publish();
            return next;
        }

        @Override
        public String toString() {
            return state + " " + taken;
        }

        private DeviceState wake() {
            world.kick = false;
            return DeviceState.DISARM;
        }
    }

    private final Scenario scenario;
    private final RingBytes ring;
    private final DriverQueue driver;
    private final DeviceQueue device;
    private final Side[] sides;
    private final List<Integer> returned = new ArrayList<>();
    private final List<Long> seen = new ArrayList<>();
    private boolean kick;
    private boolean interrupt;

    SleepySides(Scenario scenario, RingBytes ring) {
        this.scenario = scenario;
        this.ring = ring;
        driver = Rings.driver(ring, scenario.features());
        device = Rings.device(ring, scenario.features());
        sides = new Side[] {new Driver(this), new Device(this)};
    }

    /** Whether side 0, the driver, or 1, the device, has a step to take. */
    boolean canStep(int side) {
        return sides[side].canStep();
    }

    /** Takes a step of one side. */
    void step(int side) {
        sides[side].step();
    }

    /** All that what follows depends on: bytes, private state of the queues, state of the sides. */
    String state() {
        StringBuilder text = new StringBuilder();
        text.append(Arrays.toString(ring.descriptorTable()));
        text.append(Arrays.toString(ring.availableRing()));
        text.append(Arrays.toString(ring.usedRing()));
        text.append(sides[0]).append(sides[1]).append(kick).append(interrupt);
        text.append(returned).append(seen);
        appendFields(text, driver);
        appendFields(text, device);
        return text.toString();
    }

    private static void appendFields(StringBuilder text, Object queue) {
        try {
            for (Field field : queue.getClass().getDeclaredFields()) {
                field.setAccessible(true);
                Object value = field.get(queue);
                if (value instanceof int[] ints) {
                    text.append(Arrays.toString(ints));
                } else if (field.getType().isPrimitive()) {
                    text.append(',').append(value);
                }
            }
        } catch (IllegalAccessException impossible) {
            throw new AssertionError(impossible);
        }
    }

    /** Neither side can go on: everything went out and came back. */
    void check(String schedule) {
        String where = scenario + ", schedule=" + schedule;
        assertEquals(inOrder(scenario.buffers()), seen, where);
        assertEquals(scenario.buffers(), returned.size(), where);
        assertEquals(0, driver.inFlight(), where);
        assertNull(driver.fault(), where);
        assertNull(device.fault(), where);
    }

    private static List<Long> inOrder(int count) {
        List<Long> numbers = new ArrayList<>();
        for (long i = 0; i < count; i++) {
            numbers.add(i);
        }
        return numbers;
    }
}
