package io.aerostat.guest.task;

import static io.aerostat.guest.task.TaskState.DEAD;
import static io.aerostat.guest.task.TaskState.INTERRUPTIBLE;
import static io.aerostat.guest.task.TaskState.RUNNING;
import static io.aerostat.guest.task.TaskState.STOPPED;
import static io.aerostat.guest.task.TaskState.TRACED;
import static io.aerostat.guest.task.TaskState.UNINTERRUPTIBLE;
import static io.aerostat.guest.task.TaskState.ZOMBIE;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

final class TaskStateTest {
    @Test
    void allowsTheseMovesAndNoOthers() {
        Map<TaskState, Set<TaskState>> allowed =
                Map.of(
                        RUNNING,
                        Set.of(INTERRUPTIBLE, UNINTERRUPTIBLE, STOPPED, TRACED, ZOMBIE, DEAD),
                        INTERRUPTIBLE,
                        Set.of(RUNNING),
                        UNINTERRUPTIBLE,
                        Set.of(RUNNING),
                        STOPPED,
                        Set.of(RUNNING, TRACED),
                        TRACED,
                        Set.of(RUNNING, STOPPED),
                        ZOMBIE,
                        Set.of(DEAD),
                        DEAD,
                        Set.of());

        for (TaskState from : TaskState.values()) {
            for (TaskState to : TaskState.values()) {
                boolean expected = allowed.getOrDefault(from, Set.of()).contains(to);
                assertEquals(expected, from.canBecome(to), from + " to " + to);
            }
        }
    }

    @Test
    void hasTheLettersOfPs() {
        String letters =
                Stream.of(TaskState.values())
                        .map(state -> String.valueOf(state.letter()))
                        .collect(Collectors.joining());

        assertEquals("RSDTtZX", letters);
    }

    @Test
    void knowsSleepersAndTheEnded() {
        for (TaskState state : TaskState.values()) {
            assertEquals("SD".indexOf(state.letter()) >= 0, state.isSleeping(), state.name());
            assertEquals("ZX".indexOf(state.letter()) >= 0, state.isExited(), state.name());
        }
    }
}
