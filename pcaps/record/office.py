#!/usr/bin/env python3
"""A small office over three days: what a report over many devices looks like.

usage: office.py       makes office_1.pcap.zst, office_2.pcap.zst, office_3.pcap.zst

Each kind of session is recorded once, between a real client and a real server (`TEMPLATES`).  The
days are made of copies of these recordings: every copy has the addresses of its device, ports,
sequence numbers and a time of its own (`DEVICES`).  DNS answers and DHCP requests are made up.
tests/e2e/office knows what each device must be told to be.

Needs root, and openssl, tcpdump, ethtool, iproute2 and zstd; see record/all.
"""

import base64
import datetime
import ipaddress
import os
import random
import ssl
import struct
import tempfile

import lab
import packets
from peers import Tls, context, mail_server, read_line, read_until, s_client, s_server, talk

DAYS = [datetime.datetime(2026, 11, day, tzinfo=datetime.timezone.utc) for day in (16, 17, 18)]
FILES = ["office_%d.pcap.zst" % number for number in range(1, len(DAYS) + 1)]
ABOUT = ("three days of a small office, a file per day: a scanner that is refused from the third day "
         "on, a program that comes every five minutes and shows no name, a fallback after each "
         "refused try, mail without TLS, a branch behind its router, a phone that is turned away "
         "inside TLS, a night of guessed passwords; DNS and DHCP pass by too")
CLOUD, OWN, APPLIANCE = "198.51.100.25", "10.20.0.25", "10.20.0.26"
RESOLVER = "10.20.0.53"
ROUTER_MAC = "00:00:5e:00:53:01"
EHLO = b"250-smtp.cloud.example.com\r\n250-STARTTLS\r\n250 AUTH PLAIN LOGIN\r\n"
SMTP = {"EHLO": EHLO, "STARTTLS": "tls", "*": b"250 ok\r\n", "AUTH": b"235 2.7.0 accepted\r\n",
        "QUIT": b"221 bye\r\n"}
LETTER = "a1 APPEND INBOX " + "lorem ipsum " * 120  # long enough to be a session that works
TEMPLATES = {}  # name -> function(Lab)


def template(function):
    TEMPLATES[function.__name__] = function
    return function


def serve(place, port, low, high, client=(), text=LETTER + "\n", name=lab.NAME):
    """One s_client session with one s_server, whose certificate is small."""
    s_server(place, port, "-" + low if low == high else "-min_protocol", *(
        () if low == high else (low, "-max_protocol", high)), cert="ec")
    s_client(place, port, *client, text=text, name=name)


def submit(place, low, high, name, refuse=False, device=b"scanner-2nd-floor"):
    """Submission with STARTTLS; the server takes versions from `low` to `high`, the client `name`."""
    server = context(place, "s", low=low, high=high, cert="ec")
    place.listen(587, mail_server(place, "SMTP", server, SMTP))
    sock = place.connect(587)
    read_line(sock)
    sock.sendall(b"EHLO " + device + b"\r\n")
    read_until(sock, b"AUTH PLAIN LOGIN\r\n")
    talk(sock, b"STARTTLS")
    tls = Tls(sock, context(place, "c", low=name, high=name), name="smtp.cloud.example.com")
    try:
        tls.handshake()
    except ssl.SSLError:
        assert refuse
        sock.close()
        return
    tls.send(LETTER.encode())
    tls.receive()
    tls.close()


@template
def submission_tls10(place):
    submit(place, "TLSv1", "TLSv1_3", "TLSv1")


@template
def submission_tls10_refused(place):
    submit(place, "TLSv1_2", "TLSv1_3", "TLSv1", refuse=True)


@template
def submission_tls13(place):
    submit(place, "TLSv1_2", "TLSv1_3", "TLSv1_3", device=b"laptop")


@template
def imaps_tls10_without_sni(place):
    serve(place, 993, "tls1", "tls1", ["-tls1"], name=None)


@template
def imaps_tls13(place):
    serve(place, 993, "TLSv1.2", "TLSv1.3", ["-tls1_3"], name="imap.cloud.example.com")


@template
def imaps_tls12(place):
    serve(place, 993, "tls1_2", "tls1_2", ["-tls1_2"], name="mail.corp.example.com")


@template
def imaps_tls11(place):
    serve(place, 993, "tls1_1", "tls1_1", ["-tls1_1"], name="mail.corp.example.com")


