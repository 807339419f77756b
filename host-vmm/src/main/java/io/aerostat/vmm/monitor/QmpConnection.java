package io.aerostat.vmm.monitor;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;

import io.aerostat.vmm.monitor.message.Arguments;
import io.aerostat.vmm.monitor.message.QmpError;
import io.aerostat.vmm.monitor.message.QmpErrorClass;
import io.aerostat.vmm.monitor.message.QmpJson;
import io.aerostat.vmm.monitor.message.QmpRequest;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.handler.codec.CorruptedFrameException;
import io.netty.handler.codec.TooLongFrameException;
import io.netty.handler.codec.json.JsonObjectDecoder;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.RejectedExecutionException;

/**
 * One client: greeting, negotiation, then commands until it leaves. On the event loop alone.
 *
 * <p>{@link JsonObjectDecoder} cuts the stream into objects and arrays. Bytes that belong to none
 * are answered with one error and skipped, up to the next line, object or array.
 *
 * <p>Memory is bounded: so much of a message, so many commands that wait for the guest, so much
 * that the client has not read; beyond the first and the last the connection ends.
 */
final class QmpConnection extends SimpleChannelInboundHandler<ByteBuf> {
    /** Bytes of a message, and of what was read with it. */
    static final int MAX_MESSAGE_BYTES = 64 << 10;

    /**
     * Bytes that wait for the client. Nothing is read from it long before, so that its own requests
     * alone do not come so far; late answers and events do.
     */
    static final int MAX_UNREAD_BYTES = 512 << 10;

    /** Commands whose answer the guest owes. */
    static final int MAX_WAITING = 64;

    private static final Logger LOGGER = System.getLogger(QmpConnection.class.getName());
    private static final byte[] LINE_END = {'\r', '\n'};

    private final Channel channel;
    private final GuestMonitor monitor;
    private final GuestCommands commands;
    private boolean negotiated;
    private boolean ended;

    /** The bytes at hand belong to no message; the decoder has given up, or is out. */
    private boolean skipping;

    private boolean resuming;
    private ByteBuf left = Unpooled.EMPTY_BUFFER;

    private int waiting;
    private long unreadBytes;

    private QmpConnection(Channel channel, GuestMonitor monitor, GuestCommands commands) {
        this.channel = channel;
        this.monitor = monitor;
        this.commands = commands;
    }

    static void start(Channel channel, GuestMonitor monitor, GuestCommands commands) {
        channel.pipeline()
                .addLast(
                        new JsonObjectDecoder(MAX_MESSAGE_BYTES),
                        new QmpConnection(channel, monitor, commands));
    }

    @Override
    public void channelActive(ChannelHandlerContext context) {
        if (monitor.enter(this)) {
            send(QmpGreeting.message());
        } else {
            endWith("too many clients: " + GuestMonitor.MAX_CONNECTIONS + " are connected");
        }
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) {
        ended = true;
        monitor.leave(this);
    }

    /** Who does not read is not listened to. */
    @Override
    public void channelWritabilityChanged(ChannelHandlerContext context) {
        channel.config().setAutoRead(channel.isWritable());
    }

    void close() {
        ended = true;
        channel.close().addListener(end -> monitor.leave(this));
    }

    /** Events are for those who have negotiated. */
    void sendEvent(ObjectNode event) {
        if (negotiated) {
            send(event);
        }
    }

    @Override
    protected void channelRead0(ChannelHandlerContext context, ByteBuf bytes) {
        if (!skipping) {
            serve(ByteBufUtil.getBytes(bytes));
        } else if (context.pipeline().get(JsonObjectDecoder.class) == null && !resuming) {
            resume(bytes.retain());
        } else {
            left = bytes.retain();
        }
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
        switch (cause) {
            case CorruptedFrameException corrupted -> {
                reply(null, new QmpError("JSON parse error, expecting value"));
                skipping = true;
                if (!resuming) {
                    resume(takeDecoderOut());
                }
            }
            case TooLongFrameException tooLong ->
                    endWith("JSON message is longer than " + MAX_MESSAGE_BYTES + " bytes");
            case IOException broken -> close();
            default -> {
                LOGGER.log(Level.ERROR, "a monitor's connection failed", cause);
                close();
            }
        }
    }

    /**
     * Goes on where a message may start, with a new decoder, as often as that one gives up. A loop,
     * for the client chooses how often.
     */
    private void resume(ByteBuf bytes) {
        resuming = true;
        ByteBuf rest = bytes;
        while (skipping && skipToStart(rest)) {
            skipping = false;
            // Of its own: a new decoder looks from index 0 on, wherever a buffer's reader is.
            ByteBuf next = Unpooled.wrappedBuffer(ByteBufUtil.getBytes(rest));
            rest.release();
            channel.pipeline().addFirst(new JsonObjectDecoder(MAX_MESSAGE_BYTES));
            channel.pipeline().fireChannelRead(next);
            rest = skipping ? takeDecoderOut() : Unpooled.EMPTY_BUFFER;
        }
        rest.release();
        resuming = false;
    }

