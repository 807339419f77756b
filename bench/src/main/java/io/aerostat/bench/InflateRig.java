package io.aerostat.bench;

import io.aerostat.balloon.BalloonDevice;
import io.aerostat.balloon.BalloonOptions;
import io.aerostat.balloon.reclaim.NoReclaim;
import io.aerostat.memory.backend.AnonymousBackend;
import io.aerostat.memory.backend.MemfdBackend;
import io.aerostat.memory.backend.MemoryBackend;
import io.aerostat.virtio.device.VirtioDevice;

/** Sets up a {@link RequestRig} with as much of the device as a {@link Stage} says. */
final class InflateRig {
    private InflateRig() {}

    static RequestRig of(Stage stage, PageOrder order) {
        MemoryBackend backend =
                stage == Stage.MEMFD
                        ? MemfdBackend.map(RequestRig.RAM_BYTES, 0)
                        : AnonymousBackend.map(RequestRig.RAM_BYTES, 0);
        if (stage.givesBack()) {
            ReclaimWarmUp.run(backend.reclaimer());
        }
        return new RequestRig(backend, device(stage, backend), order);
    }

    private static VirtioDevice device(Stage stage, MemoryBackend backend) {
        BalloonOptions options = BalloonOptions.DEFAULT.withQueueSize(RequestRig.QUEUE_SIZE);
        return switch (stage) {
            case RING -> new SinkDevice(RequestRig.QUEUE_SIZE);
            case LEDGER -> new BalloonDevice(backend.memory(), new NoReclaim(), options);
            case ANONYMOUS, MEMFD ->
                    new BalloonDevice(backend.memory(), backend.reclaimer(), options);
        };
    }
}
