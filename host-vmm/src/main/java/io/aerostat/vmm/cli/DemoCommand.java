package io.aerostat.vmm.cli;

import io.aerostat.vmm.demo.Demo;
import io.aerostat.vmm.demo.DemoPlan;
import io.aerostat.vmm.demo.Scenario;
import io.aerostat.vmm.demo.ScenarioPlan;
import io.aerostat.vmm.report.Figures;
import io.aerostat.vmm.report.HostMemory;
import io.aerostat.vmm.report.SizeText;
import io.aerostat.vmm.vm.Backing;
import io.aerostat.vmm.vm.GuestSize;

import org.jspecify.annotations.Nullable;

import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.Callable;

/** {@code aerostat demo}: checks what the user asked for, and tells the story. */
@Command(
        name = "demo",
        description =
                "Starts a guest, takes half of its memory back, and returns it: with real memory"
                        + " and real figures.",
        sortOptions = false)
final class DemoCommand implements Callable<Integer> {
    /** Whether the virtual machine has a balloon. */
    enum BalloonModel {
        VIRTIO,
        NONE
    }

    private static final long DEFAULT_MEMORY = 512L << 20;
    private static final long DEFAULT_SCENARIO_MEMORY = 256L << 20;
    private static final long MIN_MEMORY = 16L << 20;

    /** A guest under pressure needs room to be pressed. */
    private static final long MIN_SCENARIO_MEMORY = 64L << 20;

    /** Host pages of 2 MiB are not cut. */
    private static final long SCENARIO_UNIT = 2L << 20;

    @Spec private CommandSpec spec = CommandSpec.create();

    @Option(
            names = "--scenario",
            paramLabel = "NAME",
            description =
                    "Tell another story, of a guest on a virtual clock: pressure, oom, reporting or"
                            + " hugepages.")
    private @Nullable Scenario scenario;

    @Option(
            names = "--ps",
            description = "With --scenario: list the guest's tasks before, during and after.")
    private boolean showTasks;

    @Option(
            names = "--plot",
            paramLabel = "FILE.svg",
            description =
                    "With --scenario: draw free memory, cache, swap, balloon and what is resident"
                            + " on the host over time.")
    private @Nullable Path plot;

    @Option(
            names = "--memory",
            paramLabel = "SIZE",
            converter = SizeText.class,
            description =
                    "The guest's memory, fixed for its life: 16 MiB and more. Default: 512MiB; with"
                            + " --scenario 64 MiB and more in steps of 2 MiB, default 256MiB.")
    private @Nullable Long memory;

    @Option(
            names = "--to",
            paramLabel = "SIZE",
            converter = SizeText.class,
            description = "What setmem brings the guest to. Default: half of --memory.")
    private @Nullable Long to;

    @Option(
            names = "--backing",
            paramLabel = "KIND",
            description =
                    "What guest RAM is made of: anonymous, memfd or simulated. Default: anonymous,"
                            + " where it exists.")
    private Backing backing = Backing.preferred();

    @Option(
            names = "--balloon",
            paramLabel = "MODEL",
            description = "The memballoon device: virtio or none. Default: virtio.")
    private BalloonModel balloon = BalloonModel.VIRTIO;

    @Option(
            names = "--seed",
            paramLabel = "NUMBER",
            description = "Of what the guest does with its memory. Default: 1.")
    private long seed = 1;

    @Option(
            names = "--json",
            paramLabel = "FILE",
            description = "Write the figures there as one JSON object.")
    private @Nullable Path json;

    @Override
    public Integer call() throws Exception {
        OutputFile.requireWritable(spec, "--json", json);
        OutputFile.requireWritable(spec, "--plot", plot);
        return scenario == null ? tellTheWholeStory() : tell(scenario);
    }

    private int tell(Scenario chosen) throws Exception {
        if (to != null || balloon != BalloonModel.VIRTIO) {
            throw wrong("--to and --balloon do not go with --scenario, which has its own");
        }
        GuestSize maximum = maximum(DEFAULT_SCENARIO_MEMORY, MIN_SCENARIO_MEMORY);
        if (maximum.bytes() % SCENARIO_UNIT != 0) {
            throw wrong(
                    "--memory is "
                            + SizeText.of(maximum.bytes())
                            + "; with --scenario allowed are whole 2 MiB");
        }
        ScenarioPlan plan =
                new ScenarioPlan(maximum, backing, seed, showTasks, Optional.ofNullable(plot));
        Figures figures = new Figures();
        return end(figures, chosen.run(plan, figures, spec.commandLine().getOut()));
    }

    private int end(Figures figures, boolean allHeld) throws IOException {
        if (json != null) {
            figures.writeTo(json);
        }
        return allHeld ? 0 : 1;
    }

    private int tellTheWholeStory() throws Exception {
        if (showTasks || plot != null) {
            throw wrong("--ps and --plot need a --scenario");
        }
        GuestSize maximum = maximum(DEFAULT_MEMORY, MIN_MEMORY);
        DemoPlan plan =
                new DemoPlan(
                        maximum, target(maximum), backing, balloon == BalloonModel.VIRTIO, seed);
        Figures figures = new Figures();
        return end(figures, new Demo(plan, figures, spec.commandLine().getOut()).run());
    }

    private GuestSize maximum(long normal, long least) {
        if (!backing.isSupported()) {
            throw wrong(
                    "--backing "
                            + backing
                            + " needs Linux on x86-64 or AArch64; allowed here is simulated");
        }
        long bytes = memory == null ? normal : memory;
        if (bytes < least) {
            throw wrong(
                    "--memory is "
                            + SizeText.of(bytes)
                            + "; allowed is "
                            + SizeText.of(least)
                            + " and more");
        }
        long limit = HostMemory.availableBytes();
        if (bytes > limit) {
            throw wrong(
                    "--memory is "
                            + SizeText.of(bytes)
                            + "; this host has "
                            + SizeText.of(limit)
                            + " available");
        }
        return GuestSize.roundedUp(bytes);
    }

    private GuestSize target(GuestSize maximum) {
        GuestSize floor = DemoPlan.floorOf(maximum);
        long bytes = to == null ? maximum.bytes() / 2 : to;
        if (bytes < floor.bytes() || bytes > maximum.bytes()) {
            throw wrong(
                    "--to is "
                            + SizeText.of(bytes)
                            + "; allowed is "
                            + SizeText.of(floor.bytes())
                            + ", what the guest needs, to "
                            + SizeText.of(maximum.bytes())
                            + ", its maximum");
        }
        return GuestSize.roundedUp(bytes);
    }

    private ParameterException wrong(String message) {
        return new ParameterException(spec.commandLine(), message);
    }
}
