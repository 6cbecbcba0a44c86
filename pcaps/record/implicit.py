"""TLS from the first byte: every version and every library, resumption, certificates."""

import os
import time

from lab import HERE, NAME, SERVER, scenario, sh
from peers import (Tls, context, java, nss_database, reset, s_client, s_server, tls_echo,
                   tls_session)

FINE = {"tls_mode": "implicit", "outcome": "established"}


def openssl_pair(lab, port, version, name, **more):
    """s_client and s_server at one version."""
    s_server(lab, port, version)
    s_client(lab, port, version)
    lab.event(**FINE, tls_version=name, offered_version=name, server_name=NAME, **more)


@scenario("openssl client and server, TLS 1.0 on 993: the client's offer is the limit")
def imaps_openssl_tls10(lab):
    openssl_pair(lab, 993, "-tls1", "TLSv1.0", limited_by="client", resumed=False)


@scenario("openssl, TLS 1.1 on 995")
def pop3s_openssl_tls11(lab):
    openssl_pair(lab, 995, "-tls1_1", "TLSv1.1", limited_by="client", resumed=False)


@scenario("openssl, TLS 1.2 on 465")
def smtps_openssl_tls12(lab):
    openssl_pair(lab, 465, "-tls1_2", "TLSv1.2", resumed=False)


@scenario("openssl, TLS 1.3 on 993")
def imaps_openssl_tls13(lab):
    openssl_pair(lab, 993, "-tls1_3", "TLSv1.3", resumed=False, hello_retry=False)


@scenario("a client that offers 1.0 to 1.3 and servers that stop at 1.0, 1.1 and 1.2: the server "
          "is the limit; the downgrade mark of 1.2 shows")
def imaps_server_is_the_limit(lab):
    for flag, name in (("-tls1", "TLSv1.0"), ("-tls1_1", "TLSv1.1"), ("-tls1_2", "TLSv1.2")):
        server = s_server(lab, 993, flag)
        s_client(lab, 993)
        lab.stop(server)
        lab.event(**FINE, tls_version=name, offered_version="TLSv1.3")


@scenario("servers that could do more and clients that stop at 1.1 and 1.2: the server's random "
          "carries the downgrade mark (RFC 8446, section 4.1.3)")
def imaps_downgrade_sentinel(lab):
    s_server(lab, 993)
    s_client(lab, 993, "-tls1_1")
    lab.event(**FINE, tls_version="TLSv1.1", offered_version="TLSv1.1", limited_by="client",
              downgrade_sentinel="TLSv1.1")
    s_client(lab, 993, "-tls1_2")
    lab.event(**FINE, tls_version="TLSv1.2", offered_version="TLSv1.2",
              downgrade_sentinel="TLSv1.2")


@scenario("Java client and server, SSLv3 on 993")
def imaps_java_sslv3(lab):
    java(lab, "s", "server", SERVER, "993", "SSLv3", port=993)
    java(lab, "c", "client", SERVER, "993", "SSLv3", NAME)
    lab.event(**FINE, tls_version="SSLv3", offered_version="SSLv3", limited_by="client",
              resumed=False)


@scenario("Java client with SSLv2Hello, up to TLS 1.0, and openssl: an SSLv2-format hello that "
          "offers TLS 1.0; no fingerprint is defined for it")
def smtps_java_sslv2hello_tls10(lab):
    s_server(lab, 465)
    java(lab, "c", "client", SERVER, "465", "SSLv2Hello,SSLv3,TLSv1")
    lab.event(**FINE, tls_version="TLSv1.0", offered_version="TLSv1.0", limited_by="client",
              server_name=None)


@scenario("Java client with SSLv2Hello, up to TLS 1.2")
def pop3s_java_sslv2hello_tls12(lab):
    s_server(lab, 995)
    java(lab, "c", "client", SERVER, "995", "SSLv2Hello,TLSv1,TLSv1.1,TLSv1.2")
    lab.event(**FINE, tls_version="TLSv1.2", offered_version="TLSv1.2", server_name=None)


@scenario("Java server at TLS 1.2: ServerHello to ServerHelloDone in one record; Java client with "
          "1.0 to 1.3")
