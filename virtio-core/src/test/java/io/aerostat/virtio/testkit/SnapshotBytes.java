package io.aerostat.virtio.testkit;

import java.util.zip.CRC32C;

/** Snapshots as bytes, for the test that changes some. */
public final class SnapshotBytes {
    private SnapshotBytes() {}

    /** Makes the checksum of changed bytes right, in place: damage by intent, not by accident. */
    public static byte[] sealed(byte[] snapshot) {
        CRC32C crc = new CRC32C();
        crc.update(snapshot, 0, 16);
        crc.update(snapshot, 20, snapshot.length - 20);
        for (int i = 0; i < Integer.BYTES; i++) {
            snapshot[16 + i] = (byte) (crc.getValue() >>> (Byte.SIZE * i));
        }
        return snapshot;
    }
}
