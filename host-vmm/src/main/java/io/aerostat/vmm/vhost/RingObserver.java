package io.aerostat.vmm.vhost;

/**
 * Sees a guest's rings from outside: when its kicks are taken, and when it is interrupted. Whoever
 * wants times takes them here, so that nobody else pays for them.
 *
 * <p>Called on the guest's thread, between a request and its answer: it must be quick, and neither
 * wait nor throw. Rings are numbered as the guest numbers them: inflate is 0 and deflate 1 for
 * every guest.
 */
public interface RingObserver {
    /** Sees nothing. */
    RingObserver NONE =
            new RingObserver() {
                @Override
                public void kicked(int ring) {}

                @Override
                public void interrupted(int ring) {}
            };

    /** A kick was read from the ring's descriptor, and the device does not know of it yet. */
    void kicked(int ring);

    /** An interrupt was written to the ring's descriptor, with what it announces in the ring. */
    void interrupted(int ring);
}