def imaps_java_coalesced_flight(lab):
    java(lab, "s", "server", SERVER, "993", "TLSv1,TLSv1.1,TLSv1.2", port=993)
    java(lab, "c", "client", SERVER, "993", "TLSv1,TLSv1.1,TLSv1.2,TLSv1.3", NAME)
    lab.event(**FINE, tls_version="TLSv1.2", offered_version="TLSv1.3", resumed=False)


@scenario("GnuTLS client at 1.0, 1.1, 1.2 and 1.3 with an openssl server on 995")
def pop3s_gnutls_versions(lab):
    s_server(lab, 995)
    for gnutls, name in (("1.0", "TLSv1.0"), ("1.1", "TLSv1.1"), ("1.2", "TLSv1.2"),
                         ("1.3", "TLSv1.3")):
        lab.run("c", "gnutls-cli", "--insecure", "--priority",
                "NORMAL:-VERS-ALL:+VERS-TLS%s:%%COMPAT" % gnutls, "--port", "995", NAME,
                text="NOOP\n")
        lab.event(**FINE, tls_version=name, offered_version=name)


@scenario("GnuTLS server with an openssl client on 465, 1.2 and 1.3")
def smtps_gnutls_server(lab):
    lab.spawn("s", "gnutls-serv", "--echo", "--port", "465", "--x509certfile", lab.path("rsa.pem"),
              "--x509keyfile", lab.path("rsa.key"), port=465)
    for flag, name in (("-tls1_2", "TLSv1.2"), ("-tls1_3", "TLSv1.3")):
        s_client(lab, 465, flag)
        lab.event(**FINE, tls_version=name, offered_version=name)


@scenario("NSS client: 1.0 only, 1.0 to 1.2, 1.0 to 1.3, with an openssl server")
def imaps_nss_versions(lab):
    folder = nss_database(lab)
    s_server(lab, 993)
    for span, name in (("tls1.0:tls1.0", "TLSv1.0"), ("tls1.0:tls1.2", "TLSv1.2"),
                       ("tls1.0:tls1.3", "TLSv1.3")):
        lab.run("c", "tstclnt", "-h", SERVER, "-a", NAME, "-p", "993", "-V", span, "-o", "-d",
                "sql:" + folder, "-4", text="a1 NOOP\n", timeout=4)
        lab.event(**FINE, tls_version=name, offered_version=name)


@scenario("NSS server limited to 1.1, openssl client with 1.0 to 1.3")
def pop3s_nss_server_tls11(lab):
    folder = nss_database(lab)
    lab.spawn("s", "selfserv", "-n", "mail", "-p", "995", "-V", "tls1.0:tls1.1", "-d",
              "sql:" + folder, port=995)
    s_client(lab, 995, text="GET / HTTP/1.0\n\n")
    lab.event(**FINE, tls_version="TLSv1.1", offered_version="TLSv1.3", limited_by="server")


@scenario("mbedTLS 2.28 client, as in printers and cameras: 1.0 without SNI, 1.1, 1.2")
def smtps_mbedtls_versions(lab):
    program = lab.path("mbedtls_client")
    sh("gcc", "-o", program, os.path.join(HERE, "mbedtls_client.c"), "-lmbedtls", "-lmbedx509",
       "-lmbedcrypto")
    s_server(lab, 465)
    for minor, name, sni in ((1, "TLSv1.0", None), (2, "TLSv1.1", NAME), (3, "TLSv1.2", NAME)):
        lab.run("c", program, SERVER, "465", minor, *([sni] if sni else []))
        lab.event(**FINE, tls_version=name, offered_version=name, server_name=sni)


@scenario("ALPN: the server takes imap of two offers; a server without ALPN answers nothing")
def imaps_alpn(lab):
    server = s_server(lab, 993, "-alpn", "imap")
    s_client(lab, 993, "-alpn", "imap,x-other", "-tls1_2")
    lab.event(**FINE, tls_version="TLSv1.2", offered_version="TLSv1.2", alpn="imap")
    lab.stop(server)
    s_server(lab, 993)
    s_client(lab, 993, "-alpn", "imap", "-tls1_2")
    lab.event(**FINE, tls_version="TLSv1.2", offered_version="TLSv1.2", alpn=None)


