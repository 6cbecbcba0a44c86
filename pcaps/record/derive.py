"""Captures derived from the recorded ones: other formats and links, taps that see a part, see it
twice or in another order, and damage.

What a derived capture must give is what its base gives, changed by the function that makes it.
"""

import json
import os
import struct

import lab
import packets
from packets import (ACK, FIN, LINK_LOOP, LINK_NULL, LINK_RAW, LINK_SLL, LINK_SLL2, PSH, RST, SYN,
                     Frame, Segment)

OLD, NEW, BIG, SIX = ("pop3s_tls11_openssl", "imaps_openssl_tls13", "imaps_big_certificate",
                      "imaps_ipv6")
CLIENT_FIELDS = ("offered_version", "server_name", "server_name_source", "fallback_scsv", "ja3",
                 "ja4")
SERVER_FIELDS = ("tls_version", "cipher_suite", "alpn", "certificate_subject",
                 "certificate_not_after", "downgrade_sentinel", "limited_by", "resumed",
                 "hello_retry")

DERIVED = {}  # name -> (function, about, base, files, options of the tool)


def derived(about, base=OLD, files=None, tool=()):
    """Marks a function(Work) as a derivation of the same name."""
    def mark(function):
        name = function.__name__
        DERIVED[name] = (function, about, base, files or [name + ".pcap"], list(tool))
        return function
    return mark


class Work:
    """A base capture, its events, and where the result goes."""

    def __init__(self, name):
        self.name = name
        _, _, base, self.files, _ = DERIVED[name]
        self.counters = {"packets": 0}
        if base is None:
            self.frames, self.events = [], []
            return
        self.frames = packets.read_pcap(os.path.join(lab.PCAPS, base + ".pcap"))
        with open(os.path.join(lab.EXPECTED, base + ".jsonl"), encoding="utf-8") as file:
            self.events = [json.loads(line) for line in file]
        self.events = [e for e in self.events if not {"coverage", "inventory", "logins"} & e.keys()]

    @property
    def segments(self):
        """The frames taken apart."""
        return packets.segments(self.frames)

    def change(self, **fields):
        """Changes all events."""
        for event in self.events:
            event.update(fields)

    def free(self, *fields):
        """Says nothing about these fields."""
        for event in self.events:
            for field in fields:
                event.pop(field, None)

    def unknown(self, fields):
        """These fields cannot be known."""
        self.change(**dict.fromkeys(fields))

    def path(self, number=0):
        return os.path.join(lab.PCAPS, self.files[number])

    def write(self, items, number=0, **options):
        """Writes frames or segments as a pcap file."""
        frames = [i.frame() if isinstance(i, Segment) else i for i in items]
        packets.write_pcap(self.path(number), frames, **options)
        self.counters["packets"] += len(frames)

    def write_bytes(self, data):
        self.counters["packets"] = len(self.frames)
        with open(self.path(), "wb") as file:
            file.write(data)

    def sent_by(self, segment):
        """"c" or "s"."""
        return "c" if segment.dport in (993, 995, 465, 587, 143, 110) else "s"

    def first(self, side, what=b"\x16\x03"):
        """Index of the first segment of that side whose payload begins so."""
        return next(i for i, s in enumerate(self.segments)
                    if self.sent_by(s) == side and s.payload.startswith(what))


def pieces(segment, sizes):
    """A segment cut into pieces of these sizes, the rest last, a microsecond apart."""
    out, at = [], 0
    for number, size in enumerate(list(sizes) + [len(segment.payload)]):
        payload = segment.payload[at:at + size]
        if payload:
            out.append(segment.with_(seq=(segment.seq + at) % 2**32, payload=payload,
                                     time=segment.time + number * 1000))
        at += size
    return out


def stamp(time):
    """The time of a packet as an event has it."""
    import hellos
    return hellos.stamp(time)


def only_connection(w, number):
    """The segments and the event of one connection of several."""
    syns = [s for s in w.segments if s.flags & (SYN | ACK) == SYN]
    w.events = w.events[number:number + 1]
    return [s for s in w.segments if syns[number].sport in (s.sport, s.dport)]


# Formats


@derived("nanosecond pcap", NEW)
def format_nanoseconds(w):
    w.write([Frame(f.time + 789, f.data, f.wire_len, f.link) for f in w.frames], nano=True)


@derived("pcap from a big-endian machine")
def format_big_endian(w):
    w.write(w.frames, order=">")


@derived("nanosecond pcap from a big-endian machine")
def format_nanoseconds_big_endian(w):
    w.write([Frame(f.time + 999, f.data, f.wire_len, f.link) for f in w.frames], order=">",
            nano=True)


@derived("pcapng: client and server on two interfaces, in microseconds with an offset and in "
         "nanoseconds", files=["format_pcapng_two_interfaces.pcapng"])
