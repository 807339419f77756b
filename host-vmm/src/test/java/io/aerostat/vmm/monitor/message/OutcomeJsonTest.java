package io.aerostat.vmm.monitor.message;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.aerostat.vmm.vm.BalloonSize;
import io.aerostat.vmm.vm.SetMemoryOutcome;
import io.aerostat.vmm.vm.SetMemoryOutcome.Reason;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.IOException;
import java.nio.charset.StandardCharsets;

/** Outcomes on their way over the wire. */
final class OutcomeJsonTest {
    private static SetMemoryOutcome sent(SetMemoryOutcome outcome) throws IOException {
        return OutcomeJson.read(QmpJson.read(QmpJson.write(OutcomeJson.of(outcome))));
    }

    @ParameterizedTest
    @EnumSource
    void arriveAsTheyWereSent(Reason reason) throws IOException {
        SetMemoryOutcome[] outcomes = {
            new SetMemoryOutcome.Reached(new BalloonSize(5)),
            new SetMemoryOutcome.Partial(new BalloonSize(1L << 40), 1L << 52, reason),
            new SetMemoryOutcome.Stalled(reason),
            new SetMemoryOutcome.Refused(reason),
            new SetMemoryOutcome.Superseded()
        };

        for (SetMemoryOutcome outcome : outcomes) {
            assertEquals(outcome, sent(outcome));
        }
    }

    @Test
    void sayNoMoreThanIsKnown() {
        assertEquals(
                "{\"outcome\":\"REACHED\",\"balloon\":20480}",
                OutcomeJson.of(new SetMemoryOutcome.Reached(new BalloonSize(5))).toString());
        assertEquals(
                "{\"outcome\":\"SUPERSEDED\"}",
                OutcomeJson.of(new SetMemoryOutcome.Superseded()).toString());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{}",
                "[]",
                "{\"outcome\":\"LOST\"}",
                "{\"outcome\":\"STALLED\"}",
                "{\"outcome\":\"STALLED\",\"reason\":\"BOREDOM\"}",
                "{\"outcome\":5}"
            })
    void areRefusedIfTheyAreNone(String text) throws IOException {
        var json = QmpJson.read(text.getBytes(StandardCharsets.UTF_8));

        assertThrows(IOException.class, () -> OutcomeJson.read(json));
    }
}