@scenario("no SNI, at 1.0 (the certificate shows) and at 1.3 (it does not)")
def imaps_no_server_name(lab):
    s_server(lab, 993)
    s_client(lab, 993, "-tls1", name=None)
    lab.event(**FINE, tls_version="TLSv1.0", offered_version="TLSv1.0", server_name=None)
    s_client(lab, 993, name=None)
    lab.event(**FINE, tls_version="TLSv1.3", offered_version="TLSv1.3", server_name=None)


@scenario("cipher suites: RSA key exchange, DHE with Camellia, anonymous DH without a Certificate, "
          "an external PSK, an ECDSA certificate")
def smtps_cipher_suites(lab):
    for args, version, name, cert, more in (
            (["-cipher", "AES128-SHA:@SECLEVEL=0"], "-tls1", "TLSv1.0", "rsa", {}),
            (["-cipher", "DHE-RSA-CAMELLIA256-SHA:@SECLEVEL=0"], "-tls1_1", "TLSv1.1", "rsa", {}),
            (["-cipher", "ADH-AES256-SHA:@SECLEVEL=0"], "-tls1", "TLSv1.0", "rsa",
             {"certificate_subject": None, "resumed": False}),
            (["-cipher", "PSK-AES256-CBC-SHA:@SECLEVEL=0", "-psk", "0badc0de"], "-tls1_2",
             "TLSv1.2", "rsa", {"certificate_subject": None, "free": ("resumed",)}),
            ([], "-tls1_2", "TLSv1.2", "ec", {})):
        server = s_server(lab, 465, *args, cert=cert)
        s_client(lab, 465, version, *args)
        lab.stop(server)
        lab.event(**FINE, tls_version=name, offered_version=name, **more)


@scenario("a certificate of more than 8 kB at TLS 1.1")
def imaps_big_certificate(lab):
    s_server(lab, 993, cert="big")
    s_client(lab, 993, "-tls1_1")
    lab.event(**FINE, tls_version="TLSv1.1", offered_version="TLSv1.1", resumed=False)


@scenario("the client proves itself with a certificate, at 1.0, 1.2 and 1.3")
def smtps_client_certificate(lab):
    s_server(lab, 465, "-Verify", "2", "-CAfile", lab.path("ca.pem"))
    for flag, name in (("-tls1", "TLSv1.0"), ("-tls1_2", "TLSv1.2"), ("-tls1_3", "TLSv1.3")):
        s_client(lab, 465, flag, "-cert", lab.path("client.pem"), "-key", lab.path("client.key"))
        lab.event(**FINE, tls_version=name, offered_version=name)


@scenario("a renegotiation inside a TLS 1.2 session: one handshake, one event")
def imaps_renegotiation(lab):
    s_server(lab, 993, "-tls1_2", "-client_renegotiation")
    s_client(lab, 993, text="a1 NOOP\nR\na2 NOOP\n")
    lab.event(**FINE, tls_version="TLSv1.2", offered_version="TLSv1.3", resumed=False)


@scenario("TLS 1.3 without the middlebox mode: no ChangeCipherSpec on either side")
def imaps_tls13_no_middlebox(lab):
    s_server(lab, 993, "-no_middlebox")
    s_client(lab, 993, "-no_middlebox")
    lab.event(**FINE, tls_version="TLSv1.3", offered_version="TLSv1.3", resumed=False)


@scenario("HelloRetryRequest: the client guessed X25519, the server wants P-256; one event")
def imaps_hello_retry(lab):
    s_server(lab, 993, "-groups", "P-256")
    s_client(lab, 993, "-groups", "X25519:P-256")
    lab.event(**FINE, tls_version="TLSv1.3", offered_version="TLSv1.3", hello_retry=True,
              resumed=False)


def resume(lab, port, *args):
    session = lab.path("session")
    s_client(lab, port, *args, "-sess_out", session)
    s_client(lab, port, *args, "-sess_in", session)


@scenario("TLS 1.2 resumed by ticket")
def imaps_resumed_ticket_tls12(lab):
    s_server(lab, 993, "-tls1_2")
    resume(lab, 993)
    lab.event(**FINE, tls_version="TLSv1.2", offered_version="TLSv1.3", resumed=False)
    lab.event(**FINE, tls_version="TLSv1.2", resumed=True, certificate_subject=None,
              free=("offered_version", "ja3", "ja4"))


