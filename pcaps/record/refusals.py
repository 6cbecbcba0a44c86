"""Handshakes that do not succeed: who ended them, how, and at which versions."""

import os
import socket
import ssl
import struct
import subprocess
import time

from lab import DEVICE, NAME, SERVER, scenario
from peers import (Tls, context, dovecot, java, mail_server, nss_database, postfix, read_line,
                   read_to_end, reset, s_client, s_server, tls_echo, tls_session)
from starttls import SMTP

REFUSED = {"tls_mode": "implicit", "outcome": "refused"}
FINE = {"tls_mode": "implicit", "outcome": "established"}
SILENT = {"tls_mode": "implicit", "outcome": "unanswered"}


def hello(lab, sock, **limits):
    """Sends a ClientHello; the Tls object can go on from there."""
    tls = Tls(sock, context(lab, "c", **limits))
    sock.sendall(tls.first_flight())
    return tls


def after_hello(act, pause=0.05):
    """A handler that reads a ClientHello and then does something to the connection."""
    def handle(sock):
        sock.recv(65536)
        time.sleep(pause)
        act(sock)
    return handle


def close(sock):
    sock.close()


def alert(level, description, version=b"\3\3"):
    """An alert record in the clear."""
    return b"\x15" + version + b"\0\2" + bytes([level, description])


@scenario("servers that want at least 1.2, and at least 1.3: the alert protocol_version")
def imaps_protocol_version(lab):
    server = s_server(lab, 993, "-min_protocol", "TLSv1.2")
    for flag, name in (("-tls1", "TLSv1.0"), ("-tls1_1", "TLSv1.1")):
        s_client(lab, 993, flag)
        lab.event(**REFUSED, refused_by="server", refusal="protocol_version", offered_version=name)
    lab.stop(server)
    s_server(lab, 993, "-tls1_3")
    s_client(lab, 993, "-tls1_2")
    lab.event(**REFUSED, refused_by="server", refusal="protocol_version",
              offered_version="TLSv1.2")


@scenario("no cipher suite in common: handshake_failure, at 1.2 and 1.3")
def smtps_no_common_cipher(lab):
    server = s_server(lab, 465, "-tls1_2", "-cipher", "AES256-SHA")
    s_client(lab, 465, "-tls1_2", "-cipher", "AES128-SHA:@SECLEVEL=0")
    lab.event(**REFUSED, refused_by="server", refusal="handshake_failure",
              offered_version="TLSv1.2")
    lab.stop(server)
    s_server(lab, 465, "-tls1_3", "-ciphersuites", "TLS_AES_256_GCM_SHA384")
    s_client(lab, 465, "-tls1_3", "-ciphersuites", "TLS_AES_128_GCM_SHA256")
    lab.event(**REFUSED, refused_by="server", refusal="handshake_failure",
              offered_version="TLSv1.3")


@scenario("dovecot that wants 1.2: asked with 1.0 and 1.1 on 993, and with 1.0 on 110 after STLS, "
          "it closes without an alert")
def dovecot_refuses(lab):
    dovecot(lab, "ssl_min_protocol = TLSv1.2")
    for flag, name in (("-tls1", "TLSv1.0"), ("-tls1_1", "TLSv1.1")):
        s_client(lab, 993, flag)
        lab.event(**REFUSED, refused_by="server", refusal="close", offered_version=name)
    s_client(lab, 110, "-tls1", "-starttls", "pop3")
    lab.event(tls_mode="starttls", outcome="refused", refused_by="server", refusal="close",
              offered_version="TLSv1.0")


@scenario("postfix that wants 1.2, asked with 1.0 after STARTTLS")
def postfix_refuses(lab):
    postfix(lab, "smtpd_tls_protocols=>=TLSv1.2", "smtpd_tls_mandatory_protocols=>=TLSv1.2")
    s_client(lab, 587, "-tls1", "-starttls", "smtp", "-name", DEVICE)
    lab.event(tls_mode="starttls", outcome="refused", refused_by="server",
              refusal="protocol_version", offered_version="TLSv1.0", client_name=DEVICE)


