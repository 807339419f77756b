package io.aerostat.memory.own;

import io.aerostat.memory.backend.AnonymousBackend;
import io.aerostat.memory.backend.MemoryBackend;
import io.aerostat.memory.backend.UnloadBackend;
import io.aerostat.memory.os.LinuxMemory;
import io.aerostat.virtio.memory.RamAccess;
import io.aerostat.virtio.memory.RamRegion;

import org.jspecify.annotations.Nullable;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.stream.Stream;

/** Native guest RAM that is unmapped while it may still be believed in. */
final class FleetingRam implements AutoCloseable {
    /** Who mapped it. */
    enum Kind {
        /** The embedder, who knows its address alone; needs the JVM export. */
        RAW_ADDRESS,
        /** The embedder, who has a buffer on it that knows of no end. */
        BUFFER,
        ANONYMOUS_BACKEND,
        UNLOAD_BACKEND;

        /** The kinds that this JVM can have. */
        static Stream<Kind> here() {
            return Arrays.stream(values())
                    .filter(kind -> kind != RAW_ADDRESS || RamAccess.supportsRawAddresses());
        }

        boolean isBackend() {
            return this == ANONYMOUS_BACKEND || this == UNLOAD_BACKEND;
        }
    }

    /** What is at its address afterwards. */
    enum Fate {
        /** Nothing, or what the kernel puts there next. */
        UNMAPPED,
        /** Nothing for sure: the first access ends the JVM. */
        FORBIDDEN,
        /** Memory of somebody who keeps something there. */
        SOMEBODY_ELSES
    }

    private static final byte KEPT = (byte) 0xA5;
    private static final int ANONYMOUS = LinuxMemory.MAP_PRIVATE | LinuxMemory.MAP_ANONYMOUS;
    private static final int READ_WRITE = LinuxMemory.PROT_READ | LinuxMemory.PROT_WRITE;

    final RamRegion region;
    private final @Nullable MemoryBackend backend;
    private final long address;
    private @Nullable Fate fate;
    private boolean unmapped;

    /** Maps whole host pages. */
    FleetingRam(Kind kind, long gpa, int bytes) {
        backend =
                switch (kind) {
                    case RAW_ADDRESS, BUFFER -> null;
                    case ANONYMOUS_BACKEND -> AnonymousBackend.map(bytes, gpa);
                    case UNLOAD_BACKEND -> UnloadBackend.map(bytes, gpa);
                };
        address =
                backend == null
                        ? LinuxMemory.mmap(bytes, READ_WRITE, ANONYMOUS, -1, 0)
                        : MemorySegment.ofBuffer(backend.buffers().getFirst()).address();
        region =
                switch (kind) {
                    case RAW_ADDRESS -> RamRegion.ofAddress(gpa, bytes, address, null);
                    case BUFFER -> RamRegion.ofBuffer(gpa, bytes(bytes).asByteBuffer());
                    case ANONYMOUS_BACKEND, UNLOAD_BACKEND -> backend().memory().region(0);
                };
    }

    /** Who mapped it, if that was a backend. */
    MemoryBackend backend() {
        if (backend == null) {
            throw new IllegalStateException("no backend mapped this");
        }
        return backend;
    }

    /** It is gone, and this is what comes then. */
    void end(Fate ending) {
        fate = ending;
        switch (ending) {
            case UNMAPPED -> unmap();
            // In one step each: nobody else's memory can come to lie there in between.
            case FORBIDDEN -> {
                int lazily = ANONYMOUS | LinuxMemory.MAP_NORESERVE;
                LinuxMemory.mmapAt(address, region.length(), LinuxMemory.PROT_NONE, lazily, -1);
            }
            case SOMEBODY_ELSES -> {
                LinuxMemory.mmapAt(address, region.length(), READ_WRITE, ANONYMOUS, -1);
                bytes(region.length()).fill(KEPT);
            }
        }
    }

    /** Tells whether it has met its end. */
    boolean isGone() {
        return fate != null;
    }

    /** Tells whether somebody else's memory is as it was; of other ends nothing can be told. */
    boolean isUntouched() {
        if (fate != Fate.SOMEBODY_ELSES) {
            return true;
        }
        MemorySegment bytes = bytes(region.length());
        for (long i = 0; i < bytes.byteSize(); i++) {
            if (bytes.get(ValueLayout.JAVA_BYTE, i) != KEPT) {
                return false;
            }
        }
        return true;
    }

    @SuppressWarnings("restricted") // A test of memory that comes and goes.
    private MemorySegment bytes(long length) {
        return MemorySegment.ofAddress(address).reinterpret(length);
    }

    private void unmap() {
        if (unmapped) {
            return;
        }
        unmapped = true;
        if (backend != null) {
            backend.close();
        } else {
            LinuxMemory.munmap(address, region.length());
        }
    }

    @Override
    public void close() {
        unmap();
    }
}
