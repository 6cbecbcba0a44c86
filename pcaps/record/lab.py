"""Two network namespaces with a wire between them, and a tcpdump on it.

A scenario starts servers and clients in them and says, connection by connection, which event it
stands for.  The recorder adds what can be read off the wire (ports, times, fingerprints) and writes
the capture and the expected events.
"""

import contextlib
import ctypes
import fcntl
import json
import os
import random
import re
import select
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import threading
import time

import hellos
import packets

HERE = os.path.dirname(os.path.abspath(__file__))
PCAPS = os.path.dirname(HERE)
EXPECTED = os.path.join(PCAPS, "..", "tests", "e2e", "expected")

CLIENT, SERVER = "10.77.0.11", "192.0.2.25"
CLIENT6, SERVER6 = "2001:db8:77::11", "2001:db8:25::25"
CLIENT_MAC, SERVER_MAC = "02:77:00:00:00:11", "02:77:00:00:00:25"
NAME = "mail.example.com"
DEVICE = "scanner.example.com"
USER, SECRET = "user", "not-a-secret"

SCENARIOS = {}  # name -> (function, about, options)
LIBC = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNET = 0x40000000


def scenario(about, **options):
    """Marks a function as a scenario of the same name.  `options`: link="ethernet|sll|sll2|tun|tap",
    tool=[...] (options of the tool that the case needs)."""
    def mark(function):
        SCENARIOS[function.__name__] = (function, about, options)
        return function
    return mark


def sh(*args, **kwargs):
    """Runs a command that must succeed."""
    return subprocess.run(args, check=True, **kwargs)


