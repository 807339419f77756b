/** What could be wrong in silence: statistics, units, arguments. */
@NullMarked
package io.aerostat.bench.linux;

import org.jspecify.annotations.NullMarked;
