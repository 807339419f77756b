/**
 * How things are told: sizes, tables, progress, checks, figures as JSON, pictures; and what the
 * host's kernel says.
 *
 * <p>Knows virtual machines and guests by their figures. Does not know what is told, or by which
 * command.
 */
@NullMarked
package io.aerostat.vmm.report;

import org.jspecify.annotations.NullMarked;
