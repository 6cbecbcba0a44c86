"""What a recording shows on the wire: a small reader of its own, for the expected events.

It is no part of the program and shares no code with it, so that the two can disagree.  It needs
what the recordings are: whole conversations, every byte captured.
"""

import base64
import hashlib
import ipaddress
import re
import struct
import subprocess
from dataclasses import dataclass, field

import packets

VERSIONS = {0x0002: "SSLv2", 0x0300: "SSLv3", 0x0301: "TLSv1.0", 0x0302: "TLSv1.1",
            0x0303: "TLSv1.2", 0x0304: "TLSv1.3"}
PROTOCOLS = {993: "IMAP", 143: "IMAP", 995: "POP3", 110: "POP3", 465: "SMTP", 587: "SMTP"}
RETRY_RANDOM = bytes.fromhex("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c")
TLS_START = re.compile(rb"(?:^|(?<=\n))(?:\x16\x03[\x00-\x04]..[\x01\x02]|\x15\x03[\x00-\x04]\x00\x02)",
                       re.S)
SSL2_START = re.compile(rb"(?:^|(?<=\n))[\x80-\xbf].\x01[\x00\x03][\x00-\x04]", re.S)


@dataclass
class Stream:
    """One direction, put in order; `marks` are (offset, time) of each segment, earliest first."""

    isn: int
    data: bytearray = field(default_factory=bytearray)
    marks: list = field(default_factory=list)
    waiting: list = field(default_factory=list)

    def add(self, seg):
        first = seg.seq + 1 if seg.flags & packets.SYN else seg.seq
        offset = (first - self.isn - 1 + 2**31) % 2**32 - 2**31
        if seg.payload:
            self.waiting.append((offset, seg.time, seg.payload))
        progress = True
        while progress:
            progress = False
            for item in list(self.waiting):
                at, time, payload = item
                if at + len(payload) <= len(self.data):
                    self.waiting.remove(item)
                elif at <= len(self.data):
                    self.marks.append((len(self.data), time))
                    self.data += payload[len(self.data) - at:]
                    self.waiting.remove(item)
                    progress = True

    def time_at(self, offset):
        """The packet time of the byte at `offset`."""
        return [time for at, time in self.marks if at <= offset][-1]


@dataclass
class Conversation:
    """A connection, from its SYN on."""

    first: packets.Segment
    client: Stream
    server: Stream = None


def conversations(frames):
    """All connections of a capture, in the order of their SYNs."""
    out, live = [], {}
    for seg in filter(None, map(packets.parse, frames)):
        key = seg.conversation()
        if seg.flags & (packets.SYN | packets.ACK) == packets.SYN:
            known = live.get(key)
            if known is None or known.client.isn != seg.seq:
                live[key] = Conversation(seg, Stream(seg.seq))
                out.append(live[key])
        conv = live.get(key)
        if conv is None:
            continue
        if seg.key() == conv.first.key():
            conv.client.add(seg)
        else:
            if seg.flags & packets.SYN:
                conv.server = Stream(seg.seq)
            if conv.server:
                conv.server.add(seg)
    return out


class Reader:
    """Consumes integers and vectors from the front."""

    def __init__(self, data):
        self.data = bytes(data)

    def take(self, count):
        assert len(self.data) >= count, "cut"
        out, self.data = self.data[:count], self.data[count:]
        return out

    def number(self, count):
        return int.from_bytes(self.take(count), "big")

    def vector(self, count):
        return self.take(self.number(count))


def messages(data):
    """The handshake messages in the clear: (type, body) each, over all records up to the first
    that is no handshake record."""
    joined, at = b"", 0
    while len(data) - at >= 5 and data[at] in (22, 21, 20):
        size = struct.unpack_from(">H", data, at + 3)[0]
        if data[at] == 22:
            joined += bytes(data[at + 5:at + 5 + size])
        elif data[at] == 20:
            # What follows a ChangeCipherSpec is encrypted, except behind a HelloRetryRequest and
            # before a second ClientHello.
            if not (len(data) > at + 11 and data[at + 6] == 22 and data[at + 11] in (1, 2)):
                break
        at += 5 + size
    out = []
    while len(joined) >= 4:
        size = int.from_bytes(joined[1:4], "big")
        if len(joined) < 4 + size:
            break
        out.append((joined[0], joined[4:4 + size]))
        joined = joined[4 + size:]
    return out


