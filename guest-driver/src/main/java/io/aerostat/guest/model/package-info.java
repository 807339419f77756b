/**
 * A whole guest, joined from its parts: memory under pressure, the balloon driver, tasks and what
 * they do, on one virtual clock.
 *
 * <p>Start with {@link io.aerostat.guest.model.GuestModel}. Knows every part of the guest; the
 * parts do not know each other but through it. Does not know the host.
 */
@NullMarked
package io.aerostat.guest.model;

import org.jspecify.annotations.NullMarked;
