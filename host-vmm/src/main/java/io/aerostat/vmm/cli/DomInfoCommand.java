package io.aerostat.vmm.cli;

import io.aerostat.vmm.vm.GuestSize;

import org.jspecify.annotations.Nullable;

import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

import java.io.PrintWriter;
import java.util.concurrent.Callable;

/** {@code aerostat dominfo}: a running guest in a few lines, those of virsh first. */
@Command(
        name = "dominfo",
        description = "Tells what the host knows about a running guest.",
        sortOptions = false)
final class DomInfoCommand implements Callable<Integer> {
    @Spec private CommandSpec spec = CommandSpec.create();

    @Mixin private GuestChoice guest = new GuestChoice();

    @Parameters(arity = "0..1", paramLabel = "NAME", description = "The guest.")
    private @Nullable String name;

    @Override
    public Integer call() throws Exception {
        DomainReport report = guest.report(name);
        PrintWriter out = spec.commandLine().getOut();
        line(out, "Name", report.name());
        line(out, "State", report.state());
        report.maximum().ifPresent(size -> line(out, "Max memory", kib(size.bytes())));
        report.current().ifPresent(size -> line(out, "Used memory", kib(size.bytes())));
        report.target().map(GuestSize::bytes).ifPresent(size -> line(out, "Target", kib(size)));
        line(out, "Balloon", kib(report.ballooned()));
        report.resident().ifPresent(bytes -> line(out, "Resident", kib(bytes)));
        line(
                out,
                "Features",
                report.features().isEmpty() ? "none" : String.join(", ", report.features()));
        line(out, "Discard calls", String.valueOf(report.discardCalls()));
        return 0;
    }

    private static void line(PrintWriter out, String what, String value) {
        out.printf("%-15s %s%n", what + ":", value);
    }

    private static String kib(long bytes) {
        return (bytes >> 10) + " KiB";
    }
}
