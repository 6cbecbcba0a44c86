"""Capture files and packet headers, as far as the recordings need them.

Reads and writes classic pcap (all magics) and writes pcapng; takes Ethernet, Linux cooked, raw and
NULL frames apart down to TCP and puts them together again.  Standard library only.
"""

import struct
from dataclasses import dataclass, replace

LINK_NULL, LINK_ETHERNET, LINK_LOOP, LINK_RAW = 0, 1, 108, 101
LINK_SLL, LINK_SLL2 = 113, 276

FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16


@dataclass
class Frame:
    """One captured frame: time in nanoseconds, bytes, length on the wire, link type."""

    time: int
    data: bytes
    wire_len: int
    link: int


def read_pcap(path):
    """The frames of a classic pcap file."""
    with open(path, "rb") as file:
        raw = file.read()
    magic = raw[:4]
    order, unit = {
        b"\xd4\xc3\xb2\xa1": ("<", 1000), b"\xa1\xb2\xc3\xd4": (">", 1000),
        b"\x4d\x3c\xb2\xa1": ("<", 1), b"\xa1\xb2\x3c\x4d": (">", 1),
    }[magic]
    link = struct.unpack_from(order + "I", raw, 20)[0] & 0xFFFF
    frames, at = [], 24
    while at + 16 <= len(raw):
        sec, frac, cap, wire = struct.unpack_from(order + "IIII", raw, at)
        frames.append(Frame(sec * 10**9 + frac * unit, raw[at + 16:at + 16 + cap], wire, link))
        at += 16 + cap
    return frames


def write_pcap(path, frames, *, link=None, order="<", nano=False, snap=262144):
    """A classic pcap file; `order` is the byte order of its headers."""
    link = frames[0].link if link is None else link
    unit = 1 if nano else 1000
    with open(path, "wb") as file:
        file.write(struct.pack(order + "IHHiIII", 0xA1B23C4D if nano else 0xA1B2C3D4, 2, 4, 0, 0,
                               snap, link))
        for f in frames:
            file.write(struct.pack(order + "IIII", f.time // 10**9, f.time % 10**9 // unit,
                                   len(f.data), f.wire_len) + f.data)


def pcapng_block(kind, body, order="<"):
    """A block of any type; its body is padded to 32 bits."""
    body += bytes(-len(body) % 4)
    size = struct.pack(order + "I", len(body) + 12)
    return struct.pack(order + "I", kind) + size + body + size


def pcapng_section(order="<"):
    """A section header block."""
    return pcapng_block(0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1), order)


def pcapng_interface(link, resolution=6, offset=0, order="<", snap=0):
    """An interface description; `resolution` as in if_tsresol, `offset` in seconds (if_tsoffset)."""
    options = struct.pack(order + "HHBBBB", 9, 1, resolution, 0, 0, 0)
    if offset:
        options += struct.pack(order + "HHq", 14, 8, offset)
    return pcapng_block(1, struct.pack(order + "HHI", link, 0, snap) + options + bytes(4), order)


def pcapng_packet(frame, interface=0, resolution=6, offset=0, order="<"):
    """An enhanced packet block."""
    ns = frame.time - offset * 10**9
    ticks = ns * 2**(resolution & 0x7F) // 10**9 if resolution & 0x80 else \
        ns * 10**resolution // 10**9
    return pcapng_block(6, struct.pack(order + "IIIII", interface, ticks >> 32, ticks & 0xFFFFFFFF,
                                 len(frame.data), frame.wire_len) + frame.data, order)


