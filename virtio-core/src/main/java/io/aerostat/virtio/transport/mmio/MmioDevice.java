package io.aerostat.virtio.transport.mmio;

import io.aerostat.virtio.device.DeviceController;
import io.aerostat.virtio.device.Doorbell;
import io.aerostat.virtio.device.Ownership;
import io.aerostat.virtio.device.VirtioDevice;
import io.aerostat.virtio.memory.GuestMemory;
import io.aerostat.virtio.memory.RamRegion;
import io.aerostat.virtio.queue.QueueAddresses;
import io.aerostat.virtio.snapshot.SnapshotException;
import io.aerostat.virtio.snapshot.SnapshotReader;
import io.aerostat.virtio.snapshot.SnapshotWriter;
import io.aerostat.virtio.spec.InterruptStatus;
import io.aerostat.virtio.spec.MmioRegister;

import org.jspecify.annotations.Nullable;

import java.util.Arrays;
import java.util.concurrent.atomic.AtomicReference;

/**
 * The register window of a virtio-mmio device, version 2 (VIRTIO 1.4, 4.2.2): what an emulator maps
 * into its guest's address space.
 *
 * <p>{@link #load} and {@link #store} are total: any offset, any width of 1, 2, 4 or 8, aligned or
 * not, straddling or past the end. They never throw on what a guest does. Control registers answer
 * aligned 32-bit accesses; an aligned 64-bit access counts as two of them; anything else reads 0
 * and writes nothing (the standard leaves it open). The configuration space answers every width and
 * alignment, and reads 0 behind its end.
 *
 * <p>Register accesses come from one thread at a time. What runs the device, and when, is the
 * choice of {@link Ownership} and {@link Doorbell}; see {@link DeviceController#poll}.
 */
public final class MmioDevice implements RegisterWindow {
    /**
     * Bytes of the window that a device tree should give: registers, and room for any configuration
     * space.
     */
    public static final int WINDOW_BYTES = 0x200;

    /** VendorID: "AERO" in ASCII, little-endian. */
    public static final int VENDOR_ID = 0x4F524541;

    private static final int TRANSPORT_SECTION = 1;
    private static final int CONTROLLER_SECTION = 2;

    private static final int ALL_ONES = -1;
    private static final long LOW_WORD = 0xFFFF_FFFFL;

    private final DeviceController controller;
    private final InterruptRegister interrupts;
    private final QueueRegisters[] queues;

    private int deviceFeaturesSel;
    private int driverFeaturesSel;
    private int queueSel;

    /**
     * Registers for a host that calls {@link #poll} anyway, in each of its steps or often enough
     * that nobody notices: it wants no doorbell.
     */
    public MmioDevice(
            GuestMemory memory, VirtioDevice device, InterruptLine line, Ownership ownership) {
        this(memory, device, line, ownership, () -> {});
    }

    /**
     * @param memory the guest's RAM
     * @param device what stands behind the registers
     * @param line the interrupt line to drive
     * @param ownership which thread runs the device
     * @param doorbell is rung when {@link DeviceController#poll} has something to do
     */
    public MmioDevice(
            GuestMemory memory,
            VirtioDevice device,
            InterruptLine line,
            Ownership ownership,
            Doorbell doorbell) {
        interrupts = new InterruptRegister(line);
        controller = new DeviceController(memory, device, interrupts, ownership, doorbell);
        queues = new QueueRegisters[controller.queueCount()];
        Arrays.setAll(queues, i -> new QueueRegisters());
    }

    /** What runs the device. */
    public DeviceController controller() {
        return controller;
    }

    /**
     * Does what is waiting, see {@link DeviceController#poll}. The owner.
     *
     * @param nowNs the owner's clock in nanoseconds, never running backwards
     * @return 0 if nothing is left to do until the doorbell rings or time matters
     */
    public int poll(long nowNs) {
        return controller.poll(nowNs);
    }

    /**
     * Attaches RAM where it is absent, see {@link DeviceController#attach}. The same thread as
     * register accesses.
     *
     * @throws IllegalArgumentException if no place of that address and length was named when the
     *     memory was made, or the region was detached before
     * @throws IllegalStateException if RAM is there already, or if called from inside a pass
     */
    public void attach(RamRegion region) {
        controller.attach(region);
    }