@scenario("a BearSSL server that wants 1.2, asked with 1.0 and 1.1 at once and with 1.0 after STARTTLS: "
          "its alert protocol_version is in a record of version zero")
def smtp_bearssl_refuses(lab):
    def key(name):
        with open(lab.path(name), encoding="ascii") as file:
            return file.read()
    with open(lab.path("both.pem"), "w", encoding="ascii") as file:
        file.write(key("rsa.key") + key("rsa.pem"))
    echo = lab.path("echo")
    with open(echo, "w", encoding="ascii") as file:
        file.write("#!/bin/sh\nprintf '220 ready\\r\\n'\nwhile read -r line; do\n"
                   "\tcase $line in\n\tEHLO*) printf '250 mail.example.com\\r\\n' ;;\n"
                   "\t*) printf '250 ok\\r\\n' ;;\n\tesac\ndone\n")
    os.chmod(echo, 0o755)

    def wrapped(*options):
        def handle(sock):
            subprocess.run(["tlswrapper", *options, "-f", lab.path("both.pem"), "tlswrapper-smtp",
                            echo], stdin=sock, stdout=sock, check=False, timeout=20)
            sock.close()
        return handle
    lab.listen(465, wrapped(), 2)
    lab.listen(587, wrapped("-n"), 1)
    for flag, name in (("-tls1", "TLSv1.0"), ("-tls1_1", "TLSv1.1")):
        s_client(lab, 465, flag)
        lab.event(**REFUSED, refused_by="server", refusal="protocol_version", offered_version=name)
    s_client(lab, 587, "-tls1", "-starttls", "smtp", "-name", DEVICE)
    lab.event(tls_mode="starttls", outcome="refused", refused_by="server",
              refusal="protocol_version", offered_version="TLSv1.0", client_name=DEVICE)


@scenario("GnuTLS, NSS and Java servers that want 1.2, asked with 1.0: what each says")
def smtps_refusals_by_library(lab):
    gnutls = lab.spawn("s", "gnutls-serv", "--echo", "--port", "465", "--priority",
                       "NORMAL:-VERS-ALL:+VERS-TLS1.2", "--x509certfile", lab.path("rsa.pem"),
                       "--x509keyfile", lab.path("rsa.key"), port=465)
    s_client(lab, 465, "-tls1")
    lab.event(**REFUSED, refused_by="server", refusal="protocol_version",
              offered_version="TLSv1.0")
    lab.stop(gnutls)
    nss = lab.spawn("s", "selfserv", "-n", "mail", "-p", "465", "-V", "tls1.2:tls1.2", "-d",
                    "sql:" + nss_database(lab), port=465)
    s_client(lab, 465, "-tls1")
    lab.event(**REFUSED, refused_by="server", refusal="protocol_version",
              offered_version="TLSv1.0")
    lab.stop(nss)
    java(lab, "s", "server", SERVER, "465", "TLSv1.2", port=465)
    s_client(lab, 465, "-tls1")
    lab.event(**REFUSED, refused_by="server", refusal="protocol_version",
              offered_version="TLSv1.0")


@scenario("an SSLv2-format hello of Java that offers 1.0, to a server that wants 1.2")
def imaps_sslv2hello_refused(lab):
    s_server(lab, 993, "-min_protocol", "TLSv1.2")
    java(lab, "c", "client", SERVER, "993", "SSLv2Hello,SSLv3,TLSv1")
    lab.event(**REFUSED, refused_by="server", refusal="protocol_version",
              offered_version="TLSv1.0")


@scenario("a server that resets after the ClientHello, and one that closes")
def imaps_server_resets_closes(lab):
    for port, act, refusal in ((993, reset, "reset"), (995, close, "close")):
        lab.listen(port, after_hello(act))
        sock = lab.connect(port)
        hello(lab, sock, high="TLSv1_1")
        read_to_end(sock)
        sock.close()
        lab.event(**REFUSED, refused_by="server", refusal=refusal, offered_version="TLSv1.1")


