#!/usr/bin/env python3
"""The hostile loads: what is sent, and what has to come of it.

usage: tests/hostile/loads.py LOAD [SHARE] > FILE

Each load is a function(share) that returns a Load; `share` of 1 is the full size.  Its frames are
made while they are read.
"""

import lzma
import os
import random
import struct
import sys
import zlib
from dataclasses import dataclass, field

import wire  # first: it knows where packets is
import packets
from wire import ACK, FIN, GENUINE, PSH, RST, START, SYN

# One conversation each, of every kind of end.
KINDS = ["imaps_openssl_tls10", "imaps_openssl_tls13", "smtps_openssl_tls12", "pop3s_openssl_tls11",
         "imap_id_then_starttls"]
SERVER = int.from_bytes(wire.SERVER, "big")
FLOOD = 172 << 24 | 16 << 16
DATA = PSH | ACK


@dataclass
class Load:
    """Frames, or a file's bytes; the genuine conversations in it; least and most per counter."""

    frames: object = None
    chunks: object = None
    genuine: int = 0
    right: float = 1.0        # share of the genuine conversations that have to be right
    events: int = -1          # of others, exactly; -1: any
    counters: dict = field(default_factory=dict)
    status: int = 0
    says: str = ""            # on standard error


LOADS = {}


def load(about):
    """Registers a load."""
    def mark(function):
        LOADS[function.__name__] = (function, about)
        return function
    return mark


def sized(full, share, least=1):
    return max(least, int(full * share))


def mixed(flood, count, spacing, first=START, stretch=0):
    """Made when they are read, so that who only asks what a load is needs no memory."""
    yield from wire.interleaved(flood, wire.genuine_flows(KINDS, count, first, spacing, stretch))


def client_hello(kind="imaps_openssl_tls13"):
    """The first message of a recorded client, as bytes of the stream."""
    for _, data, from_client in wire.genuine_of(kind).frames:
        payload = data[14 + 20 + (data[46] >> 4) * 4:]
        if from_client and payload[:1] == b"\x16":
            return bytes(payload)
    raise ValueError(kind)


def server_hello(kind):
    """The ServerHello of a recorded server, in a record of its own."""
    for _, data, from_client in wire.genuine_of(kind).frames:
        payload = bytes(data[14 + 20 + (data[46] >> 4) * 4:])
        if not from_client and payload[:1] == b"\x16" and payload[5] == 2:
            size = int.from_bytes(payload[6:9], "big") + 4
            return b"\x16" + payload[1:3] + struct.pack(">H", size) + payload[5:5 + size]
    raise ValueError(kind)


def stream(payload, size):
    return [payload[i:i + size] for i in range(0, len(payload), size)]


def conversation(client, port, server_port, pieces, time, step=10):
    """Frames of a connection; pieces: (from the client?, payload)."""
    numbers, out = {True: 1000, False: 5000}, []
    ends = {True: (client, SERVER, port, server_port), False: (SERVER, client, server_port, port)}
    plain = {}

    def send(from_client, flags, payload=b""):
        key = (flags, len(payload))
        if key not in plain:
            plain[key] = wire.Patched(flags, payload)
        frame = bytearray(plain[key].of(*ends[from_client], numbers[from_client],
                                        numbers[not from_client] if flags & ACK else 0))
        frame[54:] = payload
        out.append((time + len(out) * step, bytes(frame)))
        numbers[from_client] = (numbers[from_client] + len(payload) +
                                bool(flags & (SYN | FIN))) & 0xFFFFFFFF

    send(True, SYN)
    send(False, SYN | ACK)
    send(True, ACK)
    for from_client, payload in pieces:
        send(from_client, DATA, payload)
    return out


# Floods of connections.

