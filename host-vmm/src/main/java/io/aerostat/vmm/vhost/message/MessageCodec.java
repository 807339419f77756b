package io.aerostat.vmm.vhost.message;

import io.aerostat.virtio.spec.QueueLimits;
import io.aerostat.vmm.os.Descriptor;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.List;

/**
 * Bytes and descriptors to messages. Refuses what is wrong in form: version, flags, sizes, the
 * number of descriptors, and values that mean nothing in any state of a back-end.
 */
final class MessageCodec {
    /** Bytes of the longest message that is ever accepted. */
    static final int MAX_LENGTH =
            HeaderLayout.LENGTH
                    + Math.max(Request.SET_MEM_TABLE.maxPayload(), Request.SET_CONFIG.maxPayload());

    /** Most descriptors of a message. */
    static final int MAX_DESCRIPTORS = MemoryTableLayout.MAX_REGIONS;

    private static final int FRONT_END_FLAGS =
            HeaderLayout.VERSION_MASK | HeaderLayout.REPLY_FLAG | HeaderLayout.NEED_REPLY_FLAG;

    private static final long DESCRIPTOR_MASK =
            VringLayout.INDEX_MASK | VringLayout.NO_DESCRIPTOR_FLAG;

    private static final int MAX_BASE = 0xFFFF;

    private MessageCodec() {}

    // the header

    /**
     * Checks a header.
     *
     * @param header 12 bytes from index 0
     * @return whose payload size is within the limits
     */
    static Request request(ByteBuf header) throws ProtocolViolation {
        int number = header.getIntLE(HeaderLayout.REQUEST_OFFSET);
        int flags = header.getIntLE(HeaderLayout.FLAGS_OFFSET);
        Request request = Request.ofNumber(number);
        String name = request == null ? Integer.toUnsignedString(number) : request.name();
        if ((flags & HeaderLayout.VERSION_MASK) != HeaderLayout.VERSION) {
            throw violation("message is not of version 1", name, "flags", hex(flags));
        }
        if ((flags & HeaderLayout.REPLY_FLAG) != 0) {
            throw violation("front-end sent a reply to nothing", name, "flags", hex(flags));
        }
        if ((flags & ~FRONT_END_FLAGS) != 0) {
            throw violation("message has unknown flags", name, "flags", hex(flags));
        }
        if (request == null) {
            throw new ProtocolViolation("request is unknown: request=" + name);
        }
        if (!request.isOffered()) {
            throw new ProtocolViolation("request was not offered: request=" + name);
        }
        checkSize(request, payloadSize(header));
        return request;
    }

    private static void checkSize(Request request, long size) throws ProtocolViolation {
        int min = request.minPayload();
        int max = request.maxPayload();
        if (size < min || size > max) {
            String expected = min == max ? String.valueOf(min) : min + " to " + max;
            throw violation(
                    "payload has the wrong size",
                    request.name(),
                    "size",
                    size + ", expected=" + expected);
        }
    }

    /** Bytes of the payload, as the header has it. */
    static long payloadSize(ByteBuf header) {
        return header.getUnsignedIntLE(HeaderLayout.SIZE_OFFSET);
    }

    /** Tells whether the sender wants an acknowledgement. */
    static boolean needsReply(ByteBuf header) {
        return (header.getIntLE(HeaderLayout.FLAGS_OFFSET) & HeaderLayout.NEED_REPLY_FLAG) != 0;
    }

    // the payload

    /**
     * Makes the message.
     *
     * @param request an offered one
     * @param payload all of it, from index 0; its size is within the request's limits
     * @param descriptors all that came; they belong to the message if there is one, and to the
     *     caller if not
     */
    static FrontEndMessage message(Request request, ByteBuf payload, List<Descriptor> descriptors)
            throws ProtocolViolation {
        checkDescriptors(request, descriptors.size(), descriptorsOf(request, payload));
        return switch (request) {
            case GET_FEATURES -> new FrontEndMessage.GetFeatures();
            case SET_FEATURES -> new FrontEndMessage.SetFeatures(payload.getLongLE(0));
            case SET_OWNER -> new FrontEndMessage.SetOwner();
            case RESET_OWNER -> new FrontEndMessage.ResetOwner();
            case SET_MEM_TABLE -> memTable(payload, descriptors);
            case SET_VRING_NUM -> vringNum(payload);
            case SET_VRING_ADDR -> vringAddr(payload);
            case SET_VRING_BASE -> vringBase(payload);
            case GET_VRING_BASE -> new FrontEndMessage.GetVringBase(index(request, payload));
            case SET_VRING_KICK ->
                    new FrontEndMessage.SetVringKick(packedIndex(payload), firstOf(descriptors));
            case SET_VRING_CALL ->
                    new FrontEndMessage.SetVringCall(packedIndex(payload), firstOf(descriptors));
            case SET_VRING_ERR ->
                    new FrontEndMessage.SetVringErr(packedIndex(payload), firstOf(descriptors));
            case GET_PROTOCOL_FEATURES -> new FrontEndMessage.GetProtocolFeatures();
            case SET_PROTOCOL_FEATURES ->
                    new FrontEndMessage.SetProtocolFeatures(payload.getLongLE(0));
            case GET_QUEUE_NUM -> new FrontEndMessage.GetQueueNum();
            case SET_VRING_ENABLE -> vringEnable(payload);
            case SET_BACKEND_REQ_FD -> new FrontEndMessage.SetBackendReqFd(descriptors.getFirst());
            case GET_CONFIG -> getConfig(payload);
            case SET_CONFIG -> setConfig(payload);
            // Refused with the header.
            default -> throw new IllegalArgumentException("not offered: request=" + request);
        };
    }

