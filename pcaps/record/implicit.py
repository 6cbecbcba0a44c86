"""TLS at once: every version, several libraries, resumption, certificates and fingerprints."""

import ssl
import time

from lab import NAME, SERVER, scenario
from peers import (Tls, context, dovecot, java, nss_database, postfix, s_client, s_server,
                   tls_echo, tls_session)

DONE = {"tls_mode": "implicit", "outcome": "established"}


def plain(lab, port, version, *, client=(), server=(), **fields):
    """One s_client session with one s_server."""
    s_server(lab, port, *server)
    s_client(lab, port, *client)
    lab.event(tls_version=version, **DONE, **fields)


@scenario("SSLv3 on 993 between two Java programs")
def imaps_sslv3_java(lab):
    java(lab, "s", "server", SERVER, "993", "SSLv3", port=993)
    java(lab, "c", "client", SERVER, "993", "SSLv3")
    lab.event(tls_version="SSLv3", offered_version="SSLv3", **DONE)


@scenario("A Java client whose hello has SSLv2 format and offers TLS 1.0")
def pop3s_sslv2hello_java(lab):
    java(lab, "s", "server", SERVER, "995", "SSLv2Hello,SSLv3,TLSv1,TLSv1.1,TLSv1.2", port=995)
    java(lab, "c", "client", SERVER, "995", "SSLv2Hello,TLSv1")
    lab.event(tls_version="TLSv1.0", offered_version="TLSv1.0", ja3=None, ja4=None, **DONE)


@scenario("A hello in SSLv2 format that offers SSLv3 only")
def smtps_sslv2hello_sslv3_java(lab):
    java(lab, "s", "server", SERVER, "465", "SSLv2Hello,SSLv3,TLSv1", port=465)
    java(lab, "c", "client", SERVER, "465", "SSLv2Hello,SSLv3")
    lab.event(tls_version="SSLv3", offered_version="SSLv3", ja3=None, ja4=None, **DONE)


@scenario("TLS 1.0 on 993: s_client and s_server, the client offers no more")
def imaps_tls10_openssl(lab):
    plain(lab, 993, "TLSv1.0", client=["-tls1"], offered_version="TLSv1.0", limited_by="client")


@scenario("TLS 1.1 on 995: s_client and s_server, the client offers no more")
def pop3s_tls11_openssl(lab):
    plain(lab, 995, "TLSv1.1", client=["-tls1_1"], offered_version="TLSv1.1", limited_by="client")


@scenario("TLS 1.2 on 465: s_client and s_server")
def smtps_tls12_openssl(lab):
    plain(lab, 465, "TLSv1.2", client=["-tls1_2"], offered_version="TLSv1.2")


@scenario("TLS 1.3 on 993: s_client and s_server")
def imaps_tls13_openssl(lab):
    plain(lab, 993, "TLSv1.3", offered_version="TLSv1.3", cipher_suite="TLS_AES_256_GCM_SHA384",
          resumed=False, hello_retry=False)


@scenario("The client offers 1.3, the server stops at 1.0: limited by the server")
def imaps_server_max_tls10(lab):
    plain(lab, 993, "TLSv1.0", server=["-tls1"], offered_version="TLSv1.3", limited_by="server")


@scenario("The client offers 1.2, the server stops at 1.1: limited by the server")
def pop3s_server_max_tls11(lab):
    plain(lab, 995, "TLSv1.1", server=["-tls1_1"], client=["-no_tls1_3"],
          offered_version="TLSv1.2", limited_by="server")


@scenario("A server that knows 1.3 answers a client of 1.2: the downgrade mark of RFC 8446, 4.1.3")
def smtps_downgrade_sentinel(lab):
    s_server(lab, 465)
    s_client(lab, 465, "-tls1_2")
    s_client(lab, 465, "-tls1_1")
    lab.event(tls_version="TLSv1.2", downgrade_sentinel="TLSv1.2", **DONE)
    lab.event(tls_version="TLSv1.1", downgrade_sentinel="TLSv1.1", limited_by="client", **DONE)


@scenario("gnutls-cli in four versions with gnutls-serv")
def imaps_gnutls_versions(lab):
    lab.spawn("s", "gnutls-serv", "--echo", "-p", "993", "--priority",
              "NORMAL:+VERS-ALL:%COMPAT", "--x509certfile", lab.path("rsa.pem"), "--x509keyfile",
              lab.path("rsa.key"), port=993)
    for name, version in (("TLS1.0", "TLSv1.0"), ("TLS1.1", "TLSv1.1"), ("TLS1.2", "TLSv1.2"),
                          ("TLS1.3", "TLSv1.3")):
        lab.run("c", "gnutls-cli", "--insecure", "--priority", "NORMAL:-VERS-ALL:+VERS-" + name,
                "-p", "993", NAME, text="a1 NOOP\n")
        lab.event(tls_version=version, offered_version=version, server_name=NAME, **DONE)


