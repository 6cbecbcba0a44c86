"""What the live tests share: networks of their own, the daemon, traffic, and waiting.

Everything is made in network namespaces with names of this process, and is gone afterwards.
Conditions are waited for; nothing sleeps and hopes.
"""

import atexit
import ctypes
import fnmatch
import glob
import itertools
import json
import os
import re
import shutil
import signal
import socket
import sqlite3
import struct
import subprocess
import sys
import tempfile
import threading
import time
import zlib

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PCAPS = os.path.join(ROOT, "pcaps")
sys.path.append(os.path.join(PCAPS, "record"))
sys.dont_write_bytecode = True

import packets  # noqa: E402

SKIP = 77
PATIENCE = 20  # seconds that a condition has, on a busy machine
CIPHERS = "DEFAULT:@SECLEVEL=0"

_numbers = itertools.count(1)
_libc = ctypes.CDLL(None, use_errno=True)


class Failure(Exception):
    """A case has failed; the text says how."""


class Skipped(Exception):
    """A case cannot be tried here; the text says why."""


def expect(condition, what):
    if not condition:
        raise Failure(what)


def expect_equal(found, wanted, what):
    if found != wanted:
        raise Failure(f"{what}: {found!r}, not {wanted!r}")


def wait_for(condition, what, patience=PATIENCE):
    """Returns what `condition` returns as soon as that is true."""
    end = time.monotonic() + patience
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            what = what() if callable(what) else what
            raise Failure(f"waited {patience} s in vain: {what}")
        time.sleep(0.02)


def run(*command, check=True, **options):
    done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL,
                          timeout=300, check=False, **options)
    if check and done.returncode != 0:
        raise Failure(f"{' '.join(command)}: {done.stderr.strip()}")
    return done


def why_not():
    """Why no live test can run here; None when they can."""
    # What atexit cleans up stays behind when a signal ends the interpreter.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended by a signal"))
    if os.geteuid() != 0:
        return "capturing and namespaces need root"
    for program in ("ip", "tcpdump", "openssl"):
        if shutil.which(program) is None:
            return f"{program} is not installed"
    name = f"tlst{os.getpid()}x"
    if run("ip", "netns", "add", name, check=False).returncode != 0:
        return "no network namespace can be made here"
    made = run("ip", "-n", name, "link", "add", "x", "type", "veth", "peer", "name", "y",
               check=False)
    run("ip", "netns", "del", name, check=False)
    return None if made.returncode == 0 else "no veth pair can be made here"


class Folder:
    """A folder that the daemon's user may write to, too."""

    def __init__(self):
        self.path = tempfile.mkdtemp(prefix="tlstally-live-")
        os.chmod(self.path, 0o777)
        self.mounts = []
        atexit.register(self.remove)

    def mount(self, path, size):
        """A small disk of its own."""
        run("mount", "-t", "tmpfs", "-o", f"size={size},mode=777", "tmpfs", path)
        self.mounts.append(path)

    def remove(self):
        while self.mounts:
            run("umount", "-l", self.mounts.pop(), check=False)
        shutil.rmtree(self.path, ignore_errors=True)
        atexit.unregister(self.remove)

    def __call__(self, name):
        return os.path.join(self.path, name)


class Processes:
    """What a case has started, to be ended with it."""

    def __init__(self):
        self.list = []

    def start(self, *command, **options):
        options.setdefault("stdin", subprocess.DEVNULL)
        process = subprocess.Popen(command, **options)
        self.list.append(process)
        return process

    def end(self):
        for process in self.list:
            if process.poll() is None:
                process.kill()
            process.wait()
        self.list = []


