/**
 * Page numbers become page ranges: copied once out of guest RAM, ordered, merged, checked against
 * the ledger of ballooned pages, and handed to whoever gives them back.
 *
 * <p>Start with {@link io.aerostat.balloon.range.PfnBatch}; {@link
 * io.aerostat.balloon.range.PageLedger} remembers which pages are in the balloon, {@link
 * io.aerostat.balloon.range.HostPages} which larger pages of the host they complete, {@link
 * io.aerostat.balloon.range.PageReclaimer} is the seam to the host's memory.
 *
 * <p>Knows guest RAM and page numbers. Does not know queues, the device's configuration, or how
 * memory is given back.
 */
@NullMarked
package io.aerostat.balloon.range;

import org.jspecify.annotations.NullMarked;
