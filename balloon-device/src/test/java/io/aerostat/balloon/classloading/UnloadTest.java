package io.aerostat.balloon.classloading;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.aerostat.balloon.BalloonDevice;
import io.aerostat.virtio.memory.GuestMemory;

import org.jspecify.annotations.NullMarked;
import org.junit.jupiter.api.Test;

import java.io.IOException;
import java.lang.ref.WeakReference;
import java.lang.reflect.Constructor;
import java.net.URLClassLoader;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;

/**
 * An embedder that comes and goes, such as a mod in a game: it brings all of this in a loader of
 * its own, uses it, drops it, and nothing of it stays behind.
 */
final class UnloadTest {
    private static final int COLLECTIONS_WITHOUT_END = 200;

    @Test
    void nothingIsLoadedFromOutsideTheLoader() throws IOException, ReflectiveOperationException {
        try (URLClassLoader loader = Modules.newLoader()) {
            Class<?> machine = machineClass(loader);
            Class<?> device = loader.loadClass(BalloonDevice.class.getName());

            assertSame(loader, machine.getClassLoader());
            assertSame(loader, device.getClassLoader());
            assertSame(loader, loader.loadClass(GuestMemory.class.getName()).getClassLoader());
            assertNotSame(BalloonDevice.class, device);
        }
    }

    @Test
    void runsWithoutTheNullnessAnnotations() throws IOException, ReflectiveOperationException {
        try (URLClassLoader loader = Modules.newLoader()) {
            newMachine(loader).run();

            assertThrows(
                    ClassNotFoundException.class,
                    () -> loader.loadClass(NullMarked.class.getName()));
        }
    }

    @Test
    void isCollectedOnceItsLoaderIsDropped() throws IOException, ReflectiveOperationException {
        WeakReference<ClassLoader> dropped = runAndDrop();

        collect(dropped);

        assertNull(dropped.get(), "something holds on to a class of the loader");
    }

    @Test
    void oneLoaderGoesWhileTheOtherGoesOn() throws IOException, ReflectiveOperationException {
        try (URLClassLoader loader = Modules.newLoader()) {
            Runnable machine = newMachine(loader);
            machine.run();

            WeakReference<ClassLoader> dropped = runBeside(machine);
            collect(dropped);
            machine.run();

            assertNull(dropped.get(), "something holds on to a class of the loader");
        }
    }

    @Test
    void noThreadIsMade() throws IOException, ReflectiveOperationException {
        MadeThreads made = new MadeThreads();
        made.set(Thread.currentThread().getName());
        Set<Thread> before = threads();

        runAndDrop();

        Set<Thread> after = threads();
        after.removeAll(before);
        made.remove();
        assertEquals(List.of(), made.makers);
        assertEquals(Set.of(), after);
    }

    @Test
    void aThreadThatIsMadeIsSeen() throws InterruptedException {
        MadeThreads made = new MadeThreads();
        made.set("maker");

        Thread thread = new Thread(() -> {});
        thread.start();
        thread.join();

        made.remove();
        assertEquals(List.of("maker"), made.makers);
    }

    @Test
    void whatWasLoggedDoesNotHoldOnToTheLoader() throws IOException, ReflectiveOperationException {
        KeptRecords kept = new KeptRecords();
        Logger root = Logger.getLogger("");
        root.addHandler(kept);

        WeakReference<ClassLoader> dropped = runAndDrop();
        root.removeHandler(kept);
        collect(dropped);

        assertFalse(kept.records.isEmpty(), "nothing was logged");
        assertNull(dropped.get(), "a record holds on to a class of the loader");
    }

    // Methods of their own, so that no frame still holds what they have dropped.

    private static WeakReference<ClassLoader> runAndDrop()
            throws IOException, ReflectiveOperationException {
        try (URLClassLoader loader = Modules.newLoader()) {
            newMachine(loader).run();
            return new WeakReference<>(loader);
        }
    }

    /** Two machines, each of its own loader, take turns. */
    private static WeakReference<ClassLoader> runBeside(Runnable other)
            throws IOException, ReflectiveOperationException {
        try (URLClassLoader loader = Modules.newLoader()) {
            Runnable machine = newMachine(loader);
            assertNotSame(other.getClass(), machine.getClass());
            machine.run();
            other.run();
            machine.run();
            return new WeakReference<>(loader);
        }
    }

    private static Runnable newMachine(ClassLoader loader) throws ReflectiveOperationException {
        Constructor<?> constructor = machineClass(loader).getDeclaredConstructor();
        constructor.setAccessible(true);
        return (Runnable) constructor.newInstance();
    }

    private static Class<?> machineClass(ClassLoader loader) throws ClassNotFoundException {
        return loader.loadClass(InflatingMachine.class.getName());
    }

    // One round may not do: the compiler holds on to classes too while it is at work on them.
    private static void collect(WeakReference<?> dropped) {
        for (int i = 0; dropped.get() != null && i < COLLECTIONS_WITHOUT_END; i++) {
            System.gc();
        }
    }

    /**
     * Live threads but the JVM's and the library's own, which any first use of theirs may start:
     * those are in groups of the system.
     */
    private static Set<Thread> threads() {
        Set<Thread> threads = new HashSet<>(Thread.getAllStackTraces().keySet());
        ThreadGroup own = Thread.currentThread().getThreadGroup();
        threads.removeIf(
                thread -> {
                    ThreadGroup group = thread.getThreadGroup();
                    return group == null || !own.parentOf(group);
                });
        return threads;
    }

    /** A log that keeps what it gets, as one does that writes later, or shows it on a screen. */
    private static final class KeptRecords extends Handler {
        final List<LogRecord> records = new ArrayList<>();

        @Override
        public void publish(LogRecord record) {
            records.add(record);
        }

        @Override
        public void flush() {}

        @Override
        public void close() {}
    }

    /** Learns of each thread that the current one makes, whether it is started, or ends soon. */
    private static final class MadeThreads extends InheritableThreadLocal<String> {
        final List<String> makers = new ArrayList<>();

        @Override
        protected String childValue(String maker) {
            makers.add(maker);
            return maker;
        }
    }
}
