package io.aerostat.vmm.os;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.aerostat.memory.os.CLibrary;

import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/**
 * The C library's functions, each called once, no retry. Answers follow the kernel's convention: a
 * negative one is the error number, negated. Safe for any thread; allocates nothing once compiled.
 *
 * <p>This class is initialised by the first call, not before, so that a JVM on another operating
 * system never gets here.
 */
final class NativeCalls {
    private static final MethodHandle SOCKET =
            CLibrary.function("socket", JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT);
    private static final MethodHandle SOCKETPAIR =
            CLibrary.function("socketpair", JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT, ADDRESS);
    private static final MethodHandle BIND =
            CLibrary.function("bind", JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT);
    private static final MethodHandle LISTEN =
            CLibrary.function("listen", JAVA_INT, JAVA_INT, JAVA_INT);
    private static final MethodHandle ACCEPT4 =
            CLibrary.function("accept4", JAVA_INT, JAVA_INT, ADDRESS, ADDRESS, JAVA_INT);
    private static final MethodHandle CONNECT =
            CLibrary.function("connect", JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT);
    private static final MethodHandle RECVMSG =
            CLibrary.function("recvmsg", JAVA_LONG, JAVA_INT, ADDRESS, JAVA_INT);
    private static final MethodHandle SENDMSG =
            CLibrary.function("sendmsg", JAVA_LONG, JAVA_INT, ADDRESS, JAVA_INT);
    private static final MethodHandle SEND =
            CLibrary.function("send", JAVA_LONG, JAVA_INT, ADDRESS, JAVA_LONG, JAVA_INT);
    private static final MethodHandle READ =
            CLibrary.function("read", JAVA_LONG, JAVA_INT, ADDRESS, JAVA_LONG);
    private static final MethodHandle WRITE =
            CLibrary.function("write", JAVA_LONG, JAVA_INT, ADDRESS, JAVA_LONG);
    private static final MethodHandle EVENTFD =
            CLibrary.function("eventfd", JAVA_INT, JAVA_INT, JAVA_INT);
    private static final MethodHandle FCNTL =
            CLibrary.variadicFunction(2, "fcntl", JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT);
    private static final MethodHandle POLL =
            CLibrary.function("poll", JAVA_INT, ADDRESS, JAVA_LONG, JAVA_INT);

    private NativeCalls() {}

    static int socket(int domain, int type, int protocol) {
        MemorySegment state = CLibrary.state();
        try {
            return CLibrary.answer((int) SOCKET.invokeExact(state, domain, type, protocol), state);
        } catch (Throwable e) {
            throw CLibrary.impossible(e);
        }
    }

    static int socketpair(int domain, int type, int protocol, MemorySegment two) {
        MemorySegment state = CLibrary.state();
        try {
            return CLibrary.answer(
                    (int) SOCKETPAIR.invokeExact(state, domain, type, protocol, two), state);
        } catch (Throwable e) {
            throw CLibrary.impossible(e);
        }
    }

    static int bind(int fd, MemorySegment address, int length) {
        MemorySegment state = CLibrary.state();
        try {
            return CLibrary.answer((int) BIND.invokeExact(state, fd, address, length), state);
        } catch (Throwable e) {
            throw CLibrary.impossible(e);
        }
    }

    static int listen(int fd, int backlog) {
        MemorySegment state = CLibrary.state();
        try {
            return CLibrary.answer((int) LISTEN.invokeExact(state, fd, backlog), state);
        } catch (Throwable e) {
            throw CLibrary.impossible(e);
        }
    }

    static int accept4(int fd, MemorySegment address, MemorySegment length, int flags) {
        MemorySegment state = CLibrary.state();
        try {
            return CLibrary.answer(
                    (int) ACCEPT4.invokeExact(state, fd, address, length, flags), state);
        } catch (Throwable e) {
            throw CLibrary.impossible(e);
        }
    }

    static int connect(int fd, MemorySegment address, int length) {
        MemorySegment state = CLibrary.state();
        try {
            return CLibrary.answer((int) CONNECT.invokeExact(state, fd, address, length), state);
        } catch (Throwable e) {
            throw CLibrary.impossible(e);
        }
    }

    static long recvmsg(int fd, MemorySegment header, int flags) {
        MemorySegment state = CLibrary.state();
        try {
            return CLibrary.answer((long) RECVMSG.invokeExact(state, fd, header, flags), state);
        } catch (Throwable e) {
            throw CLibrary.impossible(e);
        }
    }

    static long sendmsg(int fd, MemorySegment header, int flags) {
        MemorySegment state = CLibrary.state();
        try {
            return CLibrary.answer((long) SENDMSG.invokeExact(state, fd, header, flags), state);
        } catch (Throwable e) {
            throw CLibrary.impossible(e);
        }
    }

    static long send(int fd, MemorySegment bytes, long length, int flags) {
        MemorySegment state = CLibrary.state();
        try {
            return CLibrary.answer((long) SEND.invokeExact(state, fd, bytes, length, flags), state);
        } catch (Throwable e) {
            throw CLibrary.impossible(e);
        }
    }

    static long read(int fd, MemorySegment bytes, long length) {
        MemorySegment state = CLibrary.state();
        try {
            return CLibrary.answer((long) READ.invokeExact(state, fd, bytes, length), state);
        } catch (Throwable e) {
            throw CLibrary.impossible(e);
        }
    }

    static long write(int fd, MemorySegment bytes, long length) {
        MemorySegment state = CLibrary.state();
        try {
            return CLibrary.answer((long) WRITE.invokeExact(state, fd, bytes, length), state);
        } catch (Throwable e) {
            throw CLibrary.impossible(e);
        }
    }

    static int eventfd(int value, int flags) {
        MemorySegment state = CLibrary.state();
        try {
            return CLibrary.answer((int) EVENTFD.invokeExact(state, value, flags), state);
        } catch (Throwable e) {
            throw CLibrary.impossible(e);
        }
    }

    static int fcntl(int fd, int command, int argument) {
        MemorySegment state = CLibrary.state();
        try {
            return CLibrary.answer((int) FCNTL.invokeExact(state, fd, command, argument), state);
        } catch (Throwable e) {
            throw CLibrary.impossible(e);
        }
    }

    static int poll(MemorySegment entries, long count, int timeoutMs) {
        MemorySegment state = CLibrary.state();
        try {
            return CLibrary.answer((int) POLL.invokeExact(state, entries, count, timeoutMs), state);
        } catch (Throwable e) {
            throw CLibrary.impossible(e);
        }
    }
}