@scenario("the first act decides: the server closes without an alert, then the client sends a "
          "fatal alert into the half-closed connection")
def imaps_close_then_alert(lab):
    def server(sock):
        sock.recv(65536)
        sock.shutdown(socket.SHUT_WR)
        read_to_end(sock)
        sock.close()
    lab.listen(993, server)
    sock = lab.connect(993)
    hello(lab, sock, high="TLSv1")
    read_to_end(sock)
    sock.sendall(alert(2, 80, b"\3\1"))
    sock.close()
    lab.event(**REFUSED, refused_by="server", refusal="close", offered_version="TLSv1.0")


@scenario("a silent server: the client gives up by close, by reset, and waits for ever; nobody "
          "refused")
def imaps_unanswered(lab):
    lab.listen(993, lambda sock: (read_to_end(sock), sock.close()), count=3)
    for act in (close, reset, None):
        sock = lab.connect(993)
        hello(lab, sock)
        time.sleep(0.3)
        if act:
            act(sock)
        lab.event(**SILENT, offered_version="TLSv1.3")
    time.sleep(0.3)
    waiting.append(sock)


waiting = []  # sockets that stay open until the capture has ended


@scenario("a close_notify before the handshake's end is a close by the client; after silence it is "
          "giving up")
def smtps_client_close_notify(lab):
    lab.listen(465, tls_echo(lab, context(lab, "s")))
    sock = lab.connect(465)
    hello(lab, sock, high="TLSv1_2")
    sock.recv(65536)
    sock.sendall(alert(1, 0))
    sock.close()
    lab.event(**REFUSED, refused_by="client", refusal="close", tls_version="TLSv1.2",
              offered_version="TLSv1.2")
    lab.listen(995, lambda sock: (read_to_end(sock), sock.close()))
    sock = lab.connect(995)
    hello(lab, sock, high="TLSv1_2")
    time.sleep(0.1)
    sock.sendall(alert(1, 0))
    sock.close()
    lab.event(**SILENT, offered_version="TLSv1.2")


@scenario("one client closes behind a long hello; another says close_notify and waits, as scanners do, "
          "and the server resets")
def smtps_close_notify_then_reset(lab):
    def flight_then(end):
        def handle(sock):
            tls = Tls(sock, context(lab, "s"), server=True)
            try:
                tls.handshake()
            except ssl.SSLError:
                pass
            end(sock)
        return handle

    for port, end, limits in ((995, close, {"alpn": ["imap"] * 60}),
                              (465, reset, {"high": "TLSv1_2"})):
        lab.listen(port, flight_then(end))
        sock = lab.connect(port)
        hello(lab, sock, **limits)
        sock.recv(65536)
        if end is reset:
            sock.sendall(alert(2, 0))
        else:
            sock.shutdown(socket.SHUT_WR)
        read_to_end(sock)
        sock.close()
        time.sleep(3)  # until the first one is settled
        version = "TLSv1.2" if end is reset else "TLSv1.3"
        lab.event(**REFUSED, refused_by="client", refusal="close", tls_version=version,
                  offered_version=version)


@scenario("the client does not trust the server: unknown_ca in the clear, at 1.3 too: openssl has "
          "no other keys yet")
def imaps_unknown_ca(lab):
    s_server(lab, 993)
    for flag, name in (("-tls1", "TLSv1.0"), ("-tls1_2", "TLSv1.2"), ("-tls1_3", "TLSv1.3")):
        s_client(lab, 993, flag, "-verify_return_error", "-verify", "1", "-CAfile",
                 lab.path("client.pem"))
        lab.event(**REFUSED, refused_by="client", refusal="unknown_ca", tls_version=name,
                  offered_version=name)


@scenario("an NSS client does not trust the server. At 1.2 its encrypted alert comes before the "
          "server's ChangeCipherSpec, which crosses it: the first act decides. At 1.3 it is a "
          "protected record of alert size where its Finished belongs")
