"""What TCP and the wire do to a handshake: small segments, loss, reuse of ports, other links."""

import socket
import threading
import time

import lab as laboratory
from lab import CLIENT, CLIENT_MAC, SERVER, impaired, scenario
from peers import (BANNER, Tls, context, in_pieces, in_small_records, read_line, read_to_end,
                   reset, s_client, s_server, tls_echo, tls_session)

IPPROTO_MPTCP = 262
DONE = {"tls_mode": "implicit", "outcome": "established"}


def pair(lab, port, version, write=None, server_write=None, high="TLSv1_2", **listen):
    """A scripted session whose sides write as told."""
    lab.listen(port, tls_echo(lab, context(lab, "s", high=high), server_write))
    sock = lab.connect(port, **listen)
    tls_session(sock, context(lab, "c", high=high), write=write and write(sock))
    lab.event(tls_version=version, **DONE)


@scenario("segments of 88 bytes at most, TLS 1.0")
def imaps_mss_88(lab):
    def small(sock):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 88)
    pair(lab, 993, "TLSv1.0", high="TLSv1", before=small)


@scenario("the first 50 bytes of each side in segments of one byte")
def pop3s_one_byte_segments(lab):
    def write(sock):
        return in_pieces(sock, 1, 0.002, limit=50)
    pair(lab, 995, "TLSv1.2", write, write)


@scenario("the ClientHello and what follows in TLS records of one byte")
def smtps_one_byte_records_client(lab):
    pair(lab, 465, "TLSv1.2", lambda sock: in_small_records(sock.sendall, 1))


@scenario("the server's flight in TLS records of 64 bytes")
def imaps_small_records_server(lab):
    pair(lab, 993, "TLSv1.1", None, lambda sock: in_small_records(sock.sendall, 64),
         high="TLSv1_1")


@scenario("openssl with fragments of 512 bytes, TLS 1.3")
def imaps_max_send_fragment(lab):
    s_server(lab, 993, "-max_send_frag", "512", cert="big")
    s_client(lab, 993)
    lab.event(tls_version="TLSv1.3", **DONE)


@scenario("a wire that loses a sixth of the packets", link="tap")
def impaired_loss(lab):
    lab.wire.decide = impaired(7, loss=0.17)
    pair(lab, 993, "TLSv1.2")


@scenario("a wire that doubles packets and lets them overtake each other", link="tap")
def impaired_doubled_and_late(lab):
    lab.wire.decide = impaired(11, doubled=0.25, late=0.25)
    s_server(lab, 993, "-tls1_1", cert="big")
    s_client(lab, 993)
    lab.event(tls_version="TLSv1.1", **DONE)


@scenario("segments as offloading hands them up, larger than the wire's", offload=True)
def offload_large_segments(lab):
    s_server(lab, 993, "-tls1_1", cert="big")
    s_client(lab, 993)
    lab.event(tls_version="TLSv1.1", **DONE)


@scenario("the same client port three times within a second, TLS 1.0, 1.2 and 1.3")
def tcp_port_reuse(lab):
    lab.listen(993, tls_echo(lab, context(lab, "s")), 3)
    for high, version in (("TLSv1", "TLSv1.0"), ("TLSv1_2", "TLSv1.2"), ("TLSv1_3", "TLSv1.3")):
        sock = lab.connect(993, bind=40100)
        tls = Tls(sock, context(lab, "c", high=high)).handshake()
        tls.send(b"a1 NOOP\r\n")
        tls.receive()
        reset(sock)
        time.sleep(0.2)
        lab.event(tls_version=version, **DONE)


@scenario("one client port, two servers' ports, at the same time")
def same_port_two_services(lab):
    for port in (993, 995):
        lab.listen(port, tls_echo(lab, context(lab, "s")))
    first, second = lab.connect(993, bind=40200), None
    ctx = context(lab, "c", high="TLSv1_1")
    one = Tls(first, ctx)
    second = lab.connect(995, bind=40200)
    two = Tls(second, context(lab, "c"))
    first.sendall(one.first_flight())
    two.handshake()
    one.handshake()
    for tls in (two, one):
        tls.send(b"a1 NOOP\r\n")
        tls.receive()
        tls.close()
    lab.event(connection=1, tls_version="TLSv1.3", **DONE)
    lab.event(connection=0, tls_version="TLSv1.1", **DONE)


@scenario("a client whose own port is that of a service")
def client_port_is_a_service(lab):
    lab.listen(993, tls_echo(lab, context(lab, "s")))
    tls_session(lab.connect(993, bind=587), context(lab, "c", high="TLSv1"))
    lab.event(tls_version="TLSv1.0", server_port=993, client_port=587, protocol="IMAP", **DONE)


