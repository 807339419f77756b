package io.aerostat.vmm.report;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.aerostat.vmm.vm.GuestSize;

import org.junit.jupiter.api.Test;

import java.time.Duration;
import java.util.Optional;

/** Domain XML, in the form of libvirt's schema. */
final class DomainXmlTest {
    private static String lines(DomainXml xml) {
        return xml.text().replace(System.lineSeparator(), "\n");
    }

    @Test
    void describesMemoryAndBalloon() {
        DomainXml xml =
                new DomainXml(
                        "a<b>&c",
                        Optional.of(new GuestSize(256 << 20)),
                        Optional.of(new GuestSize(128 << 20)),
                        Optional.of(new DomainXml.Memballoon(true, true, Duration.ofSeconds(10))));

        assertEquals(
                """
                <domain type='qemu'>
                  <name>a&lt;b&gt;&amp;c</name>
                  <memory unit='KiB'>262144</memory>
                  <currentMemory unit='KiB'>131072</currentMemory>
                  <os>
                    <type>hvm</type>
                  </os>
                  <devices>
                    <memballoon model='virtio' autodeflate='on' freePageReporting='on'>
                      <stats period='10'/>
                    </memballoon>
                  </devices>
                </domain>\
                """,
                lines(xml));
    }

    @Test
    void leavesOutWhatIsNotKnownOrNotOffered() {
        DomainXml unknown =
                new DomainXml(
                        "a",
                        Optional.empty(),
                        Optional.empty(),
                        Optional.of(new DomainXml.Memballoon(false, false, Duration.ZERO)));
        DomainXml none = new DomainXml("a", Optional.empty(), Optional.empty(), Optional.empty());

        String around =
                """
                <domain type='qemu'>
                  <name>a</name>
                  <os>
                    <type>hvm</type>
                  </os>
                  <devices>
                    <memballoon model='%s'/>
                  </devices>
                </domain>\
                """;
        assertEquals(around.formatted("virtio"), lines(unknown));
        assertEquals(around.formatted("none"), lines(none));
    }
}