@scenario("TLS 1.0 resumed by session ID")
def pop3s_resumed_session_id_tls10(lab):
    s_server(lab, 995, "-tls1", "-no_ticket")
    resume(lab, 995, "-tls1", "-no_ticket")
    lab.event(**FINE, tls_version="TLSv1.0", offered_version="TLSv1.0", resumed=False)
    lab.event(**FINE, tls_version="TLSv1.0", offered_version="TLSv1.0", resumed=True,
              certificate_subject=None)


@scenario("TLS 1.3 resumed by a pre-shared key")
def imaps_resumed_tls13(lab):
    s_server(lab, 993)
    resume(lab, 993)
    lab.event(**FINE, tls_version="TLSv1.3", offered_version="TLSv1.3", resumed=False)
    lab.event(**FINE, tls_version="TLSv1.3", offered_version="TLSv1.3", resumed=True)


def early_data(lab, *server_args):
    server = s_server(lab, 993, "-early_data", "-tls1_3", answers=False)
    session = lab.path("session")
    with open(lab.path("early"), "w", encoding="ascii") as file:
        file.write("a0 CAPABILITY\r\n")
    s_client(lab, 993, "-sess_out", session)
    if server_args:
        lab.stop(server)
        s_server(lab, 993, *server_args, answers=False)
    s_client(lab, 993, "-sess_in", session, "-early_data", lab.path("early"))


@scenario("early data (0-RTT), accepted: bytes before the client's Finished")
def imaps_early_data_accepted(lab):
    early_data(lab)
    lab.event(**FINE, tls_version="TLSv1.3", offered_version="TLSv1.3", resumed=False)
    lab.event(**FINE, tls_version="TLSv1.3", offered_version="TLSv1.3", resumed=True)


@scenario("early data, rejected: the restarted server shakes hands in full")
def imaps_early_data_rejected(lab):
    early_data(lab, "-tls1_3")
    lab.event(**FINE, tls_version="TLSv1.3", offered_version="TLSv1.3", resumed=False)
    lab.event(**FINE, tls_version="TLSv1.3", offered_version="TLSv1.3", resumed=False)


@scenario("a warning that the handshake survives: the server does not know the name that was asked "
          "for (unrecognized_name)")
def imaps_warning_survived(lab):
    s_server(lab, 993, "-tls1_2", "-servername", "other.example.com", "-cert2", lab.path("rsa.pem"),
             "-key2", lab.path("rsa.key"))
    s_client(lab, 993, "-tls1_2")
    lab.event(**FINE, tls_version="TLSv1.2", offered_version="TLSv1.2")


@scenario("GREASE in suites, versions, groups and extensions: the hello of a browser-like library, "
          "made by script; the server stops at 1.1 and the client goes away by reset")
def imaps_grease_reset(lab):
    lab.listen(993, tls_echo(lab, context(lab, "s", high="TLSv1_1")))
    sock = lab.connect(993)
    sock.sendall(grease_hello())
    sock.recv(65536)
    time.sleep(0.1)
    reset(sock)
    lab.event(tls_mode="implicit", outcome="refused", refused_by="client", refusal="reset",
              tls_version="TLSv1.1", offered_version="TLSv1.3", limited_by="server")


def grease_hello():
    """A ClientHello with GREASE values (RFC 8701) that offers 1.0 to 1.3."""
    def vec(width, body):
        return len(body).to_bytes(width, "big") + body

    def ext(number, body):
        return number.to_bytes(2, "big") + vec(2, body)
    suites = bytes.fromhex("8a8a130113021303c02bc02fc02cc030c013c014009c009d002f0035")
    extensions = b"".join((
        ext(0x3A3A, b""), ext(0, vec(2, b"\0" + vec(2, NAME.encode()))), ext(23, b""),
        ext(0xFF01, b"\0"), ext(10, vec(2, bytes.fromhex("9a9a001d00170018"))), ext(11, b"\1\0"),
        ext(35, b""), ext(13, vec(2, bytes.fromhex("040308040401050308050501080606010201"))),
        ext(51, vec(2, bytes.fromhex("9a9a000100001d0020") + bytes(range(1, 33)))),
        ext(45, b"\1\1"),
        ext(43, vec(1, bytes.fromhex("7a7a0304030303020301"))), ext(0xCACA, b"\0")))
    body = b"\3\3" + os.urandom(32) + vec(1, os.urandom(32)) + vec(2, suites) + b"\1\0" + \
        vec(2, extensions)
    return b"\x16\3\1" + vec(2, b"\1" + vec(3, body))


