"""Names that pass by: DNS answers for clients without SNI, DHCP and mDNS for devices' names."""

import time

from lab import CLIENT, CLIENT_MAC, NAME, SERVER, SERVER6, scenario
from peers import s_client, s_server

FINE = {"tls_mode": "implicit", "outcome": "established"}
ALIAS = "outlook.example.com"
OTHER = "pop.example.com"


def dnsmasq(lab, *settings):
    """A resolver, and with a range a DHCP server, on the server's side."""
    server = lab.spawn(
        "s", "dnsmasq", "--no-daemon", "--conf-file=/dev/null", "--no-resolv", "--no-hosts",
        "--user=root", "--pid-file=" + lab.path("dnsmasq.pid"),
        "--dhcp-leasefile=" + lab.path("leases"), "--bind-interfaces", *settings)
    time.sleep(0.5)
    return server


def dig(lab, name, *args, server=SERVER):
    """A question; the answer is what is recorded."""
    assert lab.run("c", "dig", "@" + server, "+tries=1", "+time=3", name, *args) == 0


def old(lab, **fields):
    """An old client without SNI."""
    s_client(lab, 993, "-tls1", name=None, **fields)


@scenario("no SNI: named by a DNS answer (the name that was asked for, a CNAME), also at 1.3, and by a "
          "later one over TCP; not by an answer that came after it", filter="tcp or udp port 53")
def names_dns(lab):
    dnsmasq(lab, "--listen-address=%s,%s" % (SERVER, SERVER6), "--port=53",
            "--host-record=%s,%s,%s" % (NAME, SERVER, SERVER6), "--cname=%s,%s" % (ALIAS, NAME),
            "--host-record=%s,%s" % (OTHER, SERVER))
    s_server(lab, 993)
    before = {**FINE, "tls_version": "TLSv1.0", "offered_version": "TLSv1.0"}
    old(lab)
    lab.event(**before, server_name=None)
    dig(lab, ALIAS.upper())
    old(lab)
    lab.event(**before, server_name=ALIAS, server_name_source="dns")
    # The certificate is hidden here, and the answer is still good.
    s_client(lab, 993, name=None)
    lab.event(**FINE, tls_version="TLSv1.3", offered_version="TLSv1.3", server_name=ALIAS,
              server_name_source="dns")
    # A name that the client gives itself outranks it.
    s_client(lab, 993, "-tls1")
    lab.event(**before)
    dig(lab, OTHER, "+tcp")
    lab.no_event()
    old(lab)
    lab.event(**before, server_name=OTHER, server_name_source="dns")


@scenario("no SNI over IPv6, named by an AAAA answer", filter="tcp or udp port 53")
def names_dns_ipv6(lab):
    dnsmasq(lab, "--listen-address=" + SERVER6, "--port=53",
            "--host-record=%s,%s" % (NAME, SERVER6))
    s_server(lab, 993, family="-6")
    dig(lab, NAME, "AAAA", server=SERVER6)
    old(lab, host=SERVER6)
    lab.event(**FINE, tls_version="TLSv1.0", offered_version="TLSv1.0", server_name=NAME,
              server_name_source="dns")


@scenario("no SNI, refused: DNS names the server where no certificate does",
          filter="tcp or udp port 53")
def names_dns_refused(lab):
    dnsmasq(lab, "--listen-address=" + SERVER, "--port=53", "--host-record=%s,%s" % (NAME, SERVER))
    s_server(lab, 993, "-tls1_2")
    dig(lab, NAME)
    old(lab)
    lab.event(tls_mode="implicit", outcome="refused", refused_by="server",
              refusal="protocol_version", offered_version="TLSv1.0", tls_version=None,
              server_name=NAME, server_name_source="dns")


def dhcp_server(lab):
    """Has one address to give, which is the client's."""
    lab.ip("s", "addr", "add", "10.77.0.1/24", "dev", "s0")
    dnsmasq(lab, "--interface=s0", "--except-interface=lo", "--port=0", "--no-ping",
            "--dhcp-authoritative", "--dhcp-range=10.77.0.11,10.77.0.11,255.255.255.0,1h",
            "--dhcp-host=%s,%s" % (CLIENT_MAC, CLIENT))


def named(lab, name, source):
    """A session of a device without a name in it."""
    s_server(lab, 993)
    s_client(lab, 993, "-tls1_2")
    lab.event(**FINE, tls_version="TLSv1.2", offered_version="TLSv1.2", client_name=name,
              client_name_source=source)


@scenario("a device named by DHCP: busybox udhcpc with a host name",
          filter="tcp or udp port 67 or udp port 68")
def names_dhcp_udhcpc(lab):
    dhcp_server(lab)
    lab.run("c", "busybox", "udhcpc", "-i", "c0", "-n", "-q", "-f", "-s", "/bin/true", "-x",
            "hostname:scanner-2")
    named(lab, "scanner-2", "dhcp")


@scenario("a device named by DHCP: dhclient with a fully qualified name (option 81)",
          filter="tcp or udp port 67 or udp port 68")
def names_dhcp_dhclient(lab):
    dhcp_server(lab)
    with open(lab.path("dhclient.conf"), "w", encoding="ascii") as file:
        file.write('send fqdn.fqdn "mfp-3.example.com";\nsend fqdn.encoded on;\n')
    lab.run("c", "dhclient", "-4", "-1", "-d", "-cf", lab.path("dhclient.conf"), "-lf",
            lab.path("dhclient.leases"), "-pf", lab.path("dhclient.pid"), "-sf", "/bin/true", "c0",
            timeout=6)
    named(lab, "mfp-3.example.com", "dhcp")


@scenario("a device named by mDNS: avahi", filter="tcp or udp port 5353")
def names_mdns_avahi(lab):
    with open(lab.path("avahi.conf"), "w", encoding="ascii") as file:
        file.write("[server]\nhost-name=printer-7\nuse-ipv6=no\nallow-interfaces=c0\n"
                   "enable-dbus=no\n[publish]\npublish-workstation=no\npublish-hinfo=no\n")
    lab.spawn("c", "avahi-daemon", "-f", lab.path("avahi.conf"), "--no-drop-root", "--no-chroot",
              "--no-rlimits")
    time.sleep(4)
    named(lab, "printer-7.local", "mdns")
