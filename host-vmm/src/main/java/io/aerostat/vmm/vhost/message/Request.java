package io.aerostat.vmm.vhost.message;

import org.jspecify.annotations.Nullable;

/**
 * A front-end's requests, by the names and numbers of the protocol. Those that belong to protocol
 * features which we do not offer are here for their names alone.
 */
public enum Request {
    /** Asks for the features on offer. */
    GET_FEATURES(1, Size.NONE, Answer.U64),
    /** Tells the features taken. */
    SET_FEATURES(2, Size.U64, Answer.NONE),
    /** The front-end is the owner of this connection. */
    SET_OWNER(3, Size.NONE, Answer.NONE),
    /** It is not any more; not used since long. */
    RESET_OWNER(4, Size.NONE, Answer.NONE),
    /** The guest's RAM. */
    SET_MEM_TABLE(5, Size.TABLE, Answer.NONE),
    /** Not offered: live migration. */
    SET_LOG_BASE(6),
    /** Not offered: live migration. */
    SET_LOG_FD(7),
    /** A ring's size. */
    SET_VRING_NUM(8, Size.STATE, Answer.NONE),
    /** A ring's place. */
    SET_VRING_ADDR(9, Size.ADDRESSES, Answer.NONE),
    /** Where a ring is to go on. */
    SET_VRING_BASE(10, Size.STATE, Answer.NONE),
    /** Stops a ring, and asks where. */
    GET_VRING_BASE(11, Size.STATE, Answer.STATE),
    /** What the guest kicks a ring by. */
    SET_VRING_KICK(12, Size.U64, Answer.NONE),
    /** What the guest is interrupted by. */
    SET_VRING_CALL(13, Size.U64, Answer.NONE),
    /** What a broken ring is told by. */
    SET_VRING_ERR(14, Size.U64, Answer.NONE),
    /** Asks for the protocol features on offer. */
    GET_PROTOCOL_FEATURES(15, Size.NONE, Answer.U64),
    /** Tells the protocol features taken. */
    SET_PROTOCOL_FEATURES(16, Size.U64, Answer.NONE),
    /** Asks for the number of rings. */
    GET_QUEUE_NUM(17, Size.NONE, Answer.U64),
    /** Turns a ring on or off. */
    SET_VRING_ENABLE(18, Size.STATE, Answer.NONE),
    /** Not offered: network. */
    SEND_RARP(19),
    /** Not offered: network. */
    NET_SET_MTU(20),
    /** The channel for our own requests. */
    SET_BACKEND_REQ_FD(21, Size.NONE, Answer.NONE),
    /** Not offered: an IOMMU. */
    IOTLB_MSG(22),
    /** Not offered: rings of another byte order. */
    SET_VRING_ENDIAN(23),
    /** Reads the configuration space. */
    GET_CONFIG(24, Size.CONFIG, Answer.CONFIG),
    /** Writes to the configuration space. */
    SET_CONFIG(25, Size.CONFIG, Answer.NONE),
    /** Not offered: encryption. */
    CREATE_CRYPTO_SESSION(26),
    /** Not offered: encryption. */
    CLOSE_CRYPTO_SESSION(27),
    /** Not offered: live migration. */
    POSTCOPY_ADVISE(28),
    /** Not offered: live migration. */
    POSTCOPY_LISTEN(29),
    /** Not offered: live migration. */
    POSTCOPY_END(30),
    /** Not offered: reconnection. */
    GET_INFLIGHT_FD(31),
    /** Not offered: reconnection. */
    SET_INFLIGHT_FD(32),
    /** Not offered: graphics. */
    GPU_SET_SOCKET(33),
    /** Not offered: front-ends reset by stopping the rings. */
    RESET_DEVICE(34),
    /** Not offered: kicks by message. */
    VRING_KICK(35),
    /** Not offered: RAM that comes and goes. */
    GET_MAX_MEM_SLOTS(36),
    /** Not offered: RAM that comes and goes. */
    ADD_MEM_REG(37),
    /** Not offered: RAM that comes and goes. */
    REM_MEM_REG(38),
    /** Not offered: the device status. */
    SET_STATUS(39),
    /** Not offered: the device status. */
    GET_STATUS(40),
    /** Not offered: shared objects. */
    GET_SHARED_OBJECT(41),
    /** Not offered: live migration. */
    SET_DEVICE_STATE_FD(42),
    /** Not offered: live migration. */
    CHECK_DEVICE_STATE(43);

    /** How long a payload may be, in bytes. */
    private enum Size {
        NONE(0, 0),
        U64(Long.BYTES, Long.BYTES),
        STATE(VringLayout.STATE_LENGTH, VringLayout.STATE_LENGTH),
        ADDRESSES(VringLayout.ADDRESSES_LENGTH, VringLayout.ADDRESSES_LENGTH),
        TABLE(MemoryTableLayout.length(1), MemoryTableLayout.length(MemoryTableLayout.MAX_REGIONS)),
        CONFIG(ConfigLayout.BYTES_OFFSET, ConfigLayout.BYTES_OFFSET + ConfigLayout.MAX_SPACE);

        private final int min;
        private final int max;

        Size(int min, int max) {
            this.min = min;
            this.max = max;
        }
    }

    /** What a reply consists of. */
    private enum Answer {
        NONE,
        U64,
        STATE,
        CONFIG
    }

    private static final Request[] BY_NUMBER = byNumber();

    private final int number;
    private final @Nullable Size size;
    private final Answer answer;

    /** One that is not offered. */
    Request(int number) {
        this(number, null, Answer.NONE);
    }

    Request(int number, @Nullable Size size, Answer answer) {
        this.number = number;
        this.size = size;
        this.answer = answer;
    }

    private static Request[] byNumber() {
        Request[] requests = values();
        Request[] table = new Request[requests[requests.length - 1].number + 1];
        for (Request request : requests) {
            table[request.number] = request;
        }
        return table;
    }

    /** The request with this number, or null if it has no name here. */
    public static @Nullable Request ofNumber(int number) {
        return number > 0 && number < BY_NUMBER.length ? BY_NUMBER[number] : null;
    }

    /** The number that stands for it in a header. */
    public int number() {
        return number;
    }

    /** Tells whether a front-end that keeps to what we offer may send it. */
    public boolean isOffered() {
        return size != null;
    }

    /** Tells whether it has a reply of its own, so that it is never acknowledged besides that. */
    public boolean hasReply() {
        return answer != Answer.NONE;
    }

    /** Tells whether its reply, or its acknowledgement, is one 64-bit number. */
    boolean isAnsweredByNumber() {
        return answer == Answer.NONE || answer == Answer.U64;
    }

    /** Bytes of its shortest payload. It must be offered. */
    int minPayload() {
        return offered().min;
    }

    /** Bytes of its longest payload. It must be offered. */
    int maxPayload() {
        return offered().max;
    }

    private Size offered() {
        if (size == null) {
            throw new IllegalStateException("request is not offered: request=" + this);
        }
        return size;
    }
}