def checksum(data):
    """The Internet checksum (RFC 1071)."""
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(">%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


@dataclass(frozen=True)
class Segment:
    """A TCP segment in IPv4 or IPv6, with the link header in front of it as raw bytes."""

    time: int
    link: int
    head: bytes       # the link header, EtherType included
    version: int      # 4 or 6
    src: bytes
    dst: bytes
    sport: int
    dport: int
    seq: int
    ack: int
    flags: int
    window: int
    options: bytes    # TCP options
    payload: bytes
    ttl: int = 64
    ident: int = 0
    ip_options: bytes = b""       # IPv4 options
    extensions: tuple = ()        # IPv6 extension headers: (number, body without next header)

    def with_(self, **changes):
        """A copy with some fields changed."""
        return replace(self, **changes)

    def key(self):
        """What names the sender's direction."""
        return (self.src, self.sport, self.dst, self.dport)

    def conversation(self):
        """What names the connection, whoever sends."""
        return tuple(sorted([(self.src, self.sport), (self.dst, self.dport)]))

    def tcp_bytes(self):
        """The TCP header and payload with a right checksum."""
        offset = 5 + len(self.options) // 4
        header = struct.pack(">HHIIBBHHH", self.sport, self.dport, self.seq & 0xFFFFFFFF,
                             self.ack & 0xFFFFFFFF, offset << 4, self.flags, self.window, 0, 0)
        body = header + self.options + self.payload
        if self.version == 4:
            pseudo = self.src + self.dst + struct.pack(">BBH", 0, 6, len(body))
        else:
            pseudo = self.src + self.dst + struct.pack(">IHBB", len(body), 0, 0, 6)
        return body[:16] + struct.pack(">H", checksum(pseudo + body)) + body[18:]

    def ip_bytes(self):
        """The packet from its IP header on."""
        body = self.tcp_bytes()
        if self.version == 4:
            size = 20 + len(self.ip_options)
            header = struct.pack(">BBHHHBBH", 0x40 | size // 4, 0, size + len(body), self.ident,
                                 0x4000, self.ttl, 6, 0) + self.src + self.dst + self.ip_options
            return header[:10] + struct.pack(">H", checksum(header)) + header[12:] + body
        numbers = [n for n, _ in self.extensions] + [6]
        for number, content in zip(reversed(numbers[1:]), reversed([c for _, c in self.extensions])):
            body = bytes([number]) + content + body
        return struct.pack(">IHBB", 6 << 28, len(body), numbers[0], self.ttl) + self.src + \
            self.dst + body

    def frame(self):
        """The frame as captured."""
        data = self.head + self.ip_bytes()
        return Frame(self.time, data, len(data), self.link)


def _link_header_len(frame):
    data = frame.data
    if frame.link == LINK_ETHERNET:
        at = 12
        while data[at:at + 2] in (b"\x81\x00", b"\x88\xa8", b"\x91\x00"):
            at += 4
        return at + 2
    return {LINK_SLL: 16, LINK_SLL2: 20, LINK_RAW: 0, LINK_NULL: 4, LINK_LOOP: 4}[frame.link]


def parse(frame):
    """The Segment in a frame, or None when it is no TCP or not whole."""
    at = _link_header_len(frame)
    head, data = frame.data[:at], frame.data[at:]
    if len(data) < 40:
        return None
    if data[0] >> 4 == 4:
        size = (data[0] & 15) * 4
        total, ident = struct.unpack_from(">HH", data, 2)
        ttl, proto = data[8], data[9]
        src, dst, options, body = data[12:16], data[16:20], data[20:size], data[size:total]
        version, extensions = 4, ()
    elif data[0] >> 4 == 6:
        length, proto, ttl = struct.unpack_from(">HBB", data, 4)
        src, dst, options, body = data[8:24], data[24:40], b"", data[40:40 + length]
        version, extensions, ident = 6, (), 0
    else:
        return None
    if proto != 6 or len(body) < 20:
        return None
    sport, dport, seq, ack, offset, flags, window = struct.unpack_from(">HHIIBBH", body)
    size = (offset >> 4) * 4
    return Segment(frame.time, frame.link, head, version, src, dst, sport, dport, seq, ack, flags,
                   window, body[20:size], body[size:], ttl, ident, options, extensions)


def segments(frames):
    """The TCP segments of a list of frames; a frame that is none is an error here."""
    out = [parse(f) for f in frames]
    assert all(out), "a frame that is no TCP"
    return out