def format_pcapng_two_interfaces(w):
    offset = w.frames[0].time // 10**9 - 1000
    out = packets.pcapng_section() + packets.pcapng_interface(1, 6, offset) + \
        packets.pcapng_interface(1, 9)
    for segment in w.segments:
        if w.sent_by(segment) == "c":
            out += packets.pcapng_packet(segment.frame(), 0, 6, offset)
        else:
            out += packets.pcapng_packet(segment.frame(), 1, 9)
    w.write_bytes(out)


@derived("pcapng of two sections, little-endian and big-endian, the second counting in 2^-30 s", NEW,
         files=["format_pcapng_two_sections.pcapng"])
def format_pcapng_two_sections(w):
    half = len(w.frames) // 2
    out = packets.pcapng_section() + packets.pcapng_interface(1, 6)
    out += b"".join(packets.pcapng_packet(f) for f in w.frames[:half])
    out += packets.pcapng_section(">") + packets.pcapng_interface(1, 0x80 | 30, order=">")
    out += b"".join(packets.pcapng_packet(f, 0, 0x80 | 30, order=">") for f in w.frames[half:])
    w.write_bytes(out)


@derived("one connection in two rotated files, cut inside the server's first flight", BIG,
         files=["rotated_1.pcap", "rotated_2.pcap"])
def rotated(w):
    # The second event's whole conversation is in the second file.
    at = w.first("s") + 2
    w.write(w.frames[:at], 0)
    w.write(w.frames[at:], 1)


# Links


def tagged(segment, *tags):
    """A segment with VLAN tags (EtherType, id) in front, outermost first."""
    tag = b"".join(struct.pack(">HH", kind, vid) for kind, vid in tags)
    return segment.with_(head=segment.head[:12] + tag + segment.head[12:])


@derived("802.1Q, VLAN 25")
def vlan_8021q(w):
    w.change(vlan=25)
    w.write([tagged(s, (0x8100, 0x6000 | 25)) for s in w.segments])


@derived("802.1ad: VLAN 25 inside VLAN 100", NEW)
def vlan_qinq(w):
    w.change(vlan=100)
    w.write([tagged(s, (0x88A8, 100), (0x8100, 25)) for s in w.segments])


@derived("Linux cooked capture, version 1")
def link_sll(w):
    w.change(client_mac={"any": [None, lab.CLIENT_MAC]})
    w.write([s.with_(link=LINK_SLL, head=struct.pack(
        ">HHH6s2sH", 0 if w.sent_by(s) == "c" else 4, 1, 6, s.head[6:12], b"", 0x0800))
        for s in w.segments])


@derived("Linux cooked capture, version 2", SIX)
def link_sll2(w):
    w.change(client_mac={"any": [None, lab.CLIENT_MAC]})
    w.write([s.with_(link=LINK_SLL2, head=struct.pack(
        ">HHIHBB6s2s", 0x86DD, 0, 3, 1, 0 if w.sent_by(s) == "c" else 4, 6, s.head[6:12], b""))
        for s in w.segments])


@derived("raw IP, as on a tun device; no MAC address", SIX)
def link_raw(w):
    w.unknown(["client_mac"])
    w.write([s.with_(link=LINK_RAW, head=b"") for s in w.segments])


@derived("BSD loopback, little-endian")
def link_null(w):
    w.unknown(["client_mac"])
    w.write([s.with_(link=LINK_NULL, head=struct.pack("<I", 2)) for s in w.segments])


@derived("OpenBSD loopback, network byte order")
def link_loop(w):
    w.unknown(["client_mac"])
    w.write([s.with_(link=LINK_LOOP, head=struct.pack(">I", 2)) for s in w.segments])


@derived("frames with their frame check sequence, and padding of short frames", NEW)
def ethernet_fcs_and_padding(w):
    out = []
    for segment in w.segments:
        data = segment.with_(options=b"").frame().data
        data += b"\xa5" * max(0, 60 - len(data)) + b"\x16\x03\x01\x02"
        out.append(Frame(segment.time, data, len(data), 1))
    w.write(out)


@derived("checksums that are wrong, as offloading leaves them")
def checksums_wrong(w):
    out = []
    for segment in w.segments:
        data = bytearray(segment.frame().data)
        data[24:26] = data[50:52] = b"\xbe\xef"
        out.append(Frame(segment.time, bytes(data), len(data), 1))
    w.write(out)


@derived("IPv4 options in front of TCP")
def ipv4_options(w):
    w.write([s.with_(ip_options=bytes.fromhex("9404000001010100")) for s in w.segments])


@derived("IPv6 with hop-by-hop options, routing and destination options in front of TCP", SIX)
def ipv6_extension_headers(w):
    padding = bytes.fromhex("00010400000000")
    routing = bytes.fromhex("00000000000000")
    long = bytes([1, 1, 12]) + bytes(12)
    w.write([s.with_(extensions=((0, padding), (43, routing), (60, long))) for s in w.segments])


# Taps


@derived("every packet twice, as two mirror ports deliver it", NEW)
def twice(w):
    w.write([f for f in w.frames for f in
             (f, Frame(f.time + 2000, f.data, f.wire_len, f.link))])


