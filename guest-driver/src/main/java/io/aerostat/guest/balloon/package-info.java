/**
 * The guest's balloon driver (VIRTIO 1.4, 5.5), as a state machine that its owner steps.
 *
 * <pre>
 *   BalloonDriver    up, down, lost, again; what the guest asks for
 *     BalloonBringUp   handshake, features, reset          BalloonQueues   rings, buffers, poison_val
 *     DeviceWatch      is the device still there?
 *     BalloonLink      one live device: target and actual
 *       Inflation, Deflation   pages in and out             PageRequests, BalloonedPages
 *       Migration              a page for another
 *       StatisticsQueue        StatisticsSource fills, the device reads
 *       HintQueue              free blocks that need no copy
 *       ReportingQueue         free blocks that need no memory
 * </pre>
 *
 * <p>Start with {@link io.aerostat.guest.balloon.BalloonDriver}. It takes pages from the page
 * allocator, hands their numbers to the device, and gives them back when the device has confirmed
 * that it may.
 *
 * <p>Knows queues, the transport and the page allocator. Does not know the device's classes, the
 * host, or any thread but the one that steps it; nor when the guest is out of memory or wants a
 * page moved: it is asked.
 */
@NullMarked
package io.aerostat.guest.balloon;

import org.jspecify.annotations.NullMarked;
