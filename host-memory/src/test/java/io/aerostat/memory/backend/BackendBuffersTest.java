package io.aerostat.memory.backend;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.aerostat.virtio.memory.RamAccess;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;

/** What the emulator's own processor sees of a backend's RAM. */
final class BackendBuffersTest {
    private static final String ALL = "io.aerostat.memory.backend.BackendKind#all";
    private static final int UNITS = 12;

    @ParameterizedTest
    @MethodSource(ALL)
    void buffersShowWhatTheDeviceSees(BackendKind kind) {
        try (TestRam ram = new TestRam(kind.map((long) UNITS * kind.unitBytes()))) {
            ram.touch(0, UNITS);
            RamAccess device =
                    RamAccess.of(ram.backend.memory(), ram.gpa(0), (long) UNITS * ram.unitBytes);

            long at = 0;
            for (ByteBuffer buffer : ram.backend.buffers()) {
                assertEquals(0, buffer.position());
                assertEquals(buffer.capacity(), buffer.limit());
                for (int i = 0; i < buffer.capacity(); i += 512) {
                    assertEquals(device.getLong(at + i), buffer.getLong(i));
                }
                at += buffer.capacity();
            }
            assertEquals(device.length(), at);
        }
    }

    @ParameterizedTest
    @MethodSource(ALL)
    void theDeviceSeesWhatIsStoredInBuffers(BackendKind kind) {
        try (TestRam ram = new TestRam(kind.map((long) UNITS * kind.unitBytes()))) {
            ByteBuffer last = ram.backend.buffers().getLast();

            last.putInt(last.capacity() - Integer.BYTES, 0x0403_0201);

            RamAccess end = RamAccess.of(ram.backend.memory(), ram.gpa(UNITS) - 4, 4);
            assertEquals(ByteOrder.LITTLE_ENDIAN, last.order());
            assertEquals(1, end.getByte(0));
            assertEquals(4, end.getByte(3));
        }
    }

    @ParameterizedTest
    @MethodSource(ALL)
    void positionsAreTheCallersOwn(BackendKind kind) {
        try (TestRam ram = new TestRam(kind.map((long) UNITS * kind.unitBytes()))) {
            ByteBuffer mine = ram.backend.buffers().getFirst();

            mine.position(8).limit(16).order(ByteOrder.BIG_ENDIAN);

            ByteBuffer another = ram.backend.buffers().getFirst();
            assertNotSame(mine, another);
            assertEquals(0, another.position());
            assertEquals(another.capacity(), another.limit());
            assertEquals(ByteOrder.LITTLE_ENDIAN, another.order());
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"ANONYMOUS_ONE_BY_ONE", "MEMFD", "FILE_REGIONS", "UNLOAD"})
    void noneIsLongerThanAGibibyte(BackendKind.Maker maker) {
        int gib = 1 << 30;
        BackendOptions options = BackendOptions.of(5L * gib / 2, TestRam.GPA);

        try (MemoryBackend backend =
                maker == BackendKind.Maker.UNLOAD
                        ? UnloadBackend.map(options)
                        : maker.map(options)) {
            List<ByteBuffer> buffers = backend.buffers();

            long sum = buffers.stream().mapToLong(ByteBuffer::capacity).sum();
            assertEquals(options.bytes(), sum);
            assertEquals(3, buffers.size());
            assertTrue(buffers.stream().allMatch(buffer -> buffer.capacity() <= gib));
        }
    }
}
