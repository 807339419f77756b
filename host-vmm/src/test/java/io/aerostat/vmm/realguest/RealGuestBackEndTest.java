package io.aerostat.vmm.realguest;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.aerostat.balloon.BalloonOptions;
import io.aerostat.vmm.linux.LinuxGuest;
import io.aerostat.vmm.vhost.VhostUserGuest;
import io.aerostat.vmm.vhost.VhostUserOptions;
import io.aerostat.vmm.vm.BalloonControl;
import io.aerostat.vmm.vm.GuestSize;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.TimeUnit;

/** A guest whose back-end goes. */
final class RealGuestBackEndTest {
    /** A process that serves a guest at a socket, and says when its balloon has come to a size. */
    static final class Server {
        public static void main(String[] args) throws Exception {
            VhostUserOptions options = VhostUserOptions.of("child", Path.of(args[0]));
            try (VhostUserGuest guest = VhostUserGuest.serve(options)) {
                BalloonControl control = guest.control();
                var outcome = control.setMemory(new GuestSize(40L << 20), Duration.ofMinutes(1));
                System.out.println("listening");
                System.out.println(outcome.get());
                Thread.sleep(60_000);
            }
        }
    }

    @RegisterExtension static final ServedGuests GUESTS = new ServedGuests();

    @Test
    void aGuestLivesOnWhenItsBackEndIsClosed() throws Exception {
        ServedGuest guest = GUESTS.serve(BalloonOptions.DEFAULT).boot(ServedGuests.SMALL).load();
        String sum = writeFile(guest.linux());
        guest.inflateTo(4_000);

        guest.host().close();

        assertFalse(Files.exists(guest.host().options().socket()));
        assertFalse(guest.host().isConnected());
        assertLives(guest.linux(), sum);
    }

    /** Pages in the balloon would have its driver wait for ever for the answer to their request. */
    @Test
    void aGuestWithAnEmptyBalloonIsSwitchedOffWithoutItsBackEnd() throws Exception {
        ServedGuest guest = GUESTS.serve(BalloonOptions.DEFAULT).boot(ServedGuests.SMALL).load();
        guest.inflateTo(4_000);
        guest.inflateTo(0);

        guest.host().close();

        assertEquals(0, guest.linux().powerOff(Await.SOON));
    }

    @Test
    void aGuestLivesOnWhenItsBackEndIsKilled(@TempDir Path place) throws Exception {
        Path socket = place.resolve("balloon.sock");
        Process server = startServer(socket);
        try (BufferedReader said = server.inputReader()) {
            assertEquals("listening", said.readLine());
            try (LinuxGuest guest =
                    LinuxGuest.start(
                            ServedGuests.SMALL.withDirectory(place).withBalloonSocket(socket))) {
                String sum = writeFile(guest);
                guest.loadBalloon();
                assertTrue(said.readLine().startsWith("Reached"));

                server.destroyForcibly();

                assertTrue(server.waitFor(10, TimeUnit.SECONDS));
                assertLives(guest, sum);
            }
        } finally {
            server.destroyForcibly();
        }
    }

    private static Process startServer(Path socket) throws IOException {
        return new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin/java").toString(),
                        "--enable-native-access=ALL-UNNAMED",
                        "-cp",
                        System.getProperty("java.class.path"),
                        Server.class.getName(),
                        socket.toString())
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
    }

    private static String writeFile(LinuxGuest guest) throws Exception {
        return guest.run(
                        "dd if=/dev/urandom of=/tmp/file bs=1M count=8 2>/dev/null;"
                                + " sha1sum /tmp/file",
                        Await.SOON)
                .text();
    }

    /** It answers, its file is whole, and its driver has let go of the device that is gone. */
    private static void assertLives(LinuxGuest guest, String sum) throws Exception {
        assertEquals(sum, guest.run("sha1sum /tmp/file", Await.SOON).text());
        String devices = "ls /sys/bus/virtio/drivers/virtio_balloon | grep virtio";
        Await.until(
                "the guest knows that its balloon is gone",
                () -> guest.run(devices, Await.SOON).lines().isEmpty());
        assertTrue(guest.run("dd if=/dev/zero of=/tmp/more bs=1M count=8", Await.SOON).isSuccess());
        assertTrue(guest.isAlive());
    }
}
