/**
 * Guests that are served by one process, each with its monitor, and where their users find them.
 * Start with {@link io.aerostat.vmm.serve.GuestService}.
 *
 * <p>Knows guests over vhost-user, and monitors. Does not know the command line.
 */
@NullMarked
package io.aerostat.vmm.serve;

import org.jspecify.annotations.NullMarked;
