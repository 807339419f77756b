package io.aerostat.vmm.frontend;

/** The front-ends that tests run with: how they speak, and what RAM they have. */
public enum Manner {
    /** UML. */
    UML,
    /** UML whose driver drops a feature late. */
    UML_WITHOUT_ENABLE,
    /** QEMU with a small machine. */
    QEMU,
    /** QEMU with RAM on both sides of the hole below 4 GiB. */
    QEMU_TWO_REGIONS;

    /** A new device's way to speak. */
    public Dialect dialect() {
        return switch (this) {
            case UML -> UmlDialect.usual();
            case UML_WITHOUT_ENABLE -> UmlDialect.withoutEnable();
            case QEMU, QEMU_TWO_REGIONS -> QemuDialect.usual();
        };
    }

    /** RAM of so many bytes, halves if there are two regions. */
    public FrontEndRam ram(long bytes) {
        return switch (this) {
            case UML, UML_WITHOUT_ENABLE -> FrontEndRam.likeUml(bytes);
            case QEMU -> FrontEndRam.likeQemu(bytes);
            case QEMU_TWO_REGIONS -> FrontEndRam.likeQemu(bytes / 2, bytes / 2);
        };
    }
}
