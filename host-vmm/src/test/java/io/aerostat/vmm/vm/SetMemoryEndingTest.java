package io.aerostat.vmm.vm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.aerostat.vmm.vm.SetMemoryOutcome.Partial;
import io.aerostat.vmm.vm.SetMemoryOutcome.Reason;
import io.aerostat.vmm.vm.SetMemoryOutcome.Refused;
import io.aerostat.vmm.vm.SetMemoryOutcome.Stalled;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import java.util.EnumSet;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** Each way to end without the size, with its reason, on a virtual clock. */
final class SetMemoryEndingTest {
    static List<SetMemoryEnding> endings() {
        return SetMemoryEnding.ALL;
    }

    @ParameterizedTest
    @MethodSource("endings")
    void endsAsTheSceneWillHaveIt(SetMemoryEnding ending) {
        SetMemoryOutcome outcome = ending.play();

        assertInstanceOf(ending.kind(), outcome);
        assertEquals(ending.reason(), reasonOf(outcome));
        if (outcome instanceof Partial partial) {
            assertTrue(partial.movedBytes() > 0 && partial.movedBytes() % 4096 == 0);
        }
    }

    @Test
    void everyReasonHasAScene() {
        Set<Reason> played = EnumSet.noneOf(Reason.class);
        SetMemoryEnding.ALL.forEach(ending -> played.add(ending.reason()));

        assertEquals(EnumSet.allOf(Reason.class), played);
    }

    @Test
    void everyReasonIsDescribedAndSaysWhatToDo() {
        Set<String> texts = new HashSet<>();
        for (Reason reason : Reason.values()) {
            texts.add(reason.description());
            texts.add(reason.advice());
            assertNotEquals("", reason.description().trim());
            assertNotEquals("", reason.advice().trim());
            assertTrue(Character.isLowerCase(reason.advice().charAt(0)), reason.toString());
        }

        assertEquals(2 * Reason.values().length, texts.size());
    }

    private static Reason reasonOf(SetMemoryOutcome outcome) {
        return switch (outcome) {
            case Partial partial -> partial.reason();
            case Stalled stalled -> stalled.reason();
            case Refused refused -> refused.reason();
            case SetMemoryOutcome.Reached _, SetMemoryOutcome.Superseded _ ->
                    throw new AssertionError("has no reason: " + outcome);
        };
    }
}