@derived("every packet twice: before a router, and behind it with another VLAN, TTL and MAC")
def twice_routed(w):
    out = []
    for s in w.segments:
        behind = tagged(s, (0x8100, 300)).with_(ttl=s.ttl - 1, time=s.time + 40000)
        mac = bytes.fromhex("027700000099")
        out += [s, behind.with_(head=mac + mac + behind.head[12:])]
    w.write(out)


@derived("every packet twice, the copies 10 ms later, after what followed", BIG)
def twice_late(w):
    copies = [Frame(f.time + 10**7, f.data, f.wire_len, f.link) for f in w.frames]
    w.write(sorted(w.frames + copies, key=lambda f: f.time))


@derived("a tap that sees the client only: what was offered; it went on after an answer")
def client_only(w):
    w.counters["one_way_flows"] = 1
    w.unknown(SERVER_FIELDS)
    w.change(outcome="negotiated", capture_gap=True)
    w.write([s for s in w.segments if w.sent_by(s) == "c"])


@derived("a tap that sees the client only, TLS 1.3", NEW)
def client_only_tls13(w):
    w.counters["one_way_flows"] = 1
    w.unknown(SERVER_FIELDS)
    w.change(outcome="negotiated", capture_gap=True)
    w.write([s for s in w.segments if w.sent_by(s) == "c"])


@derived("a tap that sees the client only, and nothing after its ClientHello")
def client_hello_only(w):
    w.unknown(SERVER_FIELDS)
    w.change(outcome="unanswered")
    w.free("capture_gap")  # whether the server sent anything cannot be known
    w.write([s for s in w.segments[:w.first("c") + 1] if w.sent_by(s) == "c"])


@derived("a tap that sees the server only: version, suite and certificate")
def server_only(w):
    w.counters["one_way_flows"] = 1
    server = [s for s in w.segments if w.sent_by(s) == "s"]
    w.unknown(CLIENT_FIELDS + ("limited_by", "client_mac"))
    # SPEC, section 6: without SNI the name is the certificate's.
    w.change(outcome="negotiated", capture_gap=True, server_name={"any": [lab.NAME, None]},
             timestamp=stamp(w.segments[w.first("s")].time))
    w.free("resumed", "server_name_source", "client_mac")
    w.write(server)


@derived("a tap that sees the server only, TLS 1.3", NEW)
def server_only_tls13(w):
    w.counters["one_way_flows"] = 1
    w.unknown(CLIENT_FIELDS)
    w.change(outcome="negotiated", capture_gap=True, timestamp=stamp(w.segments[w.first("s")].time))
    w.free("resumed", "client_mac")
    w.write([s for s in w.segments if w.sent_by(s) == "s"])


@derived("a tap that sees the server only, and what it refuses", "imaps_protocol_version")
def server_only_refused(w):
    w.counters["one_way_flows"] = len(w.events)
    server = [s for s in w.segments if w.sent_by(s) == "s"]
    w.unknown(CLIENT_FIELDS)
    for event in w.events:
        event["capture_gap"] = True
        event["timestamp"] = next(stamp(s.time) for s in server
                                  if s.dport == event["client_port"] and s.payload)
    w.free("resumed", "client_mac")
    w.write(server)


def delay(w, late, side="c"):
    """The mirror delivers a side's packets late; the time of each is that of delivery."""
    out = sorted([s.with_(time=s.time + late) if w.sent_by(s) == side else s
                  for s in w.segments], key=lambda s: s.time)
    for event in w.events:
        event["timestamp"] = next(stamp(s.time) for s in out if s.sport == event["client_port"] and
                                  s.payload.startswith(b"\x16\x03"))
    w.write(out)


@derived("the server's packets come before the client's that they answer", NEW)
def directions_swapped(w):
    delay(w, 3 * 10**7)


@derived("a reset or close comes before the ClientHello that it answers",
         "imaps_server_resets_closes")
def refused_before_hello(w):
    delay(w, 6 * 10**7)


@derived("all that the server says comes after the client has closed", "postfix_refuses")
def starttls_refused_server_late(w):
    delay(w, 5 * 10**7, "s")


@derived("the server's Finished comes before the client's alert, behind which it was sent",
         "imaps_nss_untrusting")
def alert_after_late_finished(w):
    delay(w, 10**6)


@derived("a tap that sees the server only, which grants STLS and closes on the hello: no event",
         "dovecot_refuses")
def granted_server_only(w):
    w.events = []
    w.counters["one_way_flows"] = 1
    w.write([s for s in w.segments if s.sport == 110])


@derived("the ClientHello is missing, and an alert goes out before the server's Finished comes",
         "imaps_nss_untrusting")
def alert_behind_lost_hello(w):
    port, at = w.segments[w.first("c")].sport, w.first("c")
    w.events = w.events[:1]
    w.unknown(CLIENT_FIELDS + ("limited_by",))
    w.change(capture_gap=True, timestamp=stamp(w.segments[w.first("s")].time))
    w.counters["gaps"] = 1
    w.write([s for i, s in enumerate(w.segments) if port in (s.sport, s.dport) and i != at])