@scenario("TCP Fast Open: the second ClientHello comes with the SYN")
def tcp_fast_open(lab):
    lab.sysctl("s", "net.ipv4.tcp_fastopen", 3)
    listener = lab.listen(993, tls_echo(lab, context(lab, "s")), 2)
    listener.setsockopt(socket.IPPROTO_TCP, 23, 16)  # TCP_FASTOPEN

    def fast(sock):
        sock.setsockopt(socket.IPPROTO_TCP, 30, 1)  # TCP_FASTOPEN_CONNECT
    for high, version in (("TLSv1_2", "TLSv1.2"), ("TLSv1", "TLSv1.0")):
        tls_session(lab.connect(993, before=fast), context(lab, "c", high=high))
        lab.event(tls_version=version, **DONE)


@scenario("TCP Fast Open with a ClientHello that is longer than a segment: the SYN has its first part")
def tcp_fast_open_long_hello(lab):
    lab.sysctl("c", "net.ipv4.tcp_fastopen", 1 | 4)  # without a cookie
    lab.sysctl("s", "net.ipv4.tcp_fastopen", 2 | 0x200)
    listener = lab.listen(993, tls_echo(lab, context(lab, "s", alpn=["imap"])))
    listener.setsockopt(socket.IPPROTO_TCP, 23, 16)  # TCP_FASTOPEN

    def fast(sock):
        sock.setsockopt(socket.IPPROTO_TCP, 30, 1)  # TCP_FASTOPEN_CONNECT
    names = ["imap-%03d.%s" % (i, "x" * 180) for i in range(9)] + ["imap"]
    tls_session(lab.connect(993, before=fast), context(lab, "c", alpn=names))
    lab.event(tls_version="TLSv1.3", **DONE)


@scenario("keep-alives before the ClientHello and after the handshake")
def tcp_keep_alives(lab):
    lab.listen(993, tls_echo(lab, context(lab, "s")))

    def alive(sock):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 1)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 1)
    sock = lab.connect(993, before=alive)
    time.sleep(2.5)
    tls = Tls(sock, context(lab, "c", high="TLSv1_1")).handshake()
    time.sleep(2.5)
    tls.send(b"a1 NOOP\r\n")
    tls.receive()
    tls.close()
    lab.event(tls_version="TLSv1.1", **DONE)


@scenario("the client closes its half after the request, the server goes on")
def tcp_half_close(lab):
    def serve(sock):
        tls = Tls(sock, context(lab, "s"), server=True).handshake()
        tls.receive()
        time.sleep(0.2)
        for _ in range(3):
            tls.send(b"* 1 EXISTS\r\n")
        tls.close()
    lab.listen(993, serve)
    tls = Tls(lab.connect(993), context(lab, "c", high="TLSv1_2")).handshake()
    tls.send(b"a1 NOOP\r\n")
    tls.sock.shutdown(socket.SHUT_WR)
    read_to_end(tls.sock)
    tls.sock.close()
    lab.event(tls_version="TLSv1.2", **DONE)


@scenario("after the handshake the client resets: established all the same")
def reset_after_handshake(lab):
    lab.listen(993, tls_echo(lab, context(lab, "s")), 2)
    for high, version in (("TLSv1", "TLSv1.0"), ("TLSv1_3", "TLSv1.3")):
        sock = lab.connect(993)
        tls = Tls(sock, context(lab, "c", high=high)).handshake()
        tls.send(b"a1 NOOP\r\n")
        tls.receive()
        reset(sock)
        lab.event(tls_version=version, **DONE)


@scenario("two connections whose packets alternate")
def connections_interleaved(lab):
    lab.listen(993, tls_echo(lab, context(lab, "s")), 2)
    sessions = [Tls(lab.connect(993), context(lab, "c", high=high))
                for high in ("TLSv1_1", "TLSv1_3")]
    flights = [tls.first_flight() for tls in sessions]
    for at in range(0, max(map(len, flights)), 100):
        for tls, flight in zip(sessions, flights):
            tls.sock.sendall(flight[at:at + 100])
            time.sleep(0.01)
    for tls in sessions:
        tls.handshake()
        tls.send(b"a1 NOOP\r\n")
        tls.receive()
    for tls in sessions:
        tls.close()
    lab.event(tls_version="TLSv1.1", **DONE)
    lab.event(tls_version="TLSv1.3", **DONE)


def on_any(lab):
    s_server(lab, 993)
    s_client(lab, 993, "-tls1_1")
    lab.event(tls_version="TLSv1.1", client_mac={"any": [None, CLIENT_MAC]}, **DONE)


