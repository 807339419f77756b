package io.aerostat.vmm.demo;

import io.aerostat.vmm.report.SizeText;
import io.aerostat.vmm.vm.SetMemoryOutcome;
import io.aerostat.vmm.vm.SetMemoryOutcome.Reason;

import java.util.Locale;

/** How setMemory ended, for people. */
final class OutcomeText {
    private OutcomeText() {}

    static String of(SetMemoryOutcome outcome) {
        return switch (outcome) {
            case SetMemoryOutcome.Reached reached -> "reached";
            case SetMemoryOutcome.Partial partial ->
                    "partial: "
                            + SizeText.of(partial.movedBytes())
                            + " moved; "
                            + reason(partial.reason());
            case SetMemoryOutcome.Stalled stalled -> "stalled: " + reason(stalled.reason());
            case SetMemoryOutcome.Superseded superseded -> "superseded by a later setmem";
            case SetMemoryOutcome.Refused refused ->
                    "error: setmem refused: " + reason(refused.reason());
        };
    }

    private static String reason(Reason reason) {
        return reason.description() + " (" + reason.advice() + ")";
    }

    /** REACHED, PARTIAL, STALLED, SUPERSEDED or REFUSED. */
    static String nameOf(SetMemoryOutcome outcome) {
        return outcome.getClass().getSimpleName().toUpperCase(Locale.ROOT);
    }
}
