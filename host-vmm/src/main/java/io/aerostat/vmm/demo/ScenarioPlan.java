package io.aerostat.vmm.demo;

import io.aerostat.vmm.vm.Backing;
import io.aerostat.vmm.vm.GuestSize;

import java.nio.file.Path;
import java.util.Optional;

/**
 * What a scenario is told with.
 *
 * @param maximum the guest's memory
 * @param backing what its RAM is made of
 * @param seed of all that its processes do
 * @param showTasks whether to list the guest's tasks before, during and after
 * @param plot where to draw how memory was used, or empty
 */
public record ScenarioPlan(
        GuestSize maximum, Backing backing, long seed, boolean showTasks, Optional<Path> plot) {
    /** A part of the guest's memory, in pages. */
    int pages(double part) {
        return (int) (maximum.pages() * part);
    }

    /** A part of the guest's memory. */
    GuestSize part(double part) {
        return new GuestSize((long) pages(part) << 12);
    }
}