    /** A decoder that is taken out hands over what it has not decoded. */
    private ByteBuf takeDecoderOut() {
        left = Unpooled.EMPTY_BUFFER;
        resuming = true;
        channel.pipeline().remove(JsonObjectDecoder.class);
        return left;
    }

    private static boolean skipToStart(ByteBuf bytes) {
        int start = bytes.forEachByte(next -> next != '{' && next != '[' && next != '\n');
        if (start >= 0) {
            bytes.readerIndex(start);
        }
        return start >= 0;
    }

    private void serve(byte[] text) {
        if (ended) {
            return;
        }
        JsonNode id = null;
        try {
            JsonNode message = QmpJson.read(text);
            id = QmpRequest.idOf(message);
            QmpRequest request = QmpRequest.of(message);
            answer(id, run(request));
        } catch (IOException e) {
            reply(null, new QmpError(String.valueOf(e.getMessage())));
        } catch (QmpError e) {
            reply(id, e);
        } catch (RuntimeException e) {
            reply(id, failure(e));
        }
    }

    private CompletableFuture<JsonNode> run(QmpRequest request) throws QmpError {
        if (negotiated) {
            if (waiting >= MAX_WAITING) {
                throw new QmpError("too many commands wait for the guest: " + waiting);
            }
            return commands.run(request.command(), request.arguments());
        }
        if (!request.command().equals("qmp_capabilities")) {
            throw new QmpError(
                    QmpErrorClass.COMMAND_NOT_FOUND,
                    "Expecting capabilities negotiation with 'qmp_capabilities'");
        }
        negotiate(new Arguments(request.arguments()));
        return CompletableFuture.completedFuture(QmpJson.object());
    }

    private void negotiate(Arguments arguments) throws QmpError {
        for (String capability : arguments.texts("enable")) {
            // The only one that there is, and we do not offer it.
            throw new QmpError(
                    capability.equals("oob")
                            ? "Capability oob not available"
                            : "Parameter 'enable[0]' does not accept value '" + capability + "'");
        }
        arguments.end();
        negotiated = true;
    }

    /** Answers now, or when the guest has: other commands do not wait for that. */
    private void answer(@Nullable JsonNode id, CompletableFuture<JsonNode> result) {
        if (result.isDone()) {
            replyWith(id, result);
            return;
        }
        waiting++;
        // What it returns is of no use: onLoop does not fail.
        CompletableFuture<JsonNode> _ =
                result.whenComplete((_, _) -> onLoop(() -> lateAnswer(id, result)));
    }

    private void lateAnswer(@Nullable JsonNode id, CompletableFuture<JsonNode> result) {
        waiting--;
        replyWith(id, result);
    }

    private void onLoop(Runnable action) {
        try {
            channel.eventLoop().execute(action);
        } catch (RejectedExecutionException e) {
            LOGGER.log(Level.DEBUG, "a guest answered after the monitors' end", e);
        }
    }

    private void replyWith(@Nullable JsonNode id, CompletableFuture<JsonNode> done) {
        try {
            ObjectNode reply = QmpJson.object();
            reply.set("return", done.join());
            send(withId(reply, id));
        } catch (CompletionException e) {
            reply(id, failure(e));
        }
    }

    private static QmpError failure(RuntimeException e) {
        Throwable cause = e.getCause() == null ? e : e.getCause();
        LOGGER.log(Level.WARNING, "a monitor's command failed", cause);
        return new QmpError("the command failed: " + cause.getMessage());
    }

    private void reply(@Nullable JsonNode id, QmpError error) {
        ObjectNode reply = QmpJson.object();
        reply.putObject("error")
                .put("class", error.errorClass().wireName())
                .put("desc", error.description());
        send(withId(reply, id));
    }

    private static ObjectNode withId(ObjectNode reply, @Nullable JsonNode id) {
        if (id != null) {
            reply.set("id", id);
        }
        return reply;
    }

    /** Says why, then ends the connection. */
    private void endWith(String description) {
        reply(null, new QmpError(description));
        ended = true;
        channel.writeAndFlush(Unpooled.EMPTY_BUFFER).addListener(ChannelFutureListener.CLOSE);
    }

    private void send(ObjectNode message) {
        if (ended) {
            return;
        }
        ByteBuf line = Unpooled.wrappedBuffer(QmpJson.write(message), LINE_END);
        int bytes = line.readableBytes();
        unreadBytes += bytes;
        if (unreadBytes > MAX_UNREAD_BYTES) {
            LOGGER.log(
                    Level.WARNING,
                    "a client of the monitor " + monitor.socket() + " does not read: closed");
            line.release();
            close();
            return;
        }
        channel.writeAndFlush(line)
                .addListener(sent -> unreadBytes -= bytes)
                .addListener(ChannelFutureListener.CLOSE_ON_FAILURE);
    }
}
