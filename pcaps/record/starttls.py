"""STARTTLS and STLS: asked for, granted, refused, never asked for."""

import base64
import os
import time

from lab import DEVICE, NAME, SECRET, SERVER, USER, scenario
from peers import (Tls, context, dovecot, in_pieces, mail_server, postfix, read_line, read_to_end,
                   read_until, s_client, s_server, talk, tls_echo, tls_session)

FINE = {"tls_mode": "starttls", "outcome": "established"}
CLEAR = {"event": "cleartext_session"}
LETTER = "Subject: test\r\n\r\nHello.\r\n"
PLAIN = base64.b64encode(("\0%s\0%s" % (USER, SECRET)).encode())

EHLO = b"250-mail.example.com\r\n250-PIPELINING\r\n250-STARTTLS\r\n250 8BITMIME\r\n"
SMTP = {"EHLO": EHLO, "HELO": b"250 mail.example.com\r\n", "STARTTLS": "tls", "*": b"250 ok\r\n",
        "AUTH": b"235 2.7.0 accepted\r\n", "QUIT": b"221 bye\r\n"}
IMAP = {"CAPABILITY": b"* CAPABILITY IMAP4rev1 STARTTLS\r\n%tag OK done\r\n", "STARTTLS": "tls",
        "*": b"%tag OK done\r\n", "LOGOUT": b"* BYE\r\n%tag OK\r\n"}
POP3 = {"STLS": "tls", "*": b"+OK\r\n"}

# dovecot answers the wrong password later and later, which shows nothing here.
GUESSING = ("auth_failure_delay = 0",
            "service anvil {\n unix_listener anvil-auth-penalty {\n  mode = 0\n }\n}")


def upgrade(sock, question, ctx):
    """Asks for TLS, waits for the answer and shakes hands."""
    talk(sock, question)
    tls_session(sock, ctx)


@scenario("postfix on 587 and openssl with 1.0, 1.1, 1.2 and 1.3 after STARTTLS")
def smtp_postfix_versions(lab):
    postfix(lab)
    for flag, name in (("-tls1", "TLSv1.0"), ("-tls1_1", "TLSv1.1"), ("-tls1_2", "TLSv1.2"),
                       ("-tls1_3", "TLSv1.3")):
        s_client(lab, 587, flag, "-starttls", "smtp", "-name", DEVICE, text="QUIT\n")
        lab.event(**FINE, tls_version=name, offered_version=name, client_name=DEVICE,
                  client_name_source="ehlo")


@scenario("dovecot on 143 and openssl with 1.0, 1.2 and 1.3 after STARTTLS")
def imap_dovecot_versions(lab):
    dovecot(lab)
    for flag, name in (("-tls1", "TLSv1.0"), ("-tls1_2", "TLSv1.2"), ("-tls1_3", "TLSv1.3")):
        s_client(lab, 143, flag, "-starttls", "imap", text="a1 LOGOUT\n")
        lab.event(**FINE, tls_version=name, offered_version=name)


@scenario("dovecot on 110 and openssl with 1.1, 1.2 and 1.3 after STLS")
def pop3_dovecot_versions(lab):
    dovecot(lab)
    for flag, name in (("-tls1_1", "TLSv1.1"), ("-tls1_2", "TLSv1.2"), ("-tls1_3", "TLSv1.3")):
        s_client(lab, 110, flag, "-starttls", "pop3", text="QUIT\n")
        lab.event(**FINE, tls_version=name, offered_version=name)


