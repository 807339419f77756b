package io.aerostat.memory.own;

import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.aerostat.balloon.BalloonDevice;
import io.aerostat.balloon.BalloonOptions;
import io.aerostat.balloon.range.PageReclaimer;
import io.aerostat.memory.os.LinuxMemory;
import io.aerostat.memory.own.FleetingRam.Fate;
import io.aerostat.memory.own.FleetingRam.Kind;
import io.aerostat.virtio.device.Ownership;
import io.aerostat.virtio.memory.GuestMemory;
import io.aerostat.virtio.memory.RamRegion;
import io.aerostat.virtio.testkit.Seeds;
import io.aerostat.virtio.transport.mmio.MmioDevice;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/**
 * RAM is detached and unmapped while requests are under way in it, and the guest goes on. An access
 * to an old address has no assertion here: it ends the JVM, or spoils what somebody else keeps
 * there.
 */
final class UnmappedRamTest {
    private static final int ROUNDS = 200;
    private static final int ACTS_BEFORE = 25;
    private static final int ACTS_AFTER = 120;
    private static final long GPA = 0x4000_0000L;
    private static final int PART_BYTES = 1 << 20;

    @BeforeAll
    static void needsLinux() {
        assumeTrue(LinuxMemory.isSupported(), "memory is mapped by Linux' calls");
    }

    @ParameterizedTest
    @EnumSource
    void noGuestReachesRamThatIsGone(Ownership ownership) {
        int[] underWay = {0};
        Seeds.first(ROUNDS).forEach(seed -> underWay[0] += live(ownership, seed));

        assertTrue(underWay[0] > 0, "nothing was in the balloon when RAM was detached");
    }

    /** One machine's life; pages that were in its balloon when RAM was detached first. */
    private static int live(Ownership ownership, long seed) {
        try (Machine machine = new Machine(ownership, new Random(seed))) {
            machine.live(ACTS_BEFORE);
            machine.guest.remember();
            int underWay = machine.begin();

            machine.detachSome();
            machine.live(ACTS_AFTER);
            machine.attachWhatIsMissing();
            machine.live(ACTS_BEFORE);
            machine.begin();
            machine.detachSome();
            machine.live(ACTS_AFTER);

            for (FleetingRam gone : machine.gone) {
                assertTrue(gone.isUntouched(), Seeds.replay(seed));
            }
            return underWay;
        } catch (RuntimeException | AssertionError e) {
            throw new AssertionError(Seeds.replay(seed), e);
        }
    }

    /** A balloon on RAM in one part or two, each of which can be detached. */
    private static final class Machine implements AutoCloseable {
        final RestlessGuest guest;
        final List<FleetingRam> gone = new ArrayList<>();
        private final Random random;
        private final Kind kind;
        private final boolean ownReclaimer;
        private final int parts;
        private final FleetingRam[] ram;
        private final MmioDevice mmio;
        private final @Nullable RestlessOwner owner;

        Machine(Ownership ownership, Random random) {
            this.random = random;
            List<Kind> kinds = Kind.here().toList();
            kind = kinds.get(random.nextInt(kinds.size()));
            ownReclaimer = kind.isBackend() && random.nextBoolean();
            parts = ownReclaimer || random.nextInt(4) == 0 ? 1 : 2;
            ram = new FleetingRam[parts];
            RamRegion[] regions = new RamRegion[parts];
            for (int i = 0; i < parts; i++) {
                ram[i] = map(i);
                regions[i] = ram[i].region;
            }
            GuestMemory memory = GuestMemory.of(regions);
            PageReclaimer reclaimer =
                    ownReclaimer ? ram[0].backend().reclaimer() : AdviceReclaimer.of(memory);
            BalloonOptions options = RestlessGuest.OPTIONS.withWorkBudget(1 + random.nextInt(300));
            BalloonDevice balloon = new BalloonDevice(memory, reclaimer, options);
            mmio = new MmioDevice(memory, balloon, level -> {}, ownership);
            boolean polls = ownership != Ownership.OWN_THREAD;
            owner = polls ? null : new RestlessOwner(mmio);
            boolean ringsFirst = random.nextBoolean();
            long rings = GPA + (ringsFirst ? 0 : PART_BYTES);
            long buffers = GPA + (ringsFirst ? PART_BYTES : 0);
            guest =
                    new RestlessGuest(
                            mmio, balloon, memory, rings, buffers, polls, this::isThere, random);
        }

        private boolean isThere(long gpa) {
            return !ram[(int) ((gpa - GPA) * parts / (2 * PART_BYTES))].isGone();
        }

        private FleetingRam map(int part) {
            int bytes = 2 * PART_BYTES / parts;
            return new FleetingRam(kind, GPA + (long) part * bytes, bytes);
        }

        void live(int acts) {
            for (int i = 0; i < acts; i++) {
                guest.act();
            }
        }

        /** Has requests of all kinds under way; pages that are in the balloon already. */
        int begin() {
            guest.bringUp();
            guest.askForEverything();
            for (int passes = random.nextInt(4); passes > 0; passes--) {
                if (owner == null) {
                    guest.poll();
                } else {
                    mmio.controller().betweenPasses(() -> {});
                }
            }
            return (int) guest.balloon.ledgerPages();
        }

        /** Detaches a part or two; no sooner is that done than their memory is no more. */
        void detachSome() {
            int first = random.nextInt(parts);
            int count = 1 + random.nextInt(parts);
            for (int i = 0; i < count; i++) {
                FleetingRam leaving = ram[(first + i) % parts];
                if (leaving.isGone()) {
                    continue;
                }
                mmio.detach(leaving.region);
                leaving.end(Fate.values()[random.nextInt(Fate.values().length)]);
                gone.add(leaving);
            }
        }

        /** Not where the reclaimer is the backend's own, which knows no other RAM. */
        void attachWhatIsMissing() {
            for (int i = 0; i < parts && !ownReclaimer; i++) {
                if (ram[i].isGone()) {
                    ram[i] = map(i);
                    mmio.attach(ram[i].region);
                }
            }
        }

        @Override
        public void close() {
            if (owner != null) {
                owner.close();
            }
            for (FleetingRam part : ram) {
                part.close();
            }
            gone.forEach(FleetingRam::close);
        }
    }
}
