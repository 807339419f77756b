package io.aerostat.vmm.monitor;

import com.fasterxml.jackson.databind.node.ObjectNode;

import io.aerostat.vmm.monitor.message.QmpJson;

import java.util.Optional;

/** What a server says of itself. */
final class QmpGreeting {
    // The QEMU whose answers these are: clients choose their ways by it.
    private static final int MAJOR = 8;
    private static final int MINOR = 2;
    private static final int MICRO = 0;

    private static final String PACKAGE =
            "aerostat-"
                    + Optional.ofNullable(QmpGreeting.class.getPackage().getImplementationVersion())
                            .orElse("unpackaged");

    private QmpGreeting() {}

    /** The first message of a connection. It offers no capabilities. */
    static ObjectNode message() {
        ObjectNode message = QmpJson.object();
        ObjectNode greeting = message.putObject("QMP");
        greeting.set("version", version());
        greeting.putArray("capabilities");
        return message;
    }

    /** The answer to query-version. */
    static ObjectNode version() {
        ObjectNode version = QmpJson.object();
        version.putObject("qemu").put("micro", MICRO).put("minor", MINOR).put("major", MAJOR);
        version.put("package", PACKAGE);
        return version;
    }
}
