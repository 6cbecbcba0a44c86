"""Captures of handshakes inside tunnels, in fragments, and on rarer link types.

VXLAN and fragments are recorded: the kernel wraps and cuts.  The other wrappings are put around a
recorded conversation of this folder's parent by this script; the expected events are then those of
that conversation, but for what the wrapping changes.
"""

import json
import os
import signal
import socket
import struct
import subprocess
import time

import hellos
import lab
import packets
from peers import s_client, s_server

BASE, BASE6 = "pop3s_tls11_openssl", "imaps_ipv6"
UNDER = {"c": "198.51.100.11", "s": "198.51.100.25"}
UNDER6 = {"c": "2001:db8:51::11", "s": "2001:db8:51::25"}
ETHERTYPES = {4: 0x0800, 6: 0x86DD}

RECORDED, WRAPPED = {}, {}


def recorded(about):
    """Marks a function(lab) that makes the network and returns (device, filter) to capture."""
    def mark(function):
        RECORDED[function.__name__] = (function, about)
        return function
    return mark


def wrapped(about, base=BASE, link=packets.LINK_ETHERNET, **changes):
    """Marks a function(ethernet frame, number) that returns the frame as a tunnel carries it."""
    def mark(function):
        WRAPPED[function.__name__] = (function, about, base, link, changes)
        return function
    return mark


# Headers

def ipv4(proto, body, ident=0):
    head = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(body), ident, 0, 64, proto, 0) + \
        bytes([198, 51, 100, 11, 198, 51, 100, 25])
    return head[:10] + struct.pack(">H", packets.checksum(head)) + head[12:] + body


def ipv6(proto, body):
    prefix = bytes([0x20, 0x01, 0x0D, 0xB8, 0, 0x51]) + bytes(9)
    return struct.pack(">IHBB", 6 << 28, len(body), proto, 64) + prefix + b"\x11" + prefix + \
        b"\x25" + body


def udp(port, body):
    return ipv4(17, struct.pack(">HHHH", 49999, port, 8 + len(body), 0) + body)


def wifi(frame, number):
    """IEEE 802.11 data with QoS: what the client says goes to the access point."""
    point, dst, src = bytes.fromhex("0251000000aa"), frame[:6], frame[6:12]
    up = src == bytes.fromhex(lab.CLIENT_MAC.replace(":", ""))
    addresses = point + src + dst if up else dst + point + src
    return bytes([0x88, 1 if up else 2, 0, 0]) + addresses + \
        struct.pack("<H", (number & 0xFFF) << 4) + b"\0\0" + \
        bytes.fromhex("aaaa03000000") + frame[12:]


def ethernet(kind, body):
    return bytes.fromhex("025100000025" "025100000011") + struct.pack(">H", kind) + body


def packet_of(frame):
    """The IP packet of an Ethernet frame, without padding."""
    return frame[14:]


def gre(kind, body, flags=0, options=b""):
    return ethernet(0x0800, ipv4(47, struct.pack(">HH", flags, kind) + options + body))


def around(kind, body):
    return ethernet(kind, body)


# Wrappings

@wrapped("GRE with checksum, key and sequence number")
def tunnel_gre(frame, number):
    body = packet_of(frame)
    head = struct.pack(">HHHHII", 0xB000, 0x0800, 0, 0, 42, number)
    check = packets.checksum(head + body)
    return ethernet(0x0800, ipv4(47, head[:4] + struct.pack(">H", check) + head[6:] + body))


@wrapped("NVGRE: Ethernet in GRE with a key")
def tunnel_nvgre(frame, number):
    return gre(0x6558, frame, 0x2000, b"\0\1\2\3")


@wrapped("EoIP: Ethernet between routers of MikroTik")
def tunnel_eoip(frame, number):
    return ethernet(0x0800, ipv4(47, bytes.fromhex("20016400") + struct.pack(">H", len(frame)) +
                                 b"\x2a\0" + frame))