    private static void checkDescriptors(Request request, int found, int expected)
            throws ProtocolViolation {
        if (found != expected) {
            String what = found < expected ? "lacks descriptors" : "has surplus descriptors";
            throw violation(
                    "message " + what,
                    request.name(),
                    "descriptors",
                    found + ", expected=" + expected);
        }
    }

    /** How many descriptors belong to a message, once what says so is in order. */
    private static int descriptorsOf(Request request, ByteBuf payload) throws ProtocolViolation {
        return switch (request) {
            case SET_MEM_TABLE -> regionCount(payload);
            case SET_VRING_KICK, SET_VRING_CALL, SET_VRING_ERR ->
                    hasDescriptor(request, payload) ? 1 : 0;
            case SET_BACKEND_REQ_FD -> 1;
            default -> 0;
        };
    }

    private static int regionCount(ByteBuf payload) throws ProtocolViolation {
        long count = payload.getUnsignedIntLE(MemoryTableLayout.COUNT_OFFSET);
        String name = Request.SET_MEM_TABLE.name();
        if (count == 0 || count > MemoryTableLayout.MAX_REGIONS) {
            throw violation(
                    "memory table has a wrong number of regions",
                    name,
                    "regions",
                    count + ", expected=1 to " + MemoryTableLayout.MAX_REGIONS);
        }
        // Longer is no fault: some front-ends always send room for two.
        int needed = MemoryTableLayout.length((int) count);
        if (payload.readableBytes() < needed) {
            throw violation(
                    "memory table is shorter than its regions",
                    name,
                    "size",
                    payload.readableBytes() + ", regions=" + count + ", expected=" + needed);
        }
        return (int) count;
    }

    private static boolean hasDescriptor(Request request, ByteBuf payload)
            throws ProtocolViolation {
        long value = payload.getLongLE(0);
        if ((value & ~DESCRIPTOR_MASK) != 0) {
            throw violation(
                    "reserved bits are set",
                    request.name(),
                    "value",
                    "0x" + Long.toHexString(value));
        }
        return (value & VringLayout.NO_DESCRIPTOR_FLAG) == 0;
    }

    private static @Nullable Descriptor firstOf(List<Descriptor> descriptors) {
        return descriptors.isEmpty() ? null : descriptors.getFirst();
    }

    private static FrontEndMessage memTable(ByteBuf payload, List<Descriptor> descriptors) {
        List<MemoryRegion> regions = new ArrayList<>(descriptors.size());
        for (int i = 0; i < descriptors.size(); i++) {
            int at = MemoryTableLayout.length(i);
            regions.add(
                    new MemoryRegion(
                            payload.getLongLE(at + MemoryTableLayout.GUEST_ADDRESS_OFFSET),
                            payload.getLongLE(at + MemoryTableLayout.SIZE_OFFSET),
                            payload.getLongLE(at + MemoryTableLayout.USER_ADDRESS_OFFSET),
                            payload.getLongLE(at + MemoryTableLayout.MMAP_OFFSET_OFFSET),
                            descriptors.get(i)));
        }
        return new FrontEndMessage.SetMemTable(regions);
    }

    // rings

    private static FrontEndMessage vringNum(ByteBuf payload) throws ProtocolViolation {
        int index = index(Request.SET_VRING_NUM, payload);
        long num = payload.getUnsignedIntLE(VringLayout.VALUE_OFFSET);
        if (num == 0 || num > QueueLimits.MAX_SIZE) {
            throw ringViolation(
                    "ring has an impossible size",
                    Request.SET_VRING_NUM,
                    index,
                    "num=" + num + ", expected=1 to " + QueueLimits.MAX_SIZE);
        }
        return new FrontEndMessage.SetVringNum(index, (int) num);
    }