@scenario("NSS: tstclnt in four versions with selfserv")
def pop3s_nss_versions(lab):
    folder = nss_database(lab)
    lab.spawn("s", "selfserv", "-d", "sql:" + folder, "-p", "995", "-n", "mail", "-V",
              "tls1.0:tls1.3", "-m", port=995)
    for name, version in (("tls1.0", "TLSv1.0"), ("tls1.1", "TLSv1.1"), ("tls1.2", "TLSv1.2"),
                          ("tls1.3", "TLSv1.3")):
        lab.run("c", "tstclnt", "-d", "sql:" + folder, "-h", SERVER, "-a", NAME, "-p", "995", "-o",
                "-V", name + ":" + name, text="GET / HTTP/1.0\n\n", timeout=4)
        lab.event(tls_version=version, offered_version=version, **DONE)


@scenario("Key exchanges and ciphers: RSA, DHE with Camellia, anonymous DH, ECDSA, ChaCha20")
def smtps_cipher_suites(lab):
    for client, server, cert, version, suite in (
            (["-tls1_2", "-cipher", "AES128-SHA:@SECLEVEL=0"], [], "rsa", "TLSv1.2",
             "TLS_RSA_WITH_AES_128_CBC_SHA"),
            (["-tls1", "-cipher", "DHE-RSA-CAMELLIA256-SHA:@SECLEVEL=0"],
             ["-cipher", "ALL:@SECLEVEL=0"], "rsa", "TLSv1.0",
             "TLS_DHE_RSA_WITH_CAMELLIA_256_CBC_SHA"),
            (["-tls1_1", "-cipher", "ADH-AES128-SHA:@SECLEVEL=0"],
             ["-cipher", "aNULL:@SECLEVEL=0"], "rsa", "TLSv1.1", "TLS_DH_anon_WITH_AES_128_CBC_SHA"),
            (["-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-GCM-SHA256"], [], "ec", "TLSv1.2",
             "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"),
            (["-ciphersuites", "TLS_CHACHA20_POLY1305_SHA256"], [], "ec", "TLSv1.3",
             "TLS_CHACHA20_POLY1305_SHA256")):
        process = s_server(lab, 465, *server, cert=cert)
        s_client(lab, 465, *client)
        lab.stop(process)
        time.sleep(0.1)
        lab.event(tls_version=version, cipher_suite=suite, **DONE)


@scenario("A pre-shared key from outside: TLS 1.2 without a certificate")
def pop3s_psk_tls12(lab):
    plain(lab, 995, "TLSv1.2", client=["-tls1_2", "-psk", "0badc0de", "-cipher",
                                       "PSK-AES128-GCM-SHA256:@SECLEVEL=0"],
          server=["-nocert", "-psk", "0badc0de", "-cipher", "PSK:@SECLEVEL=0"],
          cipher_suite="TLS_PSK_WITH_AES_128_GCM_SHA256", certificate_subject=None)


def twice(lab, port, ctx, **server):
    """Two sessions, the second with what the first one left."""
    client = context(lab, "c", **server)
    left = None
    for _ in range(2):
        sock = lab.connect(port)
        tls = Tls(sock, client)
        if left:
            tls.object = client.wrap_bio(tls.incoming, tls.outgoing, server_hostname=NAME,
                                         session=left)
        tls.handshake()
        tls.send(b"a1 NOOP\r\n")
        tls.receive()
        left = tls.object.session
        tls.close()
    return ctx


@scenario("Resumption in TLS 1.2 by ticket: the second session has no certificate")
def imaps_resumed_ticket_tls12(lab):
    ctx = context(lab, "s", high="TLSv1_2")
    lab.listen(993, tls_echo(lab, ctx), 2)
    twice(lab, 993, ctx, high="TLSv1_2")
    lab.event(tls_version="TLSv1.2", resumed=False, **DONE)
    lab.event(tls_version="TLSv1.2", resumed=True, **DONE)


@scenario("Resumption in TLS 1.0 by session id")
def smtps_resumed_session_id_tls10(lab):
    ctx = context(lab, "s", high="TLSv1")
    ctx.options |= ssl.OP_NO_TICKET
    lab.listen(465, tls_echo(lab, ctx), 2)
    twice(lab, 465, ctx, high="TLSv1")
    lab.event(tls_version="TLSv1.0", resumed=False, **DONE)
    lab.event(tls_version="TLSv1.0", resumed=True, **DONE)


