package io.aerostat.virtio.snapshot;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.aerostat.virtio.testkit.SnapshotBytes;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

import java.util.Arrays;

/** The bytes of a snapshot, by offset, and what a reader says to others. */
final class SnapshotBytesTest {
    private static byte[] sample() {
        SnapshotWriter out = new SnapshotWriter();
        out.section(
                7,
                section -> {
                    section.writeBoolean(true);
                    section.writeByte(0x1FF);
                    section.writeShort(0x1_ABCD);
                    section.writeInt(-2);
                    section.writeLong(Long.MIN_VALUE);
                    section.writeText("näme");
                    section.writeBytes(new byte[] {1, 2, 3});
                });
        return out.finish();
    }

    private static String refusal(Executable action) {
        return assertThrows(SnapshotException.class, action).getMessage();
    }

    @Test
    void startsWithMagicVersionLengthAndChecksum() {
        SnapshotWriter out = new SnapshotWriter();
        out.section(0x01020304, section -> section.writeShort(0x0506));

        byte[] bytes = out.finish();

        byte[] expected = {
            'A', 'E', 'R', 'O', 'S', 'N', 'A', 'P', 1, 0, 0, 0, 30, 0, 0, 0, 0, 0, 0, 0, //
            4, 3, 2, 1, 2, 0, 0, 0, 6, 5
        };
        assertArrayEquals(SnapshotBytes.sealed(expected), bytes);
    }

    @Test
    void readsWhatWasWritten() throws SnapshotException {
        SnapshotReader in = SnapshotReader.open(sample());

        SnapshotReader section = in.section(7);

        assertTrue(section.readBoolean("a"));
        assertEquals(0xFF, section.readByte("b"));
        assertEquals(0xABCD, section.readShort("c"));
        assertEquals(-2, section.readInt("d"));
        assertEquals(Long.MIN_VALUE, section.readLong("e"));
        assertEquals("näme", section.readText("f"));
        assertArrayEquals(new byte[] {1, 2, 3}, section.readBytes("g", 3));
        section.end();
        in.end();
    }

    @Test
    void growsAsFarAsItMust() throws SnapshotException {
        SnapshotWriter out = new SnapshotWriter();
        byte[] large = new byte[100_000];
        Arrays.fill(large, (byte) 5);
        out.writeBytes(large);
        out.writeLong(6);

        SnapshotReader in = SnapshotReader.open(out.finish());

        assertArrayEquals(large, in.readBytes("large", large.length));
        assertEquals(6, in.readLong("last"));
    }

    @Test
    void aSectionEndsWhereItsLengthSays() throws SnapshotException {
        SnapshotWriter out = new SnapshotWriter();
        out.section(1, section -> section.section(2, inner -> inner.writeInt(3)));
        out.section(4, section -> {});
        SnapshotReader in = SnapshotReader.open(out.finish());

        SnapshotReader inner = in.section(1).section(2);

        assertEquals(3, inner.readInt("three"));
        assertEquals(
                "snapshot is truncated: field=more, bytes=1, left=0",
                refusal(() -> inner.readByte("more")));
        in.section(4).end();
        in.end();
    }

    @Test
    void refusesToLeaveBytesUnread() throws SnapshotException {
        SnapshotReader in = SnapshotReader.open(sample());

        assertEquals("snapshot says more than is known: bytes=" + in.remaining(), refusal(in::end));
    }

    @Test
    void refusesAnotherSection() throws SnapshotException {
        SnapshotReader in = SnapshotReader.open(sample());

        assertEquals("other section: section=7, expected=8", refusal(() -> in.section(8)));
    }

    @Test
    void refusesValuesOutsideTheirRange() throws SnapshotException {
        SnapshotWriter out = new SnapshotWriter();
        out.writeInt(9);
        out.writeLong(-1);
        out.writeByte(2);
        SnapshotReader in = SnapshotReader.open(out.finish());

        String ofInt = refusal(() -> in.readInt("walked", 0, 8));
        String ofLong = refusal(() -> in.readLong("pages", 0, 8));
        String ofBoolean = refusal(() -> in.readBoolean("isLive"));

        assertEquals("snapshot has an impossible value: walked=9", ofInt);
        assertEquals("snapshot has an impossible value: pages=-1", ofLong);
        assertEquals("snapshot has an impossible value: isLive=2", ofBoolean);
    }

    @Test
    void refusesACountThatAsksForMoreThanIsThere() throws SnapshotException {
        SnapshotReader in = SnapshotReader.open(sample());

        assertThrows(SnapshotException.class, () -> in.readBytes("huge", Integer.MAX_VALUE));
        assertThrows(SnapshotException.class, () -> in.readBytes("negative", -1));
    }

    @Test
    void saysWhatIsWrongWithTheHeader() {
        byte[] other = sample();
        other[0] = 'a';
        byte[] newer = sample();
        newer[8] = 2;
        byte[] longer = Arrays.copyOf(sample(), sample().length + 1);
        byte[] damaged = sample();
        damaged[damaged.length - 1] ^= 1;

        assertEquals("no snapshot: magic=0x50414e534f524561", refusal(() -> open(other)));
        assertEquals(
                "snapshot has another version: version=2, supported=1",
                refusal(() -> open(SnapshotBytes.sealed(newer))));
        assertTrue(refusal(() -> open(longer)).startsWith("snapshot is truncated or too long"));
        assertTrue(refusal(() -> open(damaged)).startsWith("snapshot is damaged: checksum="));
        assertFalse(refusal(() -> open(new byte[0])).isEmpty());
    }

    @Test
    void noBitMayChangeAndNoByteMayBeMissing() {
        byte[] good = sample();
        for (int bit = 0; bit < 8 * good.length; bit++) {
            byte[] bad = good.clone();
            bad[bit / 8] ^= (byte) (1 << (bit % 8));
            assertThrows(SnapshotException.class, () -> open(bad), "bit " + bit);
        }
        for (int length = 0; length < good.length; length++) {
            byte[] bad = Arrays.copyOf(good, length);
            assertThrows(SnapshotException.class, () -> open(bad), "length " + length);
        }
    }

    private static void open(byte[] snapshot) throws SnapshotException {
        assertEquals(0, SnapshotReader.open(snapshot).remaining());
    }
}