@template
def pop3s_server_is_the_limit(place):
    serve(place, 995, "tls1", "tls1", ["-min_protocol", "TLSv1"], name="archive.corp.example.com")


@template
def imaps_fallback(place):
    """TLS 1.2 is refused by a server that knows 1.0 only; the client comes back with 1.0."""
    s_server(place, 993, "-tls1", cert="ec")
    s_client(place, 993, "-tls1_2", name="archive.corp.example.com")
    s_client(place, 993, "-tls1", "-fallback_scsv", name="archive.corp.example.com",
             text=LETTER + "\n")


@template
def imaps_dropped_early(place):
    """The server takes the handshake and tells the client inside it to go away."""
    def refuse(sock):
        tls = Tls(sock, context(place, "s", cert="ec"), server=True).handshake()
        tls.send(b"* BYE TLS 1.0 and 1.1 are not supported\r\n")
        tls.close()
    place.listen(993, refuse)
    sock = place.connect(993)
    tls = Tls(sock, context(place, "c", high="TLSv1"), name="imap.cloud.example.com").handshake()
    tls.receive()
    tls.receive()
    tls.close()


@template
def cleartext_submission(place):
    place.listen(587, mail_server(place, "SMTP", None, dict(
        SMTP, EHLO=b"250-mail.corp.example.com\r\n250 AUTH PLAIN LOGIN\r\n")))
    sock = place.connect(587)
    read_line(sock)
    sock.sendall(b"EHLO camera-gate\r\n")
    read_until(sock, b"AUTH PLAIN LOGIN\r\n")
    secret = base64.b64encode(b"\0user\0not-a-secret")
    talk(sock, b"AUTH PLAIN " + secret, b"MAIL FROM:<camera@example.com>", b"QUIT")
    sock.close()


@template
def pop3_stls_refused(place):
    place.listen(110, mail_server(place, "POP3", None, {
        "STLS": b"-ERR not here\r\n", "*": b"+OK\r\n", "QUIT": b"+OK bye\r\n"}))
    sock = place.connect(110)
    read_line(sock)
    talk(sock, b"STLS", b"USER user", b"PASS not-a-secret", b"STAT", b"QUIT")
    sock.close()


@template
def imap_failed_login(place):
    """A failed login in the clear; copies get a user name of their own, of the same length."""
    place.listen(143, mail_server(place, "IMAP", None, {
        "LOGIN": b"%tag NO [AUTHENTICATIONFAILED] no\r\n", "*": b"%tag OK\r\n"}))
    sock = place.connect(143)
    read_line(sock)
    talk(sock, b"a1 LOGIN user-00 not-a-secret")
    sock.close()


@template
def imaps_short_session(place):
    """A login that fails inside TLS, as far as anybody can see."""
    s_server(place, 993, cert="ec")
    s_client(place, 993, "-tls1_3", name="mail.corp.example.com", text="a1 LOGIN user guess\n")


def record_templates():
    """name -> list of segments, the first at time 0."""
    out = {}
    with lab.Lab() as place, tempfile.TemporaryDirectory() as folder:
        # Few and small certificates: the days have a thousand copies of them.
        for name, function in TEMPLATES.items():
            path = os.path.join(folder, name)
            place.capture(path, function)
            segments = packets.segments(packets.read_pcap(path))
            start = segments[0].time
            out[name] = [s.with_(time=s.time - start) for s in segments]
            print("%-28s %3d packets" % (name, len(segments)))
    return out


class Device:
    """Something with an address that speaks to mail servers."""

    def __init__(self, address, mac, name=None):
        self.address, self.mac, self.name = address, mac, name
        self.port = 40000 + random.randrange(9000)


