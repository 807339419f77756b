package io.aerostat.vmm.serve;

import io.aerostat.vmm.vhost.VhostUserOptions;

import org.jspecify.annotations.Nullable;

import java.nio.file.Path;

/**
 * A guest to be served.
 *
 * @param options its balloon, and where its front-end connects
 * @param monitor where its monitor listens, or null for the run directory
 */
public record GuestEntry(VhostUserOptions options, @Nullable Path monitor) {}