class Net:
    """Two namespaces, `a` for clients and `b` for servers and the sensor, joined by veth pairs."""

    def __init__(self):
        number = next(_numbers)
        self.a, self.b = (f"tlst{os.getpid()}n{number}{side}" for side in "ab")
        self.processes = Processes()
        atexit.register(self.close)
        for name in (self.a, self.b):
            run("ip", "netns", "add", name)
            run("ip", "-n", name, "link", "set", "lo", "up")
        self.add_pair("va", "vb", 77)

    def add_pair(self, a, b, number):
        run("ip", "-n", self.a, "link", "add", a, "type", "veth", "peer", "name", b,
            "netns", self.b)
        self.address(a, b, number)

    def address(self, a, b, number):
        for side, link, host in ((self.a, a, 1), (self.b, b, 2)):
            run("ip", "-n", side, "addr", "add", f"10.{number}.0.{host}/24", "dev", link)
            run("ip", "-n", side, "addr", "add", f"fd{number}::{host}/64", "dev", link, "nodad")
            run("ip", "-n", side, "link", "set", link, "up")

    def close(self):
        self.processes.end()
        for name in (self.a, self.b):
            run("ip", "netns", "del", name, check=False)
        atexit.unregister(self.close)

    def start(self, side, *command, **options):
        return self.processes.start("ip", "netns", "exec", side, *command, **options)

    def raw_socket(self, side, link):
        """A socket that sends whole frames from there."""
        with open("/proc/thread-self/ns/net", "rb") as here, \
                open(f"/run/netns/{side}", "rb") as there:
            if _libc.setns(there.fileno(), 0) != 0:
                raise Failure("cannot enter a namespace")
            try:
                sender = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
                sender.bind((link, 0))
            finally:
                _libc.setns(here.fileno(), 0)
        return sender

    def dump(self, interface, path, *options):
        return Dump(self, interface, path, *options)

    # --- servers and clients

    def listens(self, port):
        def look():
            return f":{port} " in run("ip", "netns", "exec", self.b, "ss", "-ltn").stdout
        wait_for(look, f"a server on port {port}")

    def serve_tls(self, folder, port, *options):
        make_certificate(folder)
        self.start(self.b, "openssl", "s_server", "-accept", str(port), "-cert",
                   folder("cert.pem"), "-key", folder("key.pem"), "-cipher", CIPHERS, "-quiet",
                   "-rev", *options, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.listens(port)

    def serve_smtp(self, folder, port):
        make_certificate(folder)
        self.start(self.b, sys.executable, __file__, "smtp-server", str(port),
                   folder("cert.pem"), folder("key.pem"))
        self.listens(port)

    def connect(self, port, version, *options, host="10.77.0.2", name="mail.example.com"):
        """One handshake, and a line of data; what became of it is for the sensor to say."""
        command = ["ip", "netns", "exec", self.a, "openssl", "s_client", "-connect",
                   f"[{host}]:{port}" if ":" in host else f"{host}:{port}", "-servername", name,
                   f"-tls{version}", "-cipher", CIPHERS, *options]
        try:
            subprocess.run(command, input="hello\n", capture_output=True, text=True, timeout=10,
                           check=False)
        except subprocess.TimeoutExpired:
            pass


class Dump:
    """A tcpdump in namespace `b` that has begun."""

    def __init__(self, net, interface, path, *options):
        self.path = path
        self.process = net.start(net.b, "tcpdump", "-U", "-B", "65536", "-Z", "root", "-i",
                                 interface, "-w", path, *options, stderr=subprocess.PIPE,
                                 text=True)
        # Its first line says that it listens; the others are read so that it never waits.
        self.process.stderr.readline()
        threading.Thread(target=self.process.stderr.read, daemon=True).start()

    def drain(self, sender):
        """Waits for a last frame, which a filter must not keep out."""
        # EtherType: IEEE 802, for local experiments.
        mark = bytes(12) + b"\x88\xb5" + os.urandom(46)
        sender.send(mark)

        def look():
            # Rotated files have a number behind the name.
            newest = max(glob.glob(self.path + "*"), key=lambda p: os.stat(p).st_mtime_ns)
            with open(newest, "rb") as f:
                f.seek(0, os.SEEK_END)
                f.seek(max(0, f.tell() - 4096))
                return mark in f.read()
        wait_for(look, "the end of tcpdump's packets")

    def stop(self):
        self.process.send_signal(signal.SIGINT)
        self.process.wait()


_certificate_lock = threading.Lock()


def make_certificate(folder):
    with _certificate_lock:
        if not os.path.exists(folder("key.pem")):
            run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout",
                folder("key.pem"), "-out", folder("cert.pem"), "-subj", "/CN=mail.example.com",
                "-days", "30")