@scenario("mail programs submit a letter to postfix on 587: swaks, msmtp, curl, Python's smtplib")
def smtp_mail_programs(lab):
    postfix(lab)
    with open(lab.path("letter"), "w", encoding="ascii", newline="") as file:
        file.write(LETTER)
    lab.run("c", "swaks", "--server", NAME, "--port", "587", "--tls", "--from", "user@example.com",
            "--to", "to@example.com", "--hide-all")
    lab.event(**FINE, tls_version="TLSv1.3", client_name=DEVICE)
    lab.run("c", "msmtp", "--host=" + NAME, "--port=587", "--tls=on", "--tls-starttls=on",
            "--tls-certcheck=off", "--auth=off", "--from=user@example.com", "to@example.com",
            "--tls-priorities=NORMAL:-VERS-ALL:+VERS-TLS1.2", text=LETTER)
    lab.event(**FINE, tls_version="TLSv1.2", offered_version="TLSv1.2")
    lab.run("c", "curl", "-sk", "--ssl-reqd", "--tlsv1.0", "--tls-max", "1.1", "--ciphers",
            "DEFAULT@SECLEVEL=0", "--mail-from", "user@example.com", "--mail-rcpt",
            "to@example.com", "-T", lab.path("letter"), "smtp://%s:587" % NAME)
    lab.event(**FINE, tls_version="TLSv1.1", offered_version="TLSv1.1")
    lab.run("c", "/usr/bin/python3", "-c", "import smtplib,ssl\ns=smtplib.SMTP('%s',587)\n"
            "s.starttls(context=ssl._create_unverified_context())\n"
            "s.sendmail('user@example.com',['to@example.com'],'''%s''')\ns.quit()" % (NAME, LETTER))
    lab.event(**FINE, tls_version="TLSv1.3", client_name=DEVICE)


@scenario("mail programs read mail from dovecot on 143 and 110: mbsync, curl, fetchmail")
def mail_programs_fetch(lab):
    dovecot(lab)
    os.makedirs(lab.path("fetched"), exist_ok=True)
    with open(lab.path("mbsyncrc"), "w", encoding="ascii") as file:
        file.write("IMAPAccount a\nHost %s\nPort 143\nUser %s\nPass %s\nSSLType STARTTLS\n"
                   "CertificateFile %s\n\nIMAPStore far\nAccount a\n\nMaildirStore near\nPath %s/\n"
                   "Inbox %s/inbox\n\nChannel c\nFar :far:\nNear :near:\nPatterns INBOX\n" % (
                       NAME, USER, SECRET, lab.path("ca.pem"), lab.path("fetched"),
                       lab.path("fetched")))
    lab.run("c", "mbsync", "-c", lab.path("mbsyncrc"), "-l", "c")
    lab.event(**FINE, tls_version="TLSv1.3")
    for scheme, limit, name in (("imap", "1.0", "TLSv1.0"), ("pop3", "1.2", "TLSv1.2")):
        lab.run("c", "curl", "-sk", "--ssl-reqd", "--tlsv1.0", "--tls-max", limit, "--ciphers",
                "DEFAULT@SECLEVEL=0", "-u", "%s:%s" % (USER, SECRET), "%s://%s/" % (scheme, NAME))
        lab.event(**FINE, tls_version=name, offered_version=name)
    with open(lab.path("fetchmailrc"), "w", encoding="ascii") as file:
        file.write("poll %s protocol pop3 port 110 user %s password %s sslproto \"auto\" "
                   "no sslcertck keep mda cat\n" % (NAME, USER, SECRET))
    os.chmod(lab.path("fetchmailrc"), 0o600)
    lab.run("c", "fetchmail", "--nosyslog", "--nodetach", "-f", lab.path("fetchmailrc"))
    lab.event(**FINE, tls_version="TLSv1.3")


@scenario("a client that does not wait: STARTTLS and the ClientHello in one segment")
def smtp_starttls_pipelined(lab):
    lab.listen(587, mail_server(lab, "SMTP", context(lab, "s"), SMTP))
    sock = lab.connect(587)
    read_line(sock)
    talk(sock, b"EHLO " + DEVICE.encode())
    read_until(sock, b"250 8BITMIME\r\n")
    tls = Tls(sock, context(lab, "c", high="TLSv1_2"))
    sock.sendall(b"STARTTLS\r\n" + tls.first_flight())
    read_line(sock)
    tls.handshake()
    tls.send(b"EHLO again\r\n")
    tls.receive()
    tls.close()
    lab.event(**FINE, tls_version="TLSv1.2", offered_version="TLSv1.2", client_name=DEVICE)


@scenario("STARTTLS refused, then granted")
def imap_starttls_no_then_ok(lab):
    answers = dict(IMAP, STARTTLS=[b"%tag NO busy\r\n", "tls"])
    lab.listen(143, mail_server(lab, "IMAP", context(lab, "s"), answers))
    sock = lab.connect(143)
    read_line(sock)
    talk(sock, b"a1 STARTTLS")
    upgrade(sock, b"a2 STARTTLS", context(lab, "c", high="TLSv1"))
    lab.event(**FINE, tls_version="TLSv1.0", offered_version="TLSv1.0", limited_by="client")