class Days:
    """The packets of all days, in no order."""

    def __init__(self, templates):
        self.templates = templates
        self.frames = []

    def session(self, device, when, template, server, change=None):
        """A copy of `template` by `device` at `when`; change(payload) alters what is sent."""
        start, ports, isns = int(when.timestamp() * 10**9), {}, {}
        for s in self.templates[template]:
            side = s.dport in (993, 995, 465, 587, 143, 110)
            theirs = s.sport if side else s.dport
            if theirs not in ports:
                device.port = 40000 + (device.port - 40000 + 1) % 20000
                ports[theirs] = device.port
                isns[theirs] = random.getrandbits(32), random.getrandbits(32)
            mine, other = isns[theirs] if side else reversed(isns[theirs])
            payload = change(s.payload) if change and side else s.payload
            self.frames.append(s.with_(
                time=start + s.time, head=self.head(device, server, side),
                src=packed(device.address if side else server),
                dst=packed(server if side else device.address),
                sport=ports[theirs] if side else s.sport, dport=s.dport if side else ports[theirs],
                seq=(s.seq + mine) % 2**32,
                ack=(s.ack + other) % 2**32 if s.flags & packets.ACK else 0,
                payload=payload).frame())

    @staticmethod
    def head(device, server, sent):
        """Servers of the cloud stand behind the router, those of the house do not."""
        there = ROUTER_MAC if server == CLOUD else "00:00:5e:00:53:%02x" % int(server.split(".")[3])
        ends = (there, device.mac) if sent else (device.mac, there)
        return b"".join(bytes.fromhex(e.replace(":", "")) for e in ends) + b"\x08\x00"

    def udp(self, when, source, target, macs, sport, dport, body):
        """A datagram; `macs`: of target and source."""
        udp = struct.pack(">HHHH", sport, dport, 8 + len(body), 0) + body
        ip = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(udp), 0, 0x4000, 64, 17, 0) + \
            packed(source) + packed(target)
        ip = ip[:10] + struct.pack(">H", packets.checksum(ip)) + ip[12:]
        data = b"".join(bytes.fromhex(m.replace(":", "")) for m in macs) + b"\x08\x00" + ip + udp
        self.frames.append(packets.Frame(int(when.timestamp() * 10**9), data, len(data), 1))

    def lookup(self, device, when, name, server):
        """A question for the address of `name`, and its answer, two ms later."""
        ident = random.getrandbits(16)
        question = b"".join(bytes([len(p)]) + p.encode() for p in name.split(".")) + \
            b"\0\0\1\0\1"
        port = 20000 + random.randrange(9999)
        there = "00:00:5e:00:53:35"
        self.udp(when, device.address, RESOLVER, (there, device.mac), port, 53,
                 struct.pack(">HHHHHH", ident, 0x0100, 1, 0, 0, 0) + question)
        answer = b"\xc0\x0c\0\1\0\1" + struct.pack(">IH", 3600, 4) + packed(server)
        self.udp(when + datetime.timedelta(milliseconds=2), RESOLVER, device.address,
                 (device.mac, there), 53, port,
                 struct.pack(">HHHHHH", ident, 0x8180, 1, 1, 0, 0) + question + answer)

    def request_address(self, device, when):
        """DHCPREQUEST with the device's name (RFC 2131, 2132 option 12), and the answer."""
        mac = bytes.fromhex(device.mac.replace(":", ""))
        ident = random.getrandbits(32)

        def message(op, kind, yours, options):
            fixed = struct.pack(">BBBBIHH", op, 1, 6, 0, ident, 0, 0) + bytes(4) + yours + \
                bytes(8) + mac + bytes(10 + 64 + 128) + b"\x63\x82\x53\x63"
            return fixed + b"\x35\1" + bytes([kind]) + options + b"\xff"
        name = device.name.encode()
        self.udp(when, "0.0.0.0", "255.255.255.255", ("ff:ff:ff:ff:ff:ff", device.mac), 68, 67,
                 message(1, 3, bytes(4), b"\x32\4" + packed(device.address) +
                         b"\x0c" + bytes([len(name)]) + name))
        self.udp(when + datetime.timedelta(milliseconds=3), RESOLVER, device.address,
                 (device.mac, "00:00:5e:00:53:35"), 67, 68,
                 message(2, 5, packed(device.address), b"\x36\4" + packed(RESOLVER) +
                         b"\x33\4" + struct.pack(">I", 86400)))

    def write(self):
        """A file per day."""
        for name, day in zip(FILES, DAYS):
            first = int(day.timestamp() * 10**9)
            frames = sorted((f for f in self.frames if first <= f.time < first + 86400 * 10**9),
                            key=lambda f: f.time)
            path = os.path.join(lab.PCAPS, name)
            with tempfile.NamedTemporaryFile() as plain:
                packets.write_pcap(plain.name, frames)
                lab.sh("zstd", "-q", "-f", "-19", plain.name, "-o", path)
            os.chmod(path, 0o644)
            print("%-28s %5d packets %7d bytes" % (name, len(frames), os.path.getsize(path)))


