package io.aerostat.guest.balloon;

/**
 * What a driver keeps over resets of its device.
 *
 * @param pages where pages come from and go to
 * @param ballooned the pages in the balloon; none without a live device
 * @param counters what has happened so far
 * @param statistics the guest's memory statistics
 * @param source where their values come from
 */
record DriverBooks(
        GuestPages pages,
        BalloonedPages ballooned,
        DriverCounters counters,
        StatisticsBuffer statistics,
        StatisticsSource source) {}