def imaps_nss_untrusting(lab):
    s_server(lab, 993)
    for name, version, refusal in (("tls1.2", "TLSv1.2", "encrypted_alert"),
                                   ("tls1.3", "TLSv1.3", None)):
        lab.run("c", "tstclnt", "-h", SERVER, "-a", NAME, "-p", "993", "-V",
                name + ":" + name, "-d", "sql:" + nss_database(lab), text="a1 NOOP\n", timeout=4)
        lab.event(**REFUSED, refused_by="client", refusal=refusal, tls_version=version,
                  offered_version=version)


@scenario("the client resets, and closes, after the server's flight: at 1.2 and 1.3")
def pop3s_client_goes_after_flight(lab):
    lab.listen(995, tls_echo(lab, context(lab, "s")), count=4)
    for high, name in (("TLSv1_2", "TLSv1.2"), ("TLSv1_3", "TLSv1.3")):
        for act, refusal in ((reset, "reset"), (close, "close")):
            sock = lab.connect(995)
            hello(lab, sock, high=high)
            time.sleep(0.1)
            if act is close:
                sock.recv(65536)
            act(sock)
            time.sleep(0.1)
            lab.event(**REFUSED, refused_by="client", refusal=refusal, tls_version=name,
                      offered_version=name)


@scenario("TLS 1.3: an alert in the clear right after the ServerHello (illegal_parameter)")
def imaps_tls13_clear_alert(lab):
    lab.listen(993, tls_echo(lab, context(lab, "s")))
    sock = lab.connect(993)
    hello(lab, sock)
    sock.recv(65536)
    sock.sendall(alert(2, 47))
    sock.close()
    lab.event(**REFUSED, refused_by="client", refusal="illegal_parameter", tls_version="TLSv1.3",
              offered_version="TLSv1.3")


@scenario("a client certificate is required and missing, at 1.0 and 1.2: handshake_failure")
def smtps_client_certificate_missing(lab):
    s_server(lab, 465, "-Verify", "2", "-CAfile", lab.path("ca.pem"))
    for flag, name in (("-tls1", "TLSv1.0"), ("-tls1_2", "TLSv1.2")):
        s_client(lab, 465, flag)
        lab.event(**REFUSED, refused_by="server", refusal="handshake_failure", tls_version=name,
                  offered_version=name)


@scenario("a client certificate is required and missing, at 1.3: the client is through, the server "
          "answers its Finished with an alert (protected) and closes")
def smtps_client_certificate_missing_tls13(lab):
    s_server(lab, 465, "-tls1_3", "-Verify", "2", "-CAfile", lab.path("ca.pem"))
    s_client(lab, 465)
    lab.event(tls_mode="implicit", outcome="refused", refused_by="server",
              refusal={"any": [None, "encrypted_alert"]}, tls_version="TLSv1.3",
              offered_version="TLSv1.3")


@scenario("the server knows the client's certificate for a stranger's, at 1.2: unknown_ca")
def smtps_client_certificate_unknown(lab):
    s_server(lab, 465, "-tls1_2", "-Verify", "2", "-verify_return_error", "-CAfile",
             lab.path("ec.pem"))
    s_client(lab, 465, "-cert", lab.path("client.pem"), "-key", lab.path("client.key"))
    lab.event(**REFUSED, refused_by="server", refusal="unknown_ca", tls_version="TLSv1.2",
              offered_version="TLSv1.3")


@scenario("an old server answers 1.0 to a client that offers no less than 1.2: the client refuses, "
          "the server was the limit")
def imaps_client_refuses_version(lab):
    s_server(lab, 993, "-tls1")
    s_client(lab, 993, "-tls1_2")
    lab.event(**REFUSED, refused_by="client", refusal="protocol_version", tls_version="TLSv1.0",
              offered_version="TLSv1.2", limited_by="server")