def finished_crosses_alert(w, out):
    """The server's last segment is sent before the client's alert comes."""
    alert = next(s for s in out if w.sent_by(s) == "c" and s.flags & FIN)
    return [s.with_(ack=alert.seq) if w.sent_by(s) == "s" and s.ack > alert.seq else s for s in out]


@derived("the ClientHello comes last, and behind it all that waited; the client's alert crosses the "
         "server's Finished", "imaps_nss_untrusting")
def alert_waits_for_hello(w):
    out, at = only_connection(w, 0), w.first("c")
    late = out[at].with_(time=out[-1].time + 10**6)
    w.change(timestamp=stamp(late.time))
    w.write(finished_crosses_alert(w, out[:at] + out[at + 1:]) + [late])


@derived("the client's alert is missing in front of its FIN; both cross the server's Finished",
         "imaps_nss_untrusting")
def lost_alert_before_fin(w):
    out = finished_crosses_alert(w, only_connection(w, 0))
    w.unknown(("refusal",))
    w.change(capture_gap=True)
    w.counters["gaps"] = 1
    w.write([s.with_(seq=s.seq + len(s.payload), payload=b"") if s.flags & FIN else s for s in out])


@derived("begins at the ClientHello, which has no session id: nothing tells whether it is the first",
         "imaps_tls13_no_middlebox")
def starts_at_a_hello(w):
    w.unknown(("hello_retry",))
    w.counters["mid_start_flows"] = 1
    w.write(w.segments[w.first("c"):])


@derived("all that the client says comes a millisecond late, behind the greeting that logs it in",
         "imap_preauth")
def preauth_client_late(w):
    w.write(sorted([s.with_(time=s.time + 10**6) if w.sent_by(s) == "c" else s
                    for s in w.segments], key=lambda s: s.time))


@derived("the server's answer and the client's alert to it are missing: who refused is not known",
         "imaps_unknown_ca")
def hole_in_answer(w):
    port = w.segments[w.first("c")].sport
    w.events = w.events[:1]
    w.unknown(SERVER_FIELDS + ("limited_by", "refused_by", "refusal"))
    w.free("resumed", "hello_retry")
    w.change(outcome="negotiated", capture_gap=True)
    w.write([s for s in w.segments if port in (s.sport, s.dport) and
             not (w.sent_by(s) == "s" and s.payload) and not s.payload.startswith(b"\x15")])


@derived("STARTTLS is asked for, then handshakes are missing, but not what followed: no event, as "
         "cleartext it was not", "imap_dovecot_versions")
def starttls_lost_handshake(w):
    w.events = []
    w.write([s for s in w.segments if not s.payload or s.payload[:2] == b"\x17\x03" or
             (s.payload[:8].isascii() and s.payload[0] >= 0x20 and b"Begin TLS" not in s.payload)])


@derived("the server's alert to the Finished of a client that goes on is missing: the end is not "
         "known", "smtps_client_certificate_missing_tls13")
def hole_of_an_alert(w):
    out, at = w.segments, max(i for i, s in enumerate(w.segments)
                              if w.sent_by(s) == "c" and s.payload.startswith(b"\x14\x03"))
    finished = out[at]
    more = finished.with_(time=finished.time + 1000, seq=finished.seq + len(finished.payload),
                          payload=b"\x17\x03\x03\x00\x28" + bytes(range(40)))
    alert = next(i for i, s in enumerate(out) if i > at and w.sent_by(s) == "s" and s.payload)
    later = [s.with_(seq=s.seq + 45) if w.sent_by(s) == "c" else s for s in out[at + 1:]]
    w.change(outcome="negotiated", refused_by=None, refusal=None, capture_gap=True)
    w.counters["gaps"] = 1
    w.write(out[:at + 1] + [more] + later[:alert - at - 1] + later[alert - at:])


@derived("greeting and grant are missing, and the server resets on the hello in place of closing",
         "smtp_closes_on_hello")
def reset_behind_holes(w):
    out = [s for s in w.segments if not s.payload.startswith(b"220")]
    fin = next(i for i, s in enumerate(out) if w.sent_by(s) == "s" and s.flags & FIN)
    w.change(refusal="reset", capture_gap=True)
    w.write(out[:fin] + [out[fin].with_(flags=RST | ACK)])


@derived("a SYN that carries the ClientHello comes behind its answer", "tcp_fast_open")
def fast_open_client_late(w):
    delay(w, 10**7)


@derived("the alert in front of the close is missing: the refusal has no name",
         "imaps_alert_without_a_name")
def hole_in_alert(w):
    w.change(refusal=None, capture_gap=True)
    w.counters["gaps"] = 1
    w.write([s for s in w.segments if w.sent_by(s) == "c" or s.payload[:1] != b"\x15"])


@derived("the FIN of a client that gives up is missing; the server acknowledges it",
         "imaps_unanswered")
