package io.aerostat.balloon.classloading;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.aerostat.balloon.BalloonDevice;
import io.aerostat.virtio.memory.GuestMemory;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.lang.invoke.VarHandle;
import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.lang.reflect.RecordComponent;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;

/**
 * No class has static state but constants: two devices in one process share nothing, and one that
 * is dropped leaves nothing.
 */
final class StaticStateTest {
    private static final String OWN_TABLE = "private, filled once, and never handed out";

    /** What a look at the type cannot tell to be a constant, and why it is. */
    private static final Map<String, String> KNOWN_CONSTANTS =
            Map.of(
                    "MmioRegister.BY_WORD", OWN_TABLE,
                    "StatTag.TAGS", OWN_TABLE,
                    "QueueNumbering.QUEUES", OWN_TABLE,
                    "BalloonCounters.COUNTERS", OWN_TABLE,
                    "HintQueueHandler.ROUNDS", OWN_TABLE,
                    "BalloonQueues.QUEUES", OWN_TABLE,
                    "RamAccess.NO_SINGLE_REGION", "a place without RAM, in no guest's memory",
                    "FaultCounts.LOGGER", "the host's logger, which knows the class's name");

    @ParameterizedTest
    @ValueSource(classes = {GuestMemory.class, BalloonDevice.class})
    void everyStaticFieldIsAConstant(Class<?> ofModule) {
        List<Class<?>> classes = Modules.classesBeside(ofModule);

        List<String> offenders =
                classes.stream()
                        .flatMap(StaticStateTest::staticFields)
                        .filter(field -> !isConstant(field))
                        .map(StaticStateTest::name)
                        .filter(name -> !KNOWN_CONSTANTS.containsKey(name))
                        .toList();

        assertTrue(classes.size() > 20, "too few classes found: " + classes.size());
        assertEquals(List.of(), offenders);
    }

    @Test
    void everyKnownConstantIsThereAndFinal() {
        Map<String, Field> fields = new HashMap<>();
        Stream.of(GuestMemory.class, BalloonDevice.class)
                .map(Modules::classesBeside)
                .flatMap(List::stream)
                .flatMap(StaticStateTest::staticFields)
                .forEach(field -> fields.put(name(field), field));

        Map<String, String> known = new TreeMap<>(KNOWN_CONSTANTS);
        known.keySet()
                .removeIf(
                        name ->
                                fields.containsKey(name)
                                        && Modifier.isFinal(fields.get(name).getModifiers())
                                        && Modifier.isPrivate(fields.get(name).getModifiers()));

        assertEquals(Map.of(), known);
    }

    @Test
    void findsStaticStateWhereThereIsSome() {
        TreeSet<String> offenders = new TreeSet<>();
        staticFields(Stateful.class)
                .filter(field -> !isConstant(field))
                .forEach(field -> offenders.add(field.getName()));

        assertEquals(
                List.of("array", "counter", "holder", "list", "object"), List.copyOf(offenders));
    }

    /** What must be found, and what must not. Nobody uses it. */
    @SuppressWarnings("unused")
    private static final class Stateful {
        static int counter;
        static final int[] array = {1};
        static final Object object = new Object();
        static final List<String> list = List.of();
        static final Holder holder = new Holder(List.of());

        static final int NUMBER = array.length;
        static final Point POINT = new Point(1, "name");
        static final Thread.State STATE = Thread.State.NEW;
    }

    private record Holder(List<String> list) {}

    private record Point(int x, String name) {}

    private static Stream<Field> staticFields(Class<?> type) {
        return Arrays.stream(type.getDeclaredFields())
                .filter(field -> Modifier.isStatic(field.getModifiers()));
    }

    private static boolean isConstant(Field field) {
        // The compiler's tables of enum constants, which no code of ours can reach.
        return field.isSynthetic()
                || (Modifier.isFinal(field.getModifiers()) && isImmutable(field.getType()));
    }

    private static boolean isImmutable(Class<?> type) {
        if (type.isRecord()) {
            return Arrays.stream(type.getRecordComponents())
                    .map(RecordComponent::getType)
                    .allMatch(StaticStateTest::isImmutable);
        }
        return type.isPrimitive()
                || type == String.class
                || type == VarHandle.class
                || (type.isEnum() && hasFinalFields(type));
    }

    private static boolean hasFinalFields(Class<?> type) {
        return Arrays.stream(type.getDeclaredFields())
                .allMatch(field -> Modifier.isFinal(field.getModifiers()));
    }

    private static String name(Field field) {
        return field.getDeclaringClass().getSimpleName() + "." + field.getName();
    }
}
