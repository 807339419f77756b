package io.aerostat.vmm.cli;

import io.aerostat.vmm.vm.VirtualMachine;

/** A virtual machine as {@code virsh dumpxml} describes one: the parts that concern memory. */
final class DomainXml {
    private DomainXml() {}

    static String of(VirtualMachine vm) {
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
