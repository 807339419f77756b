package io.aerostat.vmm.demo;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.aerostat.vmm.report.Figures;
import io.aerostat.vmm.vm.Backing;
import io.aerostat.vmm.vm.GuestSize;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.w3c.dom.Document;
import org.w3c.dom.NodeList;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

import javax.xml.parsers.DocumentBuilderFactory;

/** The scenarios, with as little memory as the command line lets them have. */
final class ScenarioTest {
    private static final GuestSize MEMORY = new GuestSize(64L << 20);
    private static final Pattern FIELD = Pattern.compile("\"(\\w+)\" : \"?([^\",\\s}]*)");

    @TempDir private Path folder;

    /** What a scenario told, and its figures by name. */
    private record Told(boolean held, String text, TreeMap<String, String> figures) {
        /** All but what the host's kernel said. */
        TreeMap<String, String> ownFigures() {
            TreeMap<String, String> own = new TreeMap<>(figures);
            own.keySet().removeIf(key -> key.matches("(resident|givenBack).*"));
            return own;
        }
    }

    private Told tell(Scenario scenario, Backing backing, long seed) throws IOException {
        return tell(scenario, new ScenarioPlan(MEMORY, backing, seed, true, Optional.empty()));
    }

    private Told tell(Scenario scenario, ScenarioPlan plan) throws IOException {
        StringWriter text = new StringWriter();
        Figures figures = new Figures();
        Path json = folder.resolve("figures.json");

        boolean held = scenario.run(plan, figures, new PrintWriter(text));

        figures.writeTo(json);
        TreeMap<String, String> fields = new TreeMap<>();
        Matcher matcher = FIELD.matcher(Files.readString(json));
        while (matcher.find()) {
            fields.put(matcher.group(1), matcher.group(2));
        }
        return new Told(held, text.toString(), fields);
    }

    @ParameterizedTest
    @EnumSource(Scenario.class)
    void everyCheckHoldsAndEqualSeedsGiveEqualFigures(Scenario scenario) throws IOException {
        Told first = tell(scenario, Backing.preferred(), 1);
        Told second = tell(scenario, Backing.preferred(), 1);

        assertTrue(first.held, first.text);
        assertFalse(first.text.contains("FAILED"), first.text);
        assertEquals("true", first.figures.get("allChecksHeld"));
        assertEquals(first.ownFigures(), second.ownFigures());
    }

    @ParameterizedTest
    @EnumSource(Scenario.class)
    void everyCheckHoldsWithASimulatedBackingToo(Scenario scenario) throws IOException {
        Told told = tell(scenario, Backing.SIMULATED, 1);

        assertTrue(told.held, told.text);
        assertEquals("simulated", told.figures.get("backing"));
    }

    @ParameterizedTest
    @EnumSource(names = {"OOM", "REPORTING", "HUGEPAGES"})
    void everyCheckHoldsWithOtherSeeds(Scenario scenario) throws IOException {
        for (long seed = 2; seed < 5; seed++) {
            Told told = tell(scenario, Backing.preferred(), seed);

            assertTrue(told.held, "seed=" + seed + "\n" + told.text);
        }
    }

    @Test
    void anotherSeedIsAnotherStory() throws IOException {
        assertNotEquals(
                tell(Scenario.OOM, Backing.preferred(), 1).ownFigures(),
                tell(Scenario.OOM, Backing.preferred(), 2).ownFigures());
    }

    @ParameterizedTest
    @EnumSource(Scenario.class)
    void theFiguresHaveTheirNames(Scenario scenario) throws IOException {
        Set<String> expected =
                new TreeSet<>(Set.of("scenario", "memoryBytes", "backing", "allChecksHeld"));
        expected.addAll(
                switch (scenario) {
                    case PRESSURE ->
                            Set.of(
                                    "residentBeforeBytes",
                                    "residentAfterBytes",
                                    "residentRegrownBytes",
                                    "guestFreeBeforeBytes",
                                    "guestFreeAfterBytes",
                                    "swapUsedBytes",
                                    "outcome",
                                    "pswpin",
                                    "pswpout",
                                    "pgfault",
                                    "pgmajfault",
                                    "pgsteal_kswapd",
                                    "pgsteal_direct",
                                    "allocstall_normal",
                                    "oom_kill");
                    case OOM ->
                            Set.of(
                                    "pagesTakenBack",
                                    "killsWithDeflateOnOom",
                                    "killsWithoutDeflateOnOom");
                    case REPORTING ->
                            Set.of(
                                    "residentBeforeBytes",
                                    "residentAfterBytes",
                                    "residentRegrownBytes",
                                    "reportedBytes",
                                    "reports",
                                    "discardCalls");
                    case HUGEPAGES -> hugePagesKeys();
                });

        Told told = tell(scenario, Backing.preferred(), 1);

        assertEquals(expected, told.figures.keySet());
        assertEquals(scenario.name(), told.figures.get("scenario").toUpperCase(Locale.ROOT));
        assertEquals("67108864", told.figures.get("memoryBytes"));
    }