@load("5,000,000 SYNs from random sources, 5,000 genuine handshakes among them")
def syn_flood(share):
    count, genuine = sized(5_000_000, share), sized(5000, share, 50)
    dice, syn = random.Random(1), wire.Patched(SYN)

    def flood():
        for i in range(count):
            yield START + i * 6, syn.of(dice.getrandbits(32), SERVER, dice.getrandbits(16) | 1,
                                        (993, 465, 143)[i % 3], dice.getrandbits(32))
    return Load(mixed(flood(), genuine, count * 6 // genuine), genuine=genuine, right=0.999,
                counters={"syn": (count, count + 2 * genuine), "flows": (genuine, genuine)})


@load("1,000,000 connections that never close, half of them greeted")
def never_closed(share):
    count, genuine = sized(1_000_000, share), sized(2000, share, 50)
    ehlo, banner = wire.Patched(DATA, b"EHLO x\r\n"), wire.Patched(DATA, b"220 mail ESMTP\r\n")

    def flood():
        for i in range(count):
            client, port = FLOOD + i // 50000, 1024 + i % 50000
            yield START + i * 20, banner.of(SERVER, client, 587, port, 1, 1)
            if i % 2:
                yield START + i * 20, ehlo.of(client, SERVER, port, 587, 1, 17)
    return Load(mixed(flood(), genuine, count * 20 // genuine), genuine=genuine,
                counters={"flows": (count + genuine, count + genuine),
                          "flows_evicted": (1, count)})


@load("200,000 sessions that are established and then idle, all open at the end")
def established_idle(share):
    count, genuine = sized(200_000, share), sized(1000, share, 50)
    session = [(data, from_client) for _, data, from_client in
               wire.genuine_of("imaps_openssl_tls10").frames if not data[47] & (FIN | RST)]

    def flood():
        for i in range(count):
            client = struct.pack(">I", FLOOD + i // 50000)
            port = struct.pack(">H", 1024 + i % 50000)
            for data, from_client in session:
                address, at = (26, 34) if from_client else (30, 36)
                yield START + i * 100, (data[:address] + client + data[address + 4:at] + port +
                                        data[at + 2:])
    return Load(mixed(flood(), genuine, count * 100 // genuine), genuine=genuine, events=count,
                counters={"flows": (count + genuine, count + genuine)})


@load("1,000,000 ClientHellos of which half is sent; the genuine ones take a second each")
def half_hellos(share):
    # At least so many that the table of open ones turns over while a genuine one goes on.
    count, genuine = sized(1_000_000, share, 100_000), sized(2000, share, 100)
    hello = client_hello()
    half = wire.Patched(DATA, hello[:len(hello) // 2])

    def flood():
        for i in range(count):
            yield START + i * 10, half.of(FLOOD + i // 50000, SERVER, 1024 + i % 50000, 993, 1, 1)
    return Load(mixed(flood(), genuine, (count * 10 - 1_000_000) // genuine if count * 10 > 1_000_000
                      else 10, stretch=1_000_000), genuine=genuine,
                counters={"flows": (count + genuine, count + genuine),
                          "half_hello": (count, count)})


@load("500,000 handshakes that stop behind the ServerHello; the genuine ones take 0.4 s each")
def half_handshakes(share):
    count, genuine = sized(500_000, share, 25_000), sized(2000, share, 50)
    hello, answer = client_hello(), server_hello("imaps_openssl_tls13")
    ask, reply = wire.Patched(DATA, hello), wire.Patched(DATA, answer)

    def flood():
        for i in range(count):
            client, port, time = FLOOD + i // 50000, 1024 + i % 50000, START + i * 40
            yield time, ask.of(client, SERVER, port, 993, 1, 1)
            yield time + 9, reply.of(SERVER, client, 993, port, 1, 1 + len(hello))
    return Load(mixed(flood(), genuine, count * 20 // genuine, stretch=400_000), genuine=genuine,
                events=count, counters={"flows": (count + genuine, count + genuine)})


@load("1,000,000 whole ClientHellos that nobody answers, of 20 clients")
def unanswered_hellos(share):
    count, genuine = sized(1_000_000, share), sized(2000, share, 50)
    whole = wire.Patched(DATA, client_hello())

    def flood():
        for i in range(count):
            yield START + i * 20, whole.of(FLOOD + i // 50000, SERVER, 1024 + i % 50000, 993, 1, 1)
    return Load(mixed(flood(), genuine, count * 20 // genuine), genuine=genuine, events=count,
                counters={"flows": (count + genuine, count + genuine)})


@load("1,000,000 resets and FINs out of nowhere, half of them aimed at genuine connections")
def resets(share):
    count, genuine = sized(1_000_000, share), sized(2000, share, 50)
    dice, rst, fin = random.Random(2), wire.Patched(RST), wire.Patched(FIN | ACK)
    first = [wire.genuine_of(kind).frames[0][1] for kind in KINDS]
    aims = [struct.unpack(">HI", frame[36:42]) for frame in first]

    def flood():
        for i in range(count):
            which = i * genuine // count
            port, isn = aims[which % len(KINDS)]
            client, source = GENUINE + which // 100, 20000 + which % 100
            number = isn + dice.getrandbits(32 if i % 4 == 1 else 14) + 2
            if i % 2 == 0:
                client = dice.getrandbits(32)
            yield START + i * 20, (rst if i % 3 else fin).of(client, SERVER, source, port,
                                                             number & 0xFFFFFFFF, 1)
    # A few have the right number by chance: the receiver would believe these too.
    return Load(mixed(flood(), genuine, count * 20 // genuine), genuine=genuine, right=0.995,
                counters={"flows": (genuine, count)})


# Memory behind holes and in unfinished messages.

@load("a hole of one byte in front of 1 GB, never acknowledged and never filled")
def hole_before_gigabyte(share):
    count = sized(1_000_000_000 // 1400, share)
    body = b"\x17\x03\x03\x05\x73" + bytes([7]) * 1395

    def frames():
        data = wire.Patched(DATA, body)
        yield from conversation(FLOOD, 2000, 993, [(True, client_hello())], START)
        begin = 1000 + 1 + len(client_hello()) + 1
        for i in range(count):
            yield START + 1000 + i, data.of(FLOOD, SERVER, 2000, 993,
                                            (begin + i * 1400) & 0xFFFFFFFF, 5001)
    return Load(frames(), events=1, counters={"gaps": (1, 2), "gap_bytes": (1, 1)})


@load("20,000 connections, each with 200 KB behind a hole")
def many_holes(share):
    count, genuine = sized(20_000, share, 1000), sized(1000, share, 50)
    body = bytes([0x17, 3, 3, 0x05, 0x73]) + bytes([7]) * 1395

    def flood():
        data = wire.Patched(DATA, body)
        for i in range(count * 140):
            which, at = (i // 4) % count, i // (4 * count) * 4 + i % 4
            yield START + i * 2, data.of(FLOOD + which // 50000, SERVER, 1024 + which % 50000, 993,
                                         (2 + at * 1400), 1) if at else \
                data.of(FLOOD + which // 50000, SERVER, 1024 + which % 50000, 993, 1, 1)
    return Load(mixed(flood(), genuine, count * 280 // genuine), genuine=genuine)


@load("handshake messages that claim 16 MB and send 2 MB of it, on 2,000 connections at a time")
def messages_of_16_mb(share):
    count = sized(2000, share, 200)
    record = b"\x16\x03\x01\x40\x00"
    first = record + b"\x01\xff\xff\xff" + b"\x03\x03" + bytes([9]) * (16384 - 6)
    more = record + bytes([9]) * 16384
    genuine = sized(1000, share, 50)

    def flood():
        one, two = wire.Patched(DATA, first), wire.Patched(DATA, more)
        for part in range(128 if share >= 1 else 16):
            for i in range(count):
                frame = (two if part else one).of(FLOOD, SERVER, 1024 + i, 993,
                                                  1 + part * len(first), 1)
                yield START + part * count * 20 + i * 20, frame
    return Load(mixed(flood(), genuine, 200), genuine=genuine,
                counters={"flows": (count + genuine, count + genuine)})


@load("Certificates that claim 16 MB behind a hello, on 2,000 connections at a time")
def certificates_of_16_mb(share):
    count = sized(2000, share, 200)
    record = b"\x16\x03\x03\x40\x00"
    first = record + b"\x0b\xff\xff\xff" + b"\xff\xff\xfc\xff\xff\xf0" + bytes([0x30]) * (16384 - 10)
    more = record + bytes([0x30]) * 16384
    hello, answer = client_hello("imaps_openssl_tls10"), server_hello("imaps_openssl_tls10")

    def flood():
        for i in range(count):
            yield from conversation(FLOOD, 1024 + i, 993, [(True, hello), (False, answer)],
                                    START + i * 60)
        begin, one, two = 5001 + len(answer), wire.Patched(DATA, first), wire.Patched(DATA, more)
        for part in range(64 if share >= 1 else 12):
            for i in range(count):
                frame = (two if part else one).of(SERVER, FLOOD, 993, 1024 + i,
                                                  begin + part * len(first), 1001 + len(hello))
                yield START + 10_000_000 + part * count * 20 + i * 20, frame
    return Load(flood(), events=count, counters={"flows": (count, count)})


# Many small pieces.

@load("100,000 conversations cut into segments of one byte")
def one_byte_segments(share):
    count = sized(100_000, share / 10, 500)
    hello, answer = client_hello("imaps_openssl_tls10"), server_hello("imaps_openssl_tls10")

    def frames():
        pieces = [(True, b) for b in stream(hello, 1)] + [(False, b) for b in stream(answer, 1)]
        for i in range(count):
            yield from conversation(FLOOD + i // 50000, 1024 + i % 50000, 993, pieces,
                                    START + i * 4000)
    return Load(frames(), events=count, counters={"flows": (count, count)})


@load("a million segments of one byte from behind, in front of them a hole")
def one_byte_backwards(share):
    count = sized(1_000_000, share)

    def frames():
        byte = wire.Patched(DATA, b"\x16")
        for i in range(count):
            connection, at = divmod(i, 1000)
            yield START + i, byte.of(FLOOD, SERVER, 1024 + connection, 993, 3000 - 2 * at, 1)
    return Load(frames(), events=0)


@load("handshake messages in records of one byte")
def one_byte_records(share):
    count = sized(20_000, share / 4, 500)
    records = {}
    for name, message in [("c", client_hello("imaps_openssl_tls10")),
                          ("s", server_hello("imaps_openssl_tls10"))]:
        records[name] = b"".join(message[:3] + b"\0\1" + bytes([b]) for b in message[5:])

    def frames():
        pieces = [(True, b) for b in stream(records["c"], 1400)] + \
            [(False, b) for b in stream(records["s"], 1400)]
        for i in range(count):
            yield from conversation(FLOOD + i // 50000, 1024 + i % 50000, 993, pieces,
                                    START + i * 200)
    return Load(frames(), events=count, counters={"flows": (count, count)})


@load("1,000,000 first fragments of as many datagrams, and genuine handshakes")
def tiny_fragments(share):
    count, genuine = sized(1_000_000, share), sized(1000, share, 50)

    def flood():
        frame = bytearray(wire.ethernet(0x0800, wire.ipv4(6, bytes(8), fragment=0x2000)))
        for i in range(count):
            struct.pack_into(">H", frame, 18, i & 0xFFFF)
            struct.pack_into(">I", frame, 26, FLOOD + (i >> 16))
            yield START + i * 10, bytes(frame)
    return Load(mixed(flood(), genuine, count * 10 // genuine), genuine=genuine,
                counters={"fragments_seen": (count, count),
                          "datagrams_evicted": (count - 5000, count)})


@load("datagrams of 64 KiB in fragments of 8 bytes, the last one first")
def fragment_piles(share):
    count = sized(200, share, 10)

    def flood():
        frame = bytearray(wire.ethernet(0x0800, wire.ipv4(6, bytes(8))))
        for i in range(count):
            struct.pack_into(">H", frame, 18, i)
            for at in range(8190, -1, -1):
                struct.pack_into(">H", frame, 20, at | (0x2000 if at < 8190 else 0))
                yield START + i * 10000 + 8190 - at, bytes(frame)
    return Load(flood(), counters={"fragments_seen": (count * 8191, count * 8191),
                                   "datagrams_in_too_many_pieces": (count, count)})


@load("wrappings without end: tags, labels, tunnels, options, extension headers")
def deep_nesting(share):
    count = sized(20_000, share, 1000)
    inner = wire.ipv4(6, wire.tcp(2000, 993, 1, 1, DATA, client_hello()))

    def nested(kind, times):
        body = inner
        for _ in range(times):
            body = {"ipip": lambda b: wire.ipv4(4, b),
                    "gre": lambda b: wire.ipv4(47, b"\0\0\x08\0" + b),
                    "vxlan": lambda b: wire.ipv4(17, wire.udp(5, 4789, b"\x08\0\0\0\0\0\1\0" +
                                                              wire.ethernet(0x0800, b)))}[kind](body)
        return wire.ethernet(0x0800, body)

    def six(header, times):
        body = (bytes([header, 0]) + bytes(6)) * times
        return wire.ethernet(0x86DD, struct.pack(">IHBB", 6 << 28, len(body), header, 64) +
                             bytes(32) + body)
    routes = b"\0\0\0\4AAAA" * 160
    extensions = (b"\1\0\0\x85" * 300)
    deep = [wire.ethernet(0x8100, b"\0\1\x81\0" * 370), wire.ethernet(0x8847, b"\0\0\x10\xff" * 370),
            nested("ipip", 60), nested("gre", 50), nested("vxlan", 25), six(60, 180), six(0, 180),
            wire.ethernet(0x88E7, b"\0\0\0\0" + wire.ethernet(0x88E7, b"\0\0\0\0") * 80),
            wire.ethernet(0x8909, b"\1\1\0\1\0\5\x89\x09" * 180)]
    bounded = [wire.ethernet(0x0800, wire.ipv4(47, b"\x40\0\x08\0" + bytes(4) + routes)),
               wire.ethernet(0x0800, wire.ipv4(17, wire.udp(5, 2152, b"\x34\xff\x05\0" + bytes(7) +
                                                            b"\x85" + extensions))),
               wire.ethernet(0x0800, wire.ipv4(17, wire.udp(5, 37008, b"\1\0\0\1" + b"\0" * 1400)))]

    def flood():
        for i in range(count):
            yield START + i * 10, deep[i % len(deep)]
            yield START + i * 10, bounded[i % len(bounded)]
    return Load(flood(), events=0,
                counters={"nested_too_deep": (count * 8 // 9 - 9, count), "flows": (0, 0)})


@load("connections whose addresses and ports are next to each other, or differ in high bits only")
def collisions(share):
    count = sized(400_000, share)

    def flood():
        syn, data = wire.Patched(SYN), wire.Patched(DATA, b"\x16\x03\x01\0\x10x")
        for i in range(count):
            client = (i & 0xFFFF) << 16 if i & 1 else FLOOD + (i >> 16 << 8)
            port = 1024 + (i >> 8 & 0x7F) * 256 if i & 2 else 1024
            server = SERVER ^ (i >> 4 & 0xFF) << 24
            yield START + i * 10, syn.of(client, server, port, 993, 1)
            yield START + i * 10 + 1, data.of(client, server, port, 993, 2, 1)
    return Load(flood(), events=0)


# Times.

@load("timestamps that jump by years with each packet, both ways, and to both ends of time")
def jumping_times(share):
    count, dice = sized(300_000, share), random.Random(3)
    whole = wire.Patched(DATA, client_hello())

    def flood():
        for i in range(count):
            time = (0, 0xFFFFFFFF * 1000000, dice.getrandbits(32) * 1000000, START)[i % 4]
            yield time, whole.of(FLOOD + i // 5000, SERVER, 1024 + i % 5000, 993, 1, 1)
    return Load(flood(), counters={"clock_went_back": (1, count)})


@load("a clock that is set back by a minute and more, over and over, with a full table")
def clock_set_back(share):
    count = sized(2_000_000, share, 300_000)
    data = wire.Patched(DATA, b"\x16\x03\x01\0\x10x")

    def flood():
        for i in range(count):
            time = START + i + (0 if i // 300 % 2 else 120_000_000)
            yield time, data.of(FLOOD + i % 140_000 // 5000, SERVER, 1024 + i % 5000, 993, 1, 1)
    return Load(flood(), events=0)


# Names without end, from inside.

@load("300,000 ClientHellos with a name each, of one client")
def names_without_end(share):
    count = sized(300_000, share)

    def flood():
        hello = bytearray(client_hello())
        at = name_at(hello)
        for i in range(count):
            hello[at:at + 8] = b"%08x" % i
            yield START + i * 50, wire.Patched(DATA, bytes(hello)).of(
                FLOOD + i // 50000, SERVER, 1024 + i % 50000, 993, 1, 1)
    return Load(flood(), events=count)


def name_at(hello):
    """Where the host name of a server_name extension begins (RFC 6066, section 3)."""
    for i in range(40, len(hello) - 9):
        if hello[i:i + 2] == b"\0\0" and hello[i + 6] == 0:
            size = int.from_bytes(hello[i + 7:i + 9], "big")
            if int.from_bytes(hello[i + 2:i + 4], "big") == size + 5 and size >= 8:
                return i + 9
    raise ValueError("no name")


@load("several of the above at once, each from addresses of its own")
def all_at_once(share):
    names = ("half_hellos", "many_holes", "never_closed", "messages_of_16_mb", "tiny_fragments",
             "names_without_end")

    def flood():
        going = {number: LOADS[name][0](share).frames for number, name in enumerate(names)}
        time = START
        while going:
            for number, frames in list(going.items()):
                frame = next(frames, None)
                if frame is None:
                    del going[number]
                    continue
                data = bytearray(frame[1])
                # The floods' addresses begin with 172.16, the genuine ones with 10.77.
                for at in (26, 30):
                    if data[at] in (10, 172):
                        data[at + 1] += number + 100
                time += 2
                yield time, bytes(data)
    # The genuine ones may lose their places: what counts here is memory, and lines that are JSON.
    return Load(flood())


# Files.

def squeezed(compressor, megabytes):
    """A capture of so many empty packets, 16 bytes each; `compressor`: called when read."""
    squeeze = compressor()
    empty = struct.pack("<4I", 1_794_787_200, 0, 0, 0) * (1 << 16)
    yield squeeze.compress(wire.PCAP_HEADER)
    for _ in range(megabytes):
        yield squeeze.compress(empty)
    yield squeeze.flush()


@load("a gzip bomb: 4 GB of empty packets in 4 MB")
def gzip_bomb(share):
    size = sized(4096, share)
    return Load(chunks=squeezed(lambda: zlib.compressobj(9, zlib.DEFLATED, 31), size), events=0,
                counters={"packets": (size << 16, size << 16)})


@load("an xz bomb with a dictionary of 1 GB")
def xz_bomb(share):
    filters = [{"id": lzma.FILTER_LZMA2, "preset": 0, "dict_size": 1 << 30, "mf": lzma.MF_HC3}]
    return Load(chunks=squeezed(lambda: lzma.LZMACompressor(filters=filters), sized(1536, share)),
                events=0, status=1, says="MiB are the most")


@load("pcapng: a million interfaces, options of a megabyte, blocks that claim 4 GB")
def pcapng_interfaces(share):
    count = sized(1_000_000, share)

    def chunks():
        yield packets.pcapng_section()
        for _ in range(count // 1000):
            yield packets.pcapng_interface(1) * 1000
        options = struct.pack("<HHI", 1, 0, 0) + b"\1\0\xf0\xff" + bytes(0xFFF0)
        for _ in range(sized(1000, share)):
            yield packets.pcapng_block(1, options)
        for _ in range(sized(100, share)):
            yield packets.pcapng_block(0xBAD, bytes(4 << 20))
        for time, data in wire.genuine_flows(KINDS[:1], 1, START, 1):
            frame = packets.Frame(time * 1000, data, len(data), 1)
            yield packets.pcapng_packet(frame)
        yield struct.pack("<II", 0xBAD, 0xFFFFFFFC) + bytes(100)
    return Load(chunks=chunks(), genuine=1, status=1, says="ends")


def main():
    if not 2 <= len(sys.argv) <= 3 or sys.argv[1] not in LOADS:
        print("usage: loads.py LOAD [SHARE], loads are: " + " ".join(LOADS), file=sys.stderr)
        return 2
    made = LOADS[sys.argv[1]][0](float((sys.argv + ["1"])[2]))
    try:
        for chunk in made.chunks if made.chunks is not None else wire.pcap_chunks(made.frames):
            sys.stdout.buffer.write(chunk)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # whoever reads it has said why
    return 0


if __name__ == "__main__":
    sys.exit(main())