@wrapped("EoIPv6: the same over IPv6, by another header")
def tunnel_eoip_ipv6(frame, number):
    return ethernet(0x86DD, ipv6(97, b"\x43\xd2" + frame))


@wrapped("ERSPAN type I: no sequence number, no header of its own")
def tunnel_erspan_1(frame, number):
    return gre(0x88BE, frame)


@wrapped("ERSPAN type II")
def tunnel_erspan_2(frame, number):
    return gre(0x88BE, frame, 0x1000, struct.pack(">IHHI", number, 0x1005, 0x0801, 2))


@wrapped("ERSPAN type III with the platform's sub-header")
def tunnel_erspan_3(frame, number):
    return gre(0x22EB, frame, 0x1000,
               struct.pack(">IHHIHHQ", number, 0x2005, 0x0801, number * 1000, 0, 7, 3))


@wrapped("Geneve with options")
def tunnel_geneve(frame, number):
    return ethernet(0x0800, udp(6081, bytes.fromhex("0240655800002a00" "0102800100000007") + frame))


@wrapped("GUE: generic encapsulation in UDP, around GRE")
def tunnel_gue(frame, number):
    return ethernet(0x0800, udp(6080, bytes([0, 47, 0, 0]) + struct.pack(">HH", 0, 0x0800) +
                                packet_of(frame)))


@wrapped("VXLAN on Linux's old port, in a VLAN", vlan=100)
def tunnel_vxlan_8472_vlan(frame, number):
    return ethernet(0x8100, struct.pack(">HH", 100, 0x0800) +
                    udp(8472, bytes.fromhex("0800000000002a00") + frame))


@wrapped("GTP-U with sequence number and extension header")
def tunnel_gtp_u(frame, number):
    body = struct.pack(">HBB", number, 0, 0x85) + bytes.fromhex("01000900") + packet_of(frame)
    return ethernet(0x0800, udp(2152, struct.pack(">BBHI", 0x36, 255, len(body), 9) + body))


@wrapped("LISP with a nonce, around IPv6", base=BASE6)
def tunnel_lisp(frame, number):
    return ethernet(0x0800, udp(4341, struct.pack(">II", 0x80 << 24 | number, 1) +
                                packet_of(frame)))


@wrapped("IPv4 in IPv4")
def tunnel_ipip(frame, number):
    return ethernet(0x0800, ipv4(4, packet_of(frame)))


@wrapped("IPv4 in IPv6", free_mac=True)
def tunnel_4in6(frame, number):
    return ethernet(0x86DD, ipv6(4, packet_of(frame)))


@wrapped("IPv6 in IPv4", base=BASE6)
def tunnel_6in4(frame, number):
    return ethernet(0x0800, ipv4(41, packet_of(frame)))


@wrapped("Two MPLS labels")
def tunnel_mpls(frame, number):
    return ethernet(0x8847, struct.pack(">II", 16 << 12 | 64, 17 << 12 | 0x100 | 64) +
                    packet_of(frame))


@wrapped("An MPLS pseudowire with control word")
def tunnel_pseudowire_control_word(frame, number):
    return ethernet(0x8847, struct.pack(">II", 17 << 12 | 0x100 | 64, number) + frame)


@wrapped("An MPLS pseudowire without control word")
def tunnel_pseudowire(frame, number):
    return ethernet(0x8847, struct.pack(">I", 17 << 12 | 0x100 | 64) + frame)


@wrapped("PPPoE, with padding behind short packets")
def tunnel_pppoe(frame, number):
    body = b"\0\x21" + packet_of(frame)
    out = ethernet(0x8864, struct.pack(">BBHH", 0x11, 0, 9, len(body)) + body)
    return out + b"\xaa" * (60 - len(out))


@wrapped("Multilink PPP: packets that are whole in one fragment, numbers of 24 and of 12 bits")
def tunnel_multilink_ppp(frame, number):
    head = struct.pack(">HI", 0x3D, 0xC0 << 24 | number) if number % 2 else \
        struct.pack(">BH", 0x3D, 0xC0 << 8 | number)
    body = head + b"\x21" + packet_of(frame)
    return ethernet(0x8864, struct.pack(">BBHH", 0x11, 0, 9, len(body)) + body)


