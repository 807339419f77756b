package io.aerostat.virtio.transport.mmio;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.aerostat.virtio.device.Ownership;
import io.aerostat.virtio.queue.DriverQueue;
import io.aerostat.virtio.spec.Feature;
import io.aerostat.virtio.spec.MmioRegister;
import io.aerostat.virtio.testkit.EchoMachine;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import java.util.function.Consumer;

/**
 * Register accesses from inside {@link InterruptLine#set}, as in an emulator that runs the guest's
 * handler at once: in the middle of a pass. They take effect when the pass ends.
 */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
final class ReentrantGuestTest {
    private static final long FEATURES = Feature.VERSION_1;

    /** What the guest does in its first interrupt. */
    enum Handler {
        ACKNOWLEDGES,
        RESETS,
        RESETS_FROM_OUTSIDE,
        RESETS_TWICE,
        STOPS_THE_QUEUE,
        STARTS_ANOTHER_QUEUE,
        FAILS,
        KICKS,
        POLLS,
        STARTS_ANEW;

        void act(EchoMachine machine) {
            switch (this) {
                case ACKNOWLEDGES -> {}
                case RESETS -> machine.status(0);
                case RESETS_FROM_OUTSIDE -> machine.device.reset();
                case RESETS_TWICE -> {
                    machine.status(0);
                    machine.status(0);
                }
                case STOPS_THE_QUEUE -> machine.write(MmioRegister.QUEUE_READY, 0);
                case STARTS_ANOTHER_QUEUE -> machine.enable(1);
                case FAILS -> machine.status(128);
                case KICKS -> machine.kick(0);
                case POLLS -> machine.controller().poll(0);
                case STARTS_ANEW -> {
                    machine.status(0);
                    machine.bringUp(FEATURES);
                }
            }
        }
    }

    private EchoMachine machine;
    private Consumer<EchoMachine> inInterrupt = m -> {};

    private EchoMachine machineOf(int chainsPerPass) {
        machine =
                new EchoMachine(
                        echo -> echo.servingPerPass(chainsPerPass),
                        Ownership.REGISTER_THREAD,
                        () -> {},
                        this::interrupt);
        return machine;
    }

    private void interrupt(boolean level) {
        if (level) {
            machine.write(MmioRegister.INTERRUPT_ACK, machine.read(MmioRegister.INTERRUPT_STATUS));
            Consumer<EchoMachine> action = inInterrupt;
            inInterrupt = m -> {};
            action.accept(machine);
        }
    }

    @ParameterizedTest
    @EnumSource(Handler.class)
    void worksAfterAResetWhateverTheHandlerDid(Handler handler) {
        machineOf(1);
        DriverQueue queue = machine.bringUp(FEATURES);
        for (int slot = 0; slot < 4; slot++) {
            machine.offer(queue, slot, slot);
        }
        inInterrupt = handler::act;
        machine.kick(0);
        machine.pollAll();

        machine.status(0);
        DriverQueue again = machine.bringUp(FEATURES);
        machine.offer(again, 0, 0x1122);
        machine.pollAll();

        assertEquals(0x1122, machine.answer(0));
        assertEquals(EchoMachine.DRIVER_OK, machine.status());
        assertEquals(0, machine.read(MmioRegister.INTERRUPT_STATUS));
    }

    @Test
    void aResetFromInsideAPassEndsTheTraffic() {
        machineOf(1);
        DriverQueue queue = machine.bringUp(FEATURES);
        machine.offer(queue, 0, 1);
        machine.offer(queue, 1, 1);
        inInterrupt = Handler.RESETS::act;

        machine.pollAll();

        assertEquals(0, machine.status());
        assertEquals(1, machine.usedIdx(0));
        assertTrue(machine.echo.told().contains("reset"));
    }

    @Test
    void aDriverThatStartsAnewFromInsideAPassIsServed() {
        machineOf(1);
        DriverQueue queue = machine.bringUp(FEATURES);
        machine.offer(queue, 0, 1);
        DriverQueue[] again = new DriverQueue[1];
        inInterrupt =
                m -> {
                    m.status(0);
                    again[0] = m.bringUp(FEATURES);
                    m.offer(again[0], 3, 0x3344);
                    m.kick(0);
                };

        machine.pollAll();

        assertEquals(0x3344, machine.answer(3));
        assertEquals(EchoMachine.DRIVER_OK, machine.status());
    }

    @Test
    void aKickFromInsideAPassIsNotLost() {
        machineOf(1);
        DriverQueue queue = machine.bringUp(FEATURES);
        machine.offer(queue, 0, 1);
        inInterrupt =
                m -> {
                    m.offer(queue, 1, 0x3344);
                    m.kick(0);
                };

        machine.pollAll();

        assertEquals(0x3344, machine.answer(1));
    }

    @Test
    void theHandlersOwnBuffersDoNotMakeTheStackGrow() {
        machineOf(1);
        DriverQueue queue = machine.bringUp(FEATURES);
        int[] depth = new int[2];
        int[] rounds = {0};
        Consumer<EchoMachine> handler =
                m -> {
                    depth[1] = Math.max(depth[1], ++depth[0]);
                    while (queue.poll() >= 0) {
                        rounds[0]++;
                    }
                    if (rounds[0] < 1000) {
                        m.offer(queue, 0, rounds[0]);
                        m.kick(0);
                        m.controller().poll(0);
                    }
                    depth[0]--;
                };
        machine.offer(queue, 0, 1);
        for (int i = 0; i < 2000 && rounds[0] < 1000; i++) {
            inInterrupt = handler;
            machine.controller().poll(0);
        }

        assertEquals(1000, rounds[0]);
        assertEquals(1, depth[1]);
    }
}