    /**
     * Detaches RAM, see {@link DeviceController#detach}: when this returns it may be unmapped. The
     * same thread as register accesses.
     *
     * @throws IllegalArgumentException if it is no region of this memory
     * @throws IllegalStateException if called from inside a pass
     */
    public void detach(RamRegion region) {
        controller.detach(region);
    }

    /**
     * A reset from outside, as by the machine's reset line; the same as the driver's write of 0 to
     * Status.
     */
    public void reset() {
        controller.reset();
        for (QueueRegisters queue : queues) {
            queue.clear();
        }
        deviceFeaturesSel = 0;
        driverFeaturesSel = 0;
        queueSel = 0;
        interrupts.acknowledge(ALL_ONES);
    }

    /**
     * The state of the device: registers, negotiation, queues with the place inside a buffer in
     * work, configuration space, interrupts, and what the device itself knows. Guest RAM is not
     * part of it, nor are host commands that were not run yet, nor counts.
     *
     * <p>Taken between two passes: waits for the owner's current one. The same thread as register
     * accesses, but not from inside a pass. Whoever saves guest RAM too has the device stand still
     * first ({@link DeviceController#drain}), so that both are of one moment.
     *
     * @throws IllegalStateException if called from inside a pass or a command
     */
    public byte[] save() {
        SnapshotWriter out = new SnapshotWriter();
        controller.betweenPasses(
                () -> {
                    out.section(TRANSPORT_SECTION, this::saveTransport);
                    out.section(CONTROLLER_SECTION, controller::save);
                });
        return out.finish();
    }

    /**
     * Puts the device in a saved state, whatever it was in before: from here on it does what the
     * saved one would have done. Guest RAM must be as it was when the device was saved; if it is
     * not, the device behaves as with a guest that wrote it. The interrupt line is driven anew, and
     * all queues are looked at, as if kicked.
     *
     * <p>Being drained is no part of the state: a device that is drained here stays so, one that is
     * not goes on at once, however it was saved.
     *
     * <p>The same thread as register accesses, but not from inside a pass.
     *
     * @throws SnapshotException if these bytes are damaged, of a newer version, or of a device or
     *     RAM layout other than this one; the device is unchanged
     * @throws IllegalStateException if called from inside a pass or a command
     */
    public void restore(byte[] snapshot) throws SnapshotException {
        SnapshotReader in = SnapshotReader.open(snapshot);
        AtomicReference<SnapshotException> failure = new AtomicReference<>();
        controller.betweenPasses(
                () -> {
                    try {
                        prepareRestore(in).run();
                    } catch (SnapshotException e) {
                        failure.set(e);
                    }
                });
        SnapshotException refused = failure.get();
        if (refused != null) {
            throw refused;
        }
    }

    private void saveTransport(SnapshotWriter out) {
        out.writeInt(deviceFeaturesSel);
        out.writeInt(driverFeaturesSel);
        out.writeInt(queueSel);
        out.writeByte(interrupts.causes());
        out.writeInt(queues.length);
        for (QueueRegisters queue : queues) {
            queue.save(out);
        }
    }

    /** Reads and checks all of a snapshot, and answers what puts it into effect. */
    private Runnable prepareRestore(SnapshotReader in) throws SnapshotException {
        SnapshotReader own = in.section(TRANSPORT_SECTION);
        int savedDeviceSel = own.readInt("deviceFeaturesSel");
        int savedDriverSel = own.readInt("driverFeaturesSel");
        int savedQueueSel = own.readInt("queueSel");
        int causes = own.readByte("interruptStatus");
        if ((causes & ~InterruptStatus.DEFINED_MASK) != 0) {
            throw SnapshotException.impossible("interruptStatus", causes);
        }
        QueueAddresses[] saved =
                new QueueAddresses[own.readInt("queueRegisters", queues.length, queues.length)];
        for (int queue = 0; queue < saved.length; queue++) {
            saved[queue] = QueueAddresses.restored(own);
        }
        own.end();
        Runnable controllerState = controller.prepareRestore(in.section(CONTROLLER_SECTION));
        in.end();
        return () -> {
            deviceFeaturesSel = savedDeviceSel;
            driverFeaturesSel = savedDriverSel;
            queueSel = savedQueueSel;
            for (int queue = 0; queue < saved.length; queue++) {
                queues[queue].restore(saved[queue]);
            }
            controllerState.run();
            interrupts.restore(causes);
        };
    }

