package io.aerostat.guest.balloon;

import static io.aerostat.guest.balloon.ScriptedBalloon.HINT;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.aerostat.guest.balloon.BalloonDriver.State;
import io.aerostat.virtio.spec.balloon.BalloonFeature;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.util.List;
import java.util.OptionalInt;

/** Free page hinting: blocks of 64 pages, of which there are 20 or so. */
final class BalloonHintTest {
    private static final int STOP = 0;
    private static final int DONE = 1;
    private static final int FIRST = 2;
    private static final int QEMU_FIRST = 0x8000_0000;
    private static final int BLOCK = 64;

    private static BalloonRig hinting() {
        return BalloonRig.with(BalloonFeature.FREE_PAGE_HINT).started();
    }

    /** The commands among the buffers, in their order. */
    private static List<Integer> commands(BalloonRig rig) {
        return rig.device.log(HINT).stream()
                .filter(request -> !request.isWritable())
                .map(BalloonRequest::command)
                .toList();
    }

    private static List<BalloonRequest> blocks(BalloonRig rig) {
        return rig.device.log(HINT).stream().filter(BalloonRequest::isWritable).toList();
    }

    @ParameterizedTest
    @ValueSource(ints = {FIRST, 17, QEMU_FIRST, -1})
    @DisplayName("BALLOON-DESC-14, -15, DRV-24..27, -29: id, blocks, STOP")
    void opensARoundSendsBlocksAndClosesIt(int id) {
        BalloonRig rig = hinting();

        rig.device.hintCommand(id);
        rig.settle();

        List<BalloonRequest> sent = rig.device.log(HINT);
        // BalloonRequest.command asserts that a command has 4 bytes.
        assertEquals(List.of(id, STOP), commands(rig));
        assertEquals(id, sent.get(0).command());
        assertEquals(STOP, sent.get(sent.size() - 1).command());
        assertTrue(blocks(rig).size() > 15, "blocks=" + blocks(rig).size());
        assertTrue(blocks(rig).stream().allMatch(block -> block.lengths()[0] == BLOCK * 4096));
        assertEquals((long) blocks(rig).size() * BLOCK, rig.driver.hintedPages());
    }

    @Test
    @DisplayName("BALLOON-DRV-26: the id is sent once, however often the field is read")
    void sendsTheIdOnce() {
        BalloonRig rig = hinting();
        rig.device.hintCommand(FIRST);
        rig.settle();

        for (int target = 1; target < 5; target++) {
            rig.device.target(target);
            rig.settle();
        }

        assertEquals(List.of(FIRST, STOP), commands(rig));
    }

    @ParameterizedTest
    @ValueSource(ints = {STOP, DONE})
    @DisplayName("BALLOON-DRV-28: no block is sent under STOP or DONE")
    void stopsSendingWhenTheFieldSaysSo(int command) {
        BalloonRig rig = hinting();
        rig.device.hintCommand(FIRST);
        rig.step();
        int before = blocks(rig).size();

        rig.device.hintCommand(command);
        rig.settle();

        assertTrue(before > 0, "blocks=" + before);
        assertEquals(before, blocks(rig).size());
        assertEquals(List.of(FIRST, STOP), commands(rig));
    }

    @Test
    @DisplayName("BALLOON-DESC-14: STOP keeps what was hinted")
    void keepsHintedPagesOnStop() {
        BalloonRig rig = hinting();
        rig.device.hintCommand(FIRST);
        rig.settle();
        long held = rig.driver.hintedPages();

        rig.device.hintCommand(STOP);
        rig.settle();

        assertEquals(held, rig.driver.hintedPages());
    }

    @Test
    @DisplayName("BALLOON-DRV-33: DONE gives all back")
    void releasesEverythingOnDone() {
        BalloonRig rig = hinting();
        rig.device.hintCommand(FIRST);
        rig.settle();

        rig.device.hintCommand(DONE);
        rig.settle();

        assertEquals(0, rig.driver.hintedPages());
        assertEquals(BalloonRig.RAM_PAGES - rig.driver.pinnedPages(), rig.pages.freePages());
    }

    @Test
    @DisplayName("BALLOON-DRV-30, -33: DONE gives blocks back that the device has not used yet")
    void releasesBlocksThatAreStillInTheQueue() {
        BalloonRig rig = hinting();
        rig.device.hintCommand(FIRST);
        rig.step();

        rig.device.hintCommand(DONE);
        rig.step();

        assertEquals(0, rig.driver.hintedPages());
        rig.settle();
        assertEquals(0, rig.driver.restarts());
    }

    @Test
    @DisplayName("BALLOON-DRV-32: what is taken back before DONE is written")
    void writesWhatItTakesBackBeforeDone() {
        BalloonRig rig = hinting();
        rig.device.hintCommand(FIRST);
        rig.settle();
        rig.ram.fill(rig.ram.base() + (100 << 12), 1100 << 12, 0xA5);
        List<BalloonRequest> blocks = blocks(rig);

        long released = rig.driver.releaseHinted(BLOCK + 1);

        int[] last = blocks.get(blocks.size() - 1).pfns();
        assertEquals(2 * BLOCK, released);
        assertTrue(rig.isFilled(last[0], 0) && rig.isFilled(last[BLOCK - 1], 0));
        assertEquals(2 * BLOCK, rig.driver.counters().get(DriverCounter.HINTED_PAGES_TAKEN_BACK));
        rig.assertEveryPageAccountedFor();
    }

    @Test
    @DisplayName("BALLOON-DRV-31: what comes back on DONE is left alone")
    void doesNotWriteOnDone() {
        BalloonRig rig = hinting();
        rig.device.hintCommand(FIRST);
        rig.settle();
        int page = blocks(rig).get(0).pfns()[0];
        rig.ram.fill((long) page << 12, 4096, 0xA5);

        rig.device.hintCommand(DONE);
        rig.settle();

        assertTrue(rig.isFilled(page, 0xA5A5_A5A5));
    }

