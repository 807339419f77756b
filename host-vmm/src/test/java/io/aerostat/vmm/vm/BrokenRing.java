package io.aerostat.vmm.vm;

import io.aerostat.virtio.memory.RamAccess;
import io.aerostat.virtio.transport.mmio.RegisterWindow;

/** A guest that breaks its own inflate ring. */
final class BrokenRing {
    private static final int QUEUE_SIZE = 128;
    private static final int QUEUE_NOTIFY = 0x50;

    private BrokenRing() {}

    /**
     * avail.idx goes 1,000 ahead, and the device is kicked. The driver's rings are the first blocks
     * that its allocator gave.
     */
    static void breakInflateRing(Machine machine) {
        RegisterWindow window = machine.vm.balloonWindow().orElseThrow();
        RamAccess available = RamAccess.of(machine.vm.memory(), 16L * QUEUE_SIZE, 4);
        available.putShort(2, 1000);
        window.store(QUEUE_NOTIFY, 4, 0);
        machine.stepHost();
        if ((window.load(0x70, 4) & 64) == 0) {
            throw new IllegalStateException(
                    "the ring is not where this expects it, or the device took the jump");
        }
    }
}
