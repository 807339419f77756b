/**
 * The demo's stories, each with real memory, checks and figures. {@link io.aerostat.vmm.demo.Demo}
 * tells the whole way of some memory from a guest to its host and back.
 *
 * <p>Knows virtual machines and guests. Does not know the command line.
 */
@NullMarked
package io.aerostat.vmm.demo;

import org.jspecify.annotations.NullMarked;
