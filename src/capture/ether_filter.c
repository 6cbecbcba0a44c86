#include "capture/ether_filter.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "capture/filter_internal.h"

#include "base/banned.h"

/* More than the longest program has: 32 ranges of ports, tunnels, 16 more ports, a share. */
#define INSNS_MAX 1024

#define ETHERTYPE_AT 12
#define ETHERTYPE_IP4 0x0800
#define ETHERTYPE_IP6 0x86dd
/* IEEE 802.3: up to here the field is a length, and a header of IEEE 802.2 follows. */
#define LENGTH_MAX 1500
#define LLC_AT 14
#define TAG_LEN 4
#define TAGS_MAX 2
/* Where fields stand in a frame without tags; the length of the tags is added. */
#define IP4_LEN_AT 14
#define IP4_FRAGMENT_AT 20
#define IP4_PROTOCOL_AT 23
#define IP4_ADDRESSES_AT 26
#define IP6_PROTOCOL_AT 20
#define IP6_ADDRESSES_AT 22
#define IP6_LEN 40
/* The same without an IP header: X has the length of the tags and of that header. */
#define SRC_PORT_AT 14
#define DST_PORT_AT 16

/* Places of the program that others jump to, all of them forwards. */
enum label {
	LABEL_OTHER,
	LABEL_TCP,
	LABEL_UDP,
	LABEL_ACCEPT,
	LABEL_LINK,                                   /* behind so many tags */
	LABEL_ACCEPT_ALL = LABEL_LINK + TAGS_MAX + 1, /* more of them, and what has no addresses */
	LABEL_IP4,                                    /* behind so many tags */
	LABEL_IP6 = LABEL_IP4 + TAGS_MAX + 1,
	LABELS = LABEL_IP6 + TAGS_MAX + 1,
};

/* The kernel's memory for words. */
enum { CELL_TAGS_LEN, CELL_SUM };

struct maker {
	const struct filter_options *options;
	uint32_t snap_len;
	struct bpf_insn insns[INSNS_MAX];
	uint8_t goes_to[INSNS_MAX]; /* of a jump: its label and 1 */
	unsigned count;
	unsigned at[LABELS];
};

static void
add(struct maker *m, unsigned code, uint32_t k)
{
	if (m->count == INSNS_MAX)
		abort();
	m->insns[m->count++] = (struct bpf_insn){ .code = (unsigned short)code, .k = k };
}

static void
go_to(struct maker *m, unsigned label)
{
	m->goes_to[m->count] = (uint8_t)(label + 1);
	add(m, BPF_JMP | BPF_JA, 0);
}

static void
put_label(struct maker *m, unsigned label)
{
	m->at[label] = m->count;
}

static void
reject(struct maker *m)
{
	add(m, BPF_RET | BPF_K, 0);
}

/* Skips the next `count` instructions unless A and `k` pass the test. */
static void
unless(struct maker *m, unsigned test, uint32_t k, uint8_t count)
{
	add(m, BPF_JMP | BPF_K | test, k);
	m->insns[m->count - 1].jf = count;
}

static void
go_to_if(struct maker *m, unsigned test, uint32_t k, unsigned label)
{
	unless(m, test, k, 1);
	go_to(m, label);
}

static bool
has_shares(const struct maker *m)
{
	return m->options->share_count > 1;
}

/* What has no addresses to share by; with shares the first one has all of it. */
static bool
takes_all(const struct maker *m)
{
	return !has_shares(m) || m->options->share == 0;
}

