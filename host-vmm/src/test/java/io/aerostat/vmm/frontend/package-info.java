/**
 * The other side of vhost-user, for tests: a front-end that a back-end can be served by, or be
 * annoyed by.
 *
 * <pre>
 *   our guest driver ─▶ VhostUserTransport ─▶ VhostDevice ─▶ FrontEnd ─▶ socket
 *                                                 │  └ Dialect: as UML or as QEMU
 *                                                 └ Vring ×5, FrontEndRam
 * </pre>
 *
 * <p>Start with {@link io.aerostat.vmm.frontend.VhostUserTransport} to run a driver, or with {@link
 * io.aerostat.vmm.frontend.FrontEnd} to send anything at all. Knows the wire by its layouts, not by
 * the reader and writer of the product.
 */
@NullMarked
package io.aerostat.vmm.frontend;

import org.jspecify.annotations.NullMarked;
