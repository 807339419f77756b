package io.aerostat.vmm.demo;

import io.aerostat.vmm.report.Figures;

import java.io.IOException;
import java.io.PrintWriter;
import java.util.Locale;

/** The scenarios of the demo: one thing each that a balloon does to a guest, or for it. */
public enum Scenario {
    /** A guest is squeezed below what it uses: free memory, cache, swap; and recovers. */
    PRESSURE,
    /** A guest runs out of memory with a full balloon, with DEFLATE_ON_OOM and without. */
    OOM,
    /** A guest reports its free memory, and the host has it back without any target. */
    REPORTING,
    /** Host pages of 2 MiB are put together from the guest's pages of 4 KiB. */
    HUGEPAGES;

    /** Tells it. True if every check held. */
    public boolean run(ScenarioPlan plan, Figures figures, PrintWriter out) throws IOException {
        figures.put("scenario", name().toLowerCase(Locale.ROOT));
        figures.put("memoryBytes", plan.maximum().bytes());
        figures.put("backing", plan.backing().toString());
        boolean held =
                switch (this) {
                    case PRESSURE -> new PressureScenario(plan, figures, out).run();
                    case OOM -> new OomScenario(plan, figures, out).run();
                    case REPORTING -> new ReportingScenario(plan, figures, out).run();
                    case HUGEPAGES -> new HugePagesScenario(plan, figures, out).run();
                };
        figures.put("allChecksHeld", held);
        out.flush();
        return held;
    }
}
