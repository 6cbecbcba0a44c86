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

from facts import PCAPS
import packets

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
    frames = [f for f in packets.read_pcap(os.path.join(PCAPS, name + ".pcap"))
              if port is None or struct.pack(">H", port) in (f.data[34:36], f.data[36:38])]
    return [((f.time - frames[0].time) // 1000, f.data) for f in frames]


def day(text):
    """Microseconds since 1970 of a date, or a date and time, in UTC."""
    when = datetime.datetime.fromisoformat(text).replace(tzinfo=datetime.timezone.utc)
    return int(when.timestamp()) * 1000000


def session(kind, at, client=CLIENT, server=SERVER):
    """The conversation at that time."""
    swap = {ipaddress.ip_address(CLIENT).packed: ipaddress.ip_address(client).packed,
            ipaddress.ip_address(SERVER).packed: ipaddress.ip_address(server).packed}
    out = []
    for offset, frame in sample(kind):
        src, dst = frame[26:30], frame[30:34]
        out.append((at + offset, frame[:26] + swap.get(src, src) + swap.get(dst, dst) +
                    frame[34:]))
    return out


def write(path, sessions):
    packets.write_pcap(path, [
        packets.Frame(time * 1000, frame, len(frame), packets.LINK_ETHERNET)
        for time, frame in sorted((p for s in sessions for p in s), key=lambda p: p[0])])
    return path


def replay(tool, db, *captures, sensor="a"):
    done = subprocess.run([tool, "replay", "--quiet", "--sensor", sensor, "--db", db, *captures],
                          capture_output=True, stdin=subprocess.DEVNULL, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return db
