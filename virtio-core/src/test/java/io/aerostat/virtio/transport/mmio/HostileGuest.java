package io.aerostat.virtio.transport.mmio;

import io.aerostat.virtio.queue.QueueAddresses;
import io.aerostat.virtio.spec.Feature;
import io.aerostat.virtio.spec.MmioRegister;
import io.aerostat.virtio.testkit.EchoDevice;
import io.aerostat.virtio.testkit.EchoMachine;

import java.util.Random;

/**
 * A guest that makes random register accesses: mostly sensible ones, so that the device gets into
 * all states, and any other ones. It scribbles over its rings, too.
 */
final class HostileGuest {
    private static final int[] WIDTHS = {1, 2, 4, 8};
    private static final long[] FAR = {
        Long.MIN_VALUE, Long.MAX_VALUE, Long.MAX_VALUE - 7, -1, -4, -8, 1L << 32, 0x1_0000_0070L
    };
    private static final MmioRegister[] REGISTERS = MmioRegister.values();

    private final EchoMachine machine;
    private final Random random;
    private String last = "nothing";

    HostileGuest(EchoMachine machine, long seed) {
        this.machine = machine;
        this.random = new Random(seed);
    }

    /** The last thing it did, for a message. */
    String last() {
        return last;
    }

    /** Does one random thing. */
    void step() {
        switch (random.nextInt(16)) {
            case 0 -> bringUp();
            case 1, 2, 3 -> scribble();
            case 4, 5 -> kick();
            case 6 -> {
                last = "acknowledge";
                machine.write(MmioRegister.INTERRUPT_ACK, random.nextInt());
            }
            case 7 -> status();
            default -> access();
        }
    }

    private void status() {
        int value = random.nextInt(8) == 0 ? 0 : random.nextInt(256);
        last = "status " + value;
        machine.status(value);
    }

    private void kick() {
        int queue = random.nextInt(4);
        last = "kick " + queue;
        machine.kick(queue);
    }

    private void access() {
        long offset = offset();
        int width = WIDTHS[random.nextInt(WIDTHS.length)];
        if (random.nextBoolean()) {
            last = "load " + Long.toHexString(offset) + "/" + width;
            long value = machine.device.load(offset, width);
            if (width < 8 && value >>> (8 * width) != 0) {
                throw new AssertionError("not zero-extended: " + last + " = " + value);
            }
        } else {
            long value = value();
            last =
                    "store "
                            + Long.toHexString(offset)
                            + "/"
                            + width
                            + " = "
                            + Long.toHexString(value);
            machine.device.store(offset, width, value);
        }
    }

    private long offset() {
        return switch (random.nextInt(8)) {
            case 0 -> FAR[random.nextInt(FAR.length)];
            case 1 -> random.nextLong();
            case 2 -> random.nextInt(MmioDevice.WINDOW_BYTES + 16) - 8;
            case 3 -> MmioRegister.CONFIG_OFFSET + random.nextInt(24) - 8;
            default -> REGISTERS[random.nextInt(REGISTERS.length)].offset();
        };
    }

    private long value() {
        return switch (random.nextInt(4)) {
            case 0 -> random.nextInt(4);
            case 1 -> random.nextInt(EchoMachine.RAM_BYTES / 16) * 16L;
            case 2 -> 1L << random.nextInt(64);
            default -> random.nextLong();
        };
    }

    /** The way up, with queues where they may be or not. */
    private void bringUp() {
        last = "bring-up";
        machine.status(0);
        long features = Feature.VERSION_1 | (random.nextLong() & EchoDevice.OFFERED);
        machine.negotiate(features);
        for (int queue = 0; queue < 3; queue++) {
            boolean good = random.nextInt(8) != 0;
            machine.describe(
                    queue,
                    good
                            ? machine.place(queue)
                            : new QueueAddresses((int) value(), value(), value(), value()));
            machine.write(MmioRegister.QUEUE_READY, random.nextInt(8) == 0 ? 0 : 1);
        }
        machine.status(EchoMachine.DRIVER_OK);
    }

    /** Writes into a ring: an available index that moves on by a little, or anything. */
    private void scribble() {
        int queue = random.nextInt(3);
        last = "scribble " + queue;
        QueueAddresses at = machine.place(queue);
        long idx = at.availableRing() + 2;
        if (random.nextInt(4) == 0) {
            long byteInRing = at.descriptorTable() + random.nextInt(320);
            machine.ram.putByte(byteInRing, (byte) random.nextInt());
            return;
        }
        int slot = random.nextInt(8);
        machine.ram.putLong(at.descriptorTable() + 16L * slot, EchoMachine.requestAt(slot));
        machine.ram.putInt(at.descriptorTable() + 16L * slot + 8, 1 + random.nextInt(32));
        machine.ram.putInt(at.descriptorTable() + 16L * slot + 12, random.nextInt(4) | slot << 16);
        machine.ram.putShort(idx + 2 + 2L * slot, random.nextInt(9));
        machine.ram.putShort(idx, machine.ram.getUnsignedShort(idx) + random.nextInt(4));
    }
}
