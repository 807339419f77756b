package io.aerostat.balloon.range;

import java.util.SortedSet;
import java.util.TreeSet;

/** Page ranges as plain sets of page numbers: the model that range lists are compared with. */
final class PageSets {
    private PageSets() {}

    /** All pages of the list. */
    static SortedSet<Long> pagesOf(PageRanges ranges) {
        SortedSet<Long> pages = new TreeSet<>();
        for (int i = 0; i < ranges.count(); i++) {
            for (long page = 0; page < ranges.pages(i); page++) {
                pages.add(ranges.pfn(i) + page);
            }
        }
        return pages;
    }

    /** The one list that a set has: ascending ranges with a gap between any two, as text. */
    static String rangesOf(SortedSet<Long> pages) {
        StringBuilder text = new StringBuilder();
        Long first = null;
        for (long page : pages) {
            if (first == null) {
                first = page;
            }
            if (!pages.contains(page + 1)) {
                text.append(text.length() == 0 ? "" : ", ").append(first).append('+');
                text.append(page + 1 - first);
                first = null;
            }
        }
        return "PageRanges[" + text + "]";
    }
}