/* Finds the EtherType behind `tags` tags. */
static void
add_link(struct maker *m, unsigned tags)
{
	static const uint16_t tag_types[] = { 0x8100, 0x88a8, 0x9100 };

	put_label(m, LABEL_LINK + tags);
	add(m, BPF_LD | BPF_H | BPF_ABS, ETHERTYPE_AT + tags * TAG_LEN);
	go_to_if(m, BPF_JEQ, ETHERTYPE_IP4, LABEL_IP4 + tags);
	go_to_if(m, BPF_JEQ, ETHERTYPE_IP6, LABEL_IP6 + tags);
	for (size_t i = 0; i < sizeof(tag_types) / sizeof(tag_types[0]); i++)
		go_to_if(m, BPF_JEQ, tag_types[i], LABEL_LINK + tags + 1);
	go_to_if(m, BPF_JGT, LENGTH_MAX, LABEL_OTHER);
	add(m, BPF_LD | BPF_B | BPF_ABS, LLC_AT + tags * TAG_LEN);
	go_to_if(m, BPF_JEQ, FILTER_LLC_SNAP, LABEL_ACCEPT_ALL);
	reject(m);
}

/* Three tags and more are rare: the first share has all of them. */
static void
add_links(struct maker *m)
{
	for (unsigned tags = 0; tags <= TAGS_MAX; tags++)
		add_link(m, tags);
	put_label(m, LABEL_OTHER);
	for (size_t i = 0; i < FILTER_OLD_TAGS; i++)
		go_to_if(m, BPF_JEQ, filter_old_tags[i], LABEL_ACCEPT_ALL);
	for (size_t i = 0; m->options->tunnels && i < FILTER_ETHERTYPES; i++)
		go_to_if(m, BPF_JEQ, filter_ethertypes[i], LABEL_ACCEPT_ALL);
	reject(m);
	put_label(m, LABEL_ACCEPT_ALL);
	add(m, BPF_RET | BPF_K, takes_all(m) ? m->snap_len : 0);
}

/* With the protocol in A. */
static void
add_protocols(struct maker *m)
{
	for (size_t i = 0; m->options->tunnels && i < FILTER_IP_PROTOS; i++)
		go_to_if(m, BPF_JEQ, filter_ip_protos[i], LABEL_ACCEPT);
	reject(m);
}

/* add_share() needs the length again. */
static void
keep_tags_len(struct maker *m, unsigned tags_len)
{
	if (!has_shares(m))
		return;
	add(m, BPF_LDX | BPF_IMM, tags_len);
	add(m, BPF_STX, CELL_TAGS_LEN);
}

static void
put_ip4_len(struct maker *m, unsigned tags_len)
{
	add(m, BPF_LDX | BPF_MSH | BPF_B, IP4_LEN_AT + tags_len);
	if (tags_len == 0)
		return;
	add(m, BPF_MISC | BPF_TXA, 0);
	add(m, BPF_ALU | BPF_ADD, tags_len);
	add(m, BPF_MISC | BPF_TAX, 0);
}

static void
put_ip6_len(struct maker *m, unsigned tags_len)
{
	add(m, BPF_LDX | BPF_IMM, IP6_LEN + tags_len);
}

typedef void (*put_len_fn)(struct maker *m, unsigned tags_len);

/* If the protocol in A is this one: goes to the test of the ports, with their place in X. */
static void
add_transport(
    struct maker *m, uint32_t protocol, enum label label, put_len_fn put_len, unsigned tags_len)
{
	unsigned jump = m->count;

	unless(m, BPF_JEQ, protocol, 0);
	put_len(m, tags_len);
	go_to(m, label);
	m->insns[jump].jf = (uint8_t)(m->count - jump - 1);
}

static void
add_transports(struct maker *m, put_len_fn put_len, unsigned tags_len)
{
	add_transport(m, IPPROTO_TCP, LABEL_TCP, put_len, tags_len);
	if (m->options->names || m->options->tunnels)
		add_transport(m, IPPROTO_UDP, LABEL_UDP, put_len, tags_len);
}

