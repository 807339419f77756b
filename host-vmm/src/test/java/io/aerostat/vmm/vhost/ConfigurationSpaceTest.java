package io.aerostat.vmm.vhost;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.aerostat.balloon.handler.BalloonCounter;
import io.aerostat.virtio.spec.balloon.BalloonFeature;
import io.aerostat.vmm.frontend.Payload;
import io.aerostat.vmm.vhost.message.Request;
import io.aerostat.vmm.vm.GuestSize;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Arrays;

/** GET_CONFIG and SET_CONFIG: num_pages 0, actual 4, hint command 8, poison_val 12. */
@Timeout(60)
final class ConfigurationSpaceTest {
    private static final int LENGTH = 16;

    @TempDir Path directory;
    private ServedGuest served;
    private HandFrontEnd frontEnd;

    @BeforeEach
    void connect() {
        served = ServedGuest.in(directory);
        frontEnd = HandFrontEnd.greeted(served.socket);
    }

    @AfterEach
    void close() {
        frontEnd.close();
        served.close();
    }

    private static ByteBuffer space(int numPages, int actual, int command, int poison) {
        return ByteBuffer.allocate(LENGTH)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putInt(numPages)
                .putInt(actual)
                .putInt(command)
                .putInt(poison)
                .flip();
    }

    @Test
    void everyFieldIsZeroBeforeThereIsRam() {
        var _ =
                served.control()
                        .setMemory(new GuestSize(HandFrontEnd.RAM_BYTES / 2), ServedGuest.PATIENCE);
        served.settle();

        assertEquals(space(0, 0, 0, 0), frontEnd.config(0, LENGTH));
        frontEnd.actual(77);
        assertEquals(space(0, 0, 0, 0), frontEnd.config(0, LENGTH));
    }

    @Test
    void everyRangeIsReadAsItsPartOfTheWhole() {
        frontEnd.start();
        served.target(0x123);
        frontEnd.setConfig(0, space(0, 0x04030201, 0, 0).array());
        byte[] whole = frontEnd.config(0, LENGTH).array();
        assertEquals(space(0x123, 0x04030201, 0, 0), ByteBuffer.wrap(whole));

        for (int offset = 0; offset <= LENGTH + 2; offset++) {
            for (int size = 0; size <= LENGTH + 4; size++) {
                byte[] expected = new byte[size];
                for (int i = 0; i < size && offset + i < LENGTH; i++) {
                    expected[i] = whole[offset + i];
                }
                byte[] got = new byte[size];
                frontEnd.config(offset, size).get(got);
                assertArrayEquals(expected, got, "offset=" + offset + ", size=" + size);
            }
        }
        assertEquals(240, frontEnd.config(LENGTH, 240).remaining());
    }

    @Test
    void theWholeSpaceIsWrittenAndOnlyTheDriversFieldsTaken() {
        frontEnd.start();
        served.target(5);

        frontEnd.setConfig(0, space(99, 7, 99, 0xAAAA).array());

        assertEquals(space(5, 7, 0, 0xAAAA), frontEnd.config(0, LENGTH));
        served.settle();
        assertEquals(7, served.balloon().actualPages());
    }

    @Test
    void anyBytesOfTheDriversFieldsCanBeWritten() {
        frontEnd.start();
        for (int offset = 0; offset <= LENGTH; offset++) {
            for (int size = 0; offset + size <= LENGTH + 1; size++) {
                frontEnd.setConfig(0, space(0, 0, 0, 0).array());
                byte[] ones = new byte[size];
                Arrays.fill(ones, (byte) 0xFF);
                byte[] expected = new byte[LENGTH];
                for (int at = offset; at < offset + size; at++) {
                    boolean isDrivers = at / 4 == 1 || at / 4 == 3;
                    if (isDrivers && at < LENGTH) {
                        expected[at] = (byte) 0xFF;
                    }
                }

                frontEnd.setConfig(offset, ones);

                assertArrayEquals(
                        expected,
                        frontEnd.config(0, LENGTH).array(),
                        "offset=" + offset + ", size=" + size);
            }
        }
    }

    @Test
    void aReadOfNothingIsAnsweredByNothing() {
        frontEnd.start();

        byte[] answer = frontEnd.wire.ask(Request.GET_CONFIG, Payload.config(256, new byte[0]));

        assertEquals(12, answer.length);
    }

    @Test
    void anActualThatIsNotSoIsCounted() {
        frontEnd.start();
        frontEnd.inflate().pages(frontEnd.pfns(0, 10));
        frontEnd.actual(10);
        served.settle();
        assertEquals(0, served.counter(BalloonCounter.FALSE_ACTUAL));

        frontEnd.actual(4000);
        served.settle();

        assertEquals(1, served.counter(BalloonCounter.FALSE_ACTUAL));
        assertEquals(10, served.ledger());
    }

    /** The guest fills its free pages: what is read in a hole would not be what it wrote. */
    @Test
    void thePoisonOutlivesAStandstillOfTheGuest() {
        long features = HandFrontEnd.FEATURES | BalloonFeature.PAGE_POISON;
        frontEnd.goOn(features, 0, 0, 0);
        frontEnd.setConfig(0, space(0, 0, 0, 0xAAAA).array());
        frontEnd.inflate().pages(frontEnd.pfn(0));

        frontEnd.goOn(features, frontEnd.stop());

        assertEquals(0xAAAA, frontEnd.config(12, 4).getInt(0));
    }
}
