package io.aerostat.virtio.device;

import io.aerostat.virtio.snapshot.SnapshotException;
import io.aerostat.virtio.snapshot.SnapshotReader;
import io.aerostat.virtio.snapshot.SnapshotWriter;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * A device's configuration space (VIRTIO 1.4, 2.5): little-endian 32-bit fields, with a generation
 * that lets the driver see whether what it read in several pieces is of one version.
 *
 * <p>A seqlock. The device's owner writes fields by {@link #set}; the guest's register thread reads
 * any and writes those that are the driver's. The generation is even while nothing changes. A read
 * of the generation that meets a change in progress answers an odd number that it never answered
 * before, so that no two reads around a torn value can agree, and nobody waits.
 */
public final class ConfigSpace {
    private static final VarHandle FIELD = MethodHandles.arrayElementVarHandle(int[].class);
    private static final VarHandle GENERATION;

    static {
        try {
            GENERATION =
                    MethodHandles.lookup()
                            .findVarHandle(ConfigSpace.class, "generation", int.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final int[] fields;
    private final long driverWritable;

    @SuppressWarnings("unused") // Accessed through GENERATION.
    private volatile int generation;

    /** Odd numbers for reads that met a change; the register thread's. */
    private int unsettled = 1;

    /**
     * A space of zeros.
     *
     * @param length bytes, a multiple of 4, at most 256
     * @param driverWritable mask of the 32-bit fields that the driver may write: bit i for the
     *     field at offset 4i
     */
    public ConfigSpace(int length, long driverWritable) {
        if (length < 0 || length % Integer.BYTES != 0 || length > Long.SIZE * Integer.BYTES) {
            throw new IllegalArgumentException(
                    "configuration space is up to 64 fields of 4 bytes: length=" + length);
        }
        fields = new int[length / Integer.BYTES];
        this.driverWritable = driverWritable;
    }

    /** Bytes of the space. */
    public int length() {
        return fields.length * Integer.BYTES;
    }

    /** The field at an offset, a multiple of 4. Any thread. */
    public int get(int offset) {
        return (int) FIELD.getAcquire(fields, offset / Integer.BYTES);
    }

    /**
     * Changes a field and with it the generation. The device's owner only; telling the driver is
     * the caller's part.
     */
    public void set(int offset, int value) {
        int settled = (int) GENERATION.getOpaque(this);
        GENERATION.setOpaque(this, settled + 1);
        // Seqlock, writer. Pairs with generation(): whoever reads the new field also reads this or
        // a later generation.
        VarHandle.releaseFence();
        FIELD.setOpaque(fields, offset / Integer.BYTES, value);
        GENERATION.setRelease(this, settled + 2);
    }

    /** The generation as the driver sees it. The register thread only. */
    public int generation() {
        // Seqlock, reader. Field reads before this call stay before it, those after stay after:
        // pairs with set().
        VarHandle.acquireFence();
        int seen = (int) GENERATION.getAcquire(this);
        if ((seen & 1) == 0) {
            return seen;
        }
        unsettled += 2;
        return unsettled;
    }

    /**
     * Reads {@code width} bytes for the driver, little-endian, at any offset; bytes outside the
     * space read 0. The register thread only.
     *
     * @param width 1 to 8
     */
    public long read(long offset, int width) {
        long value = 0;
        int i = 0;
        while (i < width) {
            long at = offset + i;
            if (at < 0 || at >= length()) {
                i++;
                continue;
            }
            // All bytes of one field come from one load, so that the driver never sees half a
            // value.
            int bytes = bytesInField(at, width - i);
            int field = (int) FIELD.getOpaque(fields, (int) at / Integer.BYTES);
            value |= ((field >>> shiftOf(at)) & maskOf(bytes)) << (i * Byte.SIZE);
            i += bytes;
        }
        return value;
    }

    /**
     * Writes {@code width} bytes for the driver, little-endian, at any offset; bytes that are not
     * the driver's are ignored. The register thread only.
     *
     * @param width 1 to 8
     * @return whether any byte was the driver's to write
     */
    public boolean write(long offset, int width, long value) {
        boolean written = false;
        int i = 0;
        while (i < width) {
            long at = offset + i;
            if (at < 0 || at >= length() || ((driverWritable >>> (at / Integer.BYTES)) & 1) == 0) {
                i++;
                continue;
            }
            // All bytes of one field go in one store, so that the owner never sees half a value.
            int bytes = bytesInField(at, width - i);
            int mask = (int) maskOf(bytes);
            int bits = (int) (value >>> (i * Byte.SIZE)) & mask;
            int field = (int) at / Integer.BYTES;
            int old = (int) FIELD.getOpaque(fields, field);
            FIELD.setRelease(fields, field, (old & ~(mask << shiftOf(at))) | (bits << shiftOf(at)));
            written = true;
            i += bytes;
        }
        return written;
    }

    /** Writes fields and generation. While neither the owner nor the register thread is at work. */
    void save(SnapshotWriter out) {
        out.writeInt(fields.length);
        for (int field : fields) {
            out.writeInt(field);
        }
        out.writeInt(generation);
        out.writeInt(unsettled);
    }

    /**
     * Reads fields and generation, without effect.
     *
     * @return puts them in place; while neither the owner nor the register thread is at work
     */
    Runnable prepareRestore(SnapshotReader in) throws SnapshotException {
        in.readInt("configFields", fields.length, fields.length);
        int[] saved = new int[fields.length];
        for (int i = 0; i < saved.length; i++) {
            saved[i] = in.readInt("configField");
        }
        int savedGeneration = in.readInt("generation");
        int savedUnsettled = in.readInt("unsettled");
        if ((savedGeneration & 1) != 0) {
            throw SnapshotException.impossible("generation", savedGeneration);
        }
        if ((savedUnsettled & 1) == 0) {
            throw SnapshotException.impossible("unsettled", savedUnsettled);
        }
        return () -> {
            for (int i = 0; i < saved.length; i++) {
                // A host thread may read a field meanwhile.
                FIELD.setRelease(fields, i, saved[i]);
            }
            generation = savedGeneration;
            unsettled = savedUnsettled;
        };
    }

    /** The driver has reset the device: its fields are 0 again. The register thread only. */
    void clearDriverFields() {
        for (int field = 0; field < fields.length; field++) {
            if (((driverWritable >>> field) & 1) != 0) {
                FIELD.setRelease(fields, field, 0);
            }
        }
    }

    private static int bytesInField(long at, int wanted) {
        return (int) Math.min(wanted, Integer.BYTES - at % Integer.BYTES);
    }

    private static long maskOf(int bytes) {
        return (1L << (bytes * Byte.SIZE)) - 1;
    }

    private static int shiftOf(long offset) {
        return (int) (offset % Integer.BYTES) * Byte.SIZE;
    }
}
