"""Servers and programs as they are used, and what the other scripts build upon."""

from lab import NAME, SERVER, SERVER6, scenario
from peers import context, dovecot, java, nss_database, postfix, s_client, s_server, tls_echo

DONE = {"tls_mode": "implicit", "outcome": "established"}


def plain(lab, port, version, *, client=(), server=(), **fields):
    """One s_client session with one s_server."""
    s_server(lab, port, *server)
    s_client(lab, port, *client)
    lab.event(tls_version=version, **DONE, **fields)


@scenario("A hello in SSLv2 format that offers SSLv3 only")
def smtps_sslv2hello_sslv3_java(lab):
    java(lab, "s", "server", SERVER, "465", "SSLv2Hello,SSLv3,TLSv1", port=465)
    java(lab, "c", "client", SERVER, "465", "SSLv2Hello,SSLv3")
    lab.event(tls_version="SSLv3", offered_version="SSLv3", ja3=None, ja4=None, **DONE)


@scenario("TLS 1.1 on 995: s_client and s_server, the client offers no more")
def pop3s_tls11_openssl(lab):
    plain(lab, 995, "TLSv1.1", client=["-tls1_1"], offered_version="TLSv1.1", limited_by="client")


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


@scenario("A pre-shared key from outside: TLS 1.2 without a certificate")
def pop3s_psk_tls12(lab):
    plain(lab, 995, "TLSv1.2", client=["-tls1_2", "-psk", "0badc0de", "-cipher",
                                       "PSK-AES128-GCM-SHA256:@SECLEVEL=0"],
          server=["-nocert", "-psk", "0badc0de", "-cipher", "PSK:@SECLEVEL=0"],
          cipher_suite="TLS_PSK_WITH_AES_128_GCM_SHA256", certificate_subject=None)


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


@scenario("Chromium on 993: a hello of two segments, with ECH, a post-quantum key share, GREASE in "
          "its signature algorithms, too, and extensions in an order that changes; the second time "
          "it does not trust the server")
def imaps_chromium(lab):
    # Behind each connection comes another one, which is turned away.
    for number, trust, fields in (
            (0, ["--ignore-certificate-errors"], DONE),
            (2, [], {"tls_mode": "implicit", "outcome": "refused", "refused_by": "client",
                     "refusal": None})):
        listener = lab.listen(993, lambda sock: (listener.close(), tls_echo(lab, ctx)(sock)))
        ctx = context(lab, "s")
        lab.run("c", "/usr/lib/chromium/chromium", "--headless", "--no-sandbox", "--disable-gpu",
                "--disable-dev-shm-usage", "--no-first-run", "--disable-background-networking",
                "--explicitly-allowed-ports=993", "--user-data-dir=" + lab.path("chromium"), *trust,
                "--dump-dom", "https://%s:993/" % NAME)
        lab.event(number, tls_version="TLSv1.3", offered_version="TLSv1.3", server_name=NAME,
                  **fields)


@scenario("IPv6, with TLS 1.0 and 1.3")
def imaps_ipv6(lab):
    s_server(lab, 993, family="-6")
    for option, version in (("-tls1", "TLSv1.0"), ("-tls1_3", "TLSv1.3")):
        s_client(lab, 993, option, host=SERVER6)
        lab.event(tls_version=version, **DONE)