@scenario("Resumption in TLS 1.3 by pre-shared key")
def pop3s_resumed_psk_tls13(lab):
    ctx = context(lab, "s")
    lab.listen(995, tls_echo(lab, ctx), 2)
    twice(lab, 995, ctx)
    lab.event(tls_version="TLSv1.3", resumed=False, **DONE)
    lab.event(tls_version="TLSv1.3", resumed=True, **DONE)


@scenario("Early data of TLS 1.3: taken, then offered to a server that does not take it")
def imaps_early_data_tls13(lab):
    with open(lab.path("early"), "w", encoding="ascii") as file:
        file.write("a0 CAPABILITY\r\n")
    session = lab.path("session")
    server = s_server(lab, 993, "-early_data", answers=False)
    s_client(lab, 993, "-sess_out", session)
    s_client(lab, 993, "-sess_in", session, "-early_data", lab.path("early"))
    s_client(lab, 993, "-sess_out", session)
    lab.stop(server)
    time.sleep(0.1)
    s_server(lab, 993, answers=False)
    s_client(lab, 993, "-sess_in", session, "-early_data", lab.path("early"))
    lab.event(tls_version="TLSv1.3", resumed=False, **DONE)
    lab.event(tls_version="TLSv1.3", resumed=True, **DONE)
    lab.event(tls_version="TLSv1.3", resumed=False, **DONE)
    lab.event(tls_version="TLSv1.3", resumed=False, **DONE)


@scenario("HelloRetryRequest: one handshake, one event")
def smtps_hello_retry(lab):
    plain(lab, 465, "TLSv1.3", client=["-groups", "X25519:P-384"], server=["-groups", "P-384"],
          hello_retry=True)


@scenario("ALPN: the client offers imap and pop3, the server chooses imap; TLS 1.2 shows it")
def imaps_alpn(lab):
    s_server(lab, 993, "-alpn", "imap")
    s_client(lab, 993, "-tls1_2", "-alpn", "imap,pop3")
    s_client(lab, 993, "-alpn", "imap")
    lab.event(tls_version="TLSv1.2", alpn="imap", **DONE)
    lab.event(tls_version="TLSv1.3", alpn=None, **DONE)


@scenario("A client certificate is asked for and given, in 1.2 and 1.3")
def smtps_client_certificate(lab):
    s_server(lab, 465, "-Verify", "1", "-CAfile", lab.path("ca.pem"))
    for version in ("1_2", "1_3"):
        s_client(lab, 465, "-tls" + version, "-cert", lab.path("client.pem"), "-key",
                 lab.path("client.key"))
        lab.event(tls_version="TLSv" + version.replace("_", "."), **DONE)


@scenario("A certificate of 9 KB in several segments and records, TLS 1.1 and 1.2")
def imaps_big_certificate(lab):
    s_server(lab, 993, cert="big")
    for option, version in (("-tls1_1", "TLSv1.1"), ("-tls1_2", "TLSv1.2")):
        s_client(lab, 993, option)
        lab.event(tls_version=version, certificate_subject="CN=%s,O=Example" % NAME, **DONE)


@scenario("A renegotiation inside the session gives no second event")
def pop3s_renegotiation(lab):
    s_server(lab, 995, "-client_renegotiation", "-tls1_2")
    s_client(lab, 995, "-tls1_2", text="USER user\nR\nQUIT\n")
    lab.event(tls_version="TLSv1.2", **DONE)


@scenario("A client without SNI")
def pop3s_no_server_name(lab):
    s_server(lab, 995)
    s_client(lab, 995, "-tls1_2", name=None)
    lab.event(tls_version="TLSv1.2", server_name=None, **DONE)


@scenario("TLS on a port that --service declares", tool=["--service", "636=tls"])
def other_service_tls11(lab):
    plain(lab, 636, "TLSv1.1", client=["-tls1_1"], protocol="TLS")


@scenario("dovecot, asked by curl and openssl: IMAP and POP3 in 1.0, 1.2 and 1.3")
def dovecot_imaps_pop3s(lab):
    dovecot(lab)
    for scheme, low, high, version in (("imaps", "1.0", "1.0", "TLSv1.0"),
                                       ("pop3s", "1.2", "1.2", "TLSv1.2"),
                                       ("imaps", "1.3", "1.3", "TLSv1.3")):
        lab.run("c", "curl", "-sk", "--tlsv" + low, "--tls-max", high, "--ciphers",
                "DEFAULT@SECLEVEL=0", "-u", "user:not-a-secret", "%s://%s/" % (scheme, NAME))
        lab.event(tls_version=version, offered_version=version, server_name=NAME, **DONE)