@scenario("STARTTLS refused for good, and the client logs in in the clear")
def smtp_starttls_refused_then_login(lab):
    answers = dict(SMTP, STARTTLS=b"454 4.7.0 TLS not available\r\n")
    lab.listen(587, mail_server(lab, "SMTP", None, answers))
    sock = lab.connect(587)
    read_line(sock)
    sock.sendall(b"EHLO copier\r\n")
    read_until(sock, b"250 8BITMIME\r\n")
    talk(sock, b"STARTTLS", b"AUTH PLAIN " + PLAIN, b"QUIT")
    sock.close()
    lab.event(**CLEAR, login=True, client_name="copier", client_name_source="ehlo")


@scenario("STLS refused, and the client quits: a session that did not go to TLS, without a login")
def pop3_stls_refused_then_quit(lab):
    lab.listen(110, mail_server(lab, "POP3", None, dict(POP3, STLS=b"-ERR no\r\n")))
    sock = lab.connect(110)
    read_line(sock)
    talk(sock, b"STLS", b"QUIT")
    sock.close()
    lab.event(**CLEAR, login=False)


@scenario("logins in the clear on 587 with postfix: swaks by AUTH LOGIN, by AUTH PLAIN, and "
          "without a login")
def smtp_cleartext_login(lab):
    dovecot(lab)
    postfix(lab)
    for method in ("LOGIN", "PLAIN", None):
        auth = ["--auth", method, "--auth-user", USER, "--auth-password", SECRET] if method else []
        lab.run("c", "swaks", "--server", NAME, "--port", "587", "--from", "user@example.com",
                "--to", "to@example.com", "--hide-all", "--data", "Subject: test\\n\\nHello.\\n",
                *auth)
        lab.event(**CLEAR, login=bool(method), client_name=DEVICE, client_name_source="ehlo")


@scenario("postfix on 587 grants STARTTLS to whoever has logged in in the clear: smtplib asks for it at "
          "once, then behind a letter, then goes away instead of a ClientHello; and never asks")
def smtp_login_then_starttls(lab):
    dovecot(lab)
    postfix(lab)
    tls = "s.starttls(context=ssl._create_unverified_context())"
    letter = "s.sendmail('user@example.com',['to@example.com'],'Subject: test')"
    for steps in ((tls, letter, "s.quit()"), (letter, tls, "s.quit()"),
                  ("s.docmd('STARTTLS')", "s.close()"), (letter, "s.quit()")):
        lab.run("c", "/usr/bin/python3", "-c", "\n".join((
            "import smtplib,ssl", "s=smtplib.SMTP('%s',587)" % NAME,
            "s.login('%s','%s')" % (USER, SECRET)) + steps))
        fields = dict(FINE, tls_version="TLSv1.3") if tls in steps else dict(CLEAR, login=True)
        lab.event(**fields, client_name=DEVICE, client_name_source="ehlo")


@scenario("logins in the clear on 143 with dovecot: LOGIN by script, AUTHENTICATE by curl")
def imap_cleartext_login(lab):
    dovecot(lab)
    sock = lab.connect(143)
    read_line(sock)
    talk(sock, b"a1 LOGIN " + USER.encode() + b" " + SECRET.encode(), b"a2 LOGOUT")
    read_to_end(sock)
    lab.event(**CLEAR, login=True)
    lab.run("c", "curl", "-s", "-u", "%s:%s" % (USER, SECRET), "imap://%s/" % NAME)
    lab.event(**CLEAR, login=True)


@scenario("logins in the clear on 110 with dovecot: fetchmail's USER and PASS, a wrong PASS by "
          "script")
def pop3_cleartext_login(lab):
    dovecot(lab)
    with open(lab.path("fetchmailrc"), "w", encoding="ascii") as file:
        file.write("poll %s protocol pop3 port 110 user %s password %s sslproto \"\" keep mda cat\n"
                   % (NAME, USER, SECRET))
    os.chmod(lab.path("fetchmailrc"), 0o600)
    lab.run("c", "fetchmail", "--nosyslog", "--nodetach", "-f", lab.path("fetchmailrc"))
    lab.event(**CLEAR, login=True)
    sock = lab.connect(110)
    read_line(sock)
    talk(sock, b"USER " + USER.encode(), b"PASS not-the-secret", b"QUIT")
    sock.close()
    lab.event(**CLEAR, login=True)