class Daemon:
    """A running `tlstally capture` in namespace `b`."""

    def __init__(self, net, tool, folder, *options, interfaces=("vb",), db="live.db",
                 events="live.jsonl", wait=True, log="daemon.log", prefix=(), env=None,
                 pass_fds=()):
        self.folder, self.log_path = folder, folder(log)
        self.db = db if db.startswith("/") else folder(db)
        command = [*prefix, tool, "capture", "--db", self.db, "--internal", "any", "--sensor",
                   "live", "--flush-interval", "100ms"]
        if events is not None:
            self.events = events if events.startswith("/") else folder(events)
            command += ["--events", self.events]
        for interface in interfaces:
            command += ["-i", interface]
        with open(self.log_path, "w", encoding="utf-8") as log_file:
            self.process = net.start(net.b, *command, *options, stderr=log_file,
                                     env={**os.environ, **(env or {})}, pass_fds=pass_fds)
        self.pid = self.process.pid
        if wait:
            self.wait_for_log("capturing on")

    def log(self):
        with open(self.log_path, encoding="utf-8") as f:
            return f.read()

    def times_logged(self, text):
        return self.log().count(text)

    def wait_for_log(self, text, times=1, patience=PATIENCE):
        def look():
            expect(self.process.poll() is None or text in self.log(),
                   f"the daemon has ended: {self.log()}")
            return self.times_logged(text) >= times
        wait_for(look, lambda: f"{text!r} in the log: {self.log()}", patience)

    def signal(self, number):
        self.process.send_signal(number)

    def stop(self, status=0):
        self.signal(signal.SIGTERM)
        self.expect_exit(status)

    def expect_exit(self, status, patience=PATIENCE):
        try:
            found = self.process.wait(patience)
        except subprocess.TimeoutExpired as late:
            raise Failure(f"still running: {self.log()}") from late
        expect_equal(found, status, f"exit status ({self.log()})")

    def query(self, sql):
        return query(self.db, sql)

    def count(self, where="1"):
        if not os.path.exists(self.db):
            return 0
        return self.query(f"select coalesce(sum(count), 0) from inventory where {where}")[0][0]

    def wait_for_count(self, count, where="1", patience=PATIENCE):
        wait_for(lambda: self.count(where) >= count,
                 lambda: f"{count} handshakes where {where}, there are {self.count(where)}: "
                         f"{self.log()}", patience)
        expect_equal(self.count(where), count, f"handshakes where {where}")

    def status(self):
        """The figures of a fresh status line."""
        times = self.times_logged("status: ")
        self.signal(signal.SIGUSR1)
        self.wait_for_log("status: ", times + 1)
        line = [text for text in self.log().split("\n") if "status: " in text][-1]
        return {key: int(value.split("/")[0]) for key, value in re.findall(r"(\w+)=([\d/]+)", line)}

    def wait_for_status(self, condition, patience=PATIENCE):
        wait_for(lambda: condition(self.status()), lambda: f"in vain: {self.log()}", patience)

    def wait_for_quiet(self):
        """Until nothing comes out of the rings any more: two looks more than a block apart."""
        last = [None]

        def look():
            time.sleep(0.3)
            before, last[0] = last[0], self.status()["received"]
            return before == last[0]
        wait_for(look, "the end of the packets", 60)

    def cpu_seconds(self):
        with open(f"/proc/{self.pid}/stat", encoding="utf-8") as f:
            fields = f.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Follower:
    """A running `tlstally replay --follow`; one that follows another adds to its log."""

    def __init__(self, net, tool, folder, rotated, *, db="live.db", events="live.jsonl"):
        self.log_path = folder("follow.log")
        starts = self.log().count("following ")
        with open(self.log_path, "a", encoding="utf-8") as log_file:
            self.process = net.processes.start(
                tool, "replay", "--follow", rotated, "--internal", "any", "--db", folder(db),
                "--events", events if events.startswith("/") else folder(events), stderr=log_file)
        wait_for(lambda: self.log().count("following ") > starts, "the start")

    def log(self):
        if not os.path.exists(self.log_path):
            return ""
        with open(self.log_path, encoding="utf-8") as f:
            return f.read()

    def stop(self, status=0):
        self.process.send_signal(signal.SIGTERM)
        expect_equal(self.process.wait(PATIENCE), status, f"exit status ({self.log()})")

    def kill(self):
        self.process.kill()
        self.process.wait()


