package io.aerostat.vmm.cli;

import org.jspecify.annotations.Nullable;

import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;

import java.nio.file.Files;
import java.nio.file.Path;

/** A file that a verb will write at its end. */
final class OutputFile {
    private OutputFile() {}

    /**
     * Refuses one that cannot be written, before anything is done: a story takes its time.
     *
     * @param option how the user names it
     * @param file null for none
     */
    static void requireWritable(CommandSpec spec, String option, @Nullable Path file) {
        if (file == null) {
            return;
        }
        Path folder = file.toAbsolutePath().getParent();
        boolean isFile = folder != null && Files.isDirectory(folder) && !Files.isDirectory(file);
        if (!isFile || !Files.isWritable(Files.exists(file) ? file : folder)) {
            throw new ParameterException(
                    spec.commandLine(),
                    option + " is " + file + "; allowed is a file that can be written");
        }
    }
}