@scenario("postfix on 465: curl in 1.0, msmtp in 1.3, swaks in 1.2")
def postfix_smtps(lab):
    postfix(lab)
    with open(lab.path("letter"), "w", encoding="ascii") as file:
        file.write("Subject: test\r\n\r\nHello.\r\n")
    lab.run("c", "curl", "-sk", "--tls-max", "1.0", "--tlsv1.0", "--ciphers", "DEFAULT@SECLEVEL=0",
            "--mail-from", "user@example.com", "--mail-rcpt", "to@example.com", "-T",
            lab.path("letter"), "smtps://" + NAME)
    lab.run("c", "msmtp", "--host=" + NAME, "--port=465", "--tls=on", "--tls-starttls=off",
            "--tls-certcheck=off", "--auth=off", "--from=user@example.com", "to@example.com",
            text="Subject: test\n\nHello.\n")
    lab.run("c", "swaks", "--server", NAME, "--port", "465", "--tlsc", "--tls-protocol", "tlsv1_2",
            "--from", "user@example.com", "--to", "to@example.com", "--hide-all")
    lab.event(tls_version="TLSv1.0", offered_version="TLSv1.0", **DONE)
    lab.event(tls_version="TLSv1.3", **DONE)
    lab.event(tls_version="TLSv1.2", **DONE)


@scenario("IPv6, with TLS 1.0 and 1.3")
def imaps_ipv6(lab):
    from lab import SERVER6
    s_server(lab, 993, family="-6")
    for option, version in (("-tls1", "TLSv1.0"), ("-tls1_3", "TLSv1.3")):
        s_client(lab, 993, option, host=SERVER6)
        lab.event(tls_version=version, **DONE)


@scenario("haproxy in front of a cleartext server, TLS 1.2 and below")
def imaps_haproxy(lab):
    with open(lab.path("haproxy.cfg"), "w", encoding="ascii") as file, \
            open(lab.path("haproxy.pem"), "w", encoding="ascii") as both:
        both.write(open(lab.path("rsa.pem"), encoding="ascii").read() +
                   open(lab.path("rsa.key"), encoding="ascii").read())
        file.write("defaults\n mode tcp\n timeout connect 5s\n timeout client 5s\n"
                   " timeout server 5s\nfrontend f\n bind %s:993 ssl crt %s ssl-min-ver TLSv1.0"
                   " ciphers DEFAULT:@SECLEVEL=0\n default_backend b\nbackend b\n"
                   " server s 127.0.0.1:1143\n" % (SERVER, lab.path("haproxy.pem")))
    with lab.inside("s"):
        import socket
        inner = socket.create_server(("127.0.0.1", 1143))
    lab.closables.append(inner)

    def answer():
        for _ in range(2):
            conn, _ = inner.accept()
            conn.sendall(b"* OK ready\r\n")
            conn.recv(100)
            conn.sendall(b"a1 OK\r\n")
            conn.close()
    lab.thread(answer)
    lab.spawn("s", "haproxy", "-db", "-f", lab.path("haproxy.cfg"), port=993)
    for high, version in (("TLSv1", "TLSv1.0"), ("TLSv1_2", "TLSv1.2")):
        tls_session(lab.connect(993), context(lab, "c", high=high))
        lab.event(tls_version=version, **DONE)


@scenario("stunnel on both sides, TLS 1.3 on 465")
def smtps_stunnel(lab):
    from peers import mail_server
    import socket
    with lab.inside("s"):
        inner = socket.create_server(("127.0.0.1", 1025))
    lab.closables.append(inner)

    def answer():
        conn, _ = inner.accept()
        mail_server(lab, "SMTP", None, {"EHLO": b"250 hello\r\n", "QUIT": b"221 bye\r\n"})(conn)
    lab.thread(answer)
    for side, name, text in (
            ("s", "server", "[m]\naccept=%s:465\nconnect=127.0.0.1:1025\ncert=%s\nkey=%s\n" % (
                SERVER, lab.path("rsa.pem"), lab.path("rsa.key"))),
            ("c", "client", "client=yes\n[m]\naccept=127.0.0.1:2525\nconnect=%s:465\n" % SERVER)):
        with open(lab.path(name + ".conf"), "w", encoding="ascii") as file:
            file.write("foreground=yes\npid=\n" + text)
        lab.spawn(side, "stunnel4", lab.path(name + ".conf"))
    lab.wait_port(465)
    lab.wait_port(2525, side="c")
    with lab.inside("c"):
        sock = socket.create_connection(("127.0.0.1", 2525))
    sock.settimeout(5)
    sock.recv(100)
    sock.sendall(b"EHLO scanner\r\n")
    sock.recv(100)
    sock.sendall(b"QUIT\r\n")
    sock.recv(100)
    sock.close()
    lab.event(tls_version="TLSv1.3", **DONE)