def lost_fin(w):
    out = w.segments
    del out[next(i for i, s in enumerate(out) if s.flags & FIN)]
    w.write(out)


@derived("all that the client says comes 400 ms late, and the SYN/ACK is missing",
         "imaps_unknown_ca")
def client_late_no_syn_ack(w):
    out = [s.with_(time=s.time + 4 * 10**8) if w.sent_by(s) == "c" else s
           for s in only_connection(w, 0) if not s.flags & SYN or w.sent_by(s) == "c"]
    w.change(timestamp=stamp(w.segments[w.first("c")].time + 4 * 10**8))
    w.write(sorted(out, key=lambda s: s.time))


@derived("the server's FIN comes right behind the client's SYN", NEW)
def fin_first(w):
    out = w.segments
    fin = next(i for i, s in enumerate(out) if w.sent_by(s) == "s" and s.flags & FIN)
    out.insert(1, out.pop(fin).with_(time=out[0].time))
    w.write(out)


@derived("the ClientHello comes half a second late, behind the close of both sides",
         "imaps_unanswered")
def hello_behind_the_end(w):
    out, at = only_connection(w, 0), w.first("c")
    late = out[at].with_(time=out[at].time + 5 * 10**8)
    w.change(timestamp=stamp(late.time))
    w.write(sorted(out[:at] + out[at + 1:] + [late], key=lambda s: s.time))


@derived("the FIN by which the server refuses is missing; the client's alert acknowledges it",
         "dovecot_refuses")
def lost_fin_before_alert(w):
    w.write([s for s in only_connection(w, 0) if w.sent_by(s) == "c" or not s.flags & FIN])


@derived("of a server that closes on the hello the FIN is missing, and the client's alert to it; the "
         "number of a reset counts it", "smtp_closes_on_hello")
def lost_fin_before_reset(w):
    w.write([s for s in w.segments if not s.flags & FIN and s.payload[:1] != b"\x15"])


@derived("the client's alert and FIN between the Finished of both are missing: not known who ended it",
         "imaps_nss_untrusting")
def lost_alert_behind_finished(w):
    out = only_connection(w, 0)
    w.unknown(("refused_by", "refusal"))
    w.change(outcome="negotiated", capture_gap=True)
    w.write([s for s in out if w.sent_by(s) == "s" or not s.flags & FIN])


@derived("the SYN/ACK is missing in front of an alert with a version of its own",
         "smtp_bearssl_refuses")
def no_syn_ack_before_alert(w):
    w.counters["mid_start_flows"] = 0
    w.write([s for s in only_connection(w, 0) if w.sent_by(s) == "c" or not s.flags & SYN])


@derived("a late copy of the server's greeting, when all is closed: the reset on it has a number of "
         "before the ClientHello", "smtp_bearssl_refuses")
def reset_on_a_late_copy(w):
    out = only_connection(w, 2)
    late = next(s for s in out if s.payload).with_(time=out[-1].time + 2 * 10**8)
    w.write(out + [late, out[-1].with_(time=late.time + 20000, flags=RST, seq=late.ack, ack=0)])


@derived("all between a warning and the server's FIN is missing of what the server said",
         "imaps_warning_survived")
def hole_behind_warning(w):
    out, hello = w.segments, w.first("s")
    w.unknown(SERVER_FIELDS + ("limited_by",))
    w.free("resumed", "hello_retry")
    w.change(outcome="negotiated", capture_gap=True)
    w.counters["gaps"] = 1
    w.write([s for i, s in enumerate(out) if i < hello or w.sent_by(s) == "c" or s.flags & FIN])


@derived("the client's close_notify and FIN are missing, the server closes behind them",
         "smtps_client_close_notify")
def lost_close_notify(w):
    out = only_connection(w, 1)
    w.change(capture_gap=True)
    w.write([s for s in out if w.sent_by(s) == "s" or
             s.payload[:1] != b"\x15" and not s.flags & FIN])


@derived("the end of the ClientHello is missing, which was acknowledged as a whole", NEW)
def hello_cut_and_acknowledged(w):
    out, at = w.segments, w.first("c")
    w.unknown(SERVER_FIELDS + ("limited_by", "ja3", "ja4"))
    w.change(outcome="unanswered", capture_gap=True)
    w.write(out[:at] + pieces(out[at], [240])[:1] + out[at + 1:at + 2])


@derived("all between CAPABILITY and the close is missing, STARTTLS too: no event, as cleartext it "
         "was not", "imap_dovecot_versions")
def hole_from_capability_on(w):
    out = only_connection(w, 0)
    asks = next(i for i, s in enumerate(out) if b"CAPABILITY\r\n" in s.payload and
                w.sent_by(s) == "c")
    w.events = []
    w.write(out[:asks + 1] + [s for s in out[asks + 1:] if s.flags & FIN])