def _extensions(reader):
    out = []
    if reader.data:
        block = Reader(reader.vector(2))
        while block.data:
            number = block.number(2)
            out.append((number, block.vector(2)))
    return out


def _numbers(data, width=2):
    return [int.from_bytes(data[i:i + width], "big") for i in range(0, len(data), width)]


def _grease(value):
    return value & 0x0F0F == 0x0A0A and value >> 8 == value & 0xFF


def _real(values):
    return [v for v in values if not _grease(v)]


def client_hello(body):
    """Fields of a ClientHello, its fingerprints included."""
    r = Reader(body)
    legacy = r.number(2)
    r.take(32)
    r.vector(1)
    suites = _numbers(r.vector(2))
    r.vector(1)
    extensions = _extensions(r)
    table = dict(extensions)
    versions = _real(_numbers(Reader(table[43]).vector(1))) if 43 in table else [legacy]
    sni = None
    if table.get(0):
        names = Reader(Reader(table[0]).vector(2))
        names.number(1)
        sni = names.vector(2).decode("ascii")
    alpn = []
    if 16 in table:
        names = Reader(Reader(table[16]).vector(2))
        while names.data:
            alpn.append(names.vector(1))
    groups = _real(_numbers(Reader(table[10]).vector(2))) if 10 in table else []
    formats = list(Reader(table[11]).vector(1)) if 11 in table else []
    signatures = _real(_numbers(Reader(table[13]).vector(2))) if 13 in table else []
    numbers = _real([n for n, _ in extensions])
    ja3 = ",".join([str(legacy)] + ["-".join(map(str, x)) for x in
                                    (_real(suites), numbers, groups, formats)])
    return {
        "offered_version": VERSIONS[max(versions)],
        "server_name": sni,
        "server_name_source": "sni" if sni else None,
        "fallback_scsv": 0x5600 in suites,
        "ja3": hashlib.md5(ja3.encode()).hexdigest(),
        "ja4": _ja4(max(versions), 0 in table, _real(suites), numbers, alpn, signatures),
    }


def _ja4(version, has_sni, suites, numbers, alpn, signatures):
    name = {0x304: "13", 0x303: "12", 0x302: "11", 0x301: "10", 0x300: "s3"}[version]
    first = alpn[0].decode("ascii") if alpn else "00"

    def digest(text):
        return hashlib.sha256(text.encode()).hexdigest()[:12] if text else "0" * 12

    def hexes(values):
        return ",".join("%04x" % v for v in values)

    rest = hexes(sorted(n for n in numbers if n not in (0, 16)))
    if signatures:
        rest += "_" + hexes(signatures)
    return "t%s%s%02d%02d%s%s_%s_%s" % (
        name, "d" if has_sni else "i", min(len(suites), 99), min(len(numbers), 99), first[0],
        first[-1], digest(hexes(sorted(suites))), digest(rest))


def ssl2_hello(data):
    """Fields of an SSLv2-format ClientHello (RFC 5246, appendix E.2)."""
    version = struct.unpack_from(">H", data, 3)[0]
    size = struct.unpack_from(">H", data, 5)[0]
    kinds = _numbers(bytes(data[11:11 + size]), 3)
    return {"offered_version": VERSIONS[version], "server_name": None, "server_name_source": None,
            "fallback_scsv": 0x005600 in kinds, "ja3": None, "ja4": None}


def server_hello(body):
    """Fields of a ServerHello; `psk` tells whether a pre-shared key was taken."""
    r = Reader(body)
    legacy = r.number(2)
    random = r.take(32)
    r.vector(1)
    suite = r.number(2)
    r.number(1)
    table = dict(_extensions(r))
    version = int.from_bytes(table[43], "big") if 43 in table else legacy
    alpn = None
    if 16 in table:
        alpn = Reader(Reader(table[16]).vector(2)).vector(1).decode("ascii")
    sentinel = {b"DOWNGRD\x01": "TLSv1.2", b"DOWNGRD\x00": "TLSv1.1"}.get(random[24:])
    return {"tls_version": VERSIONS[version], "suite": suite, "alpn": alpn,
            "hello_retry": random == RETRY_RANDOM, "psk": 41 in table,
            "downgrade_sentinel": sentinel}


_SUITES = {}


