package io.aerostat.virtio.testkit;

import static io.aerostat.virtio.testkit.RingBytes.INDIRECT;
import static io.aerostat.virtio.testkit.RingBytes.NEXT;
import static io.aerostat.virtio.testkit.RingBytes.WRITE;

import io.aerostat.virtio.queue.QueueFault;

/**
 * Rings that a broken or hostile driver may leave, one rule broken in each, and the fault by which
 * a device must stop. Each makes one buffer available, or pretends to, on a ring whose available
 * part is at its start. The ring has 4 entries or more.
 *
 * <p>Two faults need more than a ring of one moment: {@link QueueFault#CHAIN_TOO_LONG} needs RAM
 * and descriptors for 2^32 bytes, and the placement faults come before there is a queue.
 */
public enum HostileRing {
    /** avail.idx one further ahead than there are entries. */
    INDEX_ONE_TOO_FAR(QueueFault.AVAILABLE_INDEX_JUMP) {
        @Override
        void write(RingBytes ring, long ok, long table) {
            ring.availableIdx(ring.size() + 1);
        }
    },
    /** avail.idx one back, before any buffer. */
    INDEX_BACKWARDS(QueueFault.AVAILABLE_INDEX_JUMP) {
        @Override
        void write(RingBytes ring, long ok, long table) {
            ring.availableIdx(65535);
        }
    },
    /** avail.idx half a round ahead. */
    INDEX_HALF_A_ROUND_AHEAD(QueueFault.AVAILABLE_INDEX_JUMP) {
        @Override
        void write(RingBytes ring, long ok, long table) {
            ring.availableIdx(32769);
        }
    },
    /** A head one past the table. */
    HEAD_ONE_TOO_HIGH(QueueFault.HEAD_OUT_OF_RANGE) {
        @Override
        void write(RingBytes ring, long ok, long table) {
            ring.offer(ring.size());
        }
    },
    /** The highest head there is. */
    HEAD_65535(QueueFault.HEAD_OUT_OF_RANGE) {
        @Override
        void write(RingBytes ring, long ok, long table) {
            ring.offer(65535);
        }
    },
    /** A next one past the table. */
    NEXT_ONE_TOO_HIGH(QueueFault.NEXT_OUT_OF_RANGE) {
        @Override
        void write(RingBytes ring, long ok, long table) {
            ring.descriptor(0, ok, 8, NEXT, ring.size());
            ring.offer(0);
        }
    },
    /** The highest next there is. */
    NEXT_65535(QueueFault.NEXT_OUT_OF_RANGE) {
        @Override
        void write(RingBytes ring, long ok, long table) {
            ring.descriptor(0, ok, 8, NEXT, 65535);
            ring.offer(0);
        }
    },
    /** A next past the indirect table, though inside the queue's. */
    NEXT_PAST_THE_INDIRECT_TABLE(QueueFault.NEXT_OUT_OF_RANGE) {
        @Override
        void write(RingBytes ring, long ok, long table) {
            RingBytes.descriptorAt(ring.ram(), table, ok, 8, NEXT, 2);
            ring.descriptor(0, table, 32, INDIRECT, 0);
            ring.offer(0);
        }
    },
    /** A descriptor that goes on at itself. */
    LOOP_OF_ONE(QueueFault.CHAIN_LOOPS) {
        @Override
        void write(RingBytes ring, long ok, long table) {
            ring.descriptor(0, ok, 8, NEXT, 0);
            ring.offer(0);
        }
    },
    /** Two writable descriptors in a circle, after a straight start. */
    LOOP_OF_TWO(QueueFault.CHAIN_LOOPS) {
        @Override
        void write(RingBytes ring, long ok, long table) {
            ring.descriptor(0, ok, 8, NEXT, 1);
            ring.descriptor(1, ok, 8, NEXT | WRITE, 2);
            ring.descriptor(2, ok, 8, NEXT | WRITE, 1);
            ring.offer(0);
        }
    },
    /** A circle inside an indirect table. */
    LOOP_IN_AN_INDIRECT_TABLE(QueueFault.CHAIN_LOOPS) {
        @Override
        void write(RingBytes ring, long ok, long table) {
            RingBytes.descriptorAt(ring.ram(), table, ok, 8, NEXT, 1);
            RingBytes.descriptorAt(ring.ram(), table + 16, ok, 8, NEXT, 0);
            ring.descriptor(0, table, 32, INDIRECT, 0);
            ring.offer(0);
        }
    },
    /** An element of no bytes. */
    ELEMENT_OF_NO_BYTES(QueueFault.ELEMENT_EMPTY) {
        @Override
        void write(RingBytes ring, long ok, long table) {
            ring.descriptor(0, ok, 0, 0, 0);
            ring.offer(0);
        }
    },
    /** An element of no bytes in the middle of a chain. */
    ELEMENT_OF_NO_BYTES_LATER(QueueFault.ELEMENT_EMPTY) {
        @Override
        void write(RingBytes ring, long ok, long table) {
            ring.descriptor(0, ok, 8, NEXT, 1);
            ring.descriptor(1, ok, 0, NEXT, 2);
            ring.descriptor(2, ok, 8, WRITE, 0);
            ring.offer(0);
        }
    },
    /** An element whose last byte is the first one behind RAM. */
    ELEMENT_ONE_BYTE_TOO_FAR(QueueFault.ELEMENT_OUTSIDE_RAM) {
        @Override
        void write(RingBytes ring, long ok, long table) {
            ring.descriptor(0, ring.ram().end() - 7, 8, WRITE, 0);
            ring.offer(0);
        }
    },
    /** An element that starts one byte before RAM. */
    ELEMENT_ONE_BYTE_TOO_EARLY(QueueFault.ELEMENT_OUTSIDE_RAM) {
        @Override
        void write(RingBytes ring, long ok, long table) {
            ring.descriptor(0, ring.ram().base() - 1, 8, 0, 0);
            ring.offer(0);
        }
    },
    /** The longest element. */
    ELEMENT_OF_ALL_LENGTH(QueueFault.ELEMENT_OUTSIDE_RAM) {
        @Override
        void write(RingBytes ring, long ok, long table) {
            ring.descriptor(0, ok, 0xFFFF_FFFFL, 0, 0);
            ring.offer(0);
        }
    },
    /** An element whose end overflows to RAM again. */
    ELEMENT_THAT_OVERFLOWS(QueueFault.ELEMENT_OUTSIDE_RAM) {
        @Override
        void write(RingBytes ring, long ok, long table) {
            ring.descriptor(0, -8, 8 + ring.ram().base() + 8, 0, 0);
            ring.offer(0);
        }
    },
    /** An element at the highest positive address. */
    ELEMENT_AT_2_TO_63(QueueFault.ELEMENT_OUTSIDE_RAM) {
        @Override
        void write(RingBytes ring, long ok, long table) {
            ring.descriptor(0, Long.MAX_VALUE, 1, 0, 0);
            ring.offer(0);
        }
    },
    /** An element outside RAM in an indirect table. */
    ELEMENT_OUTSIDE_RAM_IN_AN_INDIRECT_TABLE(QueueFault.ELEMENT_OUTSIDE_RAM) {
        @Override
        void write(RingBytes ring, long ok, long table) {
            RingBytes.descriptorAt(ring.ram(), table, ring.ram().end(), 1, WRITE, 0);
            ring.descriptor(0, table, 16, INDIRECT, 0);
            ring.offer(0);
        }
    },
    /** Writable, then readable. */
    READABLE_LAST(QueueFault.READABLE_AFTER_WRITABLE) {
        @Override
        void write(RingBytes ring, long ok, long table) {
            ring.descriptor(0, ok, 8, NEXT | WRITE, 1);
            ring.descriptor(1, ok, 8, 0, 0);
            ring.offer(0);
        }
    },
    /** Writable, then readable in an indirect table. */
    READABLE_IN_A_TABLE_AFTER_WRITABLE(QueueFault.READABLE_AFTER_WRITABLE) {
        @Override
        void write(RingBytes ring, long ok, long table) {
            RingBytes.descriptorAt(ring.ram(), table, ok, 8, 0, 0);
            ring.descriptor(0, ok, 8, NEXT | WRITE, 1);
            ring.descriptor(1, table, 16, INDIRECT | WRITE, 0);
            ring.offer(0);
        }
    },
    /** A good indirect descriptor on a queue without INDIRECT_DESC. */
    INDIRECT_UNASKED(QueueFault.INDIRECT_NOT_NEGOTIATED) {
        @Override
        void write(RingBytes ring, long ok, long table) {
            RingBytes.descriptorAt(ring.ram(), table, ok, 8, 0, 0);
            ring.descriptor(0, table, 16, INDIRECT, 0);
            ring.offer(0);
        }
    },
    /** INDIRECT and NEXT together. */
    INDIRECT_THAT_GOES_ON(QueueFault.INDIRECT_WITH_NEXT) {
        @Override
        void write(RingBytes ring, long ok, long table) {
            RingBytes.descriptorAt(ring.ram(), table, ok, 8, 0, 0);
            ring.descriptor(0, table, 16, INDIRECT | NEXT, 1);
            ring.descriptor(1, ok, 8, 0, 0);
            ring.offer(0);
        }
    },
    /** A table whose first entry is indirect, at itself. */
    TABLE_THAT_STARTS_INDIRECT(QueueFault.INDIRECT_NESTED) {
        @Override
        void write(RingBytes ring, long ok, long table) {
            RingBytes.descriptorAt(ring.ram(), table, table, 16, INDIRECT, 0);
            ring.descriptor(0, table, 16, INDIRECT, 0);
            ring.offer(0);
        }
    },
    /** A table whose second entry is indirect. */
    TABLE_THAT_ENDS_INDIRECT(QueueFault.INDIRECT_NESTED) {
        @Override
        void write(RingBytes ring, long ok, long table) {
            RingBytes.descriptorAt(ring.ram(), table, ok, 8, NEXT, 1);
            RingBytes.descriptorAt(ring.ram(), table + 16, table, 32, INDIRECT, 0);
            ring.descriptor(0, table, 32, INDIRECT, 0);
            ring.offer(0);
        }
    },
    /** A table of no bytes. */
    TABLE_OF_NO_BYTES(QueueFault.INDIRECT_LENGTH_INVALID) {
        @Override
        void write(RingBytes ring, long ok, long table) {
            ring.descriptor(0, table, 0, INDIRECT, 0);
            ring.offer(0);
        }
    },
    /** A table of less than a descriptor. */
    TABLE_OF_15_BYTES(QueueFault.INDIRECT_LENGTH_INVALID) {
        @Override
        void write(RingBytes ring, long ok, long table) {
            ring.descriptor(0, table, 15, INDIRECT, 0);
            ring.offer(0);
        }
    },
    /** A table of a descriptor and a byte. */
    TABLE_OF_17_BYTES(QueueFault.INDIRECT_LENGTH_INVALID) {
        @Override
        void write(RingBytes ring, long ok, long table) {
            ring.descriptor(0, table, 17, INDIRECT, 0);
            ring.offer(0);
        }
    },
    /** A table one descriptor over the device's cap of 1024. */
    TABLE_OF_1025_DESCRIPTORS(QueueFault.INDIRECT_TOO_LONG) {
        @Override
        void write(RingBytes ring, long ok, long table) {
            ring.descriptor(0, table, 16 * 1025, INDIRECT, 0);
            ring.offer(0);
        }
    },
    /** The longest table. */
    TABLE_OF_ALL_LENGTH(QueueFault.INDIRECT_TOO_LONG) {
        @Override
        void write(RingBytes ring, long ok, long table) {
            ring.descriptor(0, table, 0xFFFF_FFF0L, INDIRECT, 0);
            ring.offer(0);
        }
    },
    /** A table whose last descriptor is behind RAM. */
    TABLE_THAT_LEAVES_RAM(QueueFault.INDIRECT_OUTSIDE_RAM) {
        @Override
        void write(RingBytes ring, long ok, long table) {
            ring.descriptor(0, ring.ram().end() - 16, 32, INDIRECT, 0);
            ring.offer(0);
        }
    },
    /** A table at no address. */
    TABLE_AT_MINUS_16(QueueFault.INDIRECT_OUTSIDE_RAM) {
        @Override
        void write(RingBytes ring, long ok, long table) {
            ring.descriptor(0, -16, 16, INDIRECT, 0);
            ring.offer(0);
        }
    };

    private final QueueFault expected;

    HostileRing(QueueFault expected) {
        this.expected = expected;
    }

    /** By which fault a device stops. */
    public QueueFault expected() {
        return expected;
    }

    /** Whether INDIRECT_DESC must have been negotiated for {@link #expected} to be the fault. */
    public boolean wantsIndirect() {
        return expected != QueueFault.INDIRECT_NOT_NEGOTIATED;
    }

    /**
     * Leaves the ring so.
     *
     * @param ok guest address of 8 bytes of RAM for good elements
     * @param table guest address of 32 bytes of RAM for an indirect table
     */
    public void writeTo(RingBytes ring, long ok, long table) {
        write(ring, ok, table);
    }

    abstract void write(RingBytes ring, long ok, long table);
}
