/**
 * The bytes of a saved device: a header with version and checksum, then sections.
 *
 * <p>{@link io.aerostat.virtio.snapshot.SnapshotWriter} writes them, {@link
 * io.aerostat.virtio.snapshot.SnapshotReader} reads them and believes nothing: whatever is wrong is
 * a {@link io.aerostat.virtio.snapshot.SnapshotException} that says what. {@code SnapshotLayout}
 * has the header.
 *
 * <p>Knows numbers and sections. Does not know what they mean, or where the bytes are kept.
 */
@NullMarked
package io.aerostat.virtio.snapshot;

import org.jspecify.annotations.NullMarked;
