"""Captures of scripted devices over simulated days, made of the sample captures.

A sample is a recorded conversation of one client.  session() gives its packets at another time and
from another client address (checksums stay wrong: nothing verifies them); write() makes a capture
of any number of them.  Used by tests/e2e/diff and tests/e2e/merge.
"""

import datetime
import functools
import ipaddress
import os
import struct
import subprocess

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
CLIENT, SERVER = "10.77.0.11", "192.0.2.25"

# One conversation each; the port says which of several in the sample.
KINDS = {
    "tls10": ("imaps_openssl_tls10", None),
    "tls12": ("smtps_openssl_tls12", None),
    "tls13": ("imaps_openssl_tls13", None),
    "refused": ("dovecot_refuses", 54582),
    "clear": ("imap_cleartext_login", 51660),
    "server_limited": ("imaps_server_is_the_limit", 57862),
    "smtps10": ("smtps_java_sslv2hello_tls10", None),
}


@functools.lru_cache(maxsize=None)
def sample(kind):
    """[(microseconds since the first packet, frame)]"""
    name, port = KINDS[kind]
    with open(os.path.join(ROOT, "pcaps", name + ".pcap"), "rb") as f:
        data = f.read()
    packets, at = [], 24
    while at < len(data):
        sec, usec, length, _ = struct.unpack_from("<IIII", data, at)
        frame = data[at + 16:at + 16 + length]
        at += 16 + length
        if port is None or struct.pack(">H", port) in (frame[34:36], frame[36:38]):
            packets.append((sec * 1000000 + usec, frame))
    first = packets[0][0]
    return [(time - first, frame) for time, frame in packets]


def day(text):
    """Microseconds since 1970 of a date, or a date and time, in UTC."""
    when = datetime.datetime.fromisoformat(text).replace(tzinfo=datetime.timezone.utc)
    return int(when.timestamp()) * 1000000


def session(kind, at, client=CLIENT, server=SERVER):
    """The conversation at that time."""
    swap = {ipaddress.ip_address(CLIENT).packed: ipaddress.ip_address(client).packed,
            ipaddress.ip_address(SERVER).packed: ipaddress.ip_address(server).packed}
    packets = []
    for offset, frame in sample(kind):
        src, dst = frame[26:30], frame[30:34]
        packets.append((at + offset, frame[:26] + swap.get(src, src) + swap.get(dst, dst) +
                        frame[34:]))
    return packets


def write(path, sessions):
    packets = sorted((p for s in sessions for p in s), key=lambda p: p[0])
    with open(path, "wb") as f:
        f.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1))
        for time, frame in packets:
            f.write(struct.pack("<IIII", time // 1000000, time % 1000000, len(frame), len(frame)))
            f.write(frame)
    return path


def replay(tool, db, *captures, sensor="a"):
    done = subprocess.run([tool, "replay", "--quiet", "--sensor", sensor, "--db", db, *captures],
                          capture_output=True, stdin=subprocess.DEVNULL, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return db
