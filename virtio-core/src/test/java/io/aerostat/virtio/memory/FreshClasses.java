package io.aerostat.virtio.memory;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.List;

/** Loads and initialises some packages anew, the rest as the test has it. */
final class FreshClasses extends ClassLoader {
    private final List<String> prefixes;

    FreshClasses(String... prefixes) {
        super(FreshClasses.class.getClassLoader());
        this.prefixes = List.of(prefixes);
    }

    /** The same with assertions off, as in production. */
    static FreshClasses withoutAssertions(String... prefixes) {
        FreshClasses loader = new FreshClasses(prefixes);
        loader.clearAssertionStatus();
        return loader;
    }

    @Override
    protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
        if (prefixes.stream().noneMatch(name::startsWith)) {
            return super.loadClass(name, resolve);
        }
        synchronized (getClassLoadingLock(name)) {
            Class<?> loaded = findLoadedClass(name);
            return loaded != null ? loaded : define(name);
        }
    }

    private Class<?> define(String name) throws ClassNotFoundException {
        try (InputStream file = getResourceAsStream(name.replace('.', '/') + ".class")) {
            if (file == null) {
                throw new ClassNotFoundException(name);
            }
            byte[] bytes = file.readAllBytes();
            return defineClass(name, bytes, 0, bytes.length);
        } catch (IOException unreadable) {
            throw new UncheckedIOException(unreadable);
        }
    }
}
