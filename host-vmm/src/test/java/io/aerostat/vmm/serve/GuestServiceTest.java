package io.aerostat.vmm.serve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;

import io.aerostat.guest.balloon.BalloonDriverOptions;
import io.aerostat.guest.mm.MemoryOptions;
import io.aerostat.guest.model.GuestModel;
import io.aerostat.guest.model.GuestOptions;
import io.aerostat.guest.workload.PressureOptions;
import io.aerostat.vmm.frontend.FrontEnd;
import io.aerostat.vmm.frontend.FrontEndRam;
import io.aerostat.vmm.frontend.UmlDialect;
import io.aerostat.vmm.frontend.VhostDevice;
import io.aerostat.vmm.frontend.VhostUserTransport;
import io.aerostat.vmm.monitor.GuestReport;
import io.aerostat.vmm.monitor.client.QmpClient;
import io.aerostat.vmm.monitor.message.AerostatCommands;
import io.aerostat.vmm.monitor.message.QmpJson;
import io.aerostat.vmm.vhost.VhostUserOptions;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentSkipListSet;

/** Guests of one process, from their sockets to their monitors. */
@Timeout(30)
final class GuestServiceTest {
    private static final Duration SOON = Duration.ofSeconds(10);
    private static final long RAM_BYTES = 64L << 20;
    private static final long HALF_PAGES = RAM_BYTES / 2 / 4096;

    private static final GuestOptions GUEST =
            new GuestOptions(
                    MemoryOptions.DEFAULT,
                    BalloonDriverOptions.DEFAULT,
                    PressureOptions.DEFAULT.withProcesses(2).withPages(256, 64),
                    1);

    @TempDir private Path folder;
    private final Set<String> news = new ConcurrentSkipListSet<>();
    private RunDirectory directory;
    private GuestService service;

    @BeforeEach
    void serve() throws IOException {
        directory = new RunDirectory(folder.resolve("run"));
        service =
                GuestService.start(
                        List.of(entry("web", null), entry("db", folder.resolve("db.qmp"))),
                        directory,
                        (name, report) -> news.add(name + " " + report.state()));
    }

    @AfterEach
    void close() {
        service.close();
    }

    private GuestEntry entry(String name, Path monitor) {
        return new GuestEntry(VhostUserOptions.of(name, folder.resolve(name + ".sock")), monitor);
    }

    private JsonNode ask(String guest, String command) throws Exception {
        Path socket = directory.find(guest).orElseThrow();
        try (QmpClient client = QmpClient.connect(socket, SOON)) {
            return client.execute(command, QmpJson.object(), SOON);
        }
    }

    @Test
    void aGuestIsBalloonedThroughItsMonitor() throws Exception {
        try (FrontEndRam ram = FrontEndRam.likeUml(RAM_BYTES);
                FrontEnd frontEnd = FrontEnd.connect(folder.resolve("web.sock"));
                VhostUserTransport transport =
                        new VhostUserTransport(
                                new VhostDevice(frontEnd, ram), UmlDialect.usual())) {
            GuestModel guest = new GuestModel(ram.memory(), transport, GUEST, 0);
            assertNull(guest.startBalloon());
            Path socket = directory.find("web").orElseThrow();

            try (QmpClient client = QmpClient.connect(socket, SOON)) {
                client.execute("balloon", QmpJson.object().put("value", RAM_BYTES / 2), SOON);
                runUntilBallooned(guest, HALF_PAGES);

                JsonNode report = client.execute(AerostatCommands.REPORT, QmpJson.object(), SOON);
                assertEquals("RUNNING", report.path("state").asText());
                assertEquals(RAM_BYTES, report.path("maximum").asLong());
                assertEquals(RAM_BYTES / 2, report.path("ballooned").asLong());
                assertTrue(report.path("features").toString().contains("stats-vq"));
                assertEquals(HALF_PAGES, report.path("counters").path("pages-inflated").asLong());
                assertTrue(report.path("discard-calls").asLong() > 0);
                assertTrue(report.has("resident"));
            }
            assertEquals(RAM_BYTES / 2, ask("web", "query-balloon").path("actual").asLong());
        }
        assertEquals("WAITING", ask("db", AerostatCommands.REPORT).path("state").asText());
        assertTrue(news.contains("web " + GuestReport.State.RUNNING), news.toString());
        assertFalse(news.contains("db " + GuestReport.State.CONNECTED), news.toString());
    }

    private static void runUntilBallooned(GuestModel guest, long pages) {
        long startNs = System.nanoTime();
        while (guest.driver().balloonedPages() != pages) {
            guest.step(System.nanoTime() - startNs);
            assertTrue(System.nanoTime() - startNs < SOON.toNanos(), "pages=" + pages);
        }
    }

    @Test
    void quitEndsThatGuestsServiceAlone() throws Exception {
        ask("db", "quit");

        long startNs = System.nanoTime();
        while (Files.exists(folder.resolve("db.sock"))) {
            Thread.onSpinWait();
            assertTrue(System.nanoTime() - startNs < SOON.toNanos());
        }
        assertEquals("WAITING", ask("web", AerostatCommands.REPORT).path("state").asText());
        ask("web", "quit");
        service.awaitEnd();
        assertEquals(Set.of(), directory.guests().keySet());
    }

    @Test
    void theEndLeavesNoFileBehind() throws IOException {
        assertEquals(Set.of("db", "web"), directory.guests().keySet());

        service.close();

        try (var left = Files.list(folder)) {
            assertEquals(List.of(folder.resolve("run")), left.toList());
        }
        try (var left = Files.list(folder.resolve("run"))) {
            assertEquals(0, left.count());
        }
    }

    @Test
    void aNameThatIsTakenStartsNothing() throws IOException {
        GuestEntry fresh = entry("fresh", null);
        GuestEntry taken = entry("web", null);

        assertThrows(
                IOException.class,
                () -> GuestService.start(List.of(fresh, taken), directory, (name, report) -> {}));

        assertFalse(Files.exists(folder.resolve("fresh.sock")));
        assertEquals(Set.of("db", "web"), directory.guests().keySet());
    }

    @Test
    void aFrontEndsSocketThatIsTakenIsAnErrorThatNamesTheGuest() throws IOException {
        GuestEntry other =
                new GuestEntry(VhostUserOptions.of("other", folder.resolve("web.sock")), null);

        IOException refused =
                assertThrows(
                        IOException.class,
                        () -> GuestService.start(List.of(other), directory, (name, report) -> {}));

        assertTrue(refused.getMessage().contains("guest other"), refused.getMessage());
        assertTrue(refused.getMessage().contains("web.sock"), refused.getMessage());
        assertEquals(Set.of("db", "web"), directory.guests().keySet());
    }
}
