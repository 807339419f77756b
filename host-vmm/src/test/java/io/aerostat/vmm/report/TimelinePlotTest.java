package io.aerostat.vmm.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.aerostat.vmm.report.Timeline.Mark;
import io.aerostat.vmm.report.Timeline.Sample;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.w3c.dom.Document;
import org.w3c.dom.Element;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

import javax.xml.parsers.DocumentBuilderFactory;

final class TimelinePlotTest {
    private static final long MIB = 1 << 20;
    private static final double LEFT = 70;
    private static final double RIGHT = 760;
    private static final double TOP = 50;
    private static final double BOTTOM = 430;

    @TempDir private Path folder;

    private Document drawn(Timeline timeline, String title) throws Exception {
        Path file = folder.resolve("plot.svg");
        TimelinePlot.write(timeline, title, file);
        return DocumentBuilderFactory.newInstance().newDocumentBuilder().parse(file.toFile());
    }

    /** Of 100 MiB: 10 used, 20 cached, 30 free, 40 in the balloon; after 10 s all used. */
    private static Timeline timeline() {
        Timeline timeline = new Timeline(100 * MIB);
        timeline.add(
                new Sample(0, 10 * MIB, 20 * MIB, 30 * MIB, 40 * MIB, 50 * MIB, 5 * MIB, 60 * MIB));
        timeline.add(new Sample(10, 100 * MIB, 0, 0, 0, 0, 25 * MIB, 100 * MIB));
        return timeline;
    }

    private static double[] points(Document svg, String tag, int index) {
        Element element = (Element) svg.getElementsByTagName(tag).item(index);
        String[] numbers = element.getAttribute("points").trim().split("[ ,]", -1);
        double[] points = new double[numbers.length];
        for (int i = 0; i < points.length; i++) {
            points[i] = Double.parseDouble(numbers[i]);
        }
        return points;
    }

    /** Where a number of MiB of 100 is drawn. */
    private static double y(double mib) {
        return BOTTOM - (BOTTOM - TOP) * mib / 100;
    }

    private static void assertAt(double[] expected, double[] found) {
        assertEquals(expected.length, found.length);
        for (int i = 0; i < found.length; i++) {
            assertEquals(expected[i], found[i], 0.051, "point " + i / 2);
        }
    }

    @Test
    void stacksWhatTheGuestHasUnderTheBalloon() throws Exception {
        Document svg = drawn(timeline(), "title");

        double[] processes = {LEFT, y(10), RIGHT, y(100), RIGHT, y(0), LEFT, y(0)};
        double[] cache = {LEFT, y(30), RIGHT, y(100), RIGHT, y(100), LEFT, y(10)};
        double[] free = {LEFT, y(60), RIGHT, y(100), RIGHT, y(100), LEFT, y(30)};
        double[] balloon = {LEFT, y(100), RIGHT, y(100), RIGHT, y(100), LEFT, y(60)};
        assertAt(processes, points(svg, "polygon", 0));
        assertAt(cache, points(svg, "polygon", 1));
        assertAt(free, points(svg, "polygon", 2));
        assertAt(balloon, points(svg, "polygon", 3));
    }

    @Test
    void drawsTheSizeAskedForSwapAndWhatIsResidentAsCurves() throws Exception {
        Document svg = drawn(timeline(), "title");

        assertAt(new double[] {LEFT, y(50), RIGHT, y(100)}, points(svg, "polyline", 0));
        assertAt(new double[] {LEFT, y(5), RIGHT, y(25)}, points(svg, "polyline", 1));
        assertAt(new double[] {LEFT, y(60), RIGHT, y(100)}, points(svg, "polyline", 2));
    }

    @Test
    void swapThatIsLargerThanTheMemoryIsInsideThePicture() throws Exception {
        Timeline timeline = timeline();
        timeline.add(new Sample(20, 0, 0, 0, 0, 0, 400 * MIB, 0));

        double[] swap = points(drawn(timeline, "title"), "polyline", 1);

        assertEquals(TOP, swap[5], 0.051);
        assertEquals(RIGHT, swap[4], 0.051);
    }

    @Test
    void textsMayHoldWhatXmlMeansSomethingBy() throws Exception {
        String odd = "a < b && c > \"d\" 'e' ]]>";
        Timeline timeline = timeline();
        timeline.mark(5, odd);

        Document svg = drawn(timeline, odd);

        String texts = svg.getDocumentElement().getTextContent();
        assertTrue(texts.contains(odd), texts);
        assertTrue(texts.contains("1   5.0 s   " + odd), texts);
    }

    @Test
    void aTimelineWithoutSamplesIsAnEmptyPicture() throws Exception {
        Document svg = drawn(new Timeline(MIB), "nothing");

        assertEquals(4, svg.getElementsByTagName("polygon").getLength());
        assertEquals(
                "", ((Element) svg.getElementsByTagName("polygon").item(0)).getAttribute("points"));
    }

    @Test
    void aTimelineOfOneInstantIsDrawn() throws Exception {
        Timeline timeline = new Timeline(MIB);
        timeline.add(new Sample(0, 0, 0, MIB, 0, 0, 0, 0));

        assertEquals(2, points(drawn(timeline, "instant"), "polyline", 0).length);
    }

    @Test
    void saysThatAFileCannotBeWritten() {
        assertThrows(
                IOException.class,
                () ->
                        TimelinePlot.write(
                                timeline(), "title", folder.resolve("no/such/folder.svg")));
    }

    @Test
    void aTimelineKeepsItsOrderAndIsNotToBeChangedFromOutside() {
        Timeline timeline = timeline();
        timeline.mark(1, "first");
        timeline.mark(2, "second");

        assertEquals(List.of(new Mark(1, "first"), new Mark(2, "second")), timeline.marks());
        assertEquals(10, timeline.samples().getLast().seconds());
        assertThrows(UnsupportedOperationException.class, () -> timeline.samples().clear());
        assertThrows(UnsupportedOperationException.class, () -> timeline.marks().clear());
    }
}