    @Override
    public long load(long offset, int width) {
        if (offset >= MmioRegister.CONFIG_OFFSET) {
            return controller.readConfig(offset - MmioRegister.CONFIG_OFFSET, width);
        }
        if (width == Long.BYTES && offset % Long.BYTES == 0) {
            return load(offset, Integer.BYTES)
                    | load(offset + Integer.BYTES, Integer.BYTES) << Integer.SIZE;
        }
        MmioRegister register = width == Integer.BYTES ? MmioRegister.at(offset) : null;
        return register == null ? 0 : read(register) & LOW_WORD;
    }

    @Override
    public void store(long offset, int width, long value) {
        if (offset >= MmioRegister.CONFIG_OFFSET) {
            controller.writeConfig(offset - MmioRegister.CONFIG_OFFSET, width, value);
            return;
        }
        if (width == Long.BYTES && offset % Long.BYTES == 0) {
            store(offset, Integer.BYTES, value);
            store(offset + Integer.BYTES, Integer.BYTES, value >>> Integer.SIZE);
            return;
        }
        MmioRegister register = width == Integer.BYTES ? MmioRegister.at(offset) : null;
        if (register != null) {
            write(register, (int) value);
        }
    }

    private int read(MmioRegister register) {
        return switch (register) {
            case MAGIC_VALUE -> MmioRegister.MAGIC;
            case VERSION -> MmioRegister.MODERN_VERSION;
            case DEVICE_ID -> controller.deviceId();
            case VENDOR_ID -> VENDOR_ID;
            case DEVICE_FEATURES -> featureWord(controller.offeredFeatures(), deviceFeaturesSel);
            case QUEUE_SIZE_MAX -> controller.queueSizeMax(queueSel);
            case QUEUE_READY -> controller.isQueueEnabled(queueSel) ? 1 : 0;
            case INTERRUPT_STATUS -> interrupts.causes();
            case STATUS -> controller.status();
            case SHM_LEN_LOW, SHM_LEN_HIGH, SHM_BASE_LOW, SHM_BASE_HIGH -> ALL_ONES;
            case CONFIG_GENERATION -> controller.configGeneration();
            default -> 0;
        };
    }

    private void write(MmioRegister register, int value) {
        switch (register) {
            case DEVICE_FEATURES_SEL -> deviceFeaturesSel = value;
            case DRIVER_FEATURES_SEL -> driverFeaturesSel = value;
            case DRIVER_FEATURES -> controller.acceptFeatures(driverFeaturesSel, value);
            case QUEUE_SEL -> queueSel = value;
            case QUEUE_NOTIFY -> controller.notifyQueue(value);
            case INTERRUPT_ACK -> interrupts.acknowledge(value);
            case STATUS -> writeStatus(value);
            case QUEUE_READY -> writeQueueReady(value);
            default -> writeQueueRegister(register, value);
        }
    }

    private void writeStatus(int value) {
        if (value == 0) {
            reset();
        } else {
            controller.writeStatus(value);
        }
    }

    private static int featureWord(long features, int word) {
        return switch (word) {
            case 0 -> (int) features;
            case 1 -> (int) (features >>> Integer.SIZE);
            default -> 0;
        };
    }

    private void writeQueueReady(int value) {
        QueueRegisters queue = selected();
        if (queue == null) {
            return;
        }
        if (value == 0) {
            controller.disableQueue(queueSel);
        } else if (value == 1) {
            controller.enableQueue(queueSel, queue.addresses(controller.queueSizeMax(queueSel)));
        }
    }

    // Size and addresses are locked while the queue is ready (4.2.2.2).
    private void writeQueueRegister(MmioRegister register, int value) {
        QueueRegisters queue = selected();
        if (queue == null || controller.isQueueEnabled(queueSel)) {
            return;
        }
        switch (register) {
            case QUEUE_SIZE -> queue.size(value);
            case QUEUE_DESC_LOW -> queue.descriptorTable(false, value);
            case QUEUE_DESC_HIGH -> queue.descriptorTable(true, value);
            case QUEUE_DRIVER_LOW -> queue.availableRing(false, value);
            case QUEUE_DRIVER_HIGH -> queue.availableRing(true, value);
            case QUEUE_DEVICE_LOW -> queue.usedRing(false, value);
            case QUEUE_DEVICE_HIGH -> queue.usedRing(true, value);
            default -> {}
        }
    }

    private @Nullable QueueRegisters selected() {
        return queueSel >= 0 && queueSel < queues.length ? queues[queueSel] : null;
    }
}
