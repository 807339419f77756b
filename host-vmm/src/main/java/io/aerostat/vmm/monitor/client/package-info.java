/**
 * The other end of a QMP socket: {@link io.aerostat.vmm.monitor.client.QmpClient}, which waits for
 * answers and not for ever.
 *
 * <p>Knows the protocol. Does not know guests, nor what users want of them.
 */
@NullMarked
package io.aerostat.vmm.monitor.client;

import org.jspecify.annotations.NullMarked;
