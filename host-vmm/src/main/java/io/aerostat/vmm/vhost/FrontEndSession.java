package io.aerostat.vmm.vhost;

import io.aerostat.vmm.os.Descriptor;
import io.aerostat.vmm.os.DescriptorPoll;
import io.aerostat.vmm.vhost.message.BackEndChannel;
import io.aerostat.vmm.vhost.message.FrontEndMessage;
import io.aerostat.vmm.vhost.message.FrontEndMessage.GetConfig;
import io.aerostat.vmm.vhost.message.FrontEndMessage.GetFeatures;
import io.aerostat.vmm.vhost.message.FrontEndMessage.GetProtocolFeatures;
import io.aerostat.vmm.vhost.message.FrontEndMessage.GetQueueNum;
import io.aerostat.vmm.vhost.message.FrontEndMessage.GetVringBase;
import io.aerostat.vmm.vhost.message.FrontEndMessage.ResetOwner;
import io.aerostat.vmm.vhost.message.FrontEndMessage.SetBackendReqFd;
import io.aerostat.vmm.vhost.message.FrontEndMessage.SetConfig;
import io.aerostat.vmm.vhost.message.FrontEndMessage.SetFeatures;
import io.aerostat.vmm.vhost.message.FrontEndMessage.SetMemTable;
import io.aerostat.vmm.vhost.message.FrontEndMessage.SetOwner;
import io.aerostat.vmm.vhost.message.FrontEndMessage.SetProtocolFeatures;
import io.aerostat.vmm.vhost.message.FrontEndMessage.SetVringAddr;
import io.aerostat.vmm.vhost.message.FrontEndMessage.SetVringBase;
import io.aerostat.vmm.vhost.message.FrontEndMessage.SetVringCall;
import io.aerostat.vmm.vhost.message.FrontEndMessage.SetVringEnable;
import io.aerostat.vmm.vhost.message.FrontEndMessage.SetVringErr;
import io.aerostat.vmm.vhost.message.FrontEndMessage.SetVringKick;
import io.aerostat.vmm.vhost.message.FrontEndMessage.SetVringNum;
import io.aerostat.vmm.vhost.message.MessageReader;
import io.aerostat.vmm.vhost.message.MessageWriter;
import io.aerostat.vmm.vhost.message.Progress;
import io.aerostat.vmm.vhost.message.ProtocolFeature;
import io.aerostat.vmm.vhost.message.ProtocolViolation;
import io.aerostat.vmm.vhost.message.Request;

/**
 * One connection of a front-end: what it says, in its order, and what is answered.
 *
 * <p>What a front-end may not do is a {@link ProtocolViolation}, and the end of the connection.
 * What its guest does wrong stops a ring, and is told by the ring's error descriptor.
 */
final class FrontEndSession implements AutoCloseable {
    /** A front-end that talks without end must not keep the device from its work. */
    private static final int MESSAGES_AT_ONCE = 32;

    private static final long PROTOCOL_FEATURES =
            ProtocolFeature.MQ
                    | ProtocolFeature.REPLY_ACK
                    | ProtocolFeature.BACKEND_REQ
                    | ProtocolFeature.CONFIG;

    private static final long SUCCESS = 0;
    private static final long FAILURE = 1;

    private final GuestBalloon balloon;
    private final Descriptor socket;
    private final MessageReader reader;
    private final MessageWriter writer;
    private final ConfigChanges configChanges = new ConfigChanges();
    private final Vrings rings;
    private long protocolFeatures;

    /**
     * A connection at its start.
     *
     * @param socket closed with the session
     * @param poll where to wait for kicks
     * @param queues how many rings there may be
     * @param observer sees kicks and interrupts
     */
    FrontEndSession(
            GuestBalloon balloon,
            Descriptor socket,
            DescriptorPoll poll,
            int queues,
            RingObserver observer) {
        this.balloon = balloon;
        this.socket = socket;
        this.reader = new MessageReader(socket);
        this.writer = new MessageWriter(socket);
        this.rings = new Vrings(queues, balloon, poll, configChanges, observer);
    }

