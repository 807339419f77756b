/**
 * Guests that are served, and where their users find them: {@link
 * io.aerostat.vmm.serve.RunDirectory}.
 *
 * <p>Knows monitors and their sockets. Does not know the command line.
 */
@NullMarked
package io.aerostat.vmm.serve;

import org.jspecify.annotations.NullMarked;