@scenario("guessed passwords in the clear: IMAP LOGIN and AUTHENTICATE, POP3 USER and PASS with "
          "dovecot, SMTP AUTH by script; one name is right, then five fail, one of them twice")
def logins_guessed_in_the_clear(lab):
    def plain(name):
        return base64.b64encode(("\0%s\0wrong" % name).encode())
    dovecot(lab, *GUESSING)
    lab.listen(587, mail_server(lab, "SMTP", None, dict(SMTP, AUTH=b"535 5.7.8 no\r\n")))
    lab.run("c", "curl", "-s", "-u", "%s:%s" % (USER, SECRET), "imap://%s/" % NAME)
    lab.event(**CLEAR, login=True)
    sock = lab.connect(143)
    read_line(sock)
    talk(sock, b"a1 LOGIN alice wrong", b"a2 LOGIN \"bob\" wrong",
         b"a3 AUTHENTICATE PLAIN " + plain("carol"), b"a4 LOGOUT")
    sock.close()
    lab.event(**CLEAR, login=True)
    sock = lab.connect(110)
    read_line(sock)
    talk(sock, b"USER dave", b"PASS wrong", b"QUIT")
    sock.close()
    lab.event(**CLEAR, login=True)
    sock = lab.connect(587)
    read_line(sock)
    sock.sendall(b"EHLO " + DEVICE.encode() + b"\r\n")
    read_until(sock, b"\r\n250 ")
    read_line(sock)
    talk(sock, b"AUTH PLAIN " + plain("erin"), b"AUTH PLAIN " + plain("alice"), b"QUIT")
    sock.close()
    lab.event(**CLEAR, login=True, client_name=DEVICE, client_name_source="ehlo")


@scenario("guessed passwords inside TLS: six sessions of curl with dovecot on 993, each with another "
          "wrong password, and one that is right")
def logins_guessed_inside_tls(lab):
    dovecot(lab, *GUESSING)
    for password in ["wrong-%d" % i for i in range(6)] + [SECRET]:
        lab.run("c", "curl", "-sk", "-u", "%s:%s" % (USER, password), "imaps://%s/" % NAME)
        lab.event(outcome="established", tls_mode="implicit", tls_version="TLSv1.3",
                  offered_version="TLSv1.3", server_name=NAME)


@scenario("an old device: HELO, a letter that speaks of STARTTLS on a line of its own, no login")
def smtp_helo_letter_names_starttls(lab):
    answers = dict(SMTP, DATA=b"354 go on\r\n")

    def server(sock):
        sock.sendall(b"220 mail.example.com ESMTP\r\n")
        for answer in (b"250 ok\r\n",) * 3 + (b"354 go on\r\n",):
            read_line(sock)
            sock.sendall(answer)
        read_until(sock, b"\r\n.\r\n")
        sock.sendall(b"250 queued\r\n")
        read_line(sock)
        sock.sendall(answers["QUIT"])
        sock.close()
    lab.listen(587, server)
    sock = lab.connect(587)
    read_line(sock)
    talk(sock, b"HELO copier", b"MAIL FROM:<user@example.com>", b"RCPT TO:<to@example.com>",
         b"DATA")
    sock.sendall(b"Subject: scan\r\n\r\nSTARTTLS\r\n\x16\x03\x01 is how TLS begins\r\n.\r\n")
    read_line(sock)
    talk(sock, b"QUIT")
    sock.close()
    lab.event(**CLEAR, login=False, client_name="copier", client_name_source="ehlo")


@scenario("no attempt, no event: QUIT only on 587, QUIT only on 110, banner only on 143; counted "
          "by kind")
def no_attempts_in_mail(lab):
    for port, protocol, answers in ((587, "SMTP", SMTP), (110, "POP3", POP3), (143, "IMAP", IMAP)):
        lab.listen(port, mail_server(lab, protocol, None, answers))
        sock = lab.connect(port)
        read_line(sock)
        if port != 143:
            talk(sock, b"QUIT")
        sock.close()
        lab.no_event()
    # A QUIT may be counted with the banners or by itself.
    lab.counters = {"banner_only": {"any": [1, 3]}, "events": 0}


