package io.aerostat.vmm.vhost.message;

import io.aerostat.vmm.os.Descriptor;

/**
 * A region of guest RAM, as a front-end offers it. Nothing is checked: any numbers.
 *
 * @param guestAddress guest-physical address of the first byte
 * @param size bytes
 * @param userAddress where the front-end sees the first byte; ring addresses are told in these
 * @param mmapOffset where the region begins in the file, in bytes
 * @param descriptor the file; whoever has the message closes it
 */
public record MemoryRegion(
        long guestAddress, long size, long userAddress, long mmapOffset, Descriptor descriptor) {}
