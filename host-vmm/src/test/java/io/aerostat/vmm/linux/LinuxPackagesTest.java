package io.aerostat.vmm.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

final class LinuxPackagesTest {
    private static final int LOADED = 1;
    private static final int INTERPRETER = 3;

    @TempDir private Path root;

    @Test
    void namesAllThatIsMissingAndHowToInstallIt() {
        LinuxPackages packages = search();

        assertFalse(packages.isComplete());
        assertEquals(
                "needs user-mode-linux, busybox-static, cpio, util-linux: apt-get install"
                        + " --no-install-recommends user-mode-linux busybox-static cpio util-linux",
                packages.remedy());
    }

    @Test
    void findsACompleteMachine() throws IOException {
        installAll();
        Path module =
                file("usr/lib/uml/modules/6.1.176/kernel/drivers/virtio/virtio_balloon.ko", "m");

        LinuxPackages packages = search();

        assertTrue(packages.isComplete());
        assertEquals("", packages.remedy());
        assertEquals(root.resolve("usr/bin/linux.uml"), packages.kernel());
        assertEquals(root.resolve("bin/busybox"), packages.busybox());
        assertEquals(Optional.of("6.1.176"), packages.release());
        assertEquals(Optional.of(module), packages.balloonModule());
    }

    @Test
    void namesOnlyWhatIsMissing() throws IOException {
        installAll();
        Files.delete(root.resolve("usr/bin/linux.uml"));
        Files.delete(root.resolve("usr/bin/cpio"));

        LinuxPackages packages = search();

        assertEquals(
                "needs user-mode-linux, cpio: apt-get install --no-install-recommends"
                        + " user-mode-linux cpio",
                packages.remedy());
        assertTrue(
                assertThrows(IllegalStateException.class, packages::kernel)
                        .getMessage()
                        .contains(packages.remedy()));
    }

    @Test
    void doesNotTakeABusyboxThatNeedsLibraries() throws IOException {
        installAll();
        elf("bin/busybox", LOADED, INTERPRETER);

        assertEquals(List.of("busybox-static"), search().missing());
    }

    @Test
    void doesNotTakeWhatIsNoProgramForABusybox() throws IOException {
        installAll();
        program("bin/busybox");
        assertEquals(List.of("busybox-static"), search().missing());

        // A table of programs that lies behind the end of the file.
        elf("bin/busybox", LOADED);
        Path busybox = root.resolve("bin/busybox");
        Files.write(busybox, Arrays.copyOf(Files.readAllBytes(busybox), 64));
        assertEquals(List.of("busybox-static"), search().missing());
    }

    @Test
    void takesTheNewestOfSeveralKernelsModules() throws IOException {
        Files.createDirectories(root.resolve("usr/lib/uml/modules/6.9.3"));
        Files.createDirectories(root.resolve("usr/lib/uml/modules/6.12.101"));
        Files.createDirectories(root.resolve("usr/lib/uml/modules/old"));

        assertEquals(Optional.of("6.12.101"), search().release());
        assertEquals(Optional.empty(), search().balloonModule());
    }

    @Test
    void looksAlongThePathFirst() throws IOException {
        installAll();
        program("opt/uml/linux.uml");

        LinuxPackages packages = LinuxPackages.searchBelow(root, "relative:/opt/uml::/none");

        assertEquals(root.resolve("opt/uml/linux.uml"), packages.kernel());
    }

    @Test
    void aFileThatNobodyMayRunIsNoProgram() throws IOException {
        installAll();
        assertTrue(root.resolve("usr/bin/cpio").toFile().setExecutable(false, false));

        assertEquals(List.of("cpio"), search().missing());
    }

    private LinuxPackages search() {
        return LinuxPackages.searchBelow(root, "");
    }

    private void installAll() throws IOException {
        for (String name : List.of("linux.uml", "cpio", "setarch", "setsid")) {
            program("usr/bin/" + name);
        }
        elf("bin/busybox", LOADED, LOADED);
    }

    private Path file(String name, String text) throws IOException {
        Path file = root.resolve(name);
        Files.createDirectories(file.getParent());
        return Files.writeString(file, text);
    }

    private void program(String name) throws IOException {
        assertTrue(file(name, "#!/bin/sh\n").toFile().setExecutable(true));
    }

    /** An ELF file of 64 bits with program headers of these types, as elf(5) has it. */
    private void elf(String name, int... types) throws IOException {
        ByteBuffer bytes =
                ByteBuffer.allocate(64 + (56 * types.length)).order(ByteOrder.LITTLE_ENDIAN);
        bytes.put(0, new byte[] {0x7F, 'E', 'L', 'F', 2, 1, 1});
        bytes.putLong(32, 64);
        bytes.putShort(54, (short) 56);
        bytes.putShort(56, (short) types.length);
        for (int i = 0; i < types.length; i++) {
            bytes.putInt(64 + (56 * i), types[i]);
        }
        program(name);
        Files.write(root.resolve(name), bytes.array());
    }
}