@scenario("half a line to a server that says nothing, as scanners for services send it: no banner")
def half_a_line_no_banner(lab):
    lab.listen(143, lambda sock: (sock.recv(100), sock.close()))
    sock = lab.connect(143)
    sock.sendall(b"VERSION")
    read_to_end(sock)
    sock.close()
    lab.no_event()
    lab.counters = {"garbage": 1, "banner_only": 0, "events": 0}


@scenario("STARTTLS granted, and the client goes away without a ClientHello: no event")
def smtp_starttls_granted_no_hello(lab):
    lab.listen(587, mail_server(lab, "SMTP", context(lab, "s"), SMTP))
    sock = lab.connect(587)
    read_line(sock)
    sock.sendall(b"EHLO copier\r\n")
    read_until(sock, b"250 8BITMIME\r\n")
    talk(sock, b"STARTTLS")
    time.sleep(0.1)
    sock.close()
    lab.no_event()
    lab.counters = {"starttls_no_hello": 1, "events": 0}


@scenario("APPEND of a letter in whose literal stand an answer and a STARTTLS command: nothing of "
          "it is meant")
def imap_literal_names_starttls(lab):
    letter = b"Subject: x\r\n\r\na2 STARTTLS\r\na2 OK begin TLS now\r\n"

    def server(sock):
        sock.sendall(b"* OK ready\r\n")
        read_line(sock)
        sock.sendall(b"a1 OK logged in\r\n")
        read_line(sock)
        sock.sendall(b"+ go on\r\n")
        read_until(sock, letter + b"\r\n")
        sock.sendall(b"a2 OK done\r\n")
        read_line(sock)
        sock.sendall(b"* BYE\r\na3 OK\r\n")
        sock.close()
    lab.listen(143, server)
    sock = lab.connect(143)
    read_line(sock)
    talk(sock, b"a1 LOGIN %s %s" % (USER.encode(), SECRET.encode()),
         b"a2 APPEND INBOX {%d}" % len(letter), letter, b"a3 LOGOUT")
    read_to_end(sock)
    lab.event(**CLEAR, login=True)


@scenario("PREAUTH: the server has logged the client in, who does not ask for STARTTLS")
def imap_preauth(lab):
    lab.listen(143, mail_server(lab, "IMAP", None, dict(
        IMAP, banner=b"* PREAUTH IMAP4rev1 ready\r\n")))
    sock = lab.connect(143)
    read_line(sock)
    talk(sock, b"a1 SELECT INBOX", b"a2 LOGOUT")
    read_to_end(sock)
    lab.event(**CLEAR, login=False)


@scenario("PREAUTH, and a server that grants STARTTLS all the same")
def imap_preauth_then_starttls(lab):
    lab.listen(143, mail_server(lab, "IMAP", context(lab, "s"), dict(
        IMAP, banner=b"* PREAUTH IMAP4rev1 ready\r\n")))
    sock = lab.connect(143)
    read_line(sock)
    sock.sendall(b"a1 CAPABILITY\r\n")
    read_until(sock, b"a1 OK done\r\n")
    upgrade(sock, b"a2 STARTTLS", context(lab, "c", high="TLSv1"))
    lab.event(**FINE, tls_version="TLSv1.0", offered_version="TLSv1.0", limited_by="client")


@scenario("only CAPABILITY and LOGOUT, or EHLO and QUIT: monitoring that never goes to TLS")
def monitoring_in_the_clear(lab):
    lab.listen(143, mail_server(lab, "IMAP", None, IMAP))
    sock = lab.connect(143)
    read_line(sock)
    sock.sendall(b"a1 CAPABILITY\r\n")
    read_until(sock, b"OK done\r\n")
    talk(sock, b"a2 LOGOUT")
    read_to_end(sock)
    lab.event(**CLEAR, login=False)
    lab.listen(587, mail_server(lab, "SMTP", None, SMTP))
    sock = lab.connect(587)
    read_line(sock)
    sock.sendall(b"EHLO probe.example.com\r\n")
    read_until(sock, b"250 8BITMIME\r\n")
    talk(sock, b"QUIT")
    sock.close()
    lab.event(**CLEAR, login=False, client_name="probe.example.com", client_name_source="ehlo")