@wrapped("Ethernet bridged over PPP (BCP) in L2TP")
def tunnel_bridged_ppp(frame, number):
    body = bytes.fromhex("ff03" "0031" "0001") + frame
    return ethernet(0x0800, udp(1701, struct.pack(">HHHH", 0x4002, 8 + len(body), 7, 9) + body))


@wrapped("PPPoE in two VLAN tags in L2TPv3 with a cookie, as a provider carries it", vlan=5)
def tunnel_l2tpv3_pppoe(frame, number):
    body = b"\0\x21" + packet_of(frame)
    inner = frame[:12] + bytes.fromhex("88a80005" "81000007" "8864") + \
        struct.pack(">BBHH", 0x11, 0, 9, len(body)) + body
    return ethernet(0x0800, ipv4(115, struct.pack(">IQ", 77, 0xC00C1E) + inner))


@wrapped("TZSP")
def tunnel_tzsp(frame, number):
    return ethernet(0x0800, udp(37008, b"\1\0\0\1\x0a\1\xc8\1" + frame))


@wrapped("CAPWAP between an access point and its controller, IEEE 802.11 inside")
def tunnel_capwap(frame, number):
    return ethernet(0x0800, udp(5247, bytes.fromhex("0010430000000000") + wifi(frame, number)))


@wrapped("Cisco MetaData with a security group tag")
def tag_cisco_metadata(frame, number):
    return frame[:12] + bytes.fromhex("8909" "0101" "00010064") + frame[12:]


@wrapped("Tags of all three EtherTypes", vlan=5)
def tag_vlan_three_kinds(frame, number):
    return frame[:12] + bytes.fromhex("91000005" "88a80006" "81000007") + frame[12:]


@wrapped("VLAN tags of the EtherTypes 0x9200 and 0x9300", vlan=5)
def tag_vlan_of_old(frame, number):
    return frame[:12] + bytes.fromhex("92000005" "93000006") + frame[12:]


@wrapped("TRILL between switches, a VLAN tag inside", vlan=7)
def tunnel_trill(frame, number):
    return ethernet(0x22F3, bytes.fromhex("003f" "0a01" "0a02") + frame[:12] +
                    bytes.fromhex("81000007") + frame[12:])


@wrapped("Each packet in another wrapping: plain, VLAN, GRE, VXLAN, IPv4 in IPv4", free_vlan=True)
def tunnel_changes(frame, number):
    return (frame, frame[:12] + bytes.fromhex("8100000a") + frame[12:],
            tunnel_nvgre(frame, number), tunnel_vxlan_8472_vlan(frame, number),
            tunnel_ipip(frame, number))[number % 5]


@wrapped("VXLAN in Geneve in GRE in IPv6")
def tunnel_nested(frame, number):
    inner = tunnel_geneve(ethernet(0x0800, udp(4789, bytes.fromhex("0800000000002a00") + frame)), 0)
    return ethernet(0x86DD, ipv6(47, struct.pack(">HHI", 0x2000, 0x6558, 5) + inner))


@wrapped("Link type NFLOG", link=239)
def link_nflog(frame, number):
    def attribute(kind, body):
        return struct.pack("<HH", len(body) + 4, kind) + body + bytes(-len(body) % 4)
    return bytes([2, 0, 0, 1]) + attribute(10, b"tally\0") + \
        attribute(8, struct.pack(">HH", 6, 0) + frame[6:12] + bytes(2)) + \
        attribute(9, packet_of(frame))


@wrapped("Link type IEEE 802.11 with radiotap: a network without encryption, as heard in the air",
         link=127)
def link_radiotap(frame, number):
    time_and_flags = struct.pack("<BBHIQB", 0, 0, 17, 3, number, 0x20)
    data = wifi(frame, number)
    return time_and_flags + data[:26] + bytes(2) + data[26:]


