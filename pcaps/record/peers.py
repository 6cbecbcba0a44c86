"""Servers and clients that the scenarios start: real programs, and scripted ones.

Scripted peers speak TLS through memory, so that they can cut its bytes into any pieces, hold them
back, or end a handshake where they like.
"""

import os
import shutil
import socket
import ssl
import struct
import tempfile
import time

from lab import NAME, SERVER

BANNER = {"SMTP": b"220 mail.example.com ESMTP ready\r\n", "IMAP": b"* OK IMAP4rev1 ready\r\n",
          "POP3": b"+OK POP3 ready\r\n"}


def context(lab, side, low="TLSv1", high="TLSv1_3", cert="rsa", ciphers=None, alpn=None):
    """An SSLContext that takes anything between two versions."""
    ctx = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER if side == "s" else ssl.PROTOCOL_TLS_CLIENT)
    ctx.check_hostname, ctx.verify_mode = False, ssl.CERT_NONE
    ctx.set_ciphers((ciphers or "DEFAULT") + ":@SECLEVEL=0")
    ctx.minimum_version = getattr(ssl.TLSVersion, low)
    ctx.maximum_version = getattr(ssl.TLSVersion, high)
    if side == "s":
        ctx.load_cert_chain(lab.path(cert + ".pem"), lab.path(cert + ".key"))
    if alpn:
        ctx.set_alpn_protocols(alpn)
    return ctx


class Tls:
    """TLS over a socket, by way of memory; `write` sends bytes, whole unless told otherwise."""

    def __init__(self, sock, ctx, server=False, name=NAME, write=None):
        self.sock, self.send_bytes = sock, write or sock.sendall
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.object = ctx.wrap_bio(self.incoming, self.outgoing, server_side=server,
                                   server_hostname=None if server else name)

    def flush(self):
        data = self.outgoing.read()
        if data:
            self.send_bytes(data)

    def step(self, function, *args):
        """Runs an operation to its end; None when the peer ended the connection before."""
        while True:
            try:
                result = function(*args)
                self.flush()
                return result
            except ssl.SSLWantReadError:
                self.flush()
                try:
                    data = self.sock.recv(65536)
                except (ConnectionResetError, socket.timeout):
                    return None
                if not data:
                    return None
                self.incoming.write(data)
            except ssl.SSLError:
                self.flush()  # the alert
                raise

    def handshake(self):
        self.step(self.object.do_handshake)
        return self

    def first_flight(self):
        """The bytes of the ClientHello's record; nothing is sent."""
        try:
            self.object.do_handshake()
        except ssl.SSLWantReadError:
            pass
        return self.outgoing.read()

    def send(self, data):
        self.step(self.object.write, data)

    def receive(self):
        return self.step(self.object.read, 65536)

    def close(self):
        try:
            self.object.unwrap()
        except (ssl.SSLWantReadError, ssl.SSLError):
            pass
        try:
            self.flush()
        except OSError:
            pass
        self.sock.close()


def in_pieces(sock, size, pause=0.0, limit=None):
    """A writer that sends segments of `size` bytes, the first `limit` bytes at least."""
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sent = [0]

    def write(data):
        while data:
            step = size if limit is None or sent[0] < limit else len(data)
            sock.sendall(data[:step])
            sent[0] += step
            data = data[step:]
            time.sleep(pause)
    return write


def in_small_records(write, size):
    """A writer that cuts handshake records in the clear into records of `size` bytes."""
    def send(data):
        out, clear = b"", True
        while len(data) >= 5:
            length = struct.unpack(">H", data[3:5])[0]
            body = data[5:5 + length]
            clear = clear and data[0] == 22
            step = size if clear else len(body)
            for at in range(0, len(body), step):
                piece = body[at:at + step]
                out += data[:3] + struct.pack(">H", len(piece)) + piece
            data = data[5 + length:]
        write(out + data)
    return send