    private static FrontEndMessage vringBase(ByteBuf payload) throws ProtocolViolation {
        int index = index(Request.SET_VRING_BASE, payload);
        long base = payload.getUnsignedIntLE(VringLayout.VALUE_OFFSET);
        if (base > MAX_BASE) {
            // More than 16 bits is what packed rings have, which we do not offer.
            throw ringViolation(
                    "no index of a split ring",
                    Request.SET_VRING_BASE,
                    index,
                    "base=0x" + Long.toHexString(base) + ", expected=0 to 0xffff");
        }
        return new FrontEndMessage.SetVringBase(index, (int) base);
    }

    private static FrontEndMessage vringEnable(ByteBuf payload) throws ProtocolViolation {
        int index = index(Request.SET_VRING_ENABLE, payload);
        long enable = payload.getUnsignedIntLE(VringLayout.VALUE_OFFSET);
        if (enable > 1) {
            throw ringViolation(
                    "ring is neither on nor off",
                    Request.SET_VRING_ENABLE,
                    index,
                    "enable=" + enable + ", expected=0 or 1");
        }
        return new FrontEndMessage.SetVringEnable(index, enable == 1);
    }

    private static FrontEndMessage vringAddr(ByteBuf payload) throws ProtocolViolation {
        return new FrontEndMessage.SetVringAddr(
                index(Request.SET_VRING_ADDR, payload),
                payload.getIntLE(VringLayout.FLAGS_OFFSET),
                payload.getLongLE(VringLayout.DESCRIPTOR_OFFSET),
                payload.getLongLE(VringLayout.USED_OFFSET),
                payload.getLongLE(VringLayout.AVAILABLE_OFFSET),
                payload.getLongLE(VringLayout.LOG_OFFSET));
    }

    /** A ring's index in 32 bits, of which those that carry descriptors leave 8. */
    private static int index(Request request, ByteBuf payload) throws ProtocolViolation {
        long index = payload.getUnsignedIntLE(VringLayout.INDEX_OFFSET);
        if (index >= VringLayout.MAX_RINGS) {
            throw violation(
                    "no ring can have this index",
                    request.name(),
                    "index",
                    index + ", expected=0 to " + (VringLayout.MAX_RINGS - 1));
        }
        return (int) index;
    }

    private static int packedIndex(ByteBuf payload) {
        return (int) (payload.getLongLE(0) & VringLayout.INDEX_MASK);
    }

    // configuration

    private static FrontEndMessage getConfig(ByteBuf payload) throws ProtocolViolation {
        return new FrontEndMessage.GetConfig(
                configOffset(Request.GET_CONFIG, payload),
                payload.readableBytes() - ConfigLayout.BYTES_OFFSET,
                payload.getIntLE(ConfigLayout.FLAGS_OFFSET));
    }

    private static FrontEndMessage setConfig(ByteBuf payload) throws ProtocolViolation {
        int offset = configOffset(Request.SET_CONFIG, payload);
        int size = payload.readableBytes() - ConfigLayout.BYTES_OFFSET;
        return new FrontEndMessage.SetConfig(
                offset,
                payload.getIntLE(ConfigLayout.FLAGS_OFFSET),
                ByteBufUtil.getBytes(payload, ConfigLayout.BYTES_OFFSET, size, true));
    }

    /** The offset, when offset, size and payload agree. */
    private static int configOffset(Request request, ByteBuf payload) throws ProtocolViolation {
        long offset = payload.getUnsignedIntLE(ConfigLayout.OFFSET_OFFSET);
        long size = payload.getUnsignedIntLE(ConfigLayout.SIZE_OFFSET);
        if (payload.readableBytes() != ConfigLayout.BYTES_OFFSET + size) {
            throw violation(
                    "payload does not have the size that it says",
                    request.name(),
                    "payload",
                    payload.readableBytes()
                            + ", size="
                            + size
                            + ", expected="
                            + (ConfigLayout.BYTES_OFFSET + size));
        }
        if (offset + size > ConfigLayout.MAX_SPACE) {
            throw violation(
                    "configuration space ends before",
                    request.name(),
                    "offset",
                    offset + ", size=" + size + ", most=" + ConfigLayout.MAX_SPACE);
        }
        return (int) offset;
    }

    // texts

    private static ProtocolViolation violation(
            String what, String request, String name, String value) {
        return new ProtocolViolation(what + ": request=" + request + ", " + name + "=" + value);
    }

    private static ProtocolViolation ringViolation(
            String what, Request request, int index, String values) {
        return violation(what, request.name(), "index", index + ", " + values);
    }

    private static String hex(int value) {
        return "0x" + Integer.toHexString(value);
    }
}