@derived("the acknowledgment of the ClientHello comes before the ClientHello")
def ack_before_data(w):
    out, at = w.segments, w.first("c")
    ack = next(i for i in range(at + 1, len(out)) if w.sent_by(out[i]) == "s")
    out.insert(at, out.pop(ack).with_(time=out[at].time - 1000))
    w.write(out)


@derived("the capture starts after TCP's own handshake")
def starts_after_syn(w):
    w.counters["mid_start_flows"] = 1
    w.write(w.frames[3:])


@derived("the capture starts after the ClientHello: the client's fields are not known")
def starts_after_client_hello(w):
    w.unknown(CLIENT_FIELDS + ("limited_by",))
    w.free("server_name", "server_name_source", "resumed")
    w.change(capture_gap=True, timestamp=stamp(w.segments[w.first("s")].time))
    w.write(w.frames[w.first("c") + 1:])


@derived("the capture starts after the ServerHello: no event")
def starts_after_server_hello(w):
    w.counters["mid_start_flows"] = 1
    w.events = []
    flight = w.first("s")
    w.write(w.frames[next(i for i in range(flight, len(w.frames)) if w.segments[i].payload and
                          w.sent_by(w.segments[i]) == "c"):])


@derived("the capture ends after the ClientHello", NEW)
def ends_after_client_hello(w):
    w.unknown(SERVER_FIELDS)
    w.change(outcome="unanswered")
    w.write(w.frames[:w.first("c") + 1])


@derived("the capture ends after the server's first flight")
def ends_after_server_hello(w):
    w.change(outcome="negotiated")
    w.free("resumed")
    w.write(w.frames[:next(i for i in range(w.first("s"), len(w.frames))
                           if w.sent_by(w.segments[i]) == "c" and w.segments[i].payload)])


@derived("the client closes after silence; the server answers fifteen seconds later, and closes")
def answer_to_a_closed_half(w):
    out, at = w.segments, w.first("c")
    hello, flight = out[at], out[w.first("s")]
    close = hello.with_(time=hello.time + 4 * 10**9, payload=b"", flags=FIN | ACK,
                        seq=(hello.seq + len(hello.payload)) % 2**32)
    late = flight.with_(time=close.time + 15 * 10**9, flags=flight.flags | FIN)
    w.change(outcome="negotiated")
    w.write(out[:at + 1] + [close, late])


@derived("a server that cannot sign (as OpenSMTPD without its key's process): a protected alert stands "
         "in its flight where CertificateVerify belongs, and it closes", NEW)
def alert_in_mid_flight(w):
    out, at = w.segments, w.first("s")
    flight, ack, left = out[at], out[at + 1], b""
    rest = flight.payload
    for _ in range(4):  # ServerHello, ChangeCipherSpec, EncryptedExtensions, Certificate
        size = 5 + struct.unpack(">H", rest[3:5])[0]
        left, rest = left + rest[:size], rest[size:]
    left += b"\x17\3\3\0\x13" + rest[5:24]
    last = flight.with_(payload=left, flags=flight.flags | FIN)
    end = (flight.seq + len(left) + 1) % 2**32
    w.change(outcome="refused", refused_by="server", refusal=None)
    w.write(out[:at] + [last, ack.with_(ack=end, flags=FIN | ACK),
                        last.with_(time=ack.time + 1000, payload=b"", seq=end, flags=ACK,
                                   ack=(ack.seq + 1) % 2**32)])


def behind_proxy(w, header):
    """The client's bytes, shifted by a header in front of them."""
    ports = {s.sport for s in w.segments if w.sent_by(s) == "c"}
    headed = dict.fromkeys(ports, False)
    out = []
    for s in w.segments:
        if w.sent_by(s) == "s":
            if not s.flags & SYN:
                s = s.with_(ack=(s.ack + (len(header) if headed[s.dport] else 0)) % 2**32)
        elif headed[s.sport]:
            s = s.with_(seq=(s.seq + len(header)) % 2**32)
        elif not s.flags & SYN:
            headed[s.sport] = True
            out.append(s.with_(payload=header, flags=PSH | ACK, time=s.time + 1000))
            s = s.with_(seq=(s.seq + len(header)) % 2**32, time=s.time + 2000)
        out.append(s)
    w.write(out)


@derived("a load balancer says in front of the ClientHello for whom it speaks: PROXY protocol, version 1")
def proxy_header_tls(w):
    behind_proxy(w, b"PROXY TCP4 198.51.100.7 192.0.2.25 50000 995\r\n")


@derived("the same in version 2, in front of POP3 with logins in the clear", "pop3_cleartext_login")
def proxy_header_mail(w):
    behind_proxy(w, b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c"
                 + bytes([198, 51, 100, 7, 192, 0, 2, 25]) + struct.pack(">HH", 50000, 110))
    w.free("timestamp")


# Damage


@derived("the middle of the ClientHello was not captured")
def hole_in_client_hello(w):
    w.counters["gaps"] = 1
    out, at = w.segments, w.first("c")
    parts = pieces(out[at], [60, 20])
    del parts[1]
    w.free(*CLIENT_FIELDS, "limited_by", "resumed")
    w.change(capture_gap=True)
    w.write(out[:at] + parts + out[at + 1:])