def query(db, sql):
    connection = sqlite3.connect(db, timeout=10)
    try:
        return connection.execute(sql).fetchall()
    finally:
        connection.close()


def events_of(path, without=("timestamp", "source")):
    """The events as sorted texts, so that two lists can be compared."""
    with open(path, encoding="utf-8") as f:
        events = [json.loads(line) for line in f]
    return sorted(json.dumps({k: v for k, v in e.items() if k not in without}, sort_keys=True)
                  for e in events)


def expect_same_lines(found, wanted):
    more, less = set(found) - set(wanted), set(wanted) - set(found)
    expect(found == wanted, f"{len(found)} lines, not {len(wanted)}; {len(more)} are too many: "
                            f"{sorted(more)[:3]}; {len(less)} are missing: {sorted(less)[:3]}")


# --- frames

def frames_of(path):
    """The frames of a pcap file of Ethernet, as bytes; none of another file, or of half a header."""
    try:
        frames = packets.read_pcap(path)
    except (KeyError, struct.error):
        return []
    return [f.data for f in frames if f.link == packets.LINK_ETHERNET]


def write_pcap(path, seconds, frames):
    """A capture that begins then, with a frame every ten microseconds."""
    packets.write_pcap(path, [
        packets.Frame(seconds * 10**9 + i * 10**4, frame, len(frame), packets.LINK_ETHERNET)
        for i, frame in enumerate(frames)])


def sample_frames(without):
    """What can be sent of the captures in pcaps/."""
    frames = []
    for name in sorted(os.listdir(PCAPS)):
        path = os.path.join(PCAPS, name)
        if os.path.isfile(path) and not any(fnmatch.fnmatch(name, p) for p in without):
            frames += [f for f in frames_of(path) if 14 <= len(f) <= 65000]
    return frames


def tagged(frames, *tags):
    tag = b"".join(struct.pack(">HH", *t) for t in tags)
    return [f[:12] + tag + f[12:] for f in frames]


