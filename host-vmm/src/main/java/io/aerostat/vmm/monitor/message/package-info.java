/**
 * What goes over a QMP socket, as values: JSON, requests and their arguments, errors, figures and
 * outcomes; and which paths a socket may have. Start with {@link
 * io.aerostat.vmm.monitor.message.QmpRequest}.
 *
 * <p>Both sides share it. Knows neither sockets' bytes nor guests.
 */
@NullMarked
package io.aerostat.vmm.monitor.message;

import org.jspecify.annotations.NullMarked;
