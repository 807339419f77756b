package io.aerostat.vmm.vhost.message;

import io.aerostat.memory.os.LinuxMemory;
import io.aerostat.vmm.frontend.OpenDescriptors;
import io.aerostat.vmm.os.Descriptor;
import io.aerostat.vmm.os.UnixSockets;
import io.netty.buffer.UnpooledByteBufAllocator;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Stream;

/**
 * A connection whose one end is a front-end's, played by hand: literal bytes go in and come out.
 * Its descriptors are files of one name, so that those that are open can be counted.
 */
final class Wire implements AutoCloseable {
    private static final String FILE = "aerostat-wire-test";

    final Descriptor frontEnd;
    final Descriptor backEnd;
    private final List<Descriptor> made = new ArrayList<>();

    Wire() {
        Descriptor[] pair = UnixSockets.pair();
        frontEnd = pair[0];
        backEnd = pair[1];
    }

    /** The bytes of hexadecimal text, in which blanks mean nothing. */
    static byte[] bytes(String hex) {
        return HexFormat.of().parseHex(hex.replace(" ", ""));
    }

    /** Sends bytes, with descriptors at the first of them. */
    void send(String hex, Descriptor... descriptors) {
        send(bytes(hex), descriptors);
    }

    void send(byte[] bytes, Descriptor... descriptors) {
        int sent = UnixSockets.send(frontEnd, ByteBuffer.wrap(bytes), descriptors);
        if (sent != bytes.length) {
            throw new IllegalStateException("not sent: bytes=" + bytes.length + ", sent=" + sent);
        }
    }

    /** All that the back-end has sent. */
    String received() {
        ByteBuffer into = ByteBuffer.allocate(4096);
        int result = UnixSockets.receive(frontEnd, into, Descriptor::close);
        return result <= 0 ? "" : HexFormat.of().formatHex(into.array(), 0, into.position());
    }

    /** Another file, this wire's to close. */
    Descriptor file() {
        Descriptor file = newFile();
        made.add(file);
        return file;
    }

    /** So many files. */
    Descriptor[] files(int count) {
        return Stream.generate(this::file).limit(count).toArray(Descriptor[]::new);
    }

    static Descriptor newFile() {
        return Descriptor.owning(LinuxMemory.memfdCreate(FILE, LinuxMemory.MFD_CLOEXEC));
    }

    /** Closes the files that were made to be sent: what is open then is what was received. */
    void closeFiles() {
        made.forEach(Descriptor::close);
        made.clear();
    }

    /** Such files that this process has open. */
    static long openFiles() {
        return OpenDescriptors.of(FILE);
    }

    /** Bytes of buffers that are not released. */
    static long bufferBytes() {
        return UnpooledByteBufAllocator.DEFAULT.metric().usedDirectMemory();
    }

    @Override
    public void close() {
        closeFiles();
        frontEnd.close();
        backEnd.close();
    }
}
