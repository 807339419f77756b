/**
 * The operating system's memory calls, through Java's foreign-function API, and what it says of
 * memory.
 *
 * <p>Start with {@link io.aerostat.memory.os.LinuxMemory}: a static method for each call, which
 * throws {@link io.aerostat.memory.os.OsException} when the call fails. Ask {@link
 * io.aerostat.memory.os.LinuxMemory#isSupported()} first: on another operating system these classes
 * load, but no call works. {@link io.aerostat.memory.os.Residency} says what is resident, {@link
 * io.aerostat.memory.os.Pagemap} says it without a native call. Who needs calls of another kind
 * finds them by {@link io.aerostat.memory.os.CLibrary}.
 *
 * <p>Knows addresses, lengths, file descriptors and errno. Does not know guests, pages in a
 * balloon, or who owns what it maps: a wrong address given here destroys this process's memory.
 */
@NullMarked
package io.aerostat.memory.os;

import org.jspecify.annotations.NullMarked;