@scenario("a TLS service on a port that is none by default: 4443", tool=["--service", "4443=tls"])
def tls_other_port(lab):
    lab.listen(4443, tls_echo(lab, context(lab, "s")))
    tls_session(lab.connect(4443), context(lab, "c", high="TLSv1"))
    lab.event(**FINE, tls_version="TLSv1.0", offered_version="TLSv1.0", limited_by="client",
              protocol="TLS")


@scenario("HAProxy in front: TLS ends at the proxy; its own limits show")
def imaps_haproxy(lab):
    with open(lab.path("bundle.pem"), "w", encoding="ascii") as bundle:
        for part in ("rsa.pem", "rsa.key"):
            with open(lab.path(part), encoding="ascii") as file:
                bundle.write(file.read())
    with open(lab.path("haproxy.cfg"), "w", encoding="ascii") as file:
        file.write("defaults\n mode tcp\n timeout connect 2s\n timeout client 2s\n timeout server "
                   "2s\nfrontend f\n bind %s:993 ssl crt %s ssl-min-ver TLSv1.2\n "
                   "tcp-request content reject\n" % (SERVER, lab.path("bundle.pem")))
    lab.spawn("s", "haproxy", "-db", "-f", lab.path("haproxy.cfg"), port=993)
    s_client(lab, 993)
    # The proxy closes inside the finished session.
    lab.event(**FINE, tls_version="TLSv1.3", offered_version="TLSv1.3")
    s_client(lab, 993, "-tls1_1")
    lab.event(tls_mode="implicit", outcome="refused", refused_by="server",
              refusal="protocol_version", offered_version="TLSv1.1")


@scenario("stunnel in front of a mail server, 1.2")
def smtps_stunnel(lab):
    def banner(sock):
        sock.sendall(b"220 mail.example.com ESMTP\r\n")
        sock.recv(100)
        sock.close()
    lab.listen(2525, banner)
    with open(lab.path("stunnel.conf"), "w", encoding="ascii") as file:
        file.write("foreground = yes\npid =\n[smtps]\naccept = %s:465\nconnect = %s:2525\n"
                   "cert = %s\nkey = %s\nsslVersionMax = TLSv1.2\n" % (
                       SERVER, SERVER, lab.path("rsa.pem"), lab.path("rsa.key")))
    lab.spawn("s", "stunnel4", lab.path("stunnel.conf"), port=465)
    s_client(lab, 465, text="QUIT\n")
    lab.event(**FINE, tls_version="TLSv1.2", offered_version="TLSv1.3")


@scenario("Python clients: imaplib, poplib and smtplib over TLS, as monitoring scripts use them")
def python_mail_libraries(lab):
    for port, code, version in (
            (993, "import imaplib,ssl; imaplib.IMAP4_SSL('%s',ssl_context=c)", "TLSv1.3"),
            (995, "import poplib,ssl; poplib.POP3_SSL('%s',context=c)", "TLSv1.2"),
            (465, "import smtplib,ssl; smtplib.SMTP_SSL('%s',context=c)", "TLSv1.0")):
        def greet(sock, port=port):
            tls = Tls(sock, context(lab, "s"), server=True).handshake()
            tls.send({993: b"* BYE\r\n", 995: b"-ERR\r\n", 465: b"421 later\r\n"}[port])
            tls.receive()
            tls.close()
        lab.listen(port, greet)
        setup = ("import ssl; c=ssl._create_unverified_context(); "
                 "c.set_ciphers('DEFAULT@SECLEVEL=0'); c.minimum_version=ssl.TLSVersion.TLSv1; "
                 "c.maximum_version=ssl.TLSVersion.%s; " % version.replace(".", "_").replace(
                     "v1_0", "v1"))
        lab.run("c", "/usr/bin/python3", "-c", setup + code % NAME)
        lab.event(**FINE, tls_version=version, offered_version=version)
