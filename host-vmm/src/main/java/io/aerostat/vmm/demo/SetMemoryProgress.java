package io.aerostat.vmm.demo;

import io.aerostat.balloon.BalloonDevice;
import io.aerostat.vmm.report.ProgressBar;
import io.aerostat.vmm.vm.BalloonSize;
import io.aerostat.vmm.vm.SetMemoryOutcome;

import java.io.Console;
import java.io.PrintWriter;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;

/** A setmem that is watched: pages done of pages to do, until its promise ends. */
final class SetMemoryProgress {
    private static final long PROGRESS_MS = 50;

    private SetMemoryProgress() {}

    /**
     * Asks, and tells how far it is until it has ended.
     *
     * @param wanted what is to be in the balloon
     * @param promise asks for it
     */
    static SetMemoryOutcome follow(
            PrintWriter out,
            BalloonDevice balloon,
            BalloonSize wanted,
            Supplier<CompletableFuture<SetMemoryOutcome>> promise)
            throws InterruptedException, ExecutionException {
        long from = balloon.ledgerPages();
        long total = Math.abs(wanted.pages() - from);
        ProgressBar bar = new ProgressBar(out, isTerminal(), total, System.nanoTime());
        CompletableFuture<SetMemoryOutcome> future = promise.get();
        while (true) {
            try {
                SetMemoryOutcome outcome = future.get(PROGRESS_MS, TimeUnit.MILLISECONDS);
                bar.finish(Math.abs(balloon.ledgerPages() - from), System.nanoTime());
                return outcome;
            } catch (TimeoutException stillGoing) {
                bar.update(Math.abs(balloon.ledgerPages() - from), System.nanoTime());
            }
        }
    }

    private static boolean isTerminal() {
        return Optional.ofNullable(System.console()).map(Console::isTerminal).orElse(false);
    }
}
