/**
 * The command line. Start with {@link io.aerostat.vmm.cli.Main}; each verb is a class.
 *
 * <p>Knows virtual machines and guests. Nothing knows it.
 */
@NullMarked
package io.aerostat.vmm.cli;

import org.jspecify.annotations.NullMarked;
