package io.aerostat.vmm.cli;

import io.aerostat.vmm.demo.LinuxDemo;
import io.aerostat.vmm.demo.LinuxDemoPlan;
import io.aerostat.vmm.linux.LinuxPackages;
import io.aerostat.vmm.report.Figures;
import io.aerostat.vmm.report.HostMemory;
import io.aerostat.vmm.report.SizeText;
import io.aerostat.vmm.vm.GuestSize;

import org.jspecify.annotations.Nullable;

import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

import java.nio.file.Path;
import java.util.concurrent.Callable;

/** {@code aerostat linux-demo}: the story of {@code demo} with a real kernel. */
@Command(
        name = "linux-demo",
        description =
                "Starts a real Linux guest (User Mode Linux, an ordinary process), takes memory"
                        + " back from its own virtio_balloon driver, and returns it.",
        sortOptions = false)
final class LinuxDemoCommand implements Callable<Integer> {
    private static final long MIB = 1L << 20;
    private static final long DEFAULT_MEMORY = 256 * MIB;

    /** Linux reports free memory only while it has 32 blocks of it to spare, of 4 MiB each here. */
    private static final long MIN_MEMORY = 192 * MIB;

    /** Kernel, programs and what the demo keeps. */
    private static final long MIN_TARGET = 56 * MIB;

    /** Kernel, programs, what the demo keeps, and some to spare. */
    private static final long UNUSED = 64 * MIB;

    @Spec private CommandSpec spec = CommandSpec.create();

    @Option(
            names = "--memory",
            paramLabel = "SIZE",
            converter = SizeText.class,
            description = "The guest's memory: 192 MiB and more. Default: 256MiB.")
    private long memory = DEFAULT_MEMORY;

    @Option(
            names = "--to",
            paramLabel = "SIZE",
            converter = SizeText.class,
            description = "What setmem brings the guest to. Default: half of --memory.")
    private @Nullable Long to;

    @Option(
            names = "--json",
            paramLabel = "FILE",
            description = "Write the figures there as one JSON object.")
    private @Nullable Path json;

    @Override
    public Integer call() throws Exception {
        OutputFile.requireWritable(spec, "--json", json);
        LinuxDemoPlan plan = plan();
        LinuxPackages packages = LinuxPackages.search();
        if (!packages.isComplete()) {
            spec.commandLine().getErr().println("aerostat linux-demo: " + packages.remedy());
            return 1;
        }
        Figures figures = new Figures();
        boolean held = new LinuxDemo(plan, figures, spec.commandLine().getOut()).run();
        if (json != null) {
            figures.writeTo(json);
        }
        return held ? 0 : 1;
    }

    private LinuxDemoPlan plan() {
        long limit = HostMemory.availableBytes();
        if (memory < MIN_MEMORY || memory > limit) {
            throw wrong(
                    "--memory is "
                            + SizeText.of(memory)
                            + "; allowed is "
                            + SizeText.of(MIN_MEMORY)
                            + " to "
                            + SizeText.of(limit)
                            + ", what this host has available");
        }
        long target = to == null ? memory / 2 : to;
        long most = memory - 32 * MIB;
        if (target < MIN_TARGET || target > most) {
            throw wrong(
                    "--to is "
                            + SizeText.of(target)
                            + "; allowed is "
                            + SizeText.of(MIN_TARGET)
                            + ", what the guest needs, to "
                            + SizeText.of(most));
        }
        return new LinuxDemoPlan(
                GuestSize.roundedUp(memory),
                GuestSize.roundedUp(target),
                Math.min(memory / 4 * 3, memory - UNUSED) / MIB * MIB);
    }

    private ParameterException wrong(String message) {
        return new ParameterException(spec.commandLine(), message);
    }
}
