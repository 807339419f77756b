package io.aerostat.vmm.vhost;

import io.aerostat.balloon.BalloonDevice;
import io.aerostat.memory.os.OsException;
import io.aerostat.vmm.os.Descriptor;
import io.aerostat.vmm.os.DescriptorPoll;
import io.aerostat.vmm.os.UnixSockets;
import io.aerostat.vmm.vhost.message.ProtocolViolation;
import io.aerostat.vmm.vm.BalloonControl;
import io.aerostat.vmm.vm.DriverState;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.file.Files;
import java.time.Duration;
import java.util.OptionalLong;
import java.util.concurrent.CopyOnWriteArrayList;

/**
 * A guest that is served over vhost-user: its socket, one front-end at a time, and the thread that
 * does all of its work.
 *
 * <pre>
 *   any thread   control(): sizes, statistics ──▶ mailbox + wake-up ─┐
 *   front-end    connection, messages ───────────────────────────────┤
 *   guest        kicks ──────────────────────────────────────────────┴▶ one thread: poll(2), in bounded pieces
 * </pre>
 *
 * <p>The front-end may go at any time and another one come. What is wrong with one ends its
 * connection, with one line in the log, and nothing else.
 */
public final class VhostUserGuest implements AutoCloseable {
    private static final Logger LOGGER = System.getLogger(VhostUserGuest.class.getName());

    private static final int BACKLOG = 16;

    /** While a promise waits, or the target is on its way. */
    private static final int BUSY_TIMEOUT_MS = 10;

    /** Periods of statistics need no better. */
    private static final int IDLE_TIMEOUT_MS = 100;

    private static final int FOR_EVER = -1;

    /** In {@link #listenerSlot}: nobody is let in until the next turn. */
    private static final int DEAF = -1;

    private static final int CLOSE_TIMEOUT_MS = 10_000;

    private final VhostUserOptions options;
    private final RingObserver ringObserver;
    private final Descriptor listener;
    private final Mailbox mailbox;
    private final BalloonControl control;
    private final GuestBalloon balloon;
    private final Thread thread;
    private final CopyOnWriteArrayList<Runnable> observers = new CopyOnWriteArrayList<>();

    private volatile boolean closing;
    private volatile boolean connected;

    // The thread's.
    private final DescriptorPoll poll = new DescriptorPoll(BalloonDevice.QUEUE_COUNT + 3);
    private int listenerSlot;
    private boolean toldOfDeafness;
    private final int wakeSlot;
    private @Nullable FrontEndSession session;
    private int sessionSlot;
    private @Nullable Seen seen;

    /** What observers were last told of. */
    private record Seen(boolean connected, DriverState driver, long actualPages) {}

    private VhostUserGuest(VhostUserOptions options, RingObserver ringObserver) {
        this.options = options;
        this.ringObserver = ringObserver;
        this.listener = UnixSockets.listen(options.socket(), BACKLOG);
        // After the socket: there may be none at this path, and nothing may be left of this then.
        this.mailbox = new Mailbox();
        this.listenerSlot = poll.add(listener);
        this.wakeSlot = poll.add(mailbox.wakeUp());
        this.control = new BalloonControl(mailbox, System::nanoTime, options.floor());
        this.balloon =
                new GuestBalloon(options.name(), options.balloon(), control, System::nanoTime);
        this.thread = new Thread(this::run, "aerostat-guest-" + options.name());
        thread.setDaemon(true);
    }

    /**
     * Serves a guest: its socket listens when this returns.
     *
     * @throws OsException if there can be no socket at this path
     */
    public static VhostUserGuest serve(VhostUserOptions options) {
        return serve(options, RingObserver.NONE);
    }

    /**
     * {@link #serve(VhostUserOptions)} under the eyes of an observer.
     *
     * @param ringObserver of all rings, over all connections
     */
    public static VhostUserGuest serve(VhostUserOptions options, RingObserver ringObserver) {
        VhostUserGuest guest = new VhostUserGuest(options, ringObserver);
        guest.thread.start();
        return guest;
    }

    // any thread

    /** How it is served. */
    public VhostUserOptions options() {
        return options;
    }

    /** What can be asked of its balloon. */
    public BalloonControl control() {
        return control;
    }

    /** Tells whether a front-end is connected. */
    public boolean isConnected() {
        return connected;
    }

    /** How far its driver has come. */
    public DriverState driver() {
        return balloon.driver();
    }

    /** Bytes that the host has to provide for its RAM now, if there is any and the host tells. */
    public OptionalLong residentBytes() {
        long bytes = balloon.residentBytes();
        return bytes < 0 ? OptionalLong.empty() : OptionalLong.of(bytes);
    }

    /** System calls made to give its memory back, since it is served. */
    public long discardCalls() {
        return balloon.discardCalls();
    }

    /**
     * Has an action run on the guest's thread after its connection, its driver, or the size of its
     * balloon by the driver's word has changed. It must be quick and not wait.
     */
    public void onChange(Runnable action) {
        observers.add(action);
    }

