package io.aerostat.balloon;

import static io.aerostat.balloon.BalloonRig.DEFLATE;
import static io.aerostat.balloon.BalloonRig.INFLATE;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.aerostat.balloon.handler.BalloonCounter;
import io.aerostat.virtio.testkit.Seeds;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import java.util.Arrays;
import java.util.Random;
import java.util.stream.LongStream;

/** An honest driver with requests in flight on both queues is never called a liar. */
@DisplayName("BALLOON-DESC-11, BALLOON-DRV-06, -14: actual with both queues in flight")
final class ActualBothWaysTest {
    /** What a page is while a request with it is in flight; 0: the guest's, 1: in the balloon. */
    private static final int MOVING = 2;

    private final BalloonRig rig = new BalloonRig().start();

    static LongStream seeds() {
        return Seeds.first(40);
    }

    /** The used buffers of the two queues come back in no order of their own. */
    @Test
    void theDriverMayLookAtTheDeflateQueueFirst() {
        rig.inflate(rig.dataRun(0, 10));
        rig.actual(10);
        rig.offer(INFLATE, rig.dataRun(20, 10));
        rig.offer(DEFLATE, rig.dataRun(0, 10));
        rig.kick(INFLATE);
        rig.kick(DEFLATE);
        rig.settle();

        rig.reap(DEFLATE);
        rig.actual(0);
        rig.reap(INFLATE);
        rig.actual(10);

        assertEquals(0, rig.counter(BalloonCounter.FALSE_ACTUAL));
    }

    /** A value on the way may be the ledger's by chance. */
    @Test
    void anActualOnTheWayMayEqualTheLedger() {
        rig.inflate(rig.dataRun(0, 10));
        rig.actual(10);
        rig.offer(INFLATE, rig.dataRun(20, 10));
        rig.offer(INFLATE, rig.dataRun(30, 10));
        rig.offer(DEFLATE, rig.dataRun(0, 10));
        rig.kick(INFLATE);
        rig.kick(DEFLATE);
        rig.settle();

        rig.queues[INFLATE].poll();
        rig.actual(20);
        rig.queues[INFLATE].poll();
        rig.actual(30);
        rig.queues[DEFLATE].poll();
        rig.actual(20);

        assertEquals(0, rig.counter(BalloonCounter.FALSE_ACTUAL));
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void anyHonestDriverIsBelieved(long seed) {
        Random random = new Random(seed);
        int[][] inFlight = new int[2 * BalloonRig.QUEUE_SIZE][];
        int[] state = new int[400];
        int actual = 0;
        for (int step = 0; step < 300; step++) {
            int queue = random.nextInt(2);
            switch (random.nextInt(4)) {
                case 0 -> {
                    int[] pages = pick(state, queue, 1 + random.nextInt(9));
                    if (pages.length > 0 && rig.queues[queue].freeDescriptors() > 0) {
                        int head = send(queue, pages);
                        inFlight[queue * BalloonRig.QUEUE_SIZE + head] = pages;
                        Arrays.stream(pages).forEach(page -> state[page] = MOVING);
                    }
                }
                case 1 -> rig.poll();
                case 2 -> {
                    int head = rig.queues[queue].poll();
                    if (head >= 0) {
                        int[] pages = inFlight[queue * BalloonRig.QUEUE_SIZE + head];
                        Arrays.stream(pages).forEach(page -> state[page] = 1 - queue);
                        actual += queue == INFLATE ? pages.length : -pages.length;
                    }
                }
                default -> rig.transport.writeConfig(4, actual);
            }
        }
        rig.settle();

        assertEquals(0, rig.counter(BalloonCounter.FALSE_ACTUAL), () -> Seeds.replay(seed));
    }

    private int send(int queue, int[] pages) {
        long gpa = rig.write(Arrays.stream(pages).map(rig::data).toArray());
        int head = rig.queues[queue].add(gpa, 4L * pages.length, false);
        rig.queues[queue].publish();
        rig.kick(queue);
        return head;
    }

    private static int[] pick(int[] state, int wanted, int count) {
        int[] found = new int[count];
        int length = 0;
        for (int page = 0; page < state.length && length < count; page++) {
            if (state[page] == wanted) {
                found[length++] = page;
            }
        }
        return Arrays.copyOf(found, length);
    }
}
