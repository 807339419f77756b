package io.aerostat.vmm.monitor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;

/** QMP itself, from literal bytes: greeting, negotiation, ids, and what is no request. */
@Timeout(60)
final class QmpProtocolTest {
    private MonitorRig rig;

    @BeforeEach
    void open(@TempDir Path folder) throws IOException {
        rig = new MonitorRig(folder, SteppedGuest.running("a", 0));
    }

    @AfterEach
    void close() {
        rig.close();
    }

    @Test
    void greetsWithItsVersionAndWithoutCapabilities() throws IOException {
        try (RawClient client = new RawClient(rig.socket)) {
            JsonNode greeting = client.message().path("QMP");

            JsonNode version = greeting.path("version");
            assertEquals("{\"micro\":0,\"minor\":2,\"major\":8}", version.path("qemu").toString());
            assertTrue(version.path("package").asText().startsWith("aerostat-"));
            assertEquals("[]", greeting.path("capabilities").toString());
        }
    }

    @Test
    void endsItsLinesAsQemuDoes() throws IOException {
        try (RawClient client = new RawClient(rig.socket)) {
            ByteBuffer bytes = ByteBuffer.allocate(1024);
            client.channel.read(bytes);

            assertEquals('\r', bytes.get(bytes.position() - 2));
            assertEquals('\n', bytes.get(bytes.position() - 1));
        }
    }

    @Test
    void wantsNegotiationBeforeAnythingElse() throws IOException {
        try (RawClient client = new RawClient(rig.socket)) {
            client.line();

            assertEquals(
                    "{\"error\":{\"class\":\"CommandNotFound\",\"desc\":\"Expecting capabilities"
                            + " negotiation with 'qmp_capabilities'\"},\"id\":1}",
                    client.ask("{\"execute\":\"query-version\",\"id\":1}"));
            assertEquals("{\"return\":{}}", client.ask("{\"execute\":\"qmp_capabilities\"}"));
            assertTrue(client.ask("{\"execute\":\"query-version\"}").startsWith("{\"return\""));
            assertEquals(
                    "{\"error\":{\"class\":\"CommandNotFound\",\"desc\":\"Capabilities negotiation"
                            + " is already complete, command ignored\"}}",
                    client.ask("{\"execute\":\"qmp_capabilities\"}"));
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{'enable':['oob']}  | Capability oob not available",
                "{'enable':['what']} | Parameter 'enable[0]' does not accept value 'what'",
                "{'enable':[5]}      | Invalid parameter type for 'enable[0]', expected: string",
                "{'enable':'oob'}    | Invalid parameter type for 'enable', expected: array",
                "{'able':[]}         | Parameter 'able' is unexpected",
            })
    void refusesCapabilitiesThatItDoesNotHave(String arguments, String expected)
            throws IOException {
        try (RawClient client = new RawClient(rig.socket)) {
            client.line();

            client.send("{'execute':'qmp_capabilities','arguments':" + arguments + "}");
            JsonNode error = client.message().path("error");
            assertEquals("GenericError", error.path("class").asText());
            assertEquals(expected, error.path("desc").asText());
            assertEquals(
                    "{\"return\":{}}",
                    client.ask("{'execute':'qmp_capabilities','arguments':{'enable':[]}}"));
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "1",
                "\"one\"",
                "null",
                "true",
                "[1,{\"a\":[]}]",
                "{\"k\":\"v\"}",
                "1.50",
                "-5",
                "1E+400",
                "123456789012345678901234567890",
                "\"\\u0000\\n\u00e9\""
            })
    void repeatsAnIdOfAnyKind(String id) throws IOException {
        try (RawClient client = rig.client()) {
            client.send("{\"execute\":\"query-name\",\"id\":" + id + "}");
            assertEquals("{\"return\":{\"name\":\"a\"},\"id\":" + id + "}", client.line());

            client.send("{\"id\":" + id + ",\"execute\":\"nothing\"}");
            assertEquals(
                    "{\"error\":{\"class\":\"CommandNotFound\",\"desc\":\"The command nothing has"
                            + " not been found\"},\"id\":"
                            + id
                            + "}",
                    client.line());
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "[]                                       | QMP input must be a JSON object",
                "[{'execute':'quit'}]                     | QMP input must be a JSON object",
                "{}                                       | QMP input lacks member 'execute'",
                "{'id':1}                                 | QMP input lacks member 'execute'",
                "{'execute':5}                  | QMP input member 'execute' must be a string",
                "{'execute':'quit','arguments':[]} | QMP input member 'arguments' must be an"
                        + " object",
                "{'execute':'quit','more':1}    | QMP input member 'more' is unexpected",
                "{'exec-oob':'quit'}            | QMP input member 'exec-oob' is unexpected",
                "{'execute' 'quit'}             | JSON parse error",
                "{'execute':'quit',}            | JSON parse error",
                "{'execute':quit}               | JSON parse error",
                "{'execute':'quit','execute':'quit'} | JSON parse error, Duplicate",
                "{]                             | JSON parse error",
                "hello                          | JSON parse error",
                "}                              | JSON parse error",
                "5                              | JSON parse error",
            })
    void answersWhatIsNoRequestAndGoesOn(String text, String expected) throws IOException {
        try (RawClient client = rig.client()) {
            client.send(text + "\n");
            JsonNode error = client.message().path("error");

            assertEquals("GenericError", error.path("class").asText());
            assertTrue(error.path("desc").asText().startsWith(expected), error.toString());
            assertEquals(
                    "{\"return\":{\"name\":\"a\"}}", client.ask("{\"execute\":\"query-name\"}"));
            assertEquals(0, rig.guest.quits.get());
        }
    }

    @Test
    void findsRequestsHoweverTheyAreCutAndWhateverIsBetween() throws IOException {
        try (RawClient client = rig.client()) {
            String request = " \r\n{ 'execute' :\n\t'query-name' ,\"id\":\"}{\\\"\" }";
            for (int i = 0; i < request.length(); i++) {
                client.send(request.substring(i, i + 1));
            }
            assertEquals("{\"return\":{\"name\":\"a\"},\"id\":\"}{\\\"\"}", client.line());

            client.send("{'execute':'query-name'}x{'execute':'query-name'}y y\n\nz");
            assertEquals("{\"return\":{\"name\":\"a\"}}", client.line());
            assertTrue(client.line().contains("JSON parse error"));
            assertEquals("{\"return\":{\"name\":\"a\"}}", client.line());
            assertTrue(client.line().contains("JSON parse error"));
            assertTrue(client.line().contains("JSON parse error"));
            assertEquals("{\"return\":{\"name\":\"a\"}}", client.ask("{'execute':'query-name'}"));
        }
    }

    @Test
    void answersEachOfManyRequestsThatComeTogether() throws Exception {
        int count = 3_000;
        try (RawClient client = rig.client()) {
            Thread sender =
                    Thread.ofPlatform()
                            .start(
                                    () -> {
                                        for (int i = 0; i < count; i++) {
                                            sendUnchecked(
                                                    client,
                                                    "{\"execute\":\"query-name\",\"id\":"
                                                            + i
                                                            + "}");
                                        }
                                    });

            for (int i = 0; i < count; i++) {
                assertEquals(i, client.message().path("id").asInt(-1));
            }
            sender.join();
        }
    }

    private static void sendUnchecked(RawClient client, String text) {
        try {
            client.send(text);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