    /**
     * Ends the service: the connection is closed, the socket removed. Waits for the guest's thread,
     * unless called on it.
     */
    @Override
    public void close() {
        closing = true;
        mailbox.execute(() -> {});
        if (Thread.currentThread() == thread) {
            return;
        }
        try {
            if (!thread.join(Duration.ofMillis(CLOSE_TIMEOUT_MS))) {
                LOGGER.log(
                        Level.ERROR,
                        "guest {0}: its thread hangs, and was left behind",
                        options.name());
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    // the thread

    private void run() {
        int timeoutMs = 0;
        try {
            while (!closing) {
                timeoutMs = guardedTurn(timeoutMs);
            }
        } catch (RuntimeException | Error e) {
            LOGGER.log(Level.ERROR, "guest " + options.name() + ": its service failed", e);
        } finally {
            end();
        }
    }

    private int guardedTurn(int timeoutMs) {
        try {
            return turn(timeoutMs);
        } catch (InternalError e) {
            // What the JVM makes of SIGBUS, now or a little later: the file behind the RAM is
            // shorter than it was.
            FrontEndSession current = session;
            if (current == null) {
                throw e;
            }
            disconnect(current, "its RAM is gone: " + e.getMessage());
            return 0;
        }
    }

    private int turn(int timeoutMs) {
        poll.await(timeoutMs);
        mailbox.run(poll.isReady(wakeSlot));
        int work = 0;
        FrontEndSession current = session;
        if (current != null) {
            work = serve(current);
        }
        // After whoever is there was heard: its last word may be that it has gone.
        if (listenerSlot == DEAF) {
            listenerSlot = poll.add(listener);
        } else if (poll.isReady(listenerSlot) && !isLeaving()) {
            accept();
        }
        control.check(System.nanoTime());
        tellObservers();
        if (work > 0) {
            return 0;
        }
        boolean idle = session == null && !control.isWaiting() && listenerSlot != DEAF;
        return idle ? FOR_EVER : pause();
    }

    private int pause() {
        boolean busy =
                control.isWaiting()
                        || control.attached().map(VhostUserGuest::isOnTheWay).orElse(false);
        return busy ? BUSY_TIMEOUT_MS : IDLE_TIMEOUT_MS;
    }

    private static boolean isOnTheWay(BalloonControl.Attached now) {
        return now.device().targetPages() != now.device().actualPages();
    }

    /** The front-end has gone, and not all that it said was heard: the next one waits. */
    private boolean isLeaving() {
        return session != null && poll.isHungUp(sessionSlot);
    }

    private void accept() {
        Descriptor next;
        try {
            next = UnixSockets.accept(listener);
        } catch (OsException e) {
            // As when this process has no descriptor left: whoever waits goes on waiting.
            if (!toldOfDeafness) {
                toldOfDeafness = true;
                LOGGER.log(
                        Level.WARNING,
                        "guest {0}: no front-end can connect now: {1}",
                        options.name(),
                        e.getMessage());
            }
            poll.remove(listenerSlot);
            listenerSlot = DEAF;
            return;
        }
        if (next == null) {
            return;
        }
        toldOfDeafness = false;
        if (session != null) {
            LOGGER.log(
                    Level.WARNING,
                    "guest {0}: a second front-end was sent away, there is one already",
                    options.name());
            next.close();
            return;
        }
        begin(next);
    }

    private void begin(Descriptor socket) {
        try {
            sessionSlot = poll.add(socket);
            session =
                    new FrontEndSession(
                            balloon, socket, poll, BalloonDevice.QUEUE_COUNT, ringObserver);
            connected = true;
        } finally {
            if (session == null) {
                socket.close();
            }
        }
    }

    private int serve(FrontEndSession current) {
        try {
            boolean talks = poll.isReady(sessionSlot) || poll.isHungUp(sessionSlot);
            if (talks && !current.serve()) {
                disconnect(current);
                return 0;
            }
            current.takeKicks();
            return balloon.poll(System.nanoTime());
        } catch (ProtocolViolation | OsException e) {
            disconnect(current, e.getMessage());
        } catch (RuntimeException e) {
            LOGGER.log(Level.ERROR, "guest " + options.name() + ": its device failed", e);
            disconnect(current, "its device failed");
        }
        return 0;
    }

    private void disconnect(FrontEndSession current, @Nullable String reason) {
        LOGGER.log(Level.WARNING, "guest {0}: connection closed: {1}", options.name(), reason);
        disconnect(current);
    }

    private void disconnect(FrontEndSession current) {
        poll.remove(sessionSlot);
        session = null;
        try {
            current.close();
        } finally {
            balloon.gone();
            connected = false;
        }
    }

    private void tellObservers() {
        long actual = control.attached().map(now -> now.device().actualPages()).orElse(0L);
        Seen now = new Seen(connected, balloon.driver(), actual);
        if (!now.equals(seen)) {
            seen = now;
            observers.forEach(this::tell);
        }
    }

    private void tell(Runnable observer) {
        try {
            observer.run();
        } catch (RuntimeException e) {
            LOGGER.log(Level.ERROR, "guest " + options.name() + ": an observer failed", e);
        }
    }

    private void end() {
        closing = true;
        FrontEndSession current = session;
        try {
            if (current != null) {
                disconnect(current);
                tellObservers();
            }
        } finally {
            // In this order: once nobody listens, the path may be another's.
            removeSocket();
            listener.close();
            control.close();
            mailbox.run(true);
            mailbox.close();
        }
    }

    private void removeSocket() {
        try {
            Files.deleteIfExists(options.socket());
        } catch (IOException e) {
            LOGGER.log(Level.WARNING, "socket is left behind: " + options.socket(), e);
        }
    }
}
