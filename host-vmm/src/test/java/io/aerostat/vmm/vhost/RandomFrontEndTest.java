package io.aerostat.vmm.vhost;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.aerostat.balloon.handler.BalloonCounter;
import io.aerostat.virtio.testkit.Seeds;
import io.aerostat.vmm.vhost.message.ProtocolFeature;
import io.aerostat.vmm.vm.DriverState;
import io.aerostat.vmm.vm.GuestSize;

import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import java.nio.file.Path;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeSet;
import java.util.stream.LongStream;

/** Honest drivers behind front-ends that do anything they may, against a plain model. */
@Timeout(120)
final class RandomFrontEndTest {
    private static final int STEPS = 150;
    private static final int PAGES = 3000;
    private static final int AT_ONCE = 200;

    @TempDir Path directory;

    static LongStream seeds() {
        return Seeds.first(12);
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void theLedgerIsWhatTheDriverGave(long seed) {
        try (LogLines log = new LogLines();
                ServedGuest served = ServedGuest.in(directory);
                Model model = new Model(served, new SplittableRandom(seed))) {
            for (int step = 0; step < STEPS; step++) {
                String action = model.act();

                model.check(Seeds.replay(seed) + ", step " + step + ", " + action);
            }
            assertEquals(0, log.all().size(), () -> Seeds.replay(seed) + log.all());
        }
    }

    /** What must hold. */
    private static final class Model implements AutoCloseable {
        private final ServedGuest served;
        private final SplittableRandom random;
        private final Set<Integer> ballooned = new TreeSet<>();
        private HandFrontEnd frontEnd;
        private boolean enablesByKick;
        private long inflated;
        private long deflated;
        private long returned;
        private int target;

        Model(ServedGuest served, SplittableRandom random) {
            this.served = served;
            this.random = random;
            this.frontEnd = HandFrontEnd.started(served.socket);
        }

        String act() {
            int action = random.nextInt(14);
            switch (action) {
                case 0, 1, 2, 3 -> inflate();
                case 4, 5 -> deflate();
                case 6 -> target();
                case 7 -> standStill();
                case 8 -> pauseRing();
                case 9 -> reload();
                case 10 -> tableAgain();
                case 11 -> repeatSomething();
                case 12 -> reconnect();
                default -> statistics();
            }
            return "action " + action;
        }

        private void inflate() {
            int[] pfns =
                    random.ints(1 + random.nextInt(AT_ONCE), 0, PAGES)
                            .map(frontEnd::pfn)
                            .distinct()
                            .filter(pfn -> !ballooned.contains(pfn))
                            .toArray();
            if (pfns.length > 0) {
                frontEnd.inflate().pages(pfns);
                for (int pfn : pfns) {
                    ballooned.add(pfn);
                }
                inflated += pfns.length;
                tell();
            }
        }

        private void deflate() {
            int[] pfns =
                    ballooned.stream()
                            .filter(_ -> random.nextInt(3) > 0)
                            .limit(AT_ONCE)
                            .mapToInt(pfn -> pfn)
                            .toArray();
            if (pfns.length > 0) {
                frontEnd.deflate().pages(pfns);
                for (int pfn : pfns) {
                    ballooned.remove(pfn);
                }
                deflated += pfns.length;
                tell();
            }
        }

        private void tell() {
            // Not earlier: what is used may not yet be in the ledger.
            served.settle();
            frontEnd.actual(ballooned.size());
        }

        private void target() {
            target = random.nextInt(PAGES);
            GuestSize size = new GuestSize(HandFrontEnd.RAM_BYTES - target * 4096L);
            var _ = served.control().setMemory(size, ServedGuest.PATIENCE);
            served.settle();
        }

        private int[] stop() {
            if (enablesByKick) {
                return frontEnd.rings.stream().mapToInt(r -> frontEnd.base(r.index)).toArray();
            }
            return frontEnd.stop();
        }

        private void goOn(int... bases) {
            if (!enablesByKick) {
                frontEnd.goOn(HandFrontEnd.FEATURES, bases);
                return;
            }
            frontEnd.features(HandFrontEnd.FEATURES);
            frontEnd.table();
            for (HandRing ring : frontEnd.rings) {
                frontEnd.base(ring.index, bases[ring.index]);
            }
            for (HandRing ring : frontEnd.rings) {
                frontEnd.setUp(ring, bases[ring.index]);
            }
        }

        private void standStill() {
            goOn(stop());
        }

        private void pauseRing() {
            HandRing ring = frontEnd.rings.get(random.nextInt(3));
            if (!enablesByKick) {
                frontEnd.enable(ring.index, false);
                frontEnd.enable(ring.index, true);
            } else {
                frontEnd.kick(ring);
            }
        }

        private void forget() {
            returned += ballooned.size();
            ballooned.clear();
        }

        private void reload() {
            if (random.nextBoolean()) {
                stop();
            }
            frontEnd.features(HandFrontEnd.FEATURES | ProtocolFeature.PRESENT);
            frontEnd.rings.forEach(HandRing::begin);
            enablesByKick = random.nextBoolean();
            goOn(0, 0, 0);
            forget();
        }

        private void tableAgain() {
            frontEnd.table();
        }

        private void repeatSomething() {
            HandRing ring = frontEnd.rings.get(random.nextInt(3));
            switch (random.nextInt(3)) {
                case 0 -> frontEnd.addresses(ring);
                case 1 -> frontEnd.num(ring.index, HandRing.SIZE);
                default -> frontEnd.kick(ring);
            }
        }

        private void reconnect() {
            if (random.nextBoolean()) {
                stop();
            }
            frontEnd.close();
            frontEnd = HandFrontEnd.started(served.socket);
            enablesByKick = false;
            forget();
        }

        private void statistics() {
            frontEnd.stats().offer(frontEnd.stats().gpa + 0x8000, 10, false);
            frontEnd.stats().kick();
            ServedGuest.await(
                    () -> {
                        var _ = served.control().statistics(ServedGuest.PATIENCE);
                        served.settle();
                        return frontEnd.stats().takeBack();
                    },
                    "the buffer comes back");
        }

        void check(String replay) {
            assertEquals(ballooned.size(), served.ledger(), replay);
            assertEquals(DriverState.UP, served.guest.driver(), replay);
            assertEquals(target, frontEnd.numPages(), replay);
            assertEquals(inflated, served.counter(BalloonCounter.PAGES_INFLATED), replay);
            assertEquals(deflated, served.counter(BalloonCounter.PAGES_DEFLATED), replay);
            assertEquals(returned, served.counter(BalloonCounter.PAGES_RETURNED_BY_RESET), replay);
            assertEquals(0, served.anomalies(), replay);
            assertEquals(ballooned, pagesOfTheLedger(), replay);
        }

        private Set<Integer> pagesOfTheLedger() {
            return ServedGuest.get(
                    served.control()
                            .ask(
                                    balloon -> {
                                        Set<Integer> pages = new TreeSet<>();
                                        balloon.ballooned()
                                                .forEachRange(
                                                        (pfn, count) -> {
                                                            for (int i = 0; i < count; i++) {
                                                                pages.add((int) pfn + i);
                                                            }
                                                        });
                                        return pages;
                                    },
                                    new TreeSet<>()));
        }

        @Override
        public void close() {
            frontEnd.close();
        }
    }
}
