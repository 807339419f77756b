/**
 * What every virtio driver does alike: speak to a device through a transport, and bring it up step
 * by step.
 *
 * <p>{@link io.aerostat.virtio.driver.DriverTransport} is the driver's view of the bus; {@link
 * io.aerostat.virtio.driver.DriverHandshake} is the initialization sequence of the standard, which
 * says why it failed.
 *
 * <p>Knows status bits, features and queue addresses. Does not know registers, or what a device is
 * for.
 */
@NullMarked
package io.aerostat.virtio.driver;

import org.jspecify.annotations.NullMarked;