    /**
     * Answers what has come, up to a bound; the rest when the socket is looked at again.
     *
     * @return false when the front-end has closed the connection
     */
    boolean serve() throws ProtocolViolation {
        for (int i = 0; i < MESSAGES_AT_ONCE; i++) {
            Progress progress = reader.poll();
            if (progress != Progress.MESSAGE) {
                return progress != Progress.END;
            }
            answer(reader.message());
        }
        return true;
    }

    /** Brings the kicks that have come to the device. After the set was waited for. */
    void takeKicks() throws ProtocolViolation {
        rings.takeKicks();
    }

    private void answer(FrontEndMessage message) throws ProtocolViolation {
        try {
            long status = handle(message);
            boolean acknowledges = (protocolFeatures & ProtocolFeature.REPLY_ACK) != 0;
            if (acknowledges && reader.wantsAcknowledgement()) {
                writer.reply(reader.request(), status);
            }
        } catch (ProtocolViolation | RuntimeException | Error e) {
            message.closeDescriptors();
            throw e;
        }
    }

    private long handle(FrontEndMessage message) throws ProtocolViolation {
        switch (message) {
            case GetFeatures _ -> {
                rings.featuresAsked();
                writer.reply(
                        Request.GET_FEATURES, balloon.offeredFeatures() | ProtocolFeature.PRESENT);
            }
            case SetFeatures told -> {
                return negotiate(told.features()) ? SUCCESS : FAILURE;
            }
            case GetProtocolFeatures _ ->
                    writer.reply(Request.GET_PROTOCOL_FEATURES, PROTOCOL_FEATURES);
            case SetProtocolFeatures told -> protocolFeatures(told.features());
            case SetOwner _ -> {}
            case ResetOwner _ -> rings.stopAll();
            case GetQueueNum _ -> {
                require(ProtocolFeature.MQ, message);
                writer.reply(Request.GET_QUEUE_NUM, rings.count());
            }
            case SetMemTable told -> rings.exchangeMemory(told.regions());
            case SetBackendReqFd told -> {
                require(ProtocolFeature.BACKEND_REQ, message);
                configChanges.channel(new BackEndChannel(told.descriptor()));
            }
            case GetConfig asked -> {
                require(ProtocolFeature.CONFIG, message);
                writer.replyConfig(asked, balloon.readConfig(asked.offset(), asked.size()));
            }
            case SetConfig told -> {
                require(ProtocolFeature.CONFIG, message);
                balloon.writeConfig(told.offset(), told.bytes());
            }
            case GetVringBase asked ->
                    writer.replyVringBase(asked.index(), rings.stop(asked.index()));
            case SetVringNum told -> rings.size(told.index(), told.num());
            case SetVringBase told -> rings.base(told.index(), told.base());
            case SetVringAddr told -> rings.place(told);
            case SetVringKick told -> rings.kick(told.index(), told.descriptor());
            case SetVringCall told -> rings.call(told.index(), told.descriptor());
            case SetVringErr told -> rings.error(told.index(), told.descriptor());
            case SetVringEnable told -> rings.enable(told.index(), told.enable());
        }
        return SUCCESS;
    }

    private boolean negotiate(long accepted) throws ProtocolViolation {
        long offered = balloon.offeredFeatures() | ProtocolFeature.PRESENT;
        if ((accepted & ~offered) != 0) {
            throw new ProtocolViolation(
                    "features were accepted that were not offered: features=0x"
                            + Long.toHexString(accepted & ~offered));
        }
        rings.negotiated(accepted);
        return balloon.negotiate(accepted);
    }

    private void protocolFeatures(long accepted) throws ProtocolViolation {
        if ((accepted & ~PROTOCOL_FEATURES) != 0) {
            throw new ProtocolViolation(
                    "protocol features were accepted that were not offered: features=0x"
                            + Long.toHexString(accepted & ~PROTOCOL_FEATURES));
        }
        protocolFeatures = accepted;
    }

    private void require(long protocolFeature, FrontEndMessage message) throws ProtocolViolation {
        if ((protocolFeatures & protocolFeature) == 0) {
            throw new ProtocolViolation(
                    "request of a protocol feature that was not accepted: request="
                            + message.getClass().getSimpleName());
        }
    }

    @Override
    public void close() {
        rings.close();
        configChanges.close();
        reader.close();
        writer.close();
        socket.close();
    }
}
