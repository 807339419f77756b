package io.aerostat.vmm.report;

import io.aerostat.vmm.vm.VirtualMachine;

/** A virtual machine as {@code virsh dumpxml} describes one: the parts that concern memory. */
public final class DomainXml {
    private DomainXml() {}

    /** The description of a machine as it is now. */
    public static String of(VirtualMachine vm) {
        return """
        <domain type='aerostat'>
          <name>%s</name>
          <memory unit='KiB'>%d</memory>
          <currentMemory unit='KiB'>%d</currentMemory>
          <devices>
            <memballoon model='%s'/>
          </devices>
        </domain>\
        """
                .formatted(
                        vm.options().name(),
                        vm.options().maximum().bytes() >> 10,
                        vm.currentMemory().bytes() >> 10,
                        vm.balloon().isPresent() ? "virtio" : "none");
    }
}