@wrapped("Link type PKTAP, which tcpdump on macOS writes", link=258)
def link_pktap(frame, number):
    return struct.pack("<III", 108, 1, 1) + b"en0".ljust(96, b"\0") + frame


@wrapped("Link type PPP with HDLC framing", link=50)
def link_ppp_hdlc(frame, number):
    return b"\xff\x03\0\x21" + packet_of(frame)


@wrapped("Link type Cisco HDLC", link=104)
def link_c_hdlc(frame, number):
    return b"\x0f\0\x08\0" + packet_of(frame)


@wrapped("Link type ENC: what IPsec carries, as BSD shows it", link=109)
def link_enc(frame, number):
    return struct.pack("<I", 2) + struct.pack(">I", 4711) + bytes(4) + packet_of(frame)


@wrapped("Link type PFLOG: what a firewall of BSD logs", link=117)
def link_pflog(frame, number):
    return bytes([61, 2, 0, 0]) + b"em0".ljust(60, b"\0") + packet_of(frame)


@wrapped("Link type DSA_TAG_BRCM: the tag of a Broadcom switch chip", link=281)
def link_switch_broadcom(frame, number):
    return frame[:12] + struct.pack(">I", 0x20000003) + frame[12:]


@wrapped("Link type DSA_TAG_DSA: the tag of a Marvell switch chip, in the place of a VLAN tag",
         link=284, vlan=9)
def link_switch_marvell(frame, number):
    return frame[:12] + struct.pack(">HH", 0xE010, 9) + frame[12:]


@wrapped("IPv6 by way of segments, in one direction (SRv6 without a tunnel)", base=BASE6)
def segment_routing(frame, number):
    packet = packet_of(frame)
    if packet[8:24] != socket.inet_pton(socket.AF_INET6, lab.CLIENT6):
        return frame
    way = [packet[24:40]] + [socket.inet_pton(socket.AF_INET6, "2001:db8:51::%d" % n)
                             for n in (2, 1)]
    header = struct.pack(">BBBBBBH", packet[6], 6, 4, 2, 2, 0, 0) + b"".join(way)
    return frame[:14] + packet[:4] + struct.pack(">HB", len(header) + len(packet) - 40, 43) + \
        packet[7:24] + way[2] + header + packet[40:]


@wrapped("IPv6 fragments of 400 bytes, the last one first", base=BASE6)
def fragments_ipv6_last_first(frame, number):
    packet = packet_of(frame)
    head, body = packet[:40], packet[40:]
    if len(body) <= 400:
        return frame
    parts = []
    for at in range(0, len(body), 400):
        part = body[at:at + 400]
        more = at + 400 < len(body)
        data = struct.pack(">BBHI", head[6], 0, at | more, number) + part
        parts.append(frame[:14] + head[:4] + struct.pack(">HB", len(data), 44) + head[7:] + data)
    return parts[::-1]


def derive(name):
    """Writes a wrapped capture and what it must give."""
    function, _, base, link, changes = WRAPPED[name]
    frames = []
    for number, frame in enumerate(packets.read_pcap(os.path.join(lab.PCAPS, base + ".pcap"))):
        out = function(frame.data, number)
        for data in out if isinstance(out, list) else [out]:
            frames.append(packets.Frame(frame.time, data, len(data), link))
    packets.write_pcap(os.path.join(lab.PCAPS, name + ".pcap"), frames)
    with open(os.path.join(lab.EXPECTED, base + ".jsonl"), encoding="utf-8") as file:
        events = [json.loads(line) for line in file]
    macs = has_inner_ethernet(name, link)
    for event in events:
        if macs != "inner":
            event["client_mac"] = macs
        if "vlan" in changes:
            event["vlan"] = changes["vlan"]
        if name == "tunnel_changes":
            del event["client_mac"]
            del event["vlan"]
    lab.write_events(name, events)
    return len(frames)


