/**
 * What the example machines have in common, in an emulator's words: the bus as a processor sees it,
 * interrupt controllers, and a processor that runs a guest's program.
 *
 * <p>Knows nothing of virtio, of balloons or of this project's product. Start with {@link
 * io.aerostat.balloon.embedding.machine.Processor}.
 */
@NullMarked
package io.aerostat.balloon.embedding.machine;

import org.jspecify.annotations.NullMarked;