static void
add_ip4(struct maker *m, unsigned tags)
{
	unsigned tags_len = tags * TAG_LEN;

	put_label(m, LABEL_IP4 + tags);
	keep_tags_len(m, tags_len);
	/* The later ones do not show their ports, and would wait in vain for a first one that does.
	 */
	add(m, BPF_LD | BPF_H | BPF_ABS, IP4_FRAGMENT_AT + tags_len);
	go_to_if(m, BPF_JSET, FILTER_FRAGMENT_MASK, LABEL_ACCEPT);
	add(m, BPF_LD | BPF_B | BPF_ABS, IP4_PROTOCOL_AT + tags_len);
	add_transports(m, put_ip4_len, tags_len);
	go_to_if(m, BPF_JEQ, FILTER_AH, LABEL_ACCEPT);
	add_protocols(m);
}

static void
add_ip6(struct maker *m, unsigned tags)
{
	unsigned tags_len = tags * TAG_LEN;

	put_label(m, LABEL_IP6 + tags);
	keep_tags_len(m, tags_len);
	add(m, BPF_LD | BPF_B | BPF_ABS, IP6_PROTOCOL_AT + tags_len);
	add_transports(m, put_ip6_len, tags_len);
	for (size_t i = 0; i < FILTER_EXTENSIONS; i++)
		go_to_if(m, BPF_JEQ, filter_extensions[i], LABEL_ACCEPT);
	add_protocols(m);
}

/* The port in A may be one of the services'. */
static void
add_services(struct maker *m)
{
	for (unsigned first = 1, last; filter_next_range(m->options->services, &first, &last);
	     first = last + 1) {
		if (first == last) {
			go_to_if(m, BPF_JEQ, first, LABEL_ACCEPT);
			continue;
		}
		unless(m, BPF_JGE, first, 2);
		add(m, BPF_JMP | BPF_K | BPF_JGT, last);
		m->insns[m->count - 1].jt = 1;
		go_to(m, LABEL_ACCEPT);
	}
}

/* A client's own port is larger than any service's as a rule: one test settles it. */
static void
add_services_below_the_largest(struct maker *m)
{
	unsigned jump = m->count, largest = 0;

	for (unsigned first = 1, last; filter_next_range(m->options->services, &first, &last);
	     first = last + 1)
		largest = last;
	add(m, BPF_JMP | BPF_K | BPF_JGT, largest);
	add_services(m);
	m->insns[jump].jt = (uint8_t)(m->count - jump - 1);
}

static void
add_tcp(struct maker *m)
{
	put_label(m, LABEL_TCP);
	if (filter_takes_all_tcp(m->options->services)) {
		go_to(m, LABEL_ACCEPT);
		return;
	}
	add(m, BPF_LD | BPF_H | BPF_IND, DST_PORT_AT);
	add_services_below_the_largest(m);
	add(m, BPF_LD | BPF_H | BPF_IND, SRC_PORT_AT);
	add_services_below_the_largest(m);
	if (m->options->names)
		go_to_if(m, BPF_JEQ, 53, LABEL_ACCEPT);
	reject(m);
}

static void
add_udp_tunnels(struct maker *m)
{
	const struct port_list *more = &m->options->vxlan_ports;

	if (!m->options->tunnels)
		return;
	for (size_t i = 0; i < FILTER_UDP_PORTS; i++)
		go_to_if(m, BPF_JEQ, filter_udp_ports[i], LABEL_ACCEPT);
	for (size_t i = 0; i < more->count; i++)
		go_to_if(m, BPF_JEQ, more->ports[i], LABEL_ACCEPT);
}

static void
add_udp_names(struct maker *m, const uint16_t *ports, size_t count)
{
	for (size_t i = 0; m->options->names && i < count; i++)
		go_to_if(m, BPF_JEQ, ports[i], LABEL_ACCEPT);
}

static void
add_udp(struct maker *m)
{
	static const uint16_t from[] = { 53, 5353 }, to[] = { 67, 68, 137 };

	put_label(m, LABEL_UDP);
	add(m, BPF_LD | BPF_H | BPF_IND, SRC_PORT_AT);
	add_udp_names(m, from, sizeof(from) / sizeof(from[0]));
	add_udp_tunnels(m);
	add(m, BPF_LD | BPF_H | BPF_IND, DST_PORT_AT);
	add_udp_names(m, to, sizeof(to) / sizeof(to[0]));
	add_udp_tunnels(m);
	reject(m);
}