def in_ipv4_fragments(frame):
    """An IPv4 frame in two parts, of which the later one comes first."""
    total = struct.unpack_from(">H", frame, 16)[0]
    header, payload = frame[14:34], frame[34:14 + total]
    cut = 24
    if len(payload) <= cut:
        return [frame]
    parts = []
    for at, part, more in ((cut, payload[cut:], 0), (0, payload[:cut], 0x2000)):
        parts.append(frame[:14] + header[:2] + struct.pack(">H", 20 + len(part)) + header[4:6] +
                     struct.pack(">H", more | at // 8) + header[8:] + part)
    return parts


def _ipv6_header(frame, next_header, length):
    """The IPv4 addresses, in fd77::/16."""
    addresses = b"".join(b"\xfd\x77" + bytes(10) + frame[at:at + 4] for at in (26, 30))
    return frame[:12] + struct.pack(">HIHBB", 0x86dd, 0x60000000, length, next_header, 64) + addresses


def in_ipv6(frame):
    payload = frame[34:14 + struct.unpack_from(">H", frame, 16)[0]]
    return [_ipv6_header(frame, 6, len(payload)) + payload]


def in_ipv6_fragments(frame):
    payload = frame[34:14 + struct.unpack_from(">H", frame, 16)[0]]
    cut = 24
    if len(payload) <= cut:
        return in_ipv6(frame)
    return [_ipv6_header(frame, 44, 8 + len(part)) +
            struct.pack(">BBHI", 6, 0, at | more, zlib.crc32(frame)) + part
            for at, part, more in ((0, payload[:cut], 1), (cut, payload[cut:], 0))]


def in_ipv6_behind(number, extension):
    """A function that puts an extension header between IPv6 and TCP."""
    def wrap(frame):
        payload = b"\x06" + extension + frame[34:14 + struct.unpack_from(">H", frame, 16)[0]]
        return [_ipv6_header(frame, number, len(payload)) + payload]
    return wrap


def in_ipv4_behind_ah(frame):
    total = struct.unpack_from(">H", frame, 16)[0]
    return [frame[:16] + struct.pack(">H", total + len(AH) + 1) + frame[18:23] + b"\x33" +
            frame[24:34] + b"\x06" + AH + frame[34:14 + total]]


def in_snap(frame):
    return [frame[:12] + struct.pack(">H", len(frame) - 6) + bytes.fromhex("aaaa03000000") +
            frame[12:]]


# Without the first byte, which says what follows.  Lengths of old: units of 4 bytes, less 2.
AH = bytes.fromhex("04" "0000" "0000002a" "00000001") + bytes(12)
MOBILITY = bytes.fromhex("01" "0500" "0000") + bytes(10)


def in_vxlan(frame):
    """As a switch sends it that gives each direction another source port."""
    udp = struct.pack(">HHHH", 49152 + zlib.crc32(frame[26:38]) % 10000, 4789, 16 + len(frame), 0)
    outer = struct.pack(">BBHHHBBH", 0x45, 0, 36 + len(frame), 0, 0, 64, 17, 0)
    return [frame[:12] + b"\x08\x00" + outer + bytes((172, 16, 0, 1, 172, 16, 0, 2)) + udp +
            struct.pack(">II", 0x08000000, 7 << 8) + frame]


class Template:
    """A recorded handshake that can be sent as that of any client (Ethernet, IPv4)."""

    def __init__(self, frames):
        self.parts = []
        for frame in frames:
            from_client = frame[34:36] != (993).to_bytes(2, "big")
            at = 26 if from_client else 30
            self.parts.append((frame[:at], frame[at + 4:]))

    def frames(self, number, part=1.0):
        """As client 10.x.y.z, where x.y.z is `number`; `part`: so much of it."""
        address = ((10 << 24) + number).to_bytes(4, "big")
        return [head + address + tail
                for head, tail in self.parts[:max(1, int(len(self.parts) * part))]]

    def send(self, sender, numbers):
        for number in numbers:
            for frame in self.frames(number):
                sender.send(frame)


def record_template(net, folder):
    """One real handshake on port 993, recorded."""
    net.serve_tls(folder, 993)
    path = folder("template.pcap")
    dump = net.dump("vb", path, "tcp")
    net.connect(993, "1_2")
    # Until both have said FIN.
    wait_for(lambda: sum(f[47] & 1 for f in frames_of(path)) >= 2, "the end of a connection")
    dump.stop()
    return Template(frames_of(path))


# --- a mail server with STARTTLS, as a process of its own

def smtp_server(port, certificate, key):
    import ssl  # only here
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    listener = socket.create_server(("", int(port)))
    while True:
        connection, _ = listener.accept()
        try:
            connection.sendall(b"220 mail.example.com ESMTP\r\n")
            line = b""
            while not line.upper().startswith(b"STARTTLS"):
                line = connection.recv(1000)
                if line.upper().startswith(b"EHLO"):
                    connection.sendall(b"250-mail.example.com\r\n250 STARTTLS\r\n")
                elif not line:
                    break
            connection.sendall(b"220 go ahead\r\n")
            with context.wrap_socket(connection, server_side=True) as tls:
                while tls.recv(1000):
                    pass
        except OSError:
            pass
        finally:
            connection.close()


if __name__ == "__main__":
    if sys.argv[1:2] == ["smtp-server"]:
        smtp_server(*sys.argv[2:])
