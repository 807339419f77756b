/**
 * How fast: JMH benchmarks, one class a question, with a baseline beside the answer.
 *
 * <p>Start with {@link io.aerostat.bench.InflateBenchmark}; {@link io.aerostat.bench.Main} runs it
 * and keeps the raw results.
 */
@NullMarked
package io.aerostat.bench;

import org.jspecify.annotations.NullMarked;
