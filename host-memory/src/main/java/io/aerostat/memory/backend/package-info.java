/**
 * Guest RAM that the host can have back: mapped lazily, given back in units of one page or many,
 * and asked about in the kernel's own words.
 *
 * <p>Start with {@link io.aerostat.memory.backend.MemoryBackend}. {@link
 * io.aerostat.memory.backend.AnonymousBackend} is private memory, {@link
 * io.aerostat.memory.backend.MemfdBackend} is memory that another process can map too, {@link
 * io.aerostat.memory.backend.FileRegionsBackend} is memory that another process has made, {@link
 * io.aerostat.memory.backend.UnloadBackend} needs no native calls, {@link
 * io.aerostat.memory.backend.SimulatedBackend} works everywhere and saves nothing. {@link
 * io.aerostat.memory.backend.BackendOptions} says how large the unit is and which {@link
 * io.aerostat.memory.backend.HugePages} may stand behind it.
 *
 * <pre>
 *   MemoryBackend ── memory()    ─▶ GuestMemory       what device and driver read and write
 *        │        ├─ buffers()   ─▶ ByteBuffers       what an emulator's processor does
 *        │        └─ reclaimer() ─▶ PageReclaimer     what the balloon gives pages to
 *        └─ owns the mapping: lives from map() to close()
 * </pre>
 *
 * <p>Knows mappings and system calls. Does not know devices, queues, or which pages are in a
 * balloon.
 */
@NullMarked
package io.aerostat.memory.backend;

import org.jspecify.annotations.NullMarked;