@scenario("HelloRetryRequest, then the server closes: it has named version and suite")
def imaps_hello_retry_then_close(lab):
    ctx = context(lab, "s")
    ctx.set_ecdh_curve("secp384r1")

    def server(sock):
        tls = Tls(sock, ctx, server=True)
        tls.incoming.write(sock.recv(65536))
        try:
            tls.object.do_handshake()
        except ssl.SSLWantReadError:
            tls.flush()
        sock.recv(65536)
        sock.close()
    lab.listen(993, server)
    sock = lab.connect(993)
    Tls(sock, context(lab, "c")).handshake()
    sock.close()
    lab.event(**REFUSED, refused_by="server", refusal="close", tls_version="TLSv1.3",
              offered_version="TLSv1.3", hello_retry=True, free=("resumed",))


@scenario("the fallback dance: 1.2 is reset, 1.1 is reset, 1.0 with TLS_FALLBACK_SCSV is taken")
def imaps_fallback_dance(lab):
    for high, name in (("TLSv1_2", "TLSv1.2"), ("TLSv1_1", "TLSv1.1")):
        server = lab.listen(993, after_hello(reset))
        sock = lab.connect(993)
        hello(lab, sock, high=high)
        read_to_end(sock)
        sock.close()
        server.shutdown(socket.SHUT_RDWR)
        server.close()
        lab.event(**REFUSED, refused_by="server", refusal="reset", offered_version=name)
    time.sleep(0.2)
    s_server(lab, 993, "-tls1")
    s_client(lab, 993, "-tls1", "-fallback_scsv")
    lab.event(**FINE, tls_version="TLSv1.0", offered_version="TLSv1.0", fallback_scsv=True,
              limited_by="client")


@scenario("TLS_FALLBACK_SCSV to a server that can do more: inappropriate_fallback (RFC 7507)")
def imaps_inappropriate_fallback(lab):
    s_server(lab, 993)
    s_client(lab, 993, "-tls1_1", "-fallback_scsv")
    lab.event(**REFUSED, refused_by="server", refusal="inappropriate_fallback",
              offered_version="TLSv1.1", fallback_scsv=True)


@scenario("the client's Finished arrives damaged: the server's alert comes in the clear "
          "(bad_record_mac), behind the client's ChangeCipherSpec")
def pop3s_damaged_finished(lab):
    lab.listen(995, tls_echo(lab, context(lab, "s", high="TLSv1_2")))
    sock = lab.connect(995)
    flights = []

    def write(data):
        flights.append(data)
        sock.sendall(data if len(flights) != 2 else data[:-1] + bytes([data[-1] ^ 1]))
    try:
        Tls(sock, context(lab, "c", high="TLSv1_2"), write=write).handshake()
    except ssl.SSLError:
        pass
    sock.close()
    lab.event(**REFUSED, refused_by="server", refusal="bad_record_mac", tls_version="TLSv1.2",
              offered_version="TLSv1.2")


@scenario("the server never finishes; the client gives up with an alert behind its own "
          "ChangeCipherSpec: encrypted_alert")
def pop3s_encrypted_alert(lab):
    def server(sock):
        tls = Tls(sock, context(lab, "s", high="TLSv1_2"), server=True)
        tls.incoming.write(sock.recv(65536))
        try:
            tls.object.do_handshake()
        except ssl.SSLWantReadError:
            tls.flush()
        read_to_end(sock)
        sock.close()
    lab.listen(995, server)
    sock = lab.connect(995)
    tls = hello(lab, sock, high="TLSv1_2")
    sock.settimeout(0.5)
    tls.handshake()
    sock.sendall(b"\x15\3\3" + struct.pack(">H", 26) + bytes(8) + os.urandom(18))
    sock.close()
    lab.event(**REFUSED, refused_by="client", refusal="encrypted_alert", tls_version="TLSv1.2",
              offered_version="TLSv1.2")


@scenario("STARTTLS granted, then the server closes on the ClientHello")
def smtp_closes_on_hello(lab):
    def server(sock):
        sock.sendall(b"220 mail.example.com ESMTP\r\n")
        read_line(sock)
        sock.sendall(b"250 STARTTLS\r\n")
        read_line(sock)
        sock.sendall(b"220 go ahead\r\n")
        after_hello(close)(sock)
    lab.listen(587, server)
    s_client(lab, 587, "-starttls", "smtp", "-name", DEVICE, "-tls1_1")
    lab.event(tls_mode="starttls", outcome="refused", refused_by="server", refusal="close",
              offered_version="TLSv1.1", client_name=DEVICE)