    @Test
    void takesNoMoreBlocksOnceTheGuestWantedSomeBack() {
        BalloonRig rig = hinting();
        rig.device.hintCommand(FIRST);
        rig.step();
        rig.driver.releaseHinted(BLOCK);
        long held = rig.driver.hintedPages();

        rig.settle();

        assertEquals(held, rig.driver.hintedPages());
        assertEquals(List.of(FIRST, STOP), commands(rig));
    }

    @Test
    void leavesTheReserveToTheGuest() {
        BalloonRig rig = hinting();

        rig.device.hintCommand(FIRST);
        rig.settle();

        assertTrue(rig.pages.freePages() >= 100, "free=" + rig.pages.freePages());
        assertTrue(rig.pages.freePages() < 100 + 3 * BLOCK, "free=" + rig.pages.freePages());
    }

    @Test
    @DisplayName("BALLOON-DESC-16: a new id after STOP begins a round of blocks not hinted yet")
    void beginsAnotherRoundWithWhatWasFreedSince() {
        BalloonRig rig = hinting();
        rig.takeByOthers(1200);
        rig.device.hintCommand(FIRST);
        rig.settle();
        int inFirst = blocks(rig).size();
        rig.device.hintCommand(STOP);
        rig.settle();
        rig.freeByOthers(640);

        rig.device.hintCommand(FIRST + 1);
        rig.settle();

        assertEquals(List.of(FIRST, STOP, FIRST + 1, STOP), commands(rig));
        assertTrue(blocks(rig).size() >= inFirst + 8, "blocks=" + blocks(rig).size());
    }

    @Test
    @DisplayName("BALLOON-DRV-25, -26: a new id in the middle of a round closes it first")
    void closesARoundBeforeTheNextBegins() {
        BalloonRig rig = hinting();
        rig.device.hintCommand(FIRST);
        rig.step();

        rig.device.hintCommand(FIRST + 1);
        rig.settle();

        assertEquals(List.of(FIRST, STOP, FIRST + 1, STOP), commands(rig));
    }

    @Test
    @DisplayName("BALLOON-DEV-07: an id may come again when its STOP was returned")
    void takesAnIdAgainAfterTheRoundIsOver() {
        BalloonRig rig = hinting();
        rig.device.hintCommand(FIRST);
        rig.settle();
        rig.device.hintCommand(DONE);
        rig.settle();

        rig.device.hintCommand(FIRST);
        rig.settle();

        assertEquals(List.of(FIRST, STOP, FIRST, STOP), commands(rig));
    }

    @Test
    void goesOnWhenTheFieldTurnsToStopSilentlyAsQemusDoes() {
        BalloonRig rig = hinting();
        rig.device.hintCommand(QEMU_FIRST);
        rig.step();
        int first = blocks(rig).size();
        rig.device.hintCommandSilently(STOP);

        rig.settle();

        assertTrue(blocks(rig).size() > first, "blocks=" + blocks(rig).size());
        assertEquals(List.of(QEMU_FIRST, STOP), commands(rig));
    }

    @Test
    void endsTheRoundWhenATargetComesWhileQemuShowsStop() {
        BalloonRig rig = hinting();
        rig.device.hintCommand(QEMU_FIRST);
        rig.step();
        int first = blocks(rig).size();
        rig.device.hintCommandSilently(STOP);

        rig.device.target(1);
        rig.settle();

        assertEquals(first, blocks(rig).size());
        assertEquals(1, rig.device.actual());
    }

    @Test
    void beginsARoundThatWasThereBeforeTheDriver() {
        BalloonRig rig = BalloonRig.with(BalloonFeature.FREE_PAGE_HINT);
        rig.device.hintCommand(FIRST);

        rig.started().settle();

        assertEquals(List.of(FIRST, STOP), commands(rig));
    }

    @Test
    void sendsABoundedNumberOfBlocksAStep() {
        BalloonRig rig =
                new BalloonRig(
                                BalloonRig.OPTIONS
                                        .withRequests(
                                                new BalloonDriverOptions.Requests(128, 4, 256))
                                        .withFreePages(
                                                new BalloonDriverOptions.FreePages(
                                                        OptionalInt.empty(), 5, 0, 0)),
                                ScriptedBalloon.OFFER | BalloonFeature.FREE_PAGE_HINT,
                                16)
                        .started();

        rig.device.hintCommand(FIRST);
        rig.step();

        assertEquals(32, blocks(rig).size());
    }

    @Test
    @DisplayName("BALLOON-DRV-31: a reset gives everything back")
    void losesNothingInAReset() {
        BalloonRig rig = hinting();
        rig.device.hintCommand(FIRST);
        rig.step();

        rig.device.needReset();
        rig.step();

        assertEquals(State.RESTARTING, rig.driver.state());
        assertEquals(BalloonRig.RAM_PAGES, rig.pages.freePages());
    }

    @Test
    void givesEverythingBackWhenRemoved() {
        BalloonRig rig = hinting();
        rig.device.hintCommand(FIRST);
        rig.step();

        rig.driver.remove();
        rig.settle();

        assertEquals(BalloonRig.RAM_PAGES, rig.pages.freePages());
    }

    @Test
    void asksForNoInterruptForBlocks() {
        BalloonRig rig =
                new BalloonRig(BalloonRig.OPTIONS, 1L << 32 | BalloonFeature.FREE_PAGE_HINT, 16)
                        .started();

        int flags = rig.device.ring(HINT).availableFlags();

        assertEquals(1, flags);
    }
}