def reset(sock):
    """Ends a connection by RST."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


def read_until(sock, marker, limit=65536):
    """Reads up to and including `marker`, one byte at a time: what follows stays unread."""
    data = b""
    while not data.endswith(marker) and len(data) < limit:
        byte = sock.recv(1)
        if not byte:
            break
        data += byte
    return data


def read_line(sock):
    return read_until(sock, b"\n")


def read_to_end(sock):
    """Reads until the peer closes."""
    try:
        while sock.recv(65536):
            pass
    except OSError:
        pass


def talk(sock, *lines):
    """Sends each line and reads an answer line to it."""
    for line in lines:
        sock.sendall(line + b"\r\n")
        read_line(sock)


def tls_echo(lab, ctx, write=None, wait=True):
    """A handler that shakes hands, answers one piece of data, and closes."""
    def handle(sock):
        try:
            tls = Tls(sock, ctx, server=True, write=write and write(sock)).handshake()
        except ssl.SSLError:
            sock.close()
            return
        data = tls.receive() if wait else None
        if data:
            tls.send(b"a1 OK " + bytes(reversed(data.strip())) + b"\r\n")
            tls.receive()
        tls.close()
    return handle


def tls_session(sock, ctx, name=NAME, write=None):
    """A client's TLS session with one exchange in it."""
    tls = Tls(sock, ctx, name=name, write=write).handshake()
    tls.send(b"a1 NOOP\r\n")
    tls.receive()
    tls.close()


def mail_server(lab, protocol, ctx, answers):
    """A handler that speaks `protocol` from a table {first word or words: answer}.  An answer of
    "tls" is sent as consent and starts TLS; "close" ends the connection; a list gives one answer
    per time asked."""
    consent = {"SMTP": b"220 go ahead\r\n", "IMAP": b"%s OK begin TLS\r\n",
               "POP3": b"+OK begin TLS\r\n"}[protocol]

    def handle(sock):
        sock.sendall(answers.get("banner", BANNER[protocol]))
        asked = {}
        while True:
            line = read_line(sock).strip()
            if not line:
                break
            words = line.split()
            tag = words.pop(0) if protocol == "IMAP" and len(words) > 1 else b""
            key = words[0].upper().decode()
            answer = answers.get(key, answers.get("*", b"500 no\r\n"))
            if isinstance(answer, list):
                answer = answer[min(asked.get(key, 0), len(answer) - 1)]
            asked[key] = asked.get(key, 0) + 1
            if answer == "close":
                break
            if answer == "tls":
                sock.sendall(consent % tag if protocol == "IMAP" else consent)
                tls_echo(lab, ctx)(sock)
                return
            sock.sendall(answer.replace(b"%tag", tag))
            if key in ("QUIT", "LOGOUT"):
                break
        sock.close()
    return handle


# Real programs

def s_server(lab, port, *args, cert="rsa", family="-4", answers=True):
    """openssl s_server that answers each line with its mirror image, unless told not to."""
    answer = ["-rev"] if answers else []
    return lab.spawn("s", "openssl", "s_server", family, "-accept", port, "-cert",
                     lab.path(cert + ".pem"), "-key", lab.path(cert + ".key"), *answer, "-quiet",
                     *args, port=port)


def s_client(lab, port, *args, text="a1 NOOP\n", name=NAME, host=SERVER):
    """openssl s_client: one line, then close_notify."""
    sni = ["-servername", name] if name else ["-noservername"]
    return lab.run("c", "openssl", "s_client", "-connect", "%s:%d" % (
        "[%s]" % host if ":" in host else host, port), *sni, *args, text=text)


def dovecot(lab, *settings):
    """IMAP and POP3 with dovecot, plain and TLS ports."""
    base = lab.path("dovecot")
    os.makedirs(base + "/mail", exist_ok=True)
    os.chmod(base + "/mail", 0o777)
    with open(base + "/dovecot.conf", "w", encoding="ascii") as file:
        file.write("""base_dir = %(base)s/run
log_path = %(base)s/log
protocols = imap pop3
listen = 192.0.2.25
ssl = yes
ssl_cert = <%(dir)s/rsa.pem
ssl_key = <%(dir)s/rsa.key
ssl_min_protocol = TLSv1
ssl_cipher_list = DEFAULT:@SECLEVEL=0
disable_plaintext_auth = no
auth_mechanisms = plain login
mail_location = mbox:%(base)s/mail
first_valid_uid = 1
passdb {
  driver = static
  args = password=not-a-secret
}
userdb {
  driver = static
  args = uid=65534 gid=65534 home=%(base)s/mail
}
service auth {
  unix_listener %(base)s/auth {
    mode = 0666
  }
}
%(more)s
""" % {"base": base, "dir": lab.dir, "more": "\n".join(settings)})
    process = lab.spawn("s", "dovecot", "-F", "-c", base + "/dovecot.conf", port=993)
    time.sleep(0.3)
    return process