def packed(address):
    return ipaddress.ip_address(address).packed


def at(day, hour, minute=0, second=0.0):
    return day + datetime.timedelta(hours=hour, minutes=minute, seconds=second)


def mac(last):
    """A MAC of the block for documentation (RFC 9542, section 2.1.2)."""
    return "00:00:5e:00:53:%02x" % last


def every(day, seconds, jitter, begin=0, end=24):
    """Times from hour `begin` to hour `end`."""
    now = begin * 3600 + random.uniform(0, seconds / 2)
    while now + jitter < end * 3600:
        yield day + datetime.timedelta(seconds=now + random.uniform(-jitter, jitter) + jitter)
        now += seconds


def fill(days):
    """What each device does."""
    scanner = Device("10.20.1.21", mac(0x21), "scanner-2nd-floor")
    erp = Device("10.20.1.30", mac(0x30), "erp-batch")
    camera = Device("10.20.1.41", mac(0x41))
    printer = Device("10.20.1.50", mac(0x50), "printer-lobby")
    monitor = Device("10.20.1.70", mac(0x70))
    till = Device("10.20.1.80", mac(0x80), "till-3")
    phone = Device("10.20.1.90", mac(0x90))
    guesser = Device("10.20.1.200", mac(0xC8))
    laptops = [Device("10.20.1.%d" % n, mac(n), "laptop-%d" % n) for n in (101, 102, 103)]
    branch = [Device("10.20.2.%d" % n, ROUTER_MAC) for n in (11, 12, 13)]

    for number, day in enumerate(DAYS):
        for device in (scanner, erp, printer, till, *laptops):
            days.request_address(device, at(day, 6, random.randrange(50)))
        # From the third day on the cloud refuses what is older than TLS 1.2.
        what = "submission_tls10" if number < 2 else "submission_tls10_refused"
        for hour in (8, 9, 9.5, 10, 11, 13, 14, 16):
            when = at(day, hour, random.randrange(25))
            days.lookup(scanner, when, "smtp.cloud.example.com", CLOUD)
            days.session(scanner, when + datetime.timedelta(seconds=1), what, CLOUD)
        # An unattended program that asks for its name once an hour.
        for count, when in enumerate(every(day, 300, 2)):
            if count % 12 == 0:
                days.lookup(erp, when, "archive.corp.example.com", APPLIANCE)
            days.session(erp, when + datetime.timedelta(seconds=0.1), "imaps_tls10_without_sni",
                         APPLIANCE)
        for hour in (1, 3, 4, 22):
            days.session(camera, at(day, hour, random.randrange(59)), "cleartext_submission", OWN)
        for when in every(day, 5400, 600, 7, 18):
            days.session(printer, when, "pop3s_server_is_the_limit", APPLIANCE)
        for when in every(day, 3600, 10):
            days.session(monitor, when, "imaps_fallback", APPLIANCE)
        for when in every(day, 7200, 300, 9, 20):
            days.session(till, when, "pop3_stls_refused", OWN)
        for when in every(day, 1800, 60, 7, 19):
            days.session(phone, when, "imaps_dropped_early", CLOUD)
        for laptop in laptops:
            days.lookup(laptop, at(day, 7, 59), "imap.cloud.example.com", CLOUD)
            for when in every(day, 900, 200, 8, 17):
                days.session(laptop, when, "imaps_tls13", CLOUD)
            days.session(laptop, at(day, 11, random.randrange(59)), "submission_tls13", CLOUD)
        for device, what in zip(branch, ("imaps_tls12", "imaps_tls12", "imaps_tls11")):
            # The last of them is updated after the first day.
            if device is branch[2] and number > 0:
                what = "imaps_tls12"
            for when in every(day, 1800, 300, 8, 17):
                days.session(device, when, what, OWN)
    # A night of guessing: user after user in the clear, and behind TLS.
    for number in range(60):
        when = at(DAYS[1], 2, number % 60, 5)
        days.session(guesser, when, "imap_failed_login", OWN,
                     lambda p, n=number: p.replace(b"user-00", b"user-%02d" % n))
        days.session(guesser, when + datetime.timedelta(seconds=20), "imaps_short_session", OWN)


def main():
    random.seed(20261116)
    days = Days(record_templates())
    fill(days)
    days.write()


if __name__ == "__main__":
    main()