class Lab:
    """The two namespaces, for one scenario at a time."""

    def __init__(self):
        self.names = {"c": "tally-c-%d" % os.getpid(), "s": "tally-s-%d" % os.getpid()}
        self.hosts = {"c": DEVICE, "s": NAME}
        self.dir = tempfile.mkdtemp(prefix="tlstally-record-")
        os.chmod(self.dir, 0o755)
        self.processes, self.closables, self.threads, self.failures = [], [], [], []
        self.events, self.options = [], {}
        self.counters = {}  # of the view `coverage`, what a scenario knows of them
        self.wire = None

    # Namespaces

    def __enter__(self):
        for side, name in self.names.items():
            os.makedirs("/etc/netns/" + name, exist_ok=True)
            with open("/etc/netns/%s/hosts" % name, "w", encoding="ascii") as file:
                file.write("127.0.0.1 localhost\n%s %s imap.example.com smtp.example.com\n"
                           "%s mail6.example.com\n%s %s scanner\n%s %s\n" %
                           (SERVER, NAME, SERVER6, CLIENT, DEVICE, CLIENT6, DEVICE))
            with open("/etc/netns/%s/resolv.conf" % name, "w", encoding="ascii") as file:
                file.write("nameserver 127.0.0.1\n")
            sh("ip", "netns", "add", name)
            self.ip(side, "link", "set", "lo", "up")
        self.make_certificates()
        return self

    def __exit__(self, *exc):
        self.clean()
        for name in self.names.values():
            subprocess.run(["ip", "netns", "del", name], check=False)
            shutil.rmtree("/etc/netns/" + name, ignore_errors=True)
        shutil.rmtree(self.dir, ignore_errors=True)

    def ip(self, side, *args):
        sh("ip", "-n", self.names[side], *args)

    @contextlib.contextmanager
    def inside(self, side):
        """The calling thread's sockets are made in that namespace."""
        with open("/proc/thread-self/ns/net", "rb") as back, \
                open("/run/netns/" + self.names[side], "rb") as there:
            assert LIBC.setns(there.fileno(), CLONE_NEWNET) == 0
            try:
                yield
            finally:
                assert LIBC.setns(back.fileno(), CLONE_NEWNET) == 0

    def connect_sides(self, link):
        """Makes the devices: a veth pair, or tun/tap devices with the wire in this program."""
        if link in ("tun", "tap"):
            self.wire = Wire(self, link)
            device = {"c": link + "0", "s": link + "0"}
        else:
            sh("ip", "link", "add", "c0", "netns", self.names["c"], "address", CLIENT_MAC, "type",
               "veth", "peer", "name", "s0", "netns", self.names["s"], "address", SERVER_MAC)
            device = {"c": "c0", "s": "s0"}
            for side in "cs":
                if not self.options.get("offload"):
                    sh("ip", "netns", "exec", self.names[side], "ethtool", "-K", device[side], "tx",
                       "off", "tso", "off", "gso", "off", "gro", "off", stdout=subprocess.DEVNULL)
        for side, mine, mine6, other, other6 in (
                ("c", CLIENT, CLIENT6, SERVER, SERVER6), ("s", SERVER, SERVER6, CLIENT, CLIENT6)):
            dev = device[side]
            self.ip(side, "addr", "add", mine + "/32", "dev", dev)
            self.ip(side, "addr", "add", mine6 + "/128", "dev", dev, "nodad")
            self.ip(side, "link", "set", dev, "up")
            self.ip(side, "route", "add", other + "/32", "dev", dev, "src", mine)
            self.ip(side, "route", "add", other6 + "/128", "dev", dev, "src", mine6)
        self.device = device

    def disconnect_sides(self):
        if self.wire:
            self.wire.close()
            self.wire = None
        else:
            subprocess.run(["ip", "-n", self.names["c"], "link", "del", "c0"], check=False)

    def sysctl(self, side, key, value):
        with self.inside(side), open("/proc/sys/" + key.replace(".", "/"), "w") as file:
            file.write(str(value))

    # Processes and sockets

    def command(self, side, args):
        return ["ip", "netns", "exec", self.names[side], "unshare", "--uts", "--", "sh", "-c",
                'hostname %s; exec "$@"' % self.hosts[side], "sh"] + [str(a) for a in args]

    def environment(self):
        return {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": self.dir, "LANG": "C.UTF-8",
                "TZ": "UTC", "OPENSSL_CONF": os.path.join(self.dir, "openssl.cnf")}

    def spawn(self, side, *args, port=None, stdin=subprocess.DEVNULL):
        """Starts a process; with `port`, returns when it listens there."""
        log = open(os.path.join(self.dir, "log"), "ab")
        self.closables.append(log)
        process = subprocess.Popen(self.command(side, args), stdin=stdin, stdout=log, stderr=log,
                                   env=self.environment(), cwd=self.dir)
        self.processes.append(process)
        if port:
            self.wait_port(port, process, side)
        return process

    def run(self, side, *args, text="", timeout=20):
        """Runs a client to its end; `text` goes to its standard input line by line, slowly."""
        with open(os.path.join(self.dir, "log"), "ab") as log:
            process = subprocess.Popen(self.command(side, args), stdin=subprocess.PIPE, stdout=log,
                                       stderr=log, env=self.environment(), cwd=self.dir)
            try:
                for line in text.splitlines(keepends=True):
                    time.sleep(0.25)
                    process.stdin.write(line.encode())
                    process.stdin.flush()
                if text:
                    time.sleep(0.25)
                process.stdin.close()
            except BrokenPipeError:
                pass
            try:
                status = process.wait(timeout)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                status = None
            log.write(b"[%s: %s]\n" % (str(args[0]).encode(), str(status).encode()))
            return status

    def wait_port(self, port, process=None, side="s"):
        want = ":%04X" % port
        for _ in range(200):
            with self.inside(side):
                for path in ("tcp", "tcp6"):
                    with open("/proc/thread-self/net/" + path, encoding="ascii") as file:
                        for line in file:
                            parts = line.split()
                            if parts[1].endswith(want) and parts[3] == "0A":
                                return
            if process and process.poll() is not None:
                break
            time.sleep(0.05)
        raise RuntimeError("nothing listens on port %d" % port)

    def stop(self, process):
        """Ends a process that this lab started."""
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(3)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def listen(self, port, handler, count=1, family=socket.AF_INET):
        """A scripted server: `handler(socket)` in a thread for each of `count` connections."""
        with self.inside("s"):
            sock = socket.socket(family, socket.SOCK_STREAM)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((SERVER if family == socket.AF_INET else SERVER6, port))
        sock.listen(16)
        self.closables.append(sock)

        def serve():
            for _ in range(count):
                try:
                    conn, _ = sock.accept()
                except OSError:
                    return
                self.thread(handler, conn)
        self.thread(serve)
        return sock

    def thread(self, function, *args):
        def guarded():
            try:
                function(*args)
            except Exception as error:  # shown by record(): a scenario must go as written
                self.failures.append("%s: %r" % (getattr(function, "__name__", "?"), error))
        thread = threading.Thread(target=guarded, daemon=True)
        thread.start()
        self.threads.append(thread)
        return thread

    def connect(self, port, bind=0, host=SERVER, before=None):
        """A client's socket; `before(socket)` sets options on it."""
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        with self.inside("c"):
            sock = socket.socket(family, socket.SOCK_STREAM)
        sock.settimeout(10)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if before:
            before(sock)
        if bind:
            sock.bind((CLIENT, bind))
        sock.connect((host, port))
        return sock

    # Certificates

    def path(self, name):
        return os.path.join(self.dir, name)

    def make_certificates(self):
        with open(self.path("openssl.cnf"), "w", encoding="ascii") as file:
            file.write("openssl_conf = init\n[init]\nssl_conf = ssl\n[ssl]\nsystem_default = any\n"
                       "[any]\nMinProtocol = TLSv1\nCipherString = DEFAULT:@SECLEVEL=0\n"
                       "Options = UnsafeLegacyRenegotiation\n"
                       "[req]\ndistinguished_name = dn\n[dn]\n")
        self.make_certificate("ca", "/O=Example/CN=Example CA", ["rsa:2048"], ca=True)
        alt = "subjectAltName=DNS:%s,DNS:imap.example.com" % NAME
        self.make_certificate("rsa", "/O=Example/CN=" + NAME, ["rsa:2048"], alt)
        self.make_certificate("ec", "/CN=" + NAME, ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"],
                              "subjectAltName=DNS:" + NAME)
        self.make_certificate("client", "/O=Example/CN=scanner", ["rsa:2048"])
        big = ",".join("DNS:tenant-%03d.with-a-rather-long-name.example.com" % i for i in range(150))
        self.make_certificate("big", "/O=Example/CN=" + NAME, ["rsa:2048"], "subjectAltName=" + big)

    def make_certificate(self, name, subject, key, extension=None, ca=False):
        args = ["openssl", "req", "-x509", "-newkey"] + key + [
            "-nodes", "-subj", subject, "-days", "7300", "-set_serial", str(len(name) + 4096),
            "-keyout", self.path(name + ".key"), "-out", self.path(name + ".pem")]
        if not ca:
            args += ["-CA", self.path("ca.pem"), "-CAkey", self.path("ca.key")]
        if extension:
            args += ["-addext", extension]
        sh(*args, stderr=subprocess.DEVNULL, env=self.environment())
        os.chmod(self.path(name + ".key"), 0o644)

    # Recording

    def event(self, connection=None, **fields):
        """Declares the event of the next connection (or of the one with that number)."""
        self.events.append((connection, fields))

    def no_event(self):
        """Declares that the next connection gives none."""
        self.events.append((None, None))

    def clean(self):
        for process in reversed(self.processes):
            self.stop(process)
        for item in self.closables:
            item.close()
        for thread in self.threads:
            thread.join(3)
        self.processes, self.closables, self.threads = [], [], []

    def capture(self, target, function, **options):
        """Runs `function(self)` between two new devices with a tcpdump on them, into `target`."""
        self.events, self.failures, self.options, self.counters = [], [], options, {}
        link = options.get("link", "ethernet")
        self.connect_sides(link)
        side = options.get("side", "s")
        device = {"sll": "any", "sll2": "any"}.get(link, self.device[side])
        kind = {"sll": "LINUX_SLL", "sll2": "LINUX_SLL2", "tun": "RAW"}.get(link, "EN10MB")
        dump = subprocess.Popen(
            ["ip", "netns", "exec", self.names[side], "tcpdump", "-Z", "root", "-i", device, "-y",
             kind, "-U", "--immediate-mode", "-w", target, options.get("filter", "tcp")],
            stderr=subprocess.PIPE, text=True)
        try:
            for line in dump.stderr:
                if "listening on" in line:
                    break
            function(self)
            time.sleep(0.3)
            self.clean()
            time.sleep(0.1)
        finally:
            dump.send_signal(signal.SIGINT)
            dump.communicate()
            self.clean()
            self.disconnect_sides()
        assert not self.failures, self.failures

    def record(self, name):
        """Runs one scenario and writes its capture and expected events."""
        function, _, options = SCENARIOS[name]
        target = os.path.join(PCAPS, name + ".pcap")
        self.capture(target, function, **options)
        return self.write_expected(name, target)

    def write_expected(self, name, target):
        frames = packets.read_pcap(target)
        found = hellos.conversations(frames)
        lines, index = [], 0
        for number, fields in self.events:
            conv = found[index if number is None else number]
            if number is None:
                index += 1
            if fields is not None:
                lines.append(expected_event(conv, fields))
        numbered = {n for n, _ in self.events if n is not None}
        assert numbered or index == len(found), \
            "%d connections declared, %d recorded" % (index, len(found))
        # A refusal may still be revised by a packet that comes late, so it is settled a while after
        # the connection's end; success is settled at once.
        lines.sort(key=lambda event: event["outcome"] != "established")
        write_events(name, lines, self.counters)
        return len(frames), os.path.getsize(target), lines


