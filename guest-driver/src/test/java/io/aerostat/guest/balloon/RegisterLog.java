package io.aerostat.guest.balloon;

import io.aerostat.virtio.spec.MmioRegister;
import io.aerostat.virtio.transport.mmio.RegisterWindow;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.LongUnaryOperator;

/** The bus between driver and device: notes every access, and lies where a test wants it to. */
final class RegisterLog implements RegisterWindow {
    /** One access of the driver. */
    record Access(boolean isStore, long offset, long value) {}

    private record RegisterKey(boolean isStore, long offset) {}

    private final RegisterWindow window;
    private final List<Access> accesses = new ArrayList<>();
    private final Map<Long, LongUnaryOperator> lies = new HashMap<>();
    private final Map<RegisterKey, Runnable> interludes = new HashMap<>();
    private boolean isRecording = true;

    RegisterLog(RegisterWindow window) {
        this.window = window;
    }

    /** From now on the driver reads of this register what {@code lie} makes of its value. */
    void falsify(MmioRegister register, LongUnaryOperator lie) {
        lies.put((long) register.offset(), lie);
    }

    /** What happens elsewhere just before the driver writes this register. */
    void beforeStore(MmioRegister register, Runnable interlude) {
        interludes.put(new RegisterKey(true, register.offset()), interlude);
    }

    /** What happens elsewhere just before the driver reads this register. */
    void beforeLoad(MmioRegister register, Runnable interlude) {
        interludes.put(new RegisterKey(false, register.offset()), interlude);
    }

    private void playInterlude(boolean isStore, long offset) {
        Runnable interlude = interludes.get(new RegisterKey(isStore, offset));
        if (interlude != null) {
            interlude.run();
        }
    }

    void tellTheTruth() {
        lies.clear();
    }

    /** Keeps nothing from now on, so that it allocates nothing. */
    void stopRecording() {
        isRecording = false;
    }

    void clear() {
        accesses.clear();
    }

    List<Access> accesses() {
        return List.copyOf(accesses);
    }

    /** The values written to a register, in order. */
    List<Long> stores(long offset) {
        return accesses.stream()
                .filter(access -> access.isStore() && access.offset() == offset)
                .map(Access::value)
                .toList();
    }

    List<Long> stores(MmioRegister register) {
        return stores(register.offset());
    }

    /** Position of the first such store in {@link #accesses}, or -1. */
    int indexOfStore(MmioRegister register, long value) {
        return accesses.indexOf(new Access(true, register.offset(), value));
    }

    @Override
    public long load(long offset, int width) {
        if (!isRecording) {
            return window.load(offset, width);
        }
        playInterlude(false, offset);
        long value = window.load(offset, width);
        LongUnaryOperator lie = lies.get(offset);
        long told = lie == null ? value : lie.applyAsLong(value);
        accesses.add(new Access(false, offset, told));
        return told;
    }

    @Override
    public void store(long offset, int width, long value) {
        if (isRecording) {
            playInterlude(true, offset);
            accesses.add(new Access(true, offset, value));
        }
        window.store(offset, width, value);
    }
}