def postfix(lab, *settings):
    """SMTP submission with postfix: 587 with STARTTLS, 465 with TLS; mail is thrown away."""
    base = tempfile.mkdtemp(prefix="postfix-", dir=lab.dir)
    os.chmod(base, 0o755)
    for part in ("conf", "queue", "data"):
        os.makedirs("%s/%s" % (base, part), exist_ok=True)
    shutil.chown(base + "/data", "postfix")
    sasl = any("dovecot" in process.args for process in lab.processes)
    main = {
        "queue_directory": base + "/queue", "data_directory": base + "/data",
        "myhostname": NAME, "mydestination": "", "mynetworks": "10.77.0.0/24",
        "relay_domains": "example.com", "default_transport": "discard", "relay_transport": "discard",
        "inet_interfaces": SERVER, "inet_protocols": "ipv4", "smtpd_peername_lookup": "no",
        "alias_maps": "", "local_recipient_maps": "", "compatibility_level": "3.6",
        "maillog_file": base + "/log", "maillog_file_prefixes": "/tmp",
        "smtpd_tls_cert_file": lab.path("rsa.pem"), "smtpd_tls_key_file": lab.path("rsa.key"),
        "smtpd_tls_security_level": "may", "smtpd_tls_protocols": ">=TLSv1",
        "smtpd_tls_mandatory_protocols": ">=TLSv1", "tls_medium_cipherlist": "ALL:@SECLEVEL=0",
        "smtpd_relay_restrictions": "permit_mynetworks,reject", "smtpd_banner": NAME + " ESMTP",
        "smtpd_sasl_auth_enable": "yes" if sasl else "no", "smtpd_sasl_type": "dovecot",
        "smtpd_sasl_path": lab.path("dovecot/auth"),
    }
    main.update(setting.split("=", 1) for setting in settings)
    with open(base + "/conf/main.cf", "w", encoding="ascii") as file:
        file.writelines("%s = %s\n" % item for item in main.items())
    with open("/etc/postfix/master.cf", encoding="ascii") as file:
        rows = [line for line in file if line.strip() and line[0] not in "# \t"]
    rows = [row for row in rows if row.split()[1] == "unix" and row.split()[0] != "pickup"]
    with open(base + "/conf/master.cf", "w", encoding="ascii") as file:
        file.write("587 inet n - n - - smtpd\n465 inet n - n - - smtpd\n"
                   "  -o smtpd_tls_wrappermode=yes\n"
                   "postlog unix-dgram n - n - 1 postlogd\n")
        file.writelines(" ".join([p if i != 4 else "n" for i, p in enumerate(row.split())]) + "\n"
                        for row in rows)
    # Not "postfix start-fg", which leaves the process that has to be stopped a child of its own.
    lab.run("s", "postfix", "-c", base + "/conf", "check")
    return lab.spawn("s", "/usr/lib/postfix/sbin/master", "-c", base + "/conf", "-s", port=587)


def java(lab, side, *args, port=None):
    """TlsPeer.java with all of Java's bans lifted."""
    options = lab.path("java.security")
    with open(options, "w", encoding="ascii") as file:
        file.write("jdk.tls.disabledAlgorithms=\njdk.tls.legacyAlgorithms=\n"
                   "jdk.certpath.disabledAlgorithms=\n")
    if not os.path.exists(lab.path("rsa.p12")):
        os.system("openssl pkcs12 -export -in %s -inkey %s -out %s -passout pass:not-a-secret" %
                  (lab.path("rsa.pem"), lab.path("rsa.key"), lab.path("rsa.p12")))
    source = os.path.join(os.path.dirname(os.path.abspath(__file__)), "TlsPeer.java")
    command = ["java", "-Djava.security.properties=" + options, "-Dkeystore=" + lab.path("rsa.p12"),
               "-Djava.net.preferIPv4Stack=true", "-XX:TieredStopAtLevel=1", source, *args]
    if port:
        return lab.spawn(side, *command, port=port)
    return lab.run(side, *command)


def nss_database(lab):
    """An NSS database with the server's key; its folder."""
    folder = lab.path("nss")
    if not os.path.exists(folder):
        os.makedirs(folder)
        os.system("certutil -N --empty-password -d sql:%s && openssl pkcs12 -export -in %s -inkey %s"
                  " -name mail -out %s/mail.p12 -passout pass:x && pk12util -i %s/mail.p12 -W x -K ''"
                  " -d sql:%s >/dev/null" % (folder, lab.path("rsa.pem"), lab.path("rsa.key"), folder,
                                             folder, folder))
    return folder
