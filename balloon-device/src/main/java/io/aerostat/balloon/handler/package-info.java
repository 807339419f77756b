/**
 * What the balloon's queues mean on the host's side: requests are read, page numbers become ranges,
 * ranges are discarded or given back, and only then is the request returned.
 *
 * <p>Start with {@link io.aerostat.balloon.handler.PfnQueueHandler}; each kind of queue has a
 * {@link io.aerostat.balloon.handler.QueueHandler}. Counts everything in {@link
 * io.aerostat.balloon.handler.BalloonCounters}; what a guest gets wrong is a counted anomaly and
 * never an error.
 *
 * <p>Knows queues and ranges. Does not know the configuration space, targets, or how the host gives
 * memory back.
 */
@NullMarked
package io.aerostat.balloon.handler;

import org.jspecify.annotations.NullMarked;