def suite_name(number):
    """The name as tshark's table, made from IANA's registry, has it."""
    if not _SUITES:
        text = subprocess.run(["tshark", "-G", "values"], capture_output=True, text=True).stdout
        for line in text.splitlines():
            parts = line.split("\t")
            if parts[:2] == ["V", "tls.handshake.ciphersuite"]:
                _SUITES[int(parts[2], 0)] = parts[3]
    return _SUITES[number]


def certificate(body):
    """Subject (RFC 4514) and notAfter of the first certificate of a Certificate message."""
    der = Reader(Reader(body).vector(3)).vector(3)
    pem = b"-----BEGIN CERTIFICATE-----\n" + base64.encodebytes(der) + b"-----END CERTIFICATE-----\n"
    text = subprocess.run(
        ["openssl", "x509", "-noout", "-subject", "-enddate", "-nameopt", "RFC2253,utf8,-esc_msb",
         "-dateopt", "iso_8601"], input=pem, capture_output=True, check=True).stdout.decode()
    subject = re.search(r"^subject=(.*)$", text, re.M).group(1)
    end = re.search(r"^notAfter=(.*)$", text, re.M).group(1)
    return {"certificate_subject": subject.strip(),
            "certificate_not_after": end.replace(" ", "T", 1).replace("Z", ".000000Z")}


def community_id(seg):
    """Community ID version 1, seed 0."""
    a, b = (seg.src, seg.sport), (seg.dst, seg.dport)
    low, high = sorted([a, b])
    data = bytes(2) + low[0] + high[0] + struct.pack(">BBHH", 6, 0, low[1], high[1])
    return "1:" + base64.b64encode(hashlib.sha1(data).digest()).decode()


def stamp(nanoseconds):
    """RFC 3339 with microseconds."""
    import datetime
    when = datetime.datetime.fromtimestamp(nanoseconds // 10**9, datetime.timezone.utc)
    return when.strftime("%Y-%m-%dT%H:%M:%S.") + "%06dZ" % (nanoseconds // 1000 % 10**6)


def own_name(data):
    """What the device calls itself in the clear."""
    for source, pattern in (("ehlo", rb"(?mi)^(?:EHLO|HELO|LHLO) (\S+)\r?$"),
                            ("imap-id", rb'(?mi)^\S+ ID \(.*?"name" "([^"]*)"')):
        found = re.search(pattern, data)
        if found:
            return {"client_name": found.group(1).decode(), "client_name_source": source}
    return {"client_name": None, "client_name_source": None}


def measure(conv):
    """Everything about a connection that can be read off the wire, as fields of an event."""
    first = conv.first
    out = {
        "client_ip": str(ipaddress.ip_address(first.src)), "client_port": first.sport,
        "server_ip": str(ipaddress.ip_address(first.dst)), "server_port": first.dport,
        "client_mac": None, "vlan": None, "community_id": community_id(first),
        "protocol": PROTOCOLS.get(first.dport, "TLS"),
    }
    if first.link == packets.LINK_ETHERNET:
        out["client_mac"] = first.head[6:12].hex(":")
    client, server = conv.client, conv.server or Stream(0)
    out.update(own_name(client.data))
    hello = TLS_START.search(client.data)
    old = SSL2_START.search(client.data)
    if old and not hello:
        out.update(ssl2_hello(client.data[old.start():]))
        out["timestamp"] = stamp(client.time_at(old.start()))
    elif hello and client.data[hello.start()] == 22:
        found = messages(client.data[hello.start():])
        out.update(client_hello(found[0][1]))
        out["timestamp"] = stamp(client.time_at(hello.start()))
    else:
        marks = client.marks[:1] + server.marks[:1]
        out["timestamp"] = stamp(min(t for _, t in marks)) if marks else None
        return out
    out.update({"tls_version": None, "cipher_suite": None, "alpn": None,
                "certificate_subject": None, "certificate_not_after": None})
    answer = TLS_START.search(server.data)
    found = messages(server.data[answer.start():]) if answer else []
    hellos = [server_hello(body) for kind, body in found if kind == 2]
    if hellos:
        last = hellos[-1]
        out.update({k: last[k] for k in ("tls_version", "alpn", "downgrade_sentinel")})
        out["cipher_suite"] = suite_name(last["suite"])
        out["hello_retry"] = hellos[0]["hello_retry"]
        if last["tls_version"] == "TLSv1.3":
            out["resumed"] = last["psk"]
        for kind, body in found:
            if kind == 11:
                out.update(certificate(body))
                out["resumed"] = False
    return out
