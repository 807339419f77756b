package io.aerostat.virtio.memory;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.agrona.BufferUtil;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

final class RamRegionTest {
    @ParameterizedTest
    @ValueSource(longs = {-4096, -1, 1, 4095, 4097, Long.MIN_VALUE, Long.MAX_VALUE})
    void refusesAnAddressThatIsNoPage(long gpa) {
        byte[] page = new byte[4096];

        assertThrows(IllegalArgumentException.class, () -> RamRegion.ofArray(gpa, page));
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 4095, 4097, 6000})
    void refusesALengthThatIsNoPages(int length) {
        byte[] bytes = new byte[length];

        assertThrows(IllegalArgumentException.class, () -> RamRegion.ofArray(0, bytes));
    }

    @Test
    void refusesARegionThatReachesPast2To63() {
        long lastPage = Long.MAX_VALUE - 4095;
        byte[] page = new byte[4096];

        assertThrows(IllegalArgumentException.class, () -> RamRegion.ofArray(lastPage, page));
    }

    @Test
    void acceptsTheHighestPageWhoseEndIsStillPositive() {
        long gpa = Long.MAX_VALUE - 8191;

        RamRegion region = RamRegion.ofArray(gpa, new byte[4096]);

        assertEquals(0x7fff_ffff_ffff_f000L, region.end());
    }

    @Test
    void refusesAReadOnlyBuffer() {
        ByteBuffer readOnly = ByteBuffer.allocate(4096).asReadOnlyBuffer();

        assertThrows(IllegalArgumentException.class, () -> RamRegion.ofBuffer(0, readOnly));
    }

    @Test
    void takesAllOfABufferWhateverItsPositionAndLimit() {
        ByteBuffer buffer = ByteBuffer.allocate(8192).position(100).limit(200);

        RamRegion region = RamRegion.ofBuffer(4096, buffer);
        RamAccess.of(GuestMemory.of(region), 4096, 8192).putByte(8191, (byte) 7);

        assertEquals(8192, region.length());
        assertEquals(7, buffer.array()[8191]);
    }

    @Test
    void takesASliceAsItsOwnBytes() {
        byte[] bytes = new byte[3 * 4096];
        ByteBuffer slice = ByteBuffer.wrap(bytes).position(4096).limit(8192).slice();

        RamAccess ram = RamAccess.of(GuestMemory.of(RamRegion.ofBuffer(0, slice)), 0, 4096);
        ram.putByte(0, (byte) 7);

        assertEquals(7, bytes[4096]);
    }

    @Test
    void leavesTheBuffersPositionLimitAndOrderAlone() {
        ByteBuffer buffer = ByteBuffer.allocateDirect(4096).position(100).limit(200);

        RamRegion region = RamRegion.ofBuffer(0, buffer);
        RamAccess.of(GuestMemory.of(region), 0, 4096).putLong(8, 1);

        assertEquals(100, buffer.position());
        assertEquals(200, buffer.limit());
        assertEquals(ByteOrder.BIG_ENDIAN, buffer.order());
    }

    @Test
    void aBigEndianBufferStillHoldsLittleEndianValues() {
        ByteBuffer buffer = ByteBuffer.allocate(4096).order(ByteOrder.BIG_ENDIAN);

        RamAccess.of(GuestMemory.of(RamRegion.ofBuffer(0, buffer)), 0, 4).putInt(0, 0x01020304);

        assertEquals(4, buffer.get(0));
    }

    @Test
    @Tag("raw-address")
    void ramAtARawAddressIsThatMemory() {
        ByteBuffer buffer = ByteBuffer.allocateDirect(4096);
        long address = BufferUtil.address(buffer);

        RamRegion region = RamRegion.ofAddress(0, 4096, address, buffer);
        RamAccess.of(GuestMemory.of(region), 0, 4096).putByte(4095, (byte) 9);

        assertEquals(9, buffer.get(4095));
    }

    @ParameterizedTest
    @Tag("raw-address")
    @CsvSource({
        "0, 4096, 0",
        "0, 4096, -4096",
        "1, 4096, 65536",
        "0, 4095, 65536",
        "0, 0, 65536",
        "0, -4096, 65536",
        "9223372036854771712, 4096, 65536",
        "4096, 9223372036854771712, 65536"
    })
    void refusesARawRegionThatCannotBe(long gpa, long length, long address) {
        assertThrows(
                IllegalArgumentException.class,
                () -> RamRegion.ofAddress(gpa, length, address, null));
    }

    @Test
    void rawAddressesWorkOrSayWhatIsMissing() {
        String said = "";
        try {
            RamRegion.ofAddress(0, 4096, 65536, null);
        } catch (UnsupportedOperationException refusal) {
            said = refusal.getMessage();
        }

        boolean named = said.contains("--add-exports java.base/jdk.internal.misc=ALL-UNNAMED");
        assertEquals(RamAccess.supportsRawAddresses(), !named, said);
    }

    @Test
    void tellsItsPlaceInHexadecimal() {
        RamRegion region = RamRegion.ofArray(0x10000, new byte[8192]);

        assertEquals("RamRegion[gpa=0x10000, length=0x2000]", region.toString());
    }
}
