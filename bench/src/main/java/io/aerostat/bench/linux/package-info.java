/**
 * How fast with a real guest: Linux in a process of its own, its driver, its rings, and our
 * back-end in this process; beside it, in the same run, a peer's back-end.
 *
 * <pre>
 *   LinuxBenchmark       a plan's guests, one size after the other
 *     LinuxRig           one guest on one back-end: rounds
 *       BackEnd          OwnBackEnd with its RequestClock, or PeerBackEnd
 *     Measurements       what was measured of it: Rounds, Latency
 *       LinuxSummary, LinuxResults    as tables, as JSON
 * </pre>
 *
 * <p>Start with {@link io.aerostat.bench.linux.LinuxBenchmark}. Not JMH: half of the work is done
 * by another process. Does not know how a launcher finds files.
 */
@NullMarked
package io.aerostat.bench.linux;

import org.jspecify.annotations.NullMarked;