/*
 * Puts the words of both addresses, added up in a way that is the same in both directions, into A.
 */
static void
add_sum(struct maker *m, uint32_t at, unsigned words)
{
	add(m, BPF_LD | BPF_W | BPF_IND, at);
	for (unsigned i = 1; i < words; i++) {
		add(m, BPF_ST, CELL_SUM);
		add(m, BPF_LD | BPF_W | BPF_IND, at + 4 * i);
		add(m, BPF_LDX | BPF_W | BPF_MEM, CELL_SUM);
		add(m, BPF_ALU | BPF_XOR | BPF_X, 0);
		if (i + 1 < words)
			add(m, BPF_LDX | BPF_W | BPF_MEM, CELL_TAGS_LEN);
	}
}

static void
add_share(struct maker *m)
{
	unsigned to_ip6, over_ip6;

	add(m, BPF_LDX | BPF_W | BPF_MEM, CELL_TAGS_LEN);
	add(m, BPF_LD | BPF_H | BPF_IND, ETHERTYPE_AT);
	to_ip6 = m->count;
	unless(m, BPF_JEQ, ETHERTYPE_IP4, 0);
	add_sum(m, IP4_ADDRESSES_AT, 2);
	over_ip6 = m->count;
	add(m, BPF_JMP | BPF_JA, 0);
	m->insns[to_ip6].jf = (uint8_t)(m->count - to_ip6 - 1);
	add_sum(m, IP6_ADDRESSES_AT, 8);
	m->insns[over_ip6].k = m->count - over_ip6 - 1;
	add(m, BPF_ALU | BPF_MUL | BPF_K, FILTER_SHARE_FACTOR);
	add(m, BPF_ALU | BPF_RSH | BPF_K, FILTER_SHARE_SHIFT);
	add(m, BPF_ALU | BPF_MOD | BPF_K, m->options->share_count);
	unless(m, BPF_JEQ, m->options->share, 1);
	add(m, BPF_RET | BPF_K, m->snap_len);
	reject(m);
}

static void
add_accept(struct maker *m)
{
	put_label(m, LABEL_ACCEPT);
	if (has_shares(m))
		add_share(m);
	else
		add(m, BPF_RET | BPF_K, m->snap_len);
}

/*
 * Fills in where jumps go.  A test that only skips a jump goes there itself, if it reaches that
 * far.
 */
static void
finish_jumps(struct maker *m)
{
	for (unsigned i = 0; i < m->count; i++) {
		struct bpf_insn *jump = &m->insns[i];
		bool is_tested = i > 0 && jump[-1].jt == 0 && jump[-1].jf == 1;

		if (m->goes_to[i] == 0)
			continue;
		jump->k = m->at[m->goes_to[i] - 1] - i - 1;
		if (is_tested && jump->k < UINT8_MAX)
			jump[-1].jt = (uint8_t)(jump->k + 1);
	}
}

void
ether_filter_make(const struct filter_options *options, uint32_t snap_len, struct bpf_program *out)
{
	struct maker *m = xcalloc(1, sizeof(*m));

	m->options = options;
	m->snap_len = snap_len;
	add_links(m);
	for (unsigned tags = 0; tags <= TAGS_MAX; tags++) {
		add_ip4(m, tags);
		add_ip6(m, tags);
	}
	add_tcp(m);
	add_udp(m);
	add_accept(m);
	finish_jumps(m);
	out->bf_len = m->count;
	out->bf_insns = xreallocarray(NULL, m->count, sizeof(*m->insns));
	memcpy(out->bf_insns, m->insns, m->count * sizeof(*m->insns));
	free(m);
}