def expected_event(conv, declared):
    """The measured fields, with the declared ones on top; where both know, they must agree."""
    measured = hellos.measure(conv)
    out = {"event": "tls_handshake"}
    out.update(measured)
    if declared.get("event") != "cleartext_session":
        assert "offered_version" in measured, "no ClientHello was recorded"
        assert declared.get("outcome") != "established" or measured.get("tls_version"), \
            "no ServerHello was recorded"
    free = declared.pop("free", ())
    for key, value in declared.items():
        if key == "server_name" and declared.get("server_name_source") == "dns":
            continue  # not in this conversation
        if key in ("tls_version", "offered_version", "cipher_suite", "server_name", "alpn",
                   "resumed", "hello_retry") and key in measured and not isinstance(value, dict):
            assert measured[key] == value, "%s: %r on the wire, %r declared" % (
                key, measured[key], value)
    out.update(declared)
    version = out.get("tls_version")
    if version in ("SSLv3", "TLSv1.0", "TLSv1.1"):
        out.setdefault("limited_by",
                       "client" if out["offered_version"] == version else "server")
    out.setdefault("limited_by", None)
    for key in ("refused_by", "refusal"):
        out.setdefault(key, None)
    out.setdefault("capture_gap", False)
    if out["event"] == "cleartext_session":
        out.update({k: None for k in ("tls_version", "offered_version", "cipher_suite", "ja3",
                                      "ja4", "server_name")})
        out.setdefault("client_name", None)
        out.setdefault("client_name_source", None)
        out["tls_mode"], out["outcome"] = "none", "cleartext"
    elif out.get("tls_mode") == "implicit":
        out.setdefault("client_name", None)
        out.setdefault("client_name_source", None)
    for key in free:
        out.pop(key, None)
    for key in ("tls_mode", "outcome"):
        assert key in out, "%s is not declared" % key
    return out


