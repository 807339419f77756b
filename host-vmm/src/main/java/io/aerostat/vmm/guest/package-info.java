/**
 * A guest in this process: the balloon driver, a page allocator and a workload, on a thread of
 * their own or stepped by hand.
 *
 * <p>Sees the host through guest RAM, the register window and the interrupt line alone.
 */
@NullMarked
package io.aerostat.vmm.guest;

import org.jspecify.annotations.NullMarked;
