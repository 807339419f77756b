package io.aerostat.vmm.cli;

import org.jspecify.annotations.Nullable;

import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

import java.util.concurrent.Callable;

/** {@code aerostat dumpxml}: a running guest as libvirt would describe it. */
@Command(
        name = "dumpxml",
        description = "Describes a running guest as domain XML: the parts that concern memory.",
        sortOptions = false)
final class DumpXmlCommand implements Callable<Integer> {
    @Spec private CommandSpec spec = CommandSpec.create();

    @Mixin private GuestChoice guest = new GuestChoice();

    @Parameters(arity = "0..1", paramLabel = "NAME", description = "The guest.")
    private @Nullable String name;

    @Override
    public Integer call() throws Exception {
        spec.commandLine().getOut().println(guest.report(name).xml().text());
        return 0;
    }
}
