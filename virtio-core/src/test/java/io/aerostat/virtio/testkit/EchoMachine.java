package io.aerostat.virtio.testkit;

import io.aerostat.virtio.device.DeviceController;
import io.aerostat.virtio.device.Doorbell;
import io.aerostat.virtio.device.Ownership;
import io.aerostat.virtio.memory.GuestMemory;
import io.aerostat.virtio.memory.RamAccess;
import io.aerostat.virtio.queue.DriverQueue;
import io.aerostat.virtio.queue.QueueAddresses;
import io.aerostat.virtio.spec.MmioRegister;
import io.aerostat.virtio.transport.mmio.InterruptLine;
import io.aerostat.virtio.transport.mmio.MmioDevice;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.UnaryOperator;

/**
 * One megabyte of RAM and an {@link EchoDevice} behind registers. Drives the registers by hand, so
 * that a device's tests need no driver of ours.
 *
 * <pre>
 *   0x0_0000 .. 0x7_ffff   ring of queue q at q * 0x1_0000
 *   0x8_0000 .. 0xf_ffff   buffers
 * </pre>
 */
public final class EchoMachine {
    public static final int RAM_BYTES = 1 << 20;
    public static final int RING_SPACING = 0x1_0000;
    public static final long BUFFERS = 0x8_0000;

    /** Status bits, as a driver adds them. */
    public static final int ACKNOWLEDGED = 1;

    public static final int DRIVER = 3;
    public static final int FEATURES_OK = 11;
    public static final int DRIVER_OK = 15;
    public static final int NEEDS_RESET = 64;

    public final GuestMemory memory;
    public final RamAccess ram;
    public final LatchingInterruptController irq = new LatchingInterruptController();
    public final AtomicInteger rings = new AtomicInteger();
    public final EchoDevice echo;
    public final MmioDevice device;

    /** A machine whose register thread polls. */
    public EchoMachine() {
        this(echo -> echo);
    }

    /** The same, with a device to taste. */
    public EchoMachine(UnaryOperator<EchoDevice> tailor) {
        this(tailor, Ownership.REGISTER_THREAD, () -> {});
    }

    /**
     * @param doorbell is rung besides being counted
     */
    public EchoMachine(UnaryOperator<EchoDevice> tailor, Ownership ownership, Doorbell doorbell) {
        this(tailor, ownership, doorbell, level -> {});
    }

    /**
     * @param line is driven besides {@link #irq}
     */
    public EchoMachine(
            UnaryOperator<EchoDevice> tailor,
            Ownership ownership,
            Doorbell doorbell,
            InterruptLine line) {
        this(GuestRam.Kind.DIRECT_BUFFER, tailor, ownership, doorbell, line);
    }

    /** The same, on RAM of any kind. */
    public EchoMachine(
            GuestRam.Kind kind,
            UnaryOperator<EchoDevice> tailor,
            Ownership ownership,
            Doorbell doorbell,
            InterruptLine line) {
        this(GuestRam.of(kind, 0, RAM_BYTES).memory(), tailor, ownership, doorbell, line);
    }

    /** The same, on the RAM of another machine. */
    public EchoMachine(
            GuestMemory memory,
            UnaryOperator<EchoDevice> tailor,
            Ownership ownership,
            Doorbell doorbell,
            InterruptLine line) {
        this.memory = memory;
        ram = RamAccess.of(memory, 0, RAM_BYTES);
        echo = tailor.apply(new EchoDevice(memory));
        device =
                new MmioDevice(
                        memory,
                        echo,
                        level -> {
                            irq.set(level);
                            line.set(level);
                        },
                        ownership,
                        () -> {
                            rings.incrementAndGet();
                            doorbell.ring();
                        });
    }

    public DeviceController controller() {
        return device.controller();
    }

    public int read(MmioRegister register) {
        return (int) device.load(register.offset(), Integer.BYTES);
    }

    public void write(MmioRegister register, int value) {
        device.store(register.offset(), Integer.BYTES, value & 0xFFFF_FFFFL);
    }