@scenario("STARTTLS refused, and the client sends its ClientHello all the same: the server takes it "
          "for commands and complains, the client closes, and the server says goodbye")
def smtp_hello_in_spite_of_no(lab):
    def server(sock):
        sock.sendall(b"220 mail.example.com ESMTP\r\n")
        read_line(sock)
        sock.sendall(b"250 STARTTLS\r\n")
        read_line(sock)
        sock.sendall(b"500 5.5.2 Syntax error\r\n")
        after_hello(lambda sock: sock.sendall(b"500 5.5.2 Syntax error\r\n"))(sock)
        read_to_end(sock)
        sock.sendall(b"421 4.4.1 bye end of file reached\r\n")
        sock.close()
    lab.listen(587, server)
    s_client(lab, 587, "-starttls", "smtp", "-name", DEVICE, "-tls1_1")
    lab.event(tls_mode="starttls", outcome="refused", refused_by="client", refusal="close",
              offered_version="TLSv1.1", client_name=DEVICE)


@scenario("a device that is refused and tries again, six times")
def smtps_refused_again_and_again(lab):
    lab.listen(465, tls_echo(lab, context(lab, "s", low="TLSv1_2")), count=6)
    for _ in range(6):
        try:
            tls_session(lab.connect(465), context(lab, "c", high="TLSv1"))
        except ssl.SSLError:
            pass
        lab.event(**REFUSED, refused_by="server", refusal="protocol_version",
                  offered_version="TLSv1.0")


@scenario("an alert whose number has no name (made by script)")
def imaps_alert_without_a_name(lab):
    lab.listen(993, after_hello(lambda sock: (sock.sendall(alert(2, 250)), sock.close())))
    sock = lab.connect(993)
    hello(lab, sock, high="TLSv1_2")
    read_to_end(sock)
    sock.close()
    lab.event(**REFUSED, refused_by="server", refusal="alert_250", offered_version="TLSv1.2")


@scenario("the server ends a mail session inside TLS right after the handshake, as large providers "
          "did with old clients: established all the same")
def smtps_turned_away_inside_tls(lab):
    def server(sock):
        tls = Tls(sock, context(lab, "s"), server=True).handshake()
        tls.send(b"421 4.7.66 TLS 1.0 and 1.1 are not supported\r\n")
        tls.close()
    lab.listen(465, server)
    sock = lab.connect(465)
    tls = Tls(sock, context(lab, "c", high="TLSv1")).handshake()
    tls.receive()
    tls.close()
    lab.event(**FINE, tls_version="TLSv1.0", offered_version="TLSv1.0", limited_by="client")


@scenario("two clients behind one another on 587: one refused for its version, one that stays in "
          "the clear, one that is fine")
def smtp_three_kinds(lab):
    lab.listen(587, mail_server(lab, "SMTP", context(lab, "s", low="TLSv1_2"), SMTP), count=3)
    s_client(lab, 587, "-starttls", "smtp", "-name", "old.example.com", "-tls1")
    lab.event(tls_mode="starttls", outcome="refused", refused_by="server",
              refusal="protocol_version", offered_version="TLSv1.0", client_name="old.example.com")
    sock = lab.connect(587)
    read_line(sock)
    sock.sendall(b"HELO clear.example.com\r\n")
    read_line(sock)
    sock.sendall(b"QUIT\r\n")
    read_to_end(sock)
    sock.close()
    lab.event(event="cleartext_session", login=False, client_name="clear.example.com",
              client_name_source="ehlo")
    s_client(lab, 587, "-starttls", "smtp", "-name", "new.example.com")
    lab.event(tls_mode="starttls", outcome="established", tls_version="TLSv1.3",
              client_name="new.example.com")
