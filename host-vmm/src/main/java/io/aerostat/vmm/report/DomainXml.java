package io.aerostat.vmm.report;

import io.aerostat.balloon.BalloonDevice;
import io.aerostat.virtio.spec.balloon.BalloonFeature;
import io.aerostat.vmm.vm.BalloonControl;
import io.aerostat.vmm.vm.BalloonSize;
import io.aerostat.vmm.vm.GuestSize;
import io.aerostat.vmm.vm.VirtualMachine;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * A virtual machine as {@code virsh dumpxml} describes one: the parts that concern memory, in the
 * form of libvirt's schema for domains. What that schema asks for and we do not know, the
 * hypervisor's and the system's type, is as plain as it allows.
 *
 * @param name what users call it
 * @param maximum its RAM, or empty if not known yet
 * @param current what it has of that now, or empty if not known yet
 * @param memballoon its balloon, or empty if it has none
 */
public record DomainXml(
        String name,
        Optional<GuestSize> maximum,
        Optional<GuestSize> current,
        Optional<Memballoon> memballoon) {
    /**
     * A balloon device.
     *
     * @param autodeflate its guest may take pages back when it is short of memory
     * @param freePageReporting its guest may report free pages
     * @param statisticsPeriod how often the guest is asked for statistics, 0 if it is not
     */
    public record Memballoon(
            boolean autodeflate, boolean freePageReporting, Duration statisticsPeriod) {
        private static Memballoon offering(long features) {
            return new Memballoon(
                    (features & BalloonFeature.DEFLATE_ON_OOM) != 0,
                    (features & BalloonFeature.PAGE_REPORTING) != 0,
                    Duration.ZERO);
        }
    }

    /** The description of a machine as it is now. */
    public static DomainXml of(VirtualMachine vm) {
        return new DomainXml(
                vm.options().name(),
                Optional.of(vm.options().maximum()),
                Optional.of(vm.currentMemory()),
                vm.options().balloon().map(options -> Memballoon.offering(options.features())));
    }

    /** The description of a guest that is served. */
    public static DomainXml of(String name, BalloonControl.Attached guest) {
        BalloonDevice balloon = guest.device();
        return new DomainXml(
                name,
                Optional.of(guest.maximum()),
                Optional.of(new BalloonSize(balloon.actualPages()).guestWithin(guest.maximum())),
                Optional.of(Memballoon.offering(balloon.offeredFeatures())));
    }

    /** The XML, in lines of which the last has no end. */
    public String text() {
        List<String> lines = new ArrayList<>();
        lines.add("<domain type='qemu'>");
        lines.add("  <name>" + escaped(name) + "</name>");
        maximum.ifPresent(size -> lines.add(element("memory", size)));
        current.ifPresent(size -> lines.add(element("currentMemory", size)));
        lines.add("  <os>");
        lines.add("    <type>hvm</type>");
        lines.add("  </os>");
        lines.add("  <devices>");
        memballoon.ifPresentOrElse(
                balloon -> describe(balloon, lines),
                () -> lines.add("    <memballoon model='none'/>"));
        lines.add("  </devices>");
        lines.add("</domain>");
        return String.join(System.lineSeparator(), lines);
    }

    private static String element(String name, GuestSize size) {
        return "  <" + name + " unit='KiB'>" + (size.bytes() >> 10) + "</" + name + ">";
    }

    private static void describe(Memballoon balloon, List<String> lines) {
        StringBuilder tag = new StringBuilder("    <memballoon model='virtio'");
        if (balloon.autodeflate) {
            tag.append(" autodeflate='on'");
        }
        if (balloon.freePageReporting) {
            tag.append(" freePageReporting='on'");
        }
        long seconds = balloon.statisticsPeriod.toSeconds();
        if (seconds == 0) {
            lines.add(tag + "/>");
            return;
        }
        lines.add(tag + ">");
        lines.add("      <stats period='" + seconds + "'/>");
        lines.add("    </memballoon>");
    }

    private static String escaped(String text) {
        return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;");
    }
}
