package io.aerostat.vmm.cli;

import io.aerostat.vmm.demo.Demo;
import io.aerostat.vmm.demo.DemoPlan;
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

import java.nio.file.Path;
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

    private static final long MIN_MEMORY = 16L << 20;

    @Spec private CommandSpec spec = CommandSpec.create();

    @Option(
            names = "--memory",
            paramLabel = "SIZE",
            converter = SizeText.class,
            description =
                    "The guest's memory, fixed for its life: 16 MiB and more. Default: 512MiB.")
    private long memory = 512L << 20;

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
        GuestSize maximum = maximum();
        DemoPlan plan =
                new DemoPlan(
                        maximum, target(maximum), backing, balloon == BalloonModel.VIRTIO, seed);
        Figures figures = new Figures();
        boolean allHeld = new Demo(plan, figures, spec.commandLine().getOut()).run();
        if (json != null) {
            figures.writeTo(json);
        }
        return allHeld ? 0 : 1;
    }

    private GuestSize maximum() {
        if (!backing.isSupported()) {
            throw wrong(
                    "--backing "
                            + backing
                            + " needs Linux on x86-64 or AArch64; allowed here is simulated");
        }
        if (memory < MIN_MEMORY) {
            throw wrong("--memory is " + SizeText.of(memory) + "; allowed is 16 MiB and more");
        }
        long limit = HostMemory.availableBytes();
        if (memory > limit) {
            throw wrong(
                    "--memory is "
                            + SizeText.of(memory)
                            + "; this host has "
                            + SizeText.of(limit)
                            + " available");
        }
        return GuestSize.roundedUp(memory);
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
