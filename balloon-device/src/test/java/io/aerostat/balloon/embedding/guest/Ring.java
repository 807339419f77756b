package io.aerostat.balloon.embedding.guest;

import io.aerostat.balloon.embedding.machine.Bus;

/**
 * The driver's side of a split queue (VIRTIO 1.4, 2.7), one buffer in flight. Everything is in RAM:
 * the three parts in one page, and what the driver itself knows among its variables.
 *
 * <pre>
 *   page       0                  2048              2560
 *              descriptors        available ring    used ring
 *
 *   variables  0       4      8         12
 *              number  size   next      last used
 * </pre>
 */
final class Ring {
    /** Bytes of a ring's variables. */
    static final int VARIABLES_LENGTH = 16;

    private static final int MAX_SIZE = 128;
    private static final int AVAILABLE = 2048;
    private static final int USED = 2560;

    private static final int NUMBER = 0;
    private static final int SIZE = 4;
    private static final int NEXT = 8;
    private static final int LAST_USED = 12;

    private static final int NEXT_FLAG = 1;
    private static final int WRITE_FLAG = 2;

    private final Bus bus;
    private final Registers registers;
    private final long page;
    private final long variables;

    Ring(Bus bus, Registers registers, long page, long variables) {
        this.bus = bus;
        this.registers = registers;
        this.page = page;
        this.variables = variables;
    }

    int number() {
        return (int) bus.load(variables + NUMBER, 4);
    }

    /** Sets the queue up; its memory is cleared before. */
    void setUp(int number) {
        for (int at = 0; at < GuestMap.PAGE; at += 8) {
            bus.store(page + at, 8, 0);
        }
        registers.write(VirtioMmio.QUEUE_SEL, number);
        if (registers.read(VirtioMmio.QUEUE_READY) != 0) {
            throw new IllegalStateException("queue is ready before its set-up: number=" + number);
        }
        int size = Math.min(MAX_SIZE, registers.read(VirtioMmio.QUEUE_SIZE_MAX));
        if (size == 0) {
            throw new IllegalStateException("there is no such queue: number=" + number);
        }
        bus.store(variables + NUMBER, 4, number);
        bus.store(variables + SIZE, 4, size);
        bus.store(variables + NEXT, 4, 0);
        bus.store(variables + LAST_USED, 4, 0);
        registers.write(VirtioMmio.QUEUE_SIZE, size);
        registers.writePair(VirtioMmio.QUEUE_DESC, page);
        registers.writePair(VirtioMmio.QUEUE_DRIVER, page + AVAILABLE);
        registers.writePair(VirtioMmio.QUEUE_DEVICE, page + USED);
        registers.write(VirtioMmio.QUEUE_READY, 1);
    }

    /** Exposes one buffer that the device reads. */
    void addReadable(long address, int length) {
        descriptor(0, address, length, 0, 0);
        expose();
    }

    /** Exposes a chain of buffers of the same length, one behind the other, that it may write. */
    void addWritable(long address, int length, int count) {
        for (int i = 0; i < count; i++) {
            int more = i + 1 < count ? NEXT_FLAG : 0;
            descriptor(i, address + (long) i * length, length, WRITE_FLAG | more, i + 1);
        }
        expose();
    }

    private void descriptor(int index, long address, int length, int flags, int next) {
        long at = page + 16L * index;
        bus.store(at, 8, address);
        bus.store(at + 8, 4, length);
        bus.store(at + 12, 2, flags);
        bus.store(at + 14, 2, next);
    }

    private void expose() {
        int next = (int) bus.load(variables + NEXT, 4);
        int size = (int) bus.load(variables + SIZE, 4);
        bus.store(page + AVAILABLE + 4 + 2L * (next % size), 2, 0);
        bus.fence();
        bus.store(page + AVAILABLE + 2, 2, next + 1);
        bus.store(variables + NEXT, 4, (next + 1) & 0xFFFF);
    }

    /** Kicks, unless the device does not want to know. */
    void kick(boolean eventIndex) {
        bus.fence();
        int size = (int) bus.load(variables + SIZE, 4);
        boolean wanted;
        if (eventIndex) {
            int next = (int) bus.load(variables + NEXT, 4);
            int event = (int) bus.load(page + USED + 4 + 8L * size, 2);
            wanted = ((next - 1) & 0xFFFF) == event;
        } else {
            wanted = (bus.load(page + USED, 2) & 1) == 0;
        }
        if (wanted) {
            registers.write(VirtioMmio.QUEUE_NOTIFY, number());
        }
    }

    /** Takes the buffer back, if the device has returned it; it is to tell when the next one is. */
    boolean takeUsed() {
        int lastUsed = (int) bus.load(variables + LAST_USED, 4);
        if (bus.load(page + USED + 2, 2) == lastUsed) {
            return false;
        }
        bus.fence();
        int size = (int) bus.load(variables + SIZE, 4);
        long id = bus.load(page + USED + 4 + 8L * (lastUsed % size), 4);
        if (id != 0) {
            throw new IllegalStateException("a buffer that was never exposed: id=" + id);
        }
        int next = (lastUsed + 1) & 0xFFFF;
        bus.store(variables + LAST_USED, 4, next);
        bus.store(page + AVAILABLE + 4 + 2L * size, 2, next);
        bus.fence();
        return true;
    }
}
