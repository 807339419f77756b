package io.aerostat.virtio.queue;

import java.lang.invoke.VarHandle;

/**
 * Every fence of the split ring, by intention. The table in the package description says what each
 * pairs with.
 */
final class RingFences {
    private RingFences() {}

    /**
     * Before an idx is stored: all that it publishes is stored first. Pairs with {@link
     * #afterIndexLoad}.
     */
    static void beforeIndexStore() {
        VarHandle.releaseFence();
    }

    /**
     * After an idx was loaded: all that it publishes is loaded later. Pairs with {@link
     * #beforeIndexStore}.
     */
    static void afterIndexLoad() {
        VarHandle.acquireFence();
    }

    /**
     * Between the store of an idx and the load of the peer's wish to be notified. Store-load:
     * without it this side may decide on an old wish while the peer, having written the new one,
     * still sees the old idx. Pairs with {@link #betweenWishStoreAndIndexLoad}.
     */
    static void betweenIndexStoreAndWishLoad() {
        VarHandle.fullFence();
    }

    /**
     * Between the store of this side's wish to be notified and the second look at the peer's idx.
     * Store-load: without it a buffer that came in between is neither seen nor announced. Pairs
     * with {@link #betweenIndexStoreAndWishLoad}.
     */
    static void betweenWishStoreAndIndexLoad() {
        VarHandle.fullFence();
    }
}
