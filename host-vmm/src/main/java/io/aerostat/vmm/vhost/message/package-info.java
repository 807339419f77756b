/**
 * The vhost-user protocol on the wire, as its back-end sees it: what a front-end sends, byte by
 * byte and descriptor by descriptor, and what is answered.
 *
 * <pre>
 *   socket ─▶ MessageReader ─▶ FrontEndMessage        MessageWriter ─▶ socket
 *                  │                ▲                 BackEndChannel ─▶ the other socket
 *                  └─ MessageCodec ─┘
 * </pre>
 *
 * <p>Start with {@link io.aerostat.vmm.vhost.message.MessageReader}. What comes from the socket may
 * be anything: it is a message that is right in form, or a {@link
 * io.aerostat.vmm.vhost.message.ProtocolViolation}, and no descriptor is lost on the way. Nothing
 * here ever waits.
 *
 * <p>Knows requests, layouts, sizes and how many descriptors belong to which. Does not know rings,
 * memory or what has been negotiated: whether a message makes sense now is for the back-end to say.
 * All numbers are little-endian. Source: the vhost-user protocol as QEMU documents it
 * (docs/interop/vhost-user.rst).
 */
@NullMarked
package io.aerostat.vmm.vhost.message;

import org.jspecify.annotations.NullMarked;
