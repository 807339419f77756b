package io.aerostat.vmm.vhost.message;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import org.junit.jupiter.api.Test;

import java.util.Arrays;
import java.util.List;

/** Numbers of the protocol, as its documentation has them. */
final class WireLayoutTest {
    @Test
    void headerHasThreeWords() {
        assertEquals(0, HeaderLayout.REQUEST_OFFSET);
        assertEquals(4, HeaderLayout.FLAGS_OFFSET);
        assertEquals(8, HeaderLayout.SIZE_OFFSET);
        assertEquals(12, HeaderLayout.LENGTH);
        assertEquals(3, HeaderLayout.VERSION_MASK);
        assertEquals(1, HeaderLayout.VERSION);
        assertEquals(4, HeaderLayout.REPLY_FLAG);
        assertEquals(8, HeaderLayout.NEED_REPLY_FLAG);
        assertEquals(5, HeaderLayout.REPLY_FLAGS);
    }

    @Test
    void memoryTableHasRegionsOf32BytesBehindTwoWords() {
        assertEquals(0, MemoryTableLayout.COUNT_OFFSET);
        assertEquals(8, MemoryTableLayout.REGIONS_OFFSET);
        assertEquals(0, MemoryTableLayout.GUEST_ADDRESS_OFFSET);
        assertEquals(8, MemoryTableLayout.SIZE_OFFSET);
        assertEquals(16, MemoryTableLayout.USER_ADDRESS_OFFSET);
        assertEquals(24, MemoryTableLayout.MMAP_OFFSET_OFFSET);
        assertEquals(32, MemoryTableLayout.REGION_LENGTH);
        assertEquals(8, MemoryTableLayout.MAX_REGIONS);
        assertEquals(40, MemoryTableLayout.length(1));
        assertEquals(72, MemoryTableLayout.length(2));
        assertEquals(264, MemoryTableLayout.length(8));
    }

    @Test
    void ringsHaveStatesOf8BytesAndAddressesOf40() {
        assertEquals(0, VringLayout.INDEX_OFFSET);
        assertEquals(4, VringLayout.VALUE_OFFSET);
        assertEquals(8, VringLayout.STATE_LENGTH);
        assertEquals(4, VringLayout.FLAGS_OFFSET);
        assertEquals(8, VringLayout.DESCRIPTOR_OFFSET);
        assertEquals(16, VringLayout.USED_OFFSET);
        assertEquals(24, VringLayout.AVAILABLE_OFFSET);
        assertEquals(32, VringLayout.LOG_OFFSET);
        assertEquals(40, VringLayout.ADDRESSES_LENGTH);
        assertEquals(0xFF, VringLayout.INDEX_MASK);
        assertEquals(0x100, VringLayout.NO_DESCRIPTOR_FLAG);
        assertEquals(256, VringLayout.MAX_RINGS);
    }

    @Test
    void configurationHasThreeWordsBeforeItsBytes() {
        assertEquals(0, ConfigLayout.OFFSET_OFFSET);
        assertEquals(4, ConfigLayout.SIZE_OFFSET);
        assertEquals(8, ConfigLayout.FLAGS_OFFSET);
        assertEquals(12, ConfigLayout.BYTES_OFFSET);
        assertEquals(256, ConfigLayout.MAX_SPACE);
    }

    @Test
    void protocolFeaturesAreTheseBits() {
        assertEquals(0x4000_0000L, ProtocolFeature.PRESENT);
        assertEquals(0x1, ProtocolFeature.MQ);
        assertEquals(0x8, ProtocolFeature.REPLY_ACK);
        assertEquals(0x20, ProtocolFeature.BACKEND_REQ);
        assertEquals(0x200, ProtocolFeature.CONFIG);
    }

    @Test
    void requestsAreNumberedFrom1WithoutAGap() {
        assertEquals(43, Request.values().length);
        for (Request request : Request.values()) {
            assertEquals(request.ordinal() + 1, request.number());
            assertEquals(request, Request.ofNumber(request.number()));
        }
        assertEquals(5, Request.SET_MEM_TABLE.number());
        assertEquals(18, Request.SET_VRING_ENABLE.number());
        assertEquals(25, Request.SET_CONFIG.number());
        assertEquals(37, Request.ADD_MEM_REG.number());
        assertEquals(40, Request.GET_STATUS.number());
    }

    @Test
    void noOtherNumberIsARequest() {
        for (int number : List.of(Integer.MIN_VALUE, -1, 0, 44, 45, 1 << 16, Integer.MAX_VALUE)) {
            assertNull(Request.ofNumber(number));
        }
    }

    @Test
    void fiveRequestsHaveARepliesOfTheirOwn() {
        List<Request> replied = Arrays.stream(Request.values()).filter(Request::hasReply).toList();

        assertEquals(
                List.of(
                        Request.GET_FEATURES,
                        Request.GET_VRING_BASE,
                        Request.GET_PROTOCOL_FEATURES,
                        Request.GET_QUEUE_NUM,
                        Request.GET_CONFIG),
                replied);
    }

    @Test
    void noMessageIsLongerThanTheLongestConfiguration() {
        assertEquals(12 + 12 + 256, MessageCodec.MAX_LENGTH);
    }
}
