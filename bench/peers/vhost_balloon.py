"""A vhost-user balloon back-end in plain Python, measured beside ours by `bench --linux`.

    vhost_balloon.py SOCKET

Prints a line when it listens, serves one User Mode Linux guest, and then obeys lines of its input:
the pages that shall be in the balloon. Answers each, once the guest says that they are, with the
requests, pages and system calls that it took. Ends with its input.

It does what ours does to the guest's memory: the page numbers of a request are sorted, neighbours
are merged, and each range is punched out of the guest's RAM before the request is returned.
Statistics, checks and everything else that costs time are left out.
"""

import ctypes
import mmap
import os
import select
import socket
import struct
import sys

PAGE = 4096
INFLATE = 0
FEATURES = 1 << 32 | 1 << 30  # VERSION_1, and that there are protocol features
PROTOCOL_FEATURES = 1 << 3 | 1 << 5 | 1 << 9  # REPLY_ACK, BACKEND_REQ, CONFIG
REPLY, WANTS_REPLY = 0x5, 0x8
KEEP_SIZE_PUNCH_HOLE = 3

libc = ctypes.CDLL(None, use_errno=True)
libc.fallocate.argtypes = [ctypes.c_int, ctypes.c_int, ctypes.c_int64, ctypes.c_int64]


class Ring:
    def __init__(self):
        self.size = self.base = self.desc = self.used = self.avail = 0
        self.kick = self.call = None


class BackEnd:
    def __init__(self, connection):
        self.connection = connection
        self.channel = None
        self.rings = [Ring() for _ in range(5)]
        self.ram = self.ram_fd = None
        self.shift = 0  # from a guest address to an offset in the file of its RAM
        self.target = self.actual = self.asked = -1
        self.requests = self.pages = self.calls = 0
        self.poller = select.epoll()
        for fd in (connection.fileno(), sys.stdin.fileno()):
            self.poller.register(fd, select.EPOLLIN)
        self.config = bytearray(16)

    def run(self):
        while True:
            for fd, _ in self.poller.poll():
                if fd == self.connection.fileno():
                    if not self.message():
                        return
                elif fd == sys.stdin.fileno():
                    line = sys.stdin.readline()
                    if not line:
                        return
                    self.ask(int(line))
                else:
                    os.read(fd, 8)
                    for index, ring in enumerate(self.rings):
                        if ring.kick == fd:
                            self.serve(index, ring)
            if self.asked >= 0 and self.actual == self.asked:
                print(self.requests, self.pages, self.calls, flush=True)
                self.asked = -1

    def ask(self, pages):
        self.asked = pages
        self.requests = self.pages = self.calls = 0
        struct.pack_into("<I", self.config, 0, pages)
        os.write(self.channel, struct.pack("<III", 2, 1, 0))

    def serve(self, index, ring):
        ram, shift, size = self.ram, self.shift, ring.size
        end = struct.unpack_from("<H", ram, ring.avail + shift + 2)[0]
        while ring.base != end:
            slot = ring.base % size
            head = struct.unpack_from("<H", ram, ring.avail + shift + 4 + 2 * slot)[0]
            gpa, length = struct.unpack_from("<QI", ram, ring.desc + shift + 16 * head)
            count = length // 4
            numbers = struct.unpack_from("<%dI" % count, ram, gpa + shift)
            if index == INFLATE:
                self.discard(sorted(numbers))
            self.requests += 1
            self.pages += count
            struct.pack_into("<II", ram, ring.used + shift + 4 + 8 * slot, head, 0)
            ring.base = (ring.base + 1) & 0xFFFF
            struct.pack_into("<H", ram, ring.used + shift + 2, ring.base)
            os.write(ring.call, b"\1\0\0\0\0\0\0\0")

    def discard(self, numbers):
        first = last = numbers[0]
        for number in numbers[1:]:
            if number != last + 1:
                self.punch(first, last)
                first = number
            last = number
        self.punch(first, last)

    def punch(self, first, last):
        self.calls += 1
        offset, length = first * PAGE + self.shift, (last - first + 1) * PAGE
        if libc.fallocate(self.ram_fd, KEEP_SIZE_PUNCH_HOLE, offset, length) != 0:
            sys.exit("fallocate: " + os.strerror(ctypes.get_errno()))

    def message(self):
        header, fds, _, _ = socket.recv_fds(self.connection, 12, 8)
        if len(header) < 12:
            return False
        request, flags, size = struct.unpack("<III", header)
        payload = self.connection.recv(size, socket.MSG_WAITALL) if size else b""
        reply = self.handle(request, payload, fds)
        if reply is None and flags & WANTS_REPLY:
            reply = bytes(8)
        if reply is not None:
            self.connection.send(struct.pack("<III", request, REPLY, len(reply)) + reply)
        return True

    def handle(self, request, payload, fds):
        if request in (1, 15):  # GET_FEATURES, GET_PROTOCOL_FEATURES
            return struct.pack("<Q", FEATURES if request == 1 else PROTOCOL_FEATURES)
        if request == 5:  # SET_MEM_TABLE, of one region
            guest, length, _, offset = struct.unpack_from("<4Q", payload, 8)
            self.ram_fd, self.shift = fds[0], offset - guest
            self.ram = mmap.mmap(fds[0], offset + length)
        elif request in (8, 9, 10):  # SET_VRING_NUM, ADDR, BASE
            index, value = struct.unpack_from("<II", payload)
            ring = self.rings[index]
            if request == 8:
                ring.size = value
            elif request == 9:
                ring.desc, ring.used, ring.avail = struct.unpack_from("<3Q", payload, 8)
            else:
                ring.base = value
        elif request == 12:  # SET_VRING_KICK
            self.rings[payload[0]].kick = fds[0]
            self.poller.register(fds[0], select.EPOLLIN)
        elif request == 13:  # SET_VRING_CALL
            self.rings[payload[0]].call = fds[0]
        elif request == 21:  # SET_BACKEND_REQ_FD
            self.channel = fds[0]
        elif request == 24:  # GET_CONFIG
            offset, size = struct.unpack_from("<II", payload)
            return payload[:12] + self.config[offset : offset + size]
        elif request == 25:  # SET_CONFIG
            offset, size = struct.unpack_from("<II", payload)
            self.config[offset : offset + size] = payload[12 : 12 + size]
            self.actual = struct.unpack_from("<I", self.config, 4)[0]
        return None


with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
    listener.bind(sys.argv[1])
    listener.listen(1)
    print("listening", flush=True)
    try:
        BackEnd(listener.accept()[0]).run()
    except ConnectionResetError:
        pass  # The guest was killed.
