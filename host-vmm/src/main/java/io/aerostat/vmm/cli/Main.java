package io.aerostat.vmm.cli;

import io.aerostat.vmm.demo.Scenario;
import io.aerostat.vmm.vm.Backing;

import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.HelpCommand;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.TypeConversionException;
import picocli.CommandLine.UnmatchedArgumentException;

import java.io.PrintWriter;
import java.nio.file.FileSystemException;
import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Collectors;

/**
 * {@code aerostat}: the verbs, and what becomes of mistakes.
 *
 * <p>Exit codes: 0 all is well; 1 something did not hold or failed; 2 the command line was wrong,
 * which is said in one line.
 */
@Command(
        name = "aerostat",
        description = "A virtio memory balloon: gives a virtual machine's memory back to its host.",
        subcommands = {
            DemoCommand.class,
            LinuxDemoCommand.class,
            ServeCommand.class,
            SetMemCommand.class,
            DomMemStatCommand.class,
            DomInfoCommand.class,
            DumpXmlCommand.class,
            ListCommand.class,
            HelpCommand.class
        },
        synopsisSubcommandLabel = "VERB",
        commandListHeading = "%nVerbs:%n",
        footer = {
            "  bench       Measures speed: ./aerostat bench [--embedding|--linux] [--quick]",
            "",
            "aerostat help VERB tells about a verb."
        })
public final class Main {
    private static final String LOG_FORMAT = "java.util.logging.SimpleFormatter.format";

    private static final String VERBS =
            "demo, linux-demo, serve, setmem, dommemstat, dominfo, dumpxml, list, bench, help";

    private Main() {}

    /** Runs a verb and exits with its code. */
    public static void main(String[] arguments) {
        // A line a message, unless the user has another wish; before anything is logged.
        if (System.getProperty(LOG_FORMAT) == null) {
            System.setProperty(LOG_FORMAT, "%1$tF %1$tT %4$s %5$s%6$s%n");
        }
        System.exit(run(arguments));
    }

    /** Runs a verb and returns its exit code. */
    static int run(String... arguments) {
        CommandLine line = new CommandLine(new Main());
        line.registerConverter(Backing.class, text -> oneOf(Backing.values(), text));
        line.registerConverter(
                DemoCommand.BalloonModel.class,
                text -> oneOf(DemoCommand.BalloonModel.values(), text));
        line.registerConverter(Scenario.class, text -> oneOf(Scenario.values(), text));
        line.setParameterExceptionHandler(Main::sayWhatWasWrong);
        line.setExecutionExceptionHandler(
                (error, command, parsed) -> {
                    command.getErr().println("aerostat: " + whatFailed(error));
                    return CommandLine.ExitCode.SOFTWARE;
                });
        if (arguments.length == 0) {
            line.usage(line.getOut());
            return CommandLine.ExitCode.USAGE;
        }
        return line.execute(arguments);
    }

    /** The message of a file's failure is often no more than its name. */
    private static String whatFailed(Exception error) {
        return error instanceof FileSystemException
                ? "cannot use " + error.getMessage()
                : String.valueOf(error.getMessage());
    }

    private static <E extends Enum<E>> E oneOf(E[] choices, String text) {
        for (E choice : choices) {
            if (choice.name().equalsIgnoreCase(text)) {
                return choice;
            }
        }
        String allowed =
                Arrays.stream(choices)
                        .map(choice -> choice.name().toLowerCase(Locale.ROOT))
                        .collect(Collectors.joining(", "));
        throw new TypeConversionException("'" + text + "' is none of " + allowed);
    }

    private static int sayWhatWasWrong(ParameterException error, String[] arguments) {
        CommandLine line = error.getCommandLine();
        PrintWriter err = line.getErr();
        boolean verbUnknown =
                line.getParent() == null && error instanceof UnmatchedArgumentException;
        if (verbUnknown) {
            err.println("aerostat: no such verb: " + arguments[0] + "; verbs are " + VERBS);
        } else {
            String verb = line.getParent() == null ? "" : " " + line.getCommandName();
            String message = String.valueOf(error.getMessage()).lines().findFirst().orElse("");
            err.println("aerostat" + verb + ": " + message + "; see ./aerostat help" + verb);
        }
        return CommandLine.ExitCode.USAGE;
    }
}
