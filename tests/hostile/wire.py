"""Frames made fast, and genuine handshakes to put among them.

A frame is (microseconds, bytes).  Templates are patched in place, so that a load of millions takes
seconds.  Checksums are left wrong: nobody verifies them.
"""

import os
import struct
import sys
from collections import namedtuple

HERE = os.path.dirname(os.path.abspath(__file__))
PCAPS = os.path.join(os.path.dirname(os.path.dirname(HERE)), "pcaps")
sys.path.insert(0, os.path.join(PCAPS, "record"))
sys.dont_write_bytecode = True

import packets  # noqa: E402

FIN, SYN, RST, PSH, ACK = packets.FIN, packets.SYN, packets.RST, packets.PSH, packets.ACK
START = 1_700_000_000 * 1_000_000
MACS = bytes.fromhex("025100000025" "025100000011")
SERVER = bytes([192, 0, 2, 25])
CHUNK = 1 << 20
# The genuine clients live here, and nobody else.
GENUINE = 10 << 24 | 77 << 16

Genuine = namedtuple("Genuine", "name frames duration")


def ipv4(proto, body, src=b"\x0a\0\0\1", dst=SERVER, ident=0, fragment=0):
    return struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(body), ident, fragment, 64, proto, 0) + \
        src + dst + body


def ethernet(kind, body):
    return MACS + struct.pack(">H", kind) + body


def tcp(sport, dport, seq, ack, flags, payload=b""):
    return struct.pack(">HHIIBBHHH", sport, dport, seq & 0xFFFFFFFF, ack & 0xFFFFFFFF, 5 << 4,
                       flags, 65535, 0, 0) + payload


def tcp_frame(src, dst, *fields):
    return ethernet(0x0800, ipv4(6, tcp(*fields), src, dst))


def udp(sport, dport, payload):
    return struct.pack(">HHHH", sport, dport, 8 + len(payload), 0) + payload


class Patched:
    """A TCP frame of which source, destination, ports and sequence numbers are put in."""

    def __init__(self, flags, payload=b""):
        self.frame = bytearray(tcp_frame(b"\0\0\0\0", b"\0\0\0\0", 0, 0, 0, 0, flags, payload))

    def of(self, src, dst, sport, dport, seq=0, ack=0):
        struct.pack_into(">IIHHII", self.frame, 26, src, dst, sport, dport, seq, ack)
        return bytes(self.frame)


def genuine_of(name):
    """A recorded conversation of IPv4 over Ethernet, times from zero on."""
    frames = packets.read_pcap(os.path.join(PCAPS, name + ".pcap"))
    first = packets.parse(frames[0])
    out = [((f.time - frames[0].time) // 1000, bytearray(f.data), f.data[26:30] == first.src)
           for f in frames]
    assert all(f.data[12:15] == b"\x08\x00\x45" for f in frames)
    return Genuine(name, out, out[-1][0] + 1)


def genuine_flows(names, count, begin, spacing, stretch=0):
    """`count` conversations, one each `spacing` microseconds, as a sorted list of frames.

    `stretch` > 0: each conversation takes so long in all, however long it was.
    """
    kinds = [genuine_of(name) for name in names]
    out = []
    for i in range(count):
        kind = kinds[i % len(kinds)]
        for at, data, from_client in kind.frames:
            if stretch:
                at = at * stretch // kind.duration
            frame = bytearray(data)
            address, port = (26, 34) if from_client else (30, 36)
            struct.pack_into(">I", frame, address, GENUINE + i // 100)
            struct.pack_into(">H", frame, port, 20000 + i % 100)
            out.append((begin + i * spacing + at, bytes(frame)))
    out.sort(key=lambda f: f[0])
    return out


def interleaved(flood, genuine):
    """The flood's frames, the genuine ones among them where their time comes."""
    at = 0
    for frame in flood:
        while at < len(genuine) and genuine[at][0] <= frame[0]:
            yield genuine[at]
            at += 1
        yield frame
    yield from genuine[at:]


# Of a capture of Ethernet, little-endian and in microseconds.
PCAP_HEADER = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, packets.LINK_ETHERNET)


def pcap_chunks(frames):
    """A capture file, piece by piece: packets.write_pcap() has all frames at once."""
    out = bytearray(PCAP_HEADER)
    pack = struct.Struct("<IIII").pack
    for time, data in frames:
        size = len(data)
        out += pack(time // 1000000, time % 1000000, size, size)
        out += data
        if len(out) > CHUNK:
            yield bytes(out)
            out.clear()
    yield bytes(out)
