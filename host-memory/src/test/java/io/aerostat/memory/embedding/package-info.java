/** The example emulators of {@code balloon-device} on RAM that really goes back to the host. */
package io.aerostat.memory.embedding;
