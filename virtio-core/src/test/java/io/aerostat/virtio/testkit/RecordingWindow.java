package io.aerostat.virtio.testkit;

import io.aerostat.virtio.spec.MmioRegister;
import io.aerostat.virtio.transport.mmio.RegisterWindow;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * A bus log: passes register accesses on and writes each down. It can lie in the device's place, so
 * that a driver meets devices that do not exist.
 */
public final class RecordingWindow implements RegisterWindow {
    /**
     * One access.
     *
     * @param isRead load, else store
     * @param value what was answered or written
     */
    public record Access(boolean isRead, long offset, int width, long value) {
        /** As in {@code R 070} or {@code W 070 = f}; the width if it is not 4. */
        @Override
        public String toString() {
            String at = String.format("%03x", offset) + (width == 4 ? "" : "/" + width);
            return isRead ? "R " + at : "W " + at + " = " + Long.toHexString(value);
        }
    }

    private final RegisterWindow device;
    private final List<Access> log = new ArrayList<>();
    private final Map<Long, Long> lies = new HashMap<>();

    public RecordingWindow(RegisterWindow device) {
        this.device = device;
    }

    /** Answers {@code value} for a register from now on, whatever the device says. */
    public RecordingWindow lie(MmioRegister register, int value) {
        lies.put((long) register.offset(), value & 0xFFFF_FFFFL);
        return this;
    }

    /** All accesses so far. */
    public List<Access> log() {
        return List.copyOf(log);
    }

    /** The log as text, see {@link Access#toString}. */
    public List<String> lines() {
        return log.stream().map(Access::toString).toList();
    }

    /** What was written to a register, in order. */
    public List<Long> written(MmioRegister register) {
        return log.stream()
                .filter(a -> !a.isRead() && a.offset() == register.offset())
                .map(Access::value)
                .toList();
    }

    public void clear() {
        log.clear();
    }

    @Override
    public long load(long offset, int width) {
        long told = device.load(offset, width);
        long value = lies.getOrDefault(offset, told);
        log.add(new Access(true, offset, width, value));
        return value;
    }

    @Override
    public void store(long offset, int width, long value) {
        log.add(new Access(false, offset, width, value));
        device.store(offset, width, value);
    }
}