@scenario("TLS at once on 587 and on 143: what is recorded is what was seen, implicit")
def tls_at_once_on_starttls_ports(lab):
    s_server(lab, 587)
    s_client(lab, 587, "-tls1_2")
    lab.event(tls_mode="implicit", outcome="established", tls_version="TLSv1.2",
              offered_version="TLSv1.2")
    s_server(lab, 143)
    s_client(lab, 143, "-tls1")
    lab.event(tls_mode="implicit", outcome="established", tls_version="TLSv1.0",
              offered_version="TLSv1.0", limited_by="client")


@scenario("STARTTLS on 993 and on 465: what is recorded is what was seen, starttls")
def starttls_on_implicit_ports(lab):
    for port, protocol, answers, name in ((993, "IMAP", IMAP, "imap"), (465, "SMTP", SMTP, "smtp")):
        lab.listen(port, mail_server(lab, protocol, context(lab, "s"), answers))
        s_client(lab, port, "-starttls", name, "-tls1_1")
        lab.event(**FINE, tls_version="TLSv1.1", offered_version="TLSv1.1", limited_by="client")


@scenario("a client says its name by IMAP ID before STARTTLS")
def imap_id_then_starttls(lab):
    lab.listen(143, mail_server(lab, "IMAP", context(lab, "s"), IMAP))
    sock = lab.connect(143)
    read_line(sock)
    talk(sock, b'a1 ID ("name" "Scan Station" "version" "2.1" "vendor" "Example")')
    upgrade(sock, b"a2 STARTTLS", context(lab, "c", high="TLSv1_1"))
    lab.event(**FINE, tls_version="TLSv1.1", offered_version="TLSv1.1",
              client_name="Scan Station 2.1", client_name_source="imap-id")


@scenario("the SMTP dialogue in segments of one byte, both ways")
def smtp_dialogue_in_bytes(lab):
    def server(sock):
        write = in_pieces(sock, 1, 0.001)
        write(b"220 mail\r\n")
        for answer in (b"250-mail\r\n250 STARTTLS\r\n", b"220 go\r\n"):
            read_line(sock)
            write(answer)
        tls_echo(lab, context(lab, "s", cert="ec"))(sock)
    lab.listen(587, server)
    sock = lab.connect(587)
    write = in_pieces(sock, 1, 0.001)
    read_line(sock)
    write(b"EHLO copier\r\n")
    read_until(sock, b"250 STARTTLS\r\n")
    write(b"STARTTLS\r\n")
    read_line(sock)
    tls_session(sock, context(lab, "c", high="TLSv1"))
    lab.event(**FINE, tls_version="TLSv1.0", offered_version="TLSv1.0", client_name="copier")


@scenario("a login is turned down until TLS is there: 530, then STARTTLS in small letters")
def smtp_login_before_starttls_turned_down(lab):
    answers = dict(SMTP, AUTH=b"530 5.7.0 Must issue a STARTTLS command first\r\n")
    lab.listen(587, mail_server(lab, "SMTP", context(lab, "s"), answers))
    sock = lab.connect(587)
    read_line(sock)
    sock.sendall(b"ehlo copier\r\n")
    read_until(sock, b"250 8BITMIME\r\n")
    talk(sock, b"mail from:<user@example.com>", b"AUTH LOGIN")
    upgrade(sock, b"starttls", context(lab, "c", high="TLSv1_2"))
    lab.event(**FINE, tls_version="TLSv1.2", offered_version="TLSv1.2", client_name="copier")


@scenario("port 25 as a service by option", tool=["--service", "25=smtp+starttls"])
def smtp_port_25(lab):
    lab.listen(25, mail_server(lab, "SMTP", context(lab, "s"), SMTP))
    s_client(lab, 25, "-starttls", "smtp", "-name", DEVICE, "-tls1", host=SERVER)
    lab.event(**FINE, tls_version="TLSv1.0", offered_version="TLSv1.0", limited_by="client",
              protocol="SMTP", client_name=DEVICE)
