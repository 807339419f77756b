package io.aerostat.vmm.vhost.message;

import io.aerostat.vmm.os.Descriptor;

import org.jspecify.annotations.Nullable;

import java.util.HexFormat;
import java.util.List;

/**
 * A front-end's message, right in form. Its numbers are the front-end's: addresses, sizes and
 * offsets may be any, a ring index is 0 to 255.
 *
 * <p>Whoever is given a message owns its descriptors: takes each over, or closes them all by {@link
 * #closeDescriptors}.
 */
public sealed interface FrontEndMessage {
    /** Closes the descriptors that came with it, if any. */
    default void closeDescriptors() {}

    /** {@link Request#GET_FEATURES}. */
    record GetFeatures() implements FrontEndMessage {}

    /**
     * {@link Request#SET_FEATURES}.
     *
     * @param features the features taken, with or without {@link ProtocolFeature#PRESENT}
     */
    record SetFeatures(long features) implements FrontEndMessage {}

    /** {@link Request#SET_OWNER}. */
    record SetOwner() implements FrontEndMessage {}

    /** {@link Request#RESET_OWNER}. */
    record ResetOwner() implements FrontEndMessage {}

    /**
     * {@link Request#SET_MEM_TABLE}.
     *
     * @param regions all of the guest's RAM, 1 to 8 regions in the front-end's order
     */
    record SetMemTable(List<MemoryRegion> regions) implements FrontEndMessage {
        /** Takes a copy. */
        public SetMemTable {
            regions = List.copyOf(regions);
        }

        @Override
        public void closeDescriptors() {
            regions.forEach(region -> region.descriptor().close());
        }
    }

    /**
     * {@link Request#SET_VRING_NUM}.
     *
     * @param index which ring
     * @param num its entries, 1 to 32768; not always a power of two
     */
    record SetVringNum(int index, int num) implements FrontEndMessage {}

    /**
     * {@link Request#SET_VRING_ADDR}: front-end addresses.
     *
     * @param index which ring
     * @param flags bit 0 asks for a log
     * @param descriptor the descriptor table
     * @param used the used ring
     * @param available the available ring
     * @param log means nothing if no log is asked for
     */
    record SetVringAddr(int index, int flags, long descriptor, long used, long available, long log)
            implements FrontEndMessage {}

    /**
     * {@link Request#SET_VRING_BASE}.
     *
     * @param index which ring
     * @param base the available index to go on at, 0 to 65535
     */
    record SetVringBase(int index, int base) implements FrontEndMessage {}

    /**
     * {@link Request#GET_VRING_BASE}: stops the ring.
     *
     * @param index which ring
     */
    record GetVringBase(int index) implements FrontEndMessage {}

    /**
     * {@link Request#SET_VRING_KICK}.
     *
     * @param index which ring
     * @param descriptor becomes readable by a kick; it may block when it is read. Null: none
     */
    record SetVringKick(int index, @Nullable Descriptor descriptor) implements FrontEndMessage {
        @Override
        public void closeDescriptors() {
            close(descriptor);
        }
    }

    /**
     * {@link Request#SET_VRING_CALL}.
     *
     * @param index which ring
     * @param descriptor interrupts when 8 bytes are written to it. Null: none
     */
    record SetVringCall(int index, @Nullable Descriptor descriptor) implements FrontEndMessage {
        @Override
        public void closeDescriptors() {
            close(descriptor);
        }
    }

    /**
     * {@link Request#SET_VRING_ERR}.
     *
     * @param index which ring
     * @param descriptor takes 8 bytes when the ring is broken. Null: none
     */
    record SetVringErr(int index, @Nullable Descriptor descriptor) implements FrontEndMessage {
        @Override
        public void closeDescriptors() {
            close(descriptor);
        }
    }

    /** {@link Request#GET_PROTOCOL_FEATURES}. */
    record GetProtocolFeatures() implements FrontEndMessage {}

    /**
     * {@link Request#SET_PROTOCOL_FEATURES}.
     *
     * @param features {@link ProtocolFeature}s taken
     */
    record SetProtocolFeatures(long features) implements FrontEndMessage {}

    /** {@link Request#GET_QUEUE_NUM}. */
    record GetQueueNum() implements FrontEndMessage {}

    /**
     * {@link Request#SET_VRING_ENABLE}.
     *
     * @param index which ring
     * @param enable on or off
     */
    record SetVringEnable(int index, boolean enable) implements FrontEndMessage {}

    /**
     * {@link Request#SET_BACKEND_REQ_FD}.
     *
     * @param descriptor a socket, if the front-end is right: see {@link BackEndChannel}
     */
    record SetBackendReqFd(Descriptor descriptor) implements FrontEndMessage {
        @Override
        public void closeDescriptors() {
            descriptor.close();
        }
    }

    /**
     * {@link Request#GET_CONFIG}.
     *
     * @param offset where in the configuration space, from 0
     * @param size bytes, from 0; offset and size together are at most 256
     * @param flags repeated in the reply
     */
    record GetConfig(int offset, int size, int flags) implements FrontEndMessage {}

    /**
     * {@link Request#SET_CONFIG}.
     *
     * @param offset where in the configuration space, from 0
     * @param flags 0 for what a driver writes
     * @param bytes what is written there, not copied; offset and length together are at most 256
     */
    @SuppressWarnings("ArrayRecordComponent") // Never compared, and made for its one reader.
    record SetConfig(int offset, int flags, byte[] bytes) implements FrontEndMessage {
        @Override
        public String toString() {
            String content = HexFormat.of().formatHex(bytes);
            return "SetConfig[offset=" + offset + ", flags=" + flags + ", bytes=" + content + "]";
        }
    }

    private static void close(@Nullable Descriptor descriptor) {
        if (descriptor != null) {
            descriptor.close();
        }
    }
}