@derived("the middle of the ServerHello was not captured: its suite is not known", NEW)
def hole_in_server_hello(w):
    w.counters["gaps"] = 1
    out, at = w.segments, w.first("s")
    parts = pieces(out[at], [40, 60])
    del parts[1]
    w.free(*SERVER_FIELDS)
    w.change(outcome={"any": ["established", "negotiated"]}, capture_gap=True, tls_version=None, cipher_suite=None)
    w.write(out[:at] + parts + out[at + 1:])


@derived("a segment in the middle of a large certificate was not captured", BIG)
def hole_in_certificate(w):
    w.counters["gaps"] = 1
    out = w.segments
    whole = [i for i, s in enumerate(out) if w.sent_by(s) == "s" and len(s.payload) >= 1400]
    ports = {s.dport for s in out if w.sent_by(s) == "s"}
    for port in ports:  # the third large segment of each connection
        del_at = [i for i in whole if out[i].dport == port][2]
        out[del_at] = None
    w.change(capture_gap=True, certificate_subject=None, certificate_not_after=None)
    w.free("resumed")
    w.write([s for s in out if s])


@derived("a hole behind the handshake takes nothing from it", NEW)
def hole_in_application_data(w):
    out = w.segments
    at = [i for i, s in enumerate(out) if w.sent_by(s) == "c" and s.payload][2]
    w.write(out[:at] + out[at + 1:])


@derived("the ClientHello in pieces of 1 to 40 bytes, the last one first")
def shuffled_client_hello(w):
    out, at = w.segments, w.first("c")
    parts = pieces(out[at], [1, 1, 3, 1, 40, 7, 40, 2, 40, 11, 40])
    times = [p.time for p in parts]
    parts = [p.with_(time=t) for p, t in zip(reversed(parts), times)]
    w.change(timestamp=stamp(times[-1]))
    w.write(out[:at] + parts + out[at + 1:])


@derived("the server's flight in small pieces, each two swapped", BIG)
def swapped_segments(w):
    out = []
    for segment in w.segments:
        parts = pieces(segment, [300, 300, 300, 300]) if w.sent_by(segment) == "s" else [segment]
        for i in range(0, len(parts) - 1, 2):
            parts[i], parts[i + 1] = (parts[i + 1].with_(time=parts[i].time),
                                      parts[i].with_(time=parts[i + 1].time))
        out += parts or [segment]
    w.write(out)


