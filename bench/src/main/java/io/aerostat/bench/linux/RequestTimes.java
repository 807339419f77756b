package io.aerostat.bench.linux;

/**
 * Who had the requests for how long.
 *
 * @param device from a kick to its interrupt
 * @param guest from an interrupt to the next kick of the same round
 */
record RequestTimes(Latency device, Latency guest) {
    /** Of no request. */
    static RequestTimes none() {
        return new RequestTimes(new Latency(), new Latency());
    }

    void clear() {
        device.clear();
        guest.clear();
    }
}
