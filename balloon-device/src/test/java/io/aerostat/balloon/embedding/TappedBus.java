package io.aerostat.balloon.embedding;

import io.aerostat.balloon.embedding.machine.Bus;

import java.util.ArrayList;
import java.util.List;

/** Lies between a guest and its bus: notes the accesses to a window, and lets a test step in. */
public final class TappedBus implements Bus {
    private static final int WINDOW_BYTES = 0x200;
    private static final int NONE = -1;

    private final Bus bus;
    private final long window;
    private final List<Access> accesses = new ArrayList<>();
    private int hookedRegister = NONE;
    private Runnable hook = () -> {};

    /** A tap on the window at an address. */
    public TappedBus(Bus bus, long window) {
        this.bus = bus;
        this.window = window;
    }

    /**
     * One access of the guest to a register.
     *
     * @param offset in the window
     * @param width bytes
     */
    public record Access(boolean isStore, int offset, int width, long value) {}

    /** The accesses since the start or since {@link #forget}. */
    public List<Access> accesses() {
        return List.copyOf(accesses);
    }

    /** Forgets the accesses. */
    public void forget() {
        accesses.clear();
    }

    /** Runs an action once, right before the guest's next store to a register. */
    public void beforeStoreTo(int register, Runnable action) {
        hookedRegister = register;
        hook = action;
    }

    /** Forgets the action that has not run yet, if there is one. */
    public void stepOut() {
        hookedRegister = NONE;
    }

    @Override
    public long load(long address, int width) {
        long value = bus.load(address, width);
        note(false, address, width, value);
        return value;
    }

    @Override
    public void store(long address, int width, long value) {
        if (hookedRegister != NONE && address - window == hookedRegister) {
            hookedRegister = NONE;
            hook.run();
        }
        note(true, address, width, value);
        bus.store(address, width, value);
    }

    private void note(boolean isStore, long address, int width, long value) {
        long offset = address - window;
        if (offset >= 0 && offset < WINDOW_BYTES) {
            accesses.add(new Access(isStore, (int) offset, width, value));
        }
    }
}
