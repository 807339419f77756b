package io.aerostat.vmm.report;

import io.aerostat.vmm.vm.SetMemoryOutcome;
import io.aerostat.vmm.vm.SetMemoryOutcome.Reason;

/** How setMemory ended, for people. */
public final class OutcomeText {
    private OutcomeText() {}

    /** The end of a setmem in one line: what became of it, why, and what may be done. */
    public static String of(SetMemoryOutcome outcome) {
        return switch (outcome) {
            case SetMemoryOutcome.Reached reached -> "reached";
            case SetMemoryOutcome.Partial partial ->
                    "partial: "
                            + SizeText.of(partial.movedBytes())
                            + " moved; "
                            + reason(partial.reason());
            case SetMemoryOutcome.Stalled stalled -> "stalled: " + reason(stalled.reason());
            case SetMemoryOutcome.Superseded superseded -> "superseded by a later setmem";
            case SetMemoryOutcome.Refused refused -> "refused: " + reason(refused.reason());
        };
    }

    private static String reason(Reason reason) {
        return reason.description() + " (" + reason.advice() + ")";
    }
}
