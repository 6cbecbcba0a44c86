/*
 * ethertype - the EtherTypes that are walked into.
 *
 * Source: IEEE registration authority's list of EtherTypes.
 */
#ifndef TLSTALLY_PACKET_ETHERTYPE_H
#define TLSTALLY_PACKET_ETHERTYPE_H

#define ETHERTYPE_NONE 0 /* a header of IEEE 802.2 follows */
#define ETHERTYPE_IPV4 0x0800
#define ETHERTYPE_ARP 0x0806
#define ETHERTYPE_TRILL 0x22f3 /* RFC 6325 */
#define ETHERTYPE_TEB 0x6558   /* transparent Ethernet bridging */
#define ETHERTYPE_VLAN 0x8100  /* IEEE 802.1Q */
#define ETHERTYPE_IPV6 0x86dd
#define ETHERTYPE_MPLS 0x8847
#define ETHERTYPE_MPLS_MULTICAST 0x8848
#define ETHERTYPE_PPPOE_SESSION 0x8864
#define ETHERTYPE_QINQ 0x88a8       /* IEEE 802.1ad */
#define ETHERTYPE_MACSEC 0x88e5     /* IEEE 802.1AE */
#define ETHERTYPE_BACKBONE 0x88e7   /* IEEE 802.1ah */
#define ETHERTYPE_FABRICPATH 0x8903 /* Cisco */
#define ETHERTYPE_CISCO_METADATA 0x8909
#define ETHERTYPE_VN_TAG 0x8926     /* Cisco */
#define ETHERTYPE_HSR 0x892f        /* IEC 62439-3 */
#define ETHERTYPE_E_TAG 0x893f      /* IEEE 802.1BR */
#define ETHERTYPE_FINE_LABEL 0x893b /* RFC 7172: the tag that a frame has inside TRILL */
#define ETHERTYPE_NSH 0x894f        /* RFC 8300 */
#define ETHERTYPE_QINQ_OLD 0x9100   /* before IEEE 802.1ad; Linux' if_ether.h has all three */
#define ETHERTYPE_QINQ_OLD_2 0x9200
#define ETHERTYPE_QINQ_OLD_3 0x9300
#define ETHERTYPE_ARISTA 0xd28b
#define ETHERTYPE_DSA 0xdada   /* Marvell: not registered, and may be set to another one */
#define ETHERTYPE_R_TAG 0xf1c1 /* IEEE 802.1CB */
/* IEEE 802.3: up to here the field is a length, not a type. */
#define ETHERTYPE_MIN 0x0600

#endif