def write_events(name, lines, counters=None):
    """The expected events, in a fixed order of fields, and counters of the view `coverage`.  What
    is expected of other views was written by hand, and stays."""
    os.makedirs(EXPECTED, exist_ok=True)
    path = os.path.join(EXPECTED, name + ".jsonl")
    views = []
    if os.path.exists(path):
        with open(path, encoding="utf-8") as file:
            views = [line for line in file if line.startswith(('{"inventory"', '{"logins"'))]
    with open(path, "w", encoding="utf-8") as file:
        for line in lines:
            file.write(json.dumps(line, ensure_ascii=False) + "\n")
        if counters:
            file.write(json.dumps({"coverage": counters}) + "\n")
        file.writelines(views)


class Wire:
    """Joins a tun or tap device of each namespace, and does to packets what it is told.

    `decide(direction, number, packet)` returns the delays in seconds with which a packet is passed
    on: () loses it, (0,) passes it, (0, 0) doubles it, (0.03,) lets later ones overtake it.
    """

    def __init__(self, lab, kind):
        self.decide = lambda direction, number, packet: (0,)
        self.running, self.files = True, {}
        self.lock = threading.Lock()
        for side, mac in (("c", CLIENT_MAC), ("s", SERVER_MAC)):
            with lab.inside(side):
                fd = os.open("/dev/net/tun", os.O_RDWR)
                flags = {"tun": 0x0001, "tap": 0x0002}[kind] | 0x1000  # IFF_NO_PI
                fcntl.ioctl(fd, 0x400454CA, struct.pack("16sH14x", (kind + "0").encode(), flags))
            self.files[side] = fd
            if kind == "tap":
                lab.ip(side, "link", "set", kind + "0", "address", mac)
        self.threads = [threading.Thread(target=self.pump, args=pair, daemon=True)
                        for pair in (("c", "s"), ("s", "c"))]
        for thread in self.threads:
            thread.start()

    def pump(self, source, target):
        number = 0
        while self.running:
            try:
                if not select.select([self.files[source]], [], [], 0.05)[0]:
                    continue
                packet = os.read(self.files[source], 65536)
            except OSError:
                time.sleep(0.01)  # the device is not up yet, or is gone
                continue
            is_tcp = b"\x06" in (packet[9:10], packet[23:24], packet[6:7], packet[20:21])
            delays = (0,)
            if is_tcp:
                delays = self.decide(source, number, packet)
                number += 1
            for delay in delays:
                if delay:
                    threading.Timer(delay, self.write, (target, packet)).start()
                else:
                    self.write(target, packet)

    def write(self, side, packet):
        with self.lock:
            if self.running:
                try:
                    os.write(self.files[side], packet)
                except OSError:
                    pass

    def close(self):
        self.running = False
        for thread in self.threads:  # a thread that still reads keeps the device alive
            thread.join()
        with self.lock:
            for fd in self.files.values():
                os.close(fd)


def impaired(seed, loss=0.0, doubled=0.0, late=0.0):
    """A decision for Wire: the same packets suffer each time."""
    dice = random.Random(seed)

    def decide(_direction, _number, _packet):
        roll = dice.random()
        if roll < loss:
            return ()
        if roll < loss + doubled:
            return (0, 0)
        if roll < loss + doubled + late:
            return (0.02,)
        return (0,)
    return decide


def table_row(name):
    """The README's row of a scenario."""
    function, about, _ = SCENARIOS[name]
    return "| `%s.pcap` | %s | `record/%s` |" % (
        name, about, os.path.basename(re.sub(r"c$", "", function.__code__.co_filename)))