    public int status() {
        return read(MmioRegister.STATUS);
    }

    public void status(int value) {
        write(MmioRegister.STATUS, value);
    }

    public void acceptFeatures(long features) {
        write(MmioRegister.DRIVER_FEATURES_SEL, 0);
        write(MmioRegister.DRIVER_FEATURES, (int) features);
        write(MmioRegister.DRIVER_FEATURES_SEL, 1);
        write(MmioRegister.DRIVER_FEATURES, (int) (features >>> Integer.SIZE));
    }

    /** Goes on to FEATURES_OK. */
    public void negotiate(long features) {
        status(ACKNOWLEDGED);
        status(DRIVER);
        acceptFeatures(features);
        status(FEATURES_OK);
    }

    /** Where queue {@code queue} lies with the size that the device offers. */
    public QueueAddresses place(int queue) {
        return QueueAddresses.inBlock(
                echo.queueSizeMax(queue, EchoDevice.EXTRA_QUEUE), (long) queue * RING_SPACING);
    }

    public void describe(int queue, QueueAddresses at) {
        write(MmioRegister.QUEUE_SEL, queue);
        write(MmioRegister.QUEUE_SIZE, at.size());
        write(MmioRegister.QUEUE_DESC_LOW, (int) at.descriptorTable());
        write(MmioRegister.QUEUE_DESC_HIGH, (int) (at.descriptorTable() >>> Integer.SIZE));
        write(MmioRegister.QUEUE_DRIVER_LOW, (int) at.availableRing());
        write(MmioRegister.QUEUE_DRIVER_HIGH, (int) (at.availableRing() >>> Integer.SIZE));
        write(MmioRegister.QUEUE_DEVICE_LOW, (int) at.usedRing());
        write(MmioRegister.QUEUE_DEVICE_HIGH, (int) (at.usedRing() >>> Integer.SIZE));
    }

    /** Enables a queue at its place. */
    public void enable(int queue) {
        describe(queue, place(queue));
        write(MmioRegister.QUEUE_READY, 1);
    }

    /** The driver's side of a queue at its place; zeroes the ring. */
    public DriverQueue driverQueue(int queue, long features) {
        return new DriverQueue(memory, place(queue), features, null);
    }

    /** From reset to DRIVER_OK with queue 0 enabled. */
    public DriverQueue bringUp(long features) {
        negotiate(features);
        DriverQueue queue = driverQueue(0, features);
        enable(0);
        status(DRIVER_OK);
        return queue;
    }

    /**
     * Offers a buffer of 8 bytes to read and 8 bytes to write, number {@code slot} of those at
     * {@link #BUFFERS}, and publishes it. Does not kick.
     *
     * @return whether the device wants a kick
     */
    public boolean offer(DriverQueue queue, int slot, long payload) {
        ram.putLong(requestAt(slot), payload);
        ram.putLong(answerAt(slot), 0);
        long[] gpas = {requestAt(slot), answerAt(slot)};
        long[] lengths = {Long.BYTES, Long.BYTES};
        if (queue.add(gpas, lengths, 1, 1) == DriverQueue.FULL) {
            throw new IllegalStateException("queue is full: slot=" + slot);
        }
        return queue.publish();
    }

    public void kick(int queue) {
        write(MmioRegister.QUEUE_NOTIFY, queue);
    }

    public static long requestAt(int slot) {
        return BUFFERS + slot * 2L * Long.BYTES;
    }

    public static long answerAt(int slot) {
        return requestAt(slot) + Long.BYTES;
    }

    /** The bytes that the device wrote for buffer {@code slot}. */
    public long answer(int slot) {
        return ram.getLong(answerAt(slot));
    }

    /** used.idx of a queue, as the device left it. */
    public int usedIdx(int queue) {
        return ram.getUnsignedShort(place(queue).usedRing() + 2);
    }

    /** Polls until nothing is left. */
    public void pollAll() {
        for (int i = 0; controller().poll(0) != 0; i++) {
            if (i > 1_000_000) {
                throw new AssertionError("poll() never comes to an end");
            }
        }
    }
}
