/** What a benchmark measures is what it says, and its tables add up. */
@NullMarked
package io.aerostat.bench;

import org.jspecify.annotations.NullMarked;
