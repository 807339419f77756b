package io.aerostat.bench.linux;

import io.aerostat.vmm.linux.LinuxPackages;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * How many pages a second go into the balloon of a real Linux guest, and whose time is it?
 *
 * <p>User Mode Linux runs as a process of its own, with its own driver; our back-end serves it
 * here. A peer's back-end serves another such guest, and the two take turns, round by round: their
 * ratio is of one run. The first rounds are warm-up and do not count.
 *
 * <p>Run by {@code ./aerostat bench --linux [--quick]}.
 */
public final class LinuxBenchmark {
    private static final int FAILED = 1;
    private static final int WRONG = 2;

    /** What each guest does in a round, after it has written to its memory. */
    private static final List<RoundKind> ROUND =
            List.of(
                    RoundKind.INFLATE_DIRTY,
                    RoundKind.DEFLATE,
                    RoundKind.INFLATE_CLEAN,
                    RoundKind.DEFLATE);

    /** How often one request alone is sent before it counts. */
    private static final int SINGLE_WARM_UPS = 50;

    private final LinuxPlan plan;
    private final LinuxPackages packages;
    private final Path peer;
    private final boolean hasPeer;
    private final PrintStream out;
    private final List<Measurements> all = new ArrayList<>();
    private String kernel = "unknown";

    private LinuxBenchmark(
            LinuxPlan plan, LinuxPackages packages, Path peer, boolean hasPeer, PrintStream out) {
        this.plan = plan;
        this.packages = packages;
        this.peer = peer;
        this.hasPeer = hasPeer;
        this.out = out;
    }

    /**
     * Runs what the arguments say.
     *
     * @param arguments those after {@code --linux}
     * @param peer the script of the peer's back-end; left out if it is not there, or no Python
     * @param raw where raw results go
     * @return the exit code: 0 all is well, 1 something is missing or failed, 2 the arguments were
     *     wrong; each but 0 with one line on {@code err}
     */
    public static int run(
            List<String> arguments, Path peer, Path raw, PrintStream out, PrintStream err)
            throws InterruptedException {
        return run(arguments, LinuxPackages.search(), peer, raw, new Streams(out, err));
    }

    /** Where is said what. */
    record Streams(PrintStream out, PrintStream err) {}

    /** The same with these packages. */
    static int run(
            List<String> arguments, LinuxPackages packages, Path peer, Path raw, Streams said)
            throws InterruptedException {
        LinuxPlan plan;
        try {
            plan = LinuxPlan.parse(arguments);
        } catch (IllegalArgumentException e) {
            said.err().println("aerostat bench: " + e.getMessage());
            return WRONG;
        }
        if (!packages.isComplete()) {
            said.err().println("aerostat bench: --linux " + packages.remedy());
            return FAILED;
        }
        boolean hasPeer = PeerBackEnd.isPossible(peer);
        if (!hasPeer) {
            said.out().println("no peer beside ours: it needs python3 (3.9 or later) and " + peer);
        }
        try {
            new LinuxBenchmark(plan, packages, peer, hasPeer, said.out()).run(raw);
            return 0;
        } catch (IOException | IllegalStateException e) {
            said.err().println("aerostat bench: " + e.getMessage());
            return FAILED;
        }
    }

    private void run(Path raw) throws IOException, InterruptedException {
        Path directory = Files.createTempDirectory("aerostat-bench");
        try {
            for (LinuxPlan.Workload workload : plan.guests()) {
                measure(workload, directory);
            }
        } finally {
            remove(directory);
        }
        LinuxResults.write(raw, kernel, all);
        new LinuxSummary(all, out).print();
        out.println("raw results: " + raw);
    }

    /** A back-end that was killed leaves its socket. */
    private static void remove(Path directory) throws IOException {
        try (var files = Files.list(directory)) {
            for (Path file : files.toList()) {
                Files.deleteIfExists(file);
            }
        }
        Files.deleteIfExists(directory);
    }

    private void measure(LinuxPlan.Workload workload, Path directory)
            throws IOException, InterruptedException {
        String name = (workload.guestBytes() >> 20) + "M";
        try (LinuxRig own =
                LinuxRig.start(
                        packages,
                        new OwnBackEnd(directory.resolve(name + "-own.sock")),
                        workload.guestBytes())) {
            kernel = own.kernelRelease();
            if (!hasPeer) {
                measure(workload, List.of(own));
                return;
            }
            BackEnd other = new PeerBackEnd(peer, directory.resolve(name + "-peer.sock"));
            try (LinuxRig beside = LinuxRig.start(packages, other, workload.guestBytes())) {
                measure(workload, List.of(own, beside));
            }
        }
    }

    private void measure(LinuxPlan.Workload workload, List<LinuxRig> rigs)
            throws IOException, InterruptedException {
        out.printf(
                "guest of %d MiB, Linux %s: %d rounds of warm-up, %d that count%n",
                workload.guestBytes() >> 20, kernel, workload.warmUps(), workload.rounds());
        rounds(workload.warmUps(), rigs);
        singles(SINGLE_WARM_UPS, rigs);
        rigs.forEach(rig -> rig.measured().clear());
        rounds(workload.rounds(), rigs);
        singles(plan.singleRequests(), rigs);
        rigs.forEach(rig -> all.add(rig.measured()));
    }

    private static void rounds(int count, List<LinuxRig> rigs)
            throws IOException, InterruptedException {
        for (int i = 0; i < count; i++) {
            // Whoever goes first may find another machine than the second.
            List<LinuxRig> inTurn = i % 2 == 0 ? rigs : rigs.reversed();
            for (LinuxRig rig : inTurn) {
                rig.dirty();
            }
            for (RoundKind kind : ROUND) {
                for (LinuxRig rig : inTurn) {
                    rig.change(kind);
                }
            }
        }
    }

    private static void singles(int count, List<LinuxRig> rigs)
            throws IOException, InterruptedException {
        for (int i = 0; i < count; i++) {
            for (LinuxRig rig : rigs) {
                rig.single();
            }
        }
    }
}