    private static Set<String> hugePagesKeys() {
        Set<String> keys = new TreeSet<>();
        for (int unit : new int[] {4, 16, 64, 2048}) {
            keys.add("givenBackBytes" + unit + "KiB");
            keys.add("incompletePages" + unit + "KiB");
            keys.add("discardCalls" + unit + "KiB");
        }
        return keys;
    }

    @Test
    void theTaskListsShowWhoWaitsForWhat() throws IOException {
        String text = tell(Scenario.PRESSURE, Backing.preferred(), 1).text;

        for (String when : new String[] {"before", "during", "after", "recovered"}) {
            assertTrue(text.contains("wchan      # " + when), text);
        }
        for (String row :
                new String[] {
                    " *2 S    kthreadd +kthreadd",
                    " *\\d+ [SR]    vballoon .*",
                    " *\\d+ [SR]    kswapd0 .*",
                    " *\\d+ D    worker\\d +folio_wait_bit_common",
                    " *\\d+ S    worker\\d +hrtimer_nanosleep"
                }) {
            assertTrue(text.lines().anyMatch(line -> line.matches(row)), row + "\n" + text);
        }
    }

    @Test
    void withoutTasksNoneAreListed() throws IOException {
        ScenarioPlan plan =
                new ScenarioPlan(MEMORY, Backing.preferred(), 1, false, Optional.empty());

        assertFalse(tell(Scenario.REPORTING, plan).text.contains("kswapd0"));
    }

    @ParameterizedTest
    @EnumSource(Scenario.class)
    void thePictureIsXmlWithAreasForAllMemoryAndThreeCurves(Scenario scenario) throws Exception {
        Path plot = folder.resolve(scenario + ".svg");
        ScenarioPlan plan =
                new ScenarioPlan(MEMORY, Backing.preferred(), 1, false, Optional.of(plot));

        Told told = tell(scenario, plan);

        assertTrue(told.text.contains("picture: " + plot), told.text);
        Document svg =
                DocumentBuilderFactory.newInstance().newDocumentBuilder().parse(plot.toFile());
        assertEquals("svg", svg.getDocumentElement().getTagName());
        assertEquals(4, svg.getElementsByTagName("polygon").getLength());
        assertEquals(3, svg.getElementsByTagName("polyline").getLength());
        List<String> texts = texts(svg);
        for (String series :
                new String[] {
                    "balloon",
                    "guest: free",
                    "guest: page cache",
                    "guest: processes",
                    "size asked for",
                    "guest: swap used",
                    "resident on the host"
                }) {
            assertTrue(texts.contains(series), series + " in " + texts);
        }
        assertTrue(points(svg, "polyline").stream().allMatch(n -> n > 4), "samples");
        assertEquals(1, Set.copyOf(points(svg, "polyline")).size(), "each curve has all samples");
    }

    private static List<String> texts(Document svg) {
        NodeList nodes = svg.getElementsByTagName("text");
        List<String> texts = new ArrayList<>();
        for (int i = 0; i < nodes.getLength(); i++) {
            texts.add(nodes.item(i).getTextContent());
        }
        return texts;
    }

    private static List<Integer> points(Document svg, String tag) {
        NodeList nodes = svg.getElementsByTagName(tag);
        List<Integer> counts = new ArrayList<>();
        for (int i = 0; i < nodes.getLength(); i++) {
            String points = nodes.item(i).getAttributes().getNamedItem("points").getTextContent();
            counts.add((int) points.chars().filter(c -> c == ',').count());
        }
        return counts;
    }
}
