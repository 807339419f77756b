/**
 * What a guest does with its memory: takes pages, writes them, checks them, gives them back.
 *
 * <p>Knows the page allocator and guest RAM. Does not know that there is a balloon: pages that are
 * missing are just not there.
 */
@NullMarked
package io.aerostat.guest.workload;

import org.jspecify.annotations.NullMarked;