@derived("retransmissions that are cut in other places than the originals", NEW)
def overlapping_segments(w):
    out = []
    for segment in w.segments:
        size = len(segment.payload)
        if size < 50 or segment.flags & SYN:
            out.append(segment)
            continue
        half = pieces(segment, [size * 2 // 3])[0]
        rest = segment.with_(seq=(segment.seq + size // 3) % 2**32, time=segment.time + 3000,
                             payload=segment.payload[size // 3:])
        out += [half, half.with_(time=segment.time + 1000), rest]
    w.write(out)


@derived("sequence numbers that pass 2^32 inside the ClientHello and inside the ServerHello")
def sequence_wrap(w):
    out = w.segments
    isn = {side: next(s.seq for s in out if s.flags & SYN and w.sent_by(s) == side)
           for side in "cs"}
    shift = {side: (2**32 - 30 - isn[side]) % 2**32 for side in "cs"}
    moved = []
    for s in out:
        mine, other = w.sent_by(s), "s" if w.sent_by(s) == "c" else "c"
        moved.append(s.with_(seq=(s.seq + shift[mine]) % 2**32,
                             ack=(s.ack + shift[other]) % 2**32 if s.flags & ACK else 0))
    w.write(moved)


@derived("a keep-alive with a byte of zero, and zeros in the place of the ClientHello before it comes")
def zeros_before_data(w):
    out, at = w.segments, w.first("c")
    hello = out[at]
    probe = hello.with_(seq=(hello.seq - 1) % 2**32, payload=b"\0", time=hello.time - 3000)
    zeros = hello.with_(payload=bytes(20), time=hello.time - 2000)
    w.change(timestamp={"any": [stamp(hello.time), stamp(zeros.time)]})
    w.write(out[:at] + [probe, zeros] + out[at:])


@derived("the same ports again, two seconds later, with a new initial sequence number")
def port_used_again(w):
    again = [s.with_(seq=(s.seq + 123456789) % 2**32, time=s.time + 2 * 10**9,
                     ack=(s.ack + 123456789) % 2**32 if s.flags & ACK else 0)
             for s in w.segments]
    second = dict(w.events[0])
    at = w.segments[w.first("c")].time
    second["timestamp"] = stamp(at + 2 * 10**9)
    w.events.append(second)
    w.write(w.segments + again)


@derived("the server's last word of another connection on the same ports, a second before the SYN")
def port_used_before(w):
    server = w.segments[w.first("s")]
    word = server.with_(seq=(server.seq - 987654321) % 2**32, ack=(server.ack - 123456789) % 2**32,
                        payload=b"\x17\x03\x02\x00\x20" + bytes(range(64, 96)),
                        time=w.segments[0].time - 10**9)
    w.write([word] + w.segments)


@derived("a session in cleartext that is silent for half an hour behind its login",
         "imap_cleartext_login")
def silent_for_half_an_hour(w):
    segments = only_connection(w, 1)
    behind = next(i for i, s in enumerate(segments) if s.payload.startswith(b"A003 "))
    w.write(segments[:behind] +
            [s.with_(time=s.time + 30 * 60 * 10**9) for s in segments[behind:]])


def snapped(frames, size):
    return [Frame(f.time, f.data[:size], f.wire_len, f.link) for f in frames]


@derived("a snapshot length of 96 bytes: TLS 1.3 hides its version behind it, and nothing is guessed",
         NEW)
def snap_96_tls13(w):
    w.free(*CLIENT_FIELDS)
    w.change(outcome={"any": ["established", "negotiated"]})
    w.unknown(SERVER_FIELDS)
    w.free("hello_retry", "limited_by", "resumed")
    w.change(capture_gap=True, server_name=None)
    w.counters["cut_by_snap_length"] = sum(len(f.data) > 96 for f in w.frames)
    w.write(snapped(w.frames, 96), snap=96)


@derived("a snapshot length of 192 bytes: the ServerHello is whole in it, the certificate is not")
def snap_192(w):
    w.free(*CLIENT_FIELDS, "resumed", "limited_by", "certificate_subject", "certificate_not_after")
    w.change(capture_gap=True)
    w.counters["cut_by_snap_length"] = sum(len(f.data) > 192 for f in w.frames)
    w.write(snapped(w.frames, 192), snap=192)


# Not recorded, but made up: no program here speaks it any more.


@derived("SSLv2, synthetic: hello, answer and key exchange as in the draft of Hickman", None)
def sslv2_synthetic(w):
    client, server = bytes([10, 77, 0, 11]), bytes([192, 0, 2, 25])
    macs = [bytes.fromhex(m.replace(":", "")) for m in (lab.CLIENT_MAC, lab.SERVER_MAC)]
    start, seqs, out = 1_790_000_000 * 10**9, {"c": 1000, "s": 5000}, []

    def send(side, payload=b"", flags=ACK):
        other = "s" if side == "c" else "c"
        head = (macs[1] + macs[0] if side == "c" else macs[0] + macs[1]) + b"\x08\x00"
        ends = (client, server, 40002, 993) if side == "c" else (server, client, 993, 40002)
        out.append(Segment(start + len(out) * 10**6, 1, head, 4, *ends, seqs[side],
                           seqs[other] if flags & ACK else 0, flags, 65535, b"", payload))
        seqs[side] += len(payload) + (1 if flags & (SYN | FIN) else 0)

    def record(body):
        return struct.pack(">H", 0x8000 | len(body)) + body

    send("c", flags=SYN)
    send("s", flags=SYN | ACK)
    send("c")
    suites = bytes.fromhex("010080" "0700c0" "030080")
    send("c", record(struct.pack(">BHHHH", 1, 2, len(suites), 0, 16) + suites + bytes(range(16))),
         PSH | ACK)
    certificate = bytes(range(64))
    send("s", record(struct.pack(">BBBHHHH", 4, 0, 1, 2, len(certificate), 3, 16) + certificate +
                     bytes.fromhex("0700c0") + bytes(16)), PSH | ACK)
    send("c", record(b"\x02\x07\x00\xc0" + struct.pack(">HHH", 0, 64, 8) + bytes(72)), PSH | ACK)
    send("s", record(b"\x9c" * 33), PSH | ACK)
    send("c", record(b"\x9d" * 33), PSH | ACK)
    send("s", record(b"\x9e" * 33), PSH | ACK)
    send("c", flags=FIN | ACK)
    send("s", flags=FIN | ACK)
    send("c")
    w.events = [{
        "event": "tls_handshake", "client_ip": lab.CLIENT, "client_port": 40002,
        "server_ip": lab.SERVER, "server_port": 993, "protocol": "IMAP", "tls_mode": "implicit",
        "tls_version": "SSLv2", "offered_version": "SSLv2", "server_name": None, "ja3": None,
        "ja4": None, "refused_by": None, "refusal": None, "limited_by": "client",
        "outcome": {"any": ["established", "negotiated"]}, "timestamp": stamp(out[3].time)}]
    w.write(out)


def make(name):
    """One derived capture and its expected events; the number of its events."""
    work = Work(name)
    DERIVED[name][0](work)
    work.counters["events"] = len(work.events)
    lab.write_events(name, work.events, work.counters)
    return len(work.events)


def rows():
    """(name, about, files, options) of each."""
    return [(name, "%s%s" % (about, ", of `%s`" % base if base else ""), files, tool)
            for name, (_, about, base, files, tool) in DERIVED.items()]