def has_inner_ethernet(name, link):
    """`inner`, or the client's address as the tool must see it."""
    if link in (50, 104, 109, 117):
        return None
    function = WRAPPED[name][0]
    probe = function(bytes(range(6)) + b"\xee\xcc\xaa\xdd\xbb\xff" + b"\x08\0" + bytes(40), 0)
    probe = probe[0] if isinstance(probe, list) else probe
    if b"\xee\xcc\xaa\xdd\xbb\xff" in probe:
        return "inner"
    return "02:51:00:00:00:11"


# Recordings

def underlay(place, mtu, family=4):
    """A veth pair between the sides."""
    place.ip("c", "link", "add", "u0", "type", "veth", "peer", "name", "u0", "netns",
             place.names["s"])
    for side in "cs":
        subprocess.run(["ip", "netns", "exec", place.names[side], "ethtool", "-K", "u0", "tx",
                        "off", "tso", "off", "gso", "off", "gro", "off"], check=False,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        if family == 4:
            place.ip(side, "addr", "add", UNDER[side] + "/24", "dev", "u0")
        else:
            place.ip(side, "addr", "add", UNDER6[side] + "/64", "dev", "u0", "nodad")
        place.ip(side, "link", "set", "u0", "mtu", str(mtu), "up")


def mail_addresses(place, device):
    for side, mine, other in (("c", lab.CLIENT, lab.SERVER), ("s", lab.SERVER, lab.CLIENT)):
        place.ip(side, "addr", "add", mine + "/32", "dev", device)
        place.ip(side, "link", "set", device, "up")
        place.ip(side, "route", "add", other + "/32", "dev", device, "src", mine)


def vxlan(place, under, mtu, family=4):
    underlay(place, mtu, family)
    for side, other in ("cs", "sc"):
        place.ip(side, "link", "add", "v0", "address",
                 lab.CLIENT_MAC if side == "c" else lab.SERVER_MAC, "mtu", "1500", "type",
                 "vxlan", "id", "42", "dstport", "4789", "remote", under[other], "local",
                 under[side])
        subprocess.run(["ip", "netns", "exec", place.names[side], "ethtool", "-K", "v0", "tx",
                        "off", "tso", "off", "gso", "off", "gro", "off"], check=False,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    mail_addresses(place, "v0")
    return "v0"


def without_path_discovery(place):
    """"Do not fragment" is not set: where a packet does not fit, it is cut."""
    for side in "cs":
        place.sysctl(side, "net.ipv4.ip_no_pmtu_disc", 1)


@recorded("VXLAN as the kernel makes it")
def tunnel_vxlan(place):
    return vxlan(place, UNDER, 1600)


@recorded("VXLAN on a narrow path: the kernel cuts outer packets, then inner ones, into fragments")
def fragments_vxlan(place):
    without_path_discovery(place)
    return vxlan(place, UNDER, 800)


@recorded("VXLAN over IPv6 on a narrow path: IPv4 fragments inside, out of order")
def fragments_vxlan_over_ipv6(place):
    without_path_discovery(place)
    return vxlan(place, UNDER6, 1280, 6)


@recorded("IPv4 fragments made by a router in front of a narrow link")
def fragments_ipv4_router(place):
    # The client's namespace holds the router too: the link behind it is a second pair of devices.
    sh = subprocess.run
    router = "tally-r-%d" % os.getpid()
    sh(["ip", "netns", "add", router], check=True)
    place.routers = [router]
    place.ip("s", "link", "add", "u0", "type", "veth", "peer", "name", "to_s", "netns", router)
    place.ip("c", "link", "add", "u0", "address", lab.CLIENT_MAC, "type", "veth", "peer", "name",
             "to_c", "netns", router)
    for netns, device, address in ((place.names["s"], "u0", lab.SERVER + "/24"),
                                   (place.names["c"], "u0", lab.CLIENT + "/24"),
                                   (router, "to_s", "192.0.2.1/24"),
                                   (router, "to_c", "10.77.0.1/24")):
        sh(["ip", "netns", "exec", netns, "ethtool", "-K", device, "tx", "off", "tso", "off",
            "gso", "off", "gro", "off"], check=False, stdout=subprocess.DEVNULL,
           stderr=subprocess.DEVNULL)
        sh(["ip", "-n", netns, "addr", "add", address, "dev", device], check=True)
        sh(["ip", "-n", netns, "link", "set", device, "up"], check=True)
    sh(["ip", "-n", router, "link", "set", "to_c", "mtu", "576"], check=True)
    sh(["ip", "netns", "exec", router, "sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward"],
       check=True)
    place.ip("s", "route", "add", "default", "via", "192.0.2.1")
    place.ip("c", "route", "add", "default", "via", "10.77.0.1")
    without_path_discovery(place)
    return "u0"


def dump(place, device, path, expression):
    process = subprocess.Popen(
        ["ip", "netns", "exec", place.names["c"], "tcpdump", "-Z", "root", "-i", device, "-U",
         "--immediate-mode", "-w", path, expression], stderr=subprocess.PIPE, text=True)
    for line in process.stderr:
        if "listening on" in line:
            break
    return process


def record(place, name):
    """Records on the wire, and inside the tunnel to know what is in it."""
    function, _ = RECORDED[name]
    target = os.path.join(lab.PCAPS, name + ".pcap")
    inside = place.path("inside.pcap")
    device = function(place)
    expression = "udp or ip[6:2] & 0x3fff != 0 or ip6[6] == 44 or tcp"
    dumps = [dump(place, "u0", target, expression)]
    if device != "u0":
        dumps.append(dump(place, device, inside, "tcp"))
    s_server(place, 993, cert="big")
    s_client(place, 993, "-tls1_2")
    time.sleep(0.3)
    for process in dumps:
        process.send_signal(signal.SIGINT)
        process.communicate()
    place.clean()
    subprocess.run(["ip", "-n", place.names["c"], "link", "del", "u0"], check=False)
    for side in "cs":
        subprocess.run(["ip", "-n", place.names[side], "link", "del", "v0"], check=False,
                       stderr=subprocess.DEVNULL)
    for router in getattr(place, "routers", []):
        subprocess.run(["ip", "netns", "del", router], check=False)
    frames = packets.read_pcap(target)
    found = hellos.conversations(join_ipv4(
        packets.read_pcap(inside) if device != "u0" else frames))
    assert len(found) == 1, "%d conversations" % len(found)
    declared = {"tls_mode": "implicit", "outcome": "established", "tls_version": "TLSv1.2"}
    if device != "u0":
        declared["free"] = ("timestamp",)  # inside the tunnel it is a little earlier
    lab.write_events(name, [lab.expected_event(found[0], declared)])
    return len(frames)


def join_ipv4(frames):
    """IPv4 fragments joined, the simplest way: all there, in order."""
    out, parts = [], {}
    for frame in frames:
        flags, = struct.unpack_from(">H", frame.data, 20)
        if not flags & 0x3FFF:
            out.append(frame)
            continue
        key = frame.data[18:20] + frame.data[26:34]
        parts.setdefault(key, []).append(frame)
        if flags & 0x2000:
            continue
        pieces = parts.pop(key)
        body = b"".join(p.data[34:14 + struct.unpack_from(">H", p.data, 16)[0]] for p in pieces)
        head = pieces[0].data[:16] + struct.pack(">H", 20 + len(body)) + \
            pieces[0].data[18:20] + b"\0\0" + pieces[0].data[22:34]
        data = head + body
        out.append(packets.Frame(frame.time, data, len(data), frame.link))
    return out


def make(recorded, wrapped_ones):
    """Those captures; recording needs root."""
    if recorded:
        with lab.Lab() as place:
            for name in recorded:
                print("%-36s %4d packets" % (name, record(place, name)), flush=True)
    for name in wrapped_ones:
        print("%-36s %4d packets" % (name, derive(name)), flush=True)


def rows():
    """(name, about, files, options) of each."""
    return [(name, entry[1], [name + ".pcap"], [])
            for table in (RECORDED, WRAPPED) for name, entry in table.items()]