@scenario("tcpdump -i any, cooked version 1", link="sll")
def any_interface_sll(lab):
    on_any(lab)


@scenario("tcpdump -i any, cooked version 2", link="sll2")
def any_interface_sll2(lab):
    on_any(lab)


@scenario("a tun device: packets without a link header, IPv4 and IPv6", link="tun")
def tun_raw(lab):
    first = s_server(lab, 993)
    s_client(lab, 993, "-tls1")
    lab.stop(first)
    time.sleep(0.1)
    s_server(lab, 993, family="-6")
    s_client(lab, 993, host=laboratory.SERVER6)
    lab.event(tls_version="TLSv1.0", **DONE)
    lab.event(tls_version="TLSv1.3", **DONE)


def multipath(lab, side):
    with lab.inside(side):
        sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM, IPPROTO_MPTCP)
    lab.closables.append(sock)
    sock.settimeout(10)
    return sock


@scenario("Multipath TCP: the first path falls silent for a while, and the ClientHello is said again "
          "on a second one: one handshake", link="tap")
def tcp_second_path(lab):
    second, silent = "10.77.0.12", threading.Event()
    lab.ip("c", "addr", "add", second + "/32", "dev", "tap0")
    lab.ip("s", "route", "add", second + "/32", "dev", "tap0")
    for side in "cs":
        lab.sysctl(side, "net.mptcp.enabled", 1)
        lab.ip(side, "mptcp", "limits", "set", "subflow", "2")
    lab.ip("c", "mptcp", "endpoint", "add", second, "dev", "tap0", "subflow")

    def decide(direction, _number, packet):
        is_back = direction == "s" and packet[30:34] == socket.inet_aton(CLIENT)
        return () if is_back and silent.is_set() else (0,)
    lab.wire.decide = decide

    listener = multipath(lab, "s")
    listener.bind((SERVER, 143))
    listener.listen(1)

    def serve():
        sock, _ = listener.accept()
        sock.sendall(BANNER["IMAP"])
        read_line(sock)
        sock.sendall(b"a1 OK begin TLS\r\n")
        time.sleep(1)
        tls = Tls(sock, context(lab, "s", high="TLSv1_1"), server=True).handshake()
        tls.send(tls.receive())
        tls.receive()
        sock.close()
    lab.thread(serve)
    sock = multipath(lab, "c")
    sock.connect((SERVER, 143))
    read_line(sock)
    sock.sendall(b"a1 STARTTLS\r\n")
    read_line(sock)
    time.sleep(0.2)  # the second path is there
    silent.set()
    threading.Timer(0.4, silent.clear).start()
    tls = Tls(sock, context(lab, "c", high="TLSv1_1")).handshake()
    tls.send(b"a2 NOOP\r\n")
    tls.receive()
    tls.close()
    lab.event(connection=0, tls_version="TLSv1.1", tls_mode="starttls", outcome="established")
    lab.counters = {"multipath_flows": 1}


@scenario("Multipath TCP: the server closes on the ClientHello, which it says for all paths at once; the "
          "FIN of this one comes behind the client's alert")
def tcp_data_fin(lab):
    listener = multipath(lab, "s")
    listener.bind((SERVER, 993))
    listener.listen(1)

    def serve():
        sock, _ = listener.accept()
        sock.recv(65536)
        sock.close()
    lab.thread(serve)
    sock = multipath(lab, "c")
    sock.connect((SERVER, 993))
    Tls(sock, context(lab, "c", high="TLSv1")).handshake()
    sock.sendall(b"\x15\3\1\0\2\2\x32")  # decode_error, as OpenSSL sends it
    time.sleep(0.1)
    sock.close()
    lab.event(tls_mode="implicit", tls_version=None, outcome="refused", refused_by="server",
              refusal="close")


@scenario("no attempt, no event: connect and close, half a ClientHello, HTTP, rubbish, a closed port; "
          "counted by kind")
def no_tls_on_993(lab):
    def listen_only(sock):
        read_to_end(sock)
        sock.close()
    lab.listen(993, listen_only, 4)
    hello = Tls(None, context(lab, "c"), write=len).first_flight()
    for data in (b"", hello[:100], b"GET / HTTP/1.1\r\nHost: mail.example.com\r\n\r\n",
                 bytes(range(200, 256))):
        sock = lab.connect(993)
        if data:
            sock.sendall(data)
        time.sleep(0.05)
        sock.close()
        lab.no_event()
    try:
        lab.connect(995)
    except ConnectionRefusedError:
        lab.no_event()
    lab.counters = {"half_hello": 1, "garbage": 1, "http": 1, "events": 0}
