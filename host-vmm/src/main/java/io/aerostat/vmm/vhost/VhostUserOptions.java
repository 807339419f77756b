package io.aerostat.vmm.vhost;

import io.aerostat.balloon.BalloonOptions;
import io.aerostat.vmm.vm.GuestSize;

import java.nio.file.Path;

/**
 * How a guest is served.
 *
 * @param name what users call it
 * @param socket where its front-end connects
 * @param balloon the device that it is offered
 * @param floor the smallest size that it is asked for
 */
public record VhostUserOptions(String name, Path socket, BalloonOptions balloon, GuestSize floor) {
    /** Front-ends choose the size of rings by themselves: User Mode Linux takes 256 entries. */
    private static final int QUEUE_SIZE = 1024;

    /** A guest that is offered the balloon of {@link BalloonOptions#DEFAULT}, without a floor. */
    public static VhostUserOptions of(String name, Path socket) {
        return new VhostUserOptions(
                name,
                socket,
                BalloonOptions.DEFAULT.withQueueSize(QUEUE_SIZE),
                GuestSize.roundedUp(1));
    }

    /** These options with other features of the balloon. */
    public VhostUserOptions withFeatures(long features) {
        return new VhostUserOptions(name, socket, balloon.withFeatures(features), floor);
    }

    /** These options with another floor. */
    public VhostUserOptions withFloor(GuestSize floor) {
        return new VhostUserOptions(name, socket, balloon, floor);
    }
}
