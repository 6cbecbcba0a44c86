#include <pcap/pcap.h>
#include <stdio.h>
#include <string.h>

#include "capture/ether_filter.h"
#include "capture/filter.h"
#include "suite.h"

#include "base/banned.h"

#define IP4 0x0800
#define IP6 0x86dd
#define SNAP 0xaa

/* A frame to be: EtherTypes of tags, then an IP packet. */
struct shape {
	const char *name;
	uint16_t tags[2];
	uint16_t ether_type;
	uint8_t protocol; /* of IPv4, the next header of IPv6, or the first byte of IEEE 802.2 */
	uint16_t fragment;
	uint16_t src_port, dst_port;
	bool passes, passes_with_tunnels, passes_with_names;
};

static const struct shape shapes[] = {
	{ "to a service", { 0, 0 }, IP4, 6, 0, 40000, 993, true, true, true },
	{ "from a service", { 0, 0 }, IP4, 6, 0, 993, 40000, true, true, true },
	{ "a service that was added", { 0, 0 }, IP4, 6, 0, 40000, 2525, true, true, true },
	{ "its neighbour", { 0, 0 }, IP4, 6, 0, 40000, 2524, false, false, false },
	{ "another port", { 0, 0 }, IP4, 6, 0, 40000, 443, false, false, false },
	{ "UDP on the port", { 0, 0 }, IP4, 17, 0, 40000, 993, false, false, false },
	{ "IPv6", { 0, 0 }, IP6, 6, 0, 40000, 993, true, true, true },
	{ "IPv6, another port", { 0, 0 }, IP6, 6, 0, 40000, 443, false, false, false },
	{ "a first fragment", { 0, 0 }, IP4, 6, 0x2000, 40000, 993, true, true, true },
	{ "a first fragment, another port", { 0, 0 }, IP4, 6, 0x2000, 40000, 443, true, true,
	    true },
	{ "a first fragment, UDP", { 0, 0 }, IP4, 17, 0x2000, 40000, 443, true, true, true },
	{ "a packet that is not to be fragmented", { 0, 0 }, IP4, 6, 0x4000, 40000, 443, false,
	    false, false },
	{ "a later fragment", { 0, 0 }, IP4, 6, 0x0010, 1, 1, true, true, true },
	{ "an IPv6 fragment", { 0, 0 }, IP6, 44, 0, 1, 1, true, true, true },
	{ "IPv6 hop-by-hop options", { 0, 0 }, IP6, 0, 0, 1, 1, true, true, true },
	{ "AH", { 0, 0 }, IP4, 51, 0, 1, 1, true, true, true },
	{ "AH over IPv6", { 0, 0 }, IP6, 51, 0, 1, 1, true, true, true },
	{ "ESP", { 0, 0 }, IP4, 50, 0, 1, 1, false, false, false },
	{ "ESP over IPv6", { 0, 0 }, IP6, 50, 0, 1, 1, false, false, false },
	{ "IPv6 mobility", { 0, 0 }, IP6, 135, 0, 1, 1, true, true, true },
	{ "host identity over IPv6", { 0, 0 }, IP6, 139, 0, 1, 1, true, true, true },
	{ "shim6", { 0, 0 }, IP6, 140, 0, 1, 1, true, true, true },
	{ "SNAP", { 0, 0 }, 46, SNAP, 0, 1, 1, true, true, true },
	{ "the longest SNAP", { 0, 0 }, 1500, SNAP, 0, 1, 1, true, true, true },
	{ "no length and no EtherType", { 0, 0 }, 1501, SNAP, 0, 1, 1, false, false, false },
	{ "SNAP in a tag", { 0x8100, 0 }, 46, SNAP, 0, 1, 1, true, true, true },
	{ "SNAP in two tags", { 0x88a8, 0x8100 }, 46, SNAP, 0, 1, 1, true, true, true },
	{ "spanning tree", { 0, 0 }, 38, 0x42, 0, 1, 1, false, false, false },
	{ "one tag", { 0x8100, 0 }, IP4, 6, 0, 40000, 993, true, true, true },
	{ "one tag, IPv6", { 0x8100, 0 }, IP6, 6, 0, 993, 40000, true, true, true },
	{ "one tag, a later fragment", { 0x8100, 0 }, IP4, 6, 0x0010, 1, 1, true, true, true },
	{ "one tag, another port", { 0x8100, 0 }, IP4, 6, 0, 40000, 443, false, false, false },
	{ "two tags", { 0x8100, 0x8100 }, IP4, 6, 0, 40000, 993, true, true, true },
	{ "two tags of two kinds", { 0x88a8, 0x8100 }, IP4, 6, 0, 40000, 993, true, true, true },
	{ "two tags, another port", { 0x88a8, 0x8100 }, IP4, 6, 0, 40000, 443, false, false,
	    false },
	{ "a DNS answer", { 0, 0 }, IP4, 17, 0, 53, 40000, false, false, true },
	{ "a DNS answer over IPv6", { 0, 0 }, IP6, 17, 0, 53, 40000, false, false, true },
	{ "a DNS answer over TCP", { 0, 0 }, IP4, 6, 0, 53, 40000, false, false, true },
	{ "a DNS answer in a tag", { 0x8100, 0 }, IP4, 17, 0, 53, 40000, false, false, true },
	{ "a DNS question", { 0, 0 }, IP4, 17, 0, 40000, 53, false, false, false },
	{ "DHCP to the server", { 0, 0 }, IP4, 17, 0, 68, 67, false, false, true },
	{ "DHCP to the client", { 0, 0 }, IP4, 17, 0, 67, 68, false, false, true },
	{ "mDNS", { 0, 0 }, IP4, 17, 0, 5353, 5353, false, false, true },
	{ "NBNS", { 0, 0 }, IP4, 17, 0, 137, 137, false, false, true },
	{ "other UDP", { 0, 0 }, IP4, 17, 0, 443, 40000, false, false, false },
	{ "ARP", { 0, 0 }, 0x0806, 6, 0, 40000, 993, false, false, false },
	{ "GRE", { 0, 0 }, IP4, 47, 0, 1, 1, false, true, false },
	{ "VXLAN", { 0, 0 }, IP4, 17, 0, 40000, 4789, false, true, false },
	{ "VXLAN in a tag", { 0x8100, 0 }, IP4, 17, 0, 40000, 4789, false, true, false },
	{ "MPLS", { 0, 0 }, 0x8847, 6, 0, 1, 1, false, true, false },
	{ "IPv4 in IPv6", { 0, 0 }, IP6, 4, 0, 1, 1, false, true, false },
	{ "6in4", { 0, 0 }, IP4, 41, 0, 1, 1, false, true, false },
	{ "EtherIP", { 0, 0 }, IP4, 97, 0, 1, 1, false, true, false },
	{ "MPLS in IPv6", { 0, 0 }, IP6, 137, 0, 1, 1, false, true, false },
	{ "VXLAN, as Linux had it", { 0, 0 }, IP4, 17, 0, 40000, 8472, false, true, false },
	{ "VXLAN on a port that was added", { 0, 0 }, IP4, 17, 0, 40000, 4788, false, true, false },
	{ "GUE over IPv6", { 0, 0 }, IP6, 17, 0, 40000, 6080, false, true, false },
	{ "Geneve over IPv6", { 0, 0 }, IP6, 17, 0, 40000, 6081, false, true, false },
	{ "LISP", { 0, 0 }, IP6, 17, 0, 40000, 4341, false, true, false },
	{ "GTP-U", { 0, 0 }, IP4, 17, 0, 2152, 2152, false, true, false },
	{ "TZSP", { 0, 0 }, IP4, 17, 0, 40000, 37008, false, true, false },
	{ "CAPWAP", { 0, 0 }, IP4, 17, 0, 40000, 5247, false, true, false },
	{ "Ethernet in IPv6", { 0, 0 }, IP6, 143, 0, 1, 1, false, true, false },
	{ "PPPoE in a tag", { 0x8100, 0 }, 0x8864, 6, 0, 1, 1, false, true, false },
	{ "Cisco metadata behind a tag", { 0x8100, 0 }, 0x8909, 6, 0, 1, 1, false, true, false },
	{ "a tag of old", { 0, 0 }, 0x9200, 6, 0, 1, 1, true, true, true },
	{ "a tag of old in a tag", { 0x9100, 0 }, 0x9300, 6, 0, 1, 1, true, true, true },
	{ "TRILL", { 0, 0 }, 0x22f3, 6, 0, 1, 1, false, true, false },
	{ "the tag of a switch chip", { 0, 0 }, 0xdada, 6, 0, 1, 1, false, true, false },
	{ "a third tag", { 0x88a8, 0x9100 }, 0x8100, 6, 0, 1, 1, true, true, true },
};
#define SHAPE_COUNT ((int)(sizeof(shapes) / sizeof(shapes[0])))

static uint8_t *
put_u16(uint8_t *at, uint16_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
	return at + 2;
}

static size_t
make_frame(const struct shape *s, uint8_t frame[128])
{
	uint8_t *at = frame + 12;

	memset(frame, 0, 128);
	for (unsigned i = 0; i < 2 && s->tags[i] != 0; i++)
		at = put_u16(put_u16(at, s->tags[i]), (uint16_t)(7 + i));
	at = put_u16(at, s->ether_type);
	if (s->ether_type == IP6) {
		at[0] = 0x60;
		at[6] = s->protocol;
		at += 40;
	} else if (s->ether_type <= 1501) {
		at[0] = at[1] = s->protocol;
		at += 8;
	} else {
		at[0] = 0x45;
		(void)put_u16(at + 2, 60);
		(void)put_u16(at + 6, s->fragment);
		at[9] = s->protocol;
		at += 20;
	}
	(void)put_u16(put_u16(at, s->src_port), s->dst_port);
	return (size_t)(at + 40 - frame);
}

static void
make_services(struct service_set *services)
{
	struct error err;

	service_set_init_defaults(services);
	ck_assert_int_eq(service_set_add_text(services, "2525=smtp+starttls", &err), 0);
}

#define SNAP_LEN 65536

static void
compile_text(const struct filter_options *options, struct bpf_program *program)
{
	pcap_t *pcap = pcap_open_dead(DLT_EN10MB, SNAP_LEN);
	struct buf text = { 0 };

	filter_write(options, &text);
	ck_assert_msg(pcap_compile(pcap, program, buf_text(&text), 1, PCAP_NETMASK_UNKNOWN) == 0,
	    "%s: %s", buf_text(&text), pcap_geterr(pcap));
	pcap_close(pcap);
	buf_release(&text);
}

/* The filter's two forms. */
enum form { FORM_TEXT, FORM_ETHER, FORMS };

static void
compile(enum form form, const struct filter_options *o, struct bpf_program *program)
{
	struct filter_options options = *o;
	struct service_set services;

	make_services(&services);
	options.services = &services;
	options.vxlan_ports = (struct port_list){ { 4788 }, 1 };
	if (form == FORM_TEXT)
		compile_text(&options, program);
	else
		ether_filter_make(&options, SNAP_LEN, program);
}

/* As pcap-filter(7) understands it where tags are in the packet, as in a file. */
static bool
program_passes(const struct bpf_program *program, const uint8_t frame[128], size_t len)
{
	struct pcap_pkthdr header = { .caplen = (bpf_u_int32)len, .len = (bpf_u_int32)len };

	return pcap_offline_filter(program, &header, frame) > 0;
}

static void
expect_passes(const struct shape *s, const struct filter_options *options, bool wanted)
{
	struct bpf_program program;
	uint8_t frame[128];

	for (enum form form = FORM_TEXT; form < FORMS; form++) {
		compile(form, options, &program);
		ck_assert_msg(
		    program_passes(&program, frame, make_frame(s, frame)) == wanted, "%s", s->name);
		pcap_freecode(&program);
	}
}

START_TEST(the_filter_lets_through_what_may_matter)
{
	const struct filter_options options = { 0 };

	expect_passes(&shapes[_i], &options, shapes[_i].passes);
}
END_TEST

START_TEST(with_tunnels_it_lets_through_what_may_hold_more)
{
	const struct filter_options options = { .tunnels = true };

	expect_passes(&shapes[_i], &options, shapes[_i].passes_with_tunnels);
}
END_TEST

START_TEST(with_names_it_lets_through_what_tells_them)
{
	const struct filter_options options = { .names = true };

	expect_passes(&shapes[_i], &options, shapes[_i].passes_with_names);
}
END_TEST

#define SHARES 3

/* Gives the frame a pair of addresses that `number` makes up. */
static void
set_addresses(const struct shape *s, unsigned number, bool reverse, uint8_t *frame)
{
	size_t tag_count = (s->tags[0] != 0) + (size_t)(s->tags[1] != 0);
	uint8_t *ip = frame + 14 + 4 * tag_count;
	size_t len = s->ether_type == IP6 ? 16 : 4;
	uint8_t *src = ip + (s->ether_type == IP6 ? 8 : 12), *dst = src + len;

	(void)put_u16((reverse ? dst : src) + len - 2, (uint16_t)number);
	(void)put_u16((reverse ? src : dst) + len - 2, 25);
}

/* Which of the shares let it through, one bit each. */
static unsigned
shares_of(const struct bpf_program *programs, const struct shape *s, unsigned number, bool reverse)
{
	uint8_t frame[128];
	size_t len = make_frame(s, frame);
	unsigned shares = 0;

	if (s->ether_type == IP4 || s->ether_type == IP6)
		set_addresses(s, number, reverse, frame);
	for (unsigned i = 0; i < SHARES; i++)
		shares |= (unsigned)program_passes(&programs[i], frame, len) << i;
	return shares;
}

static void
compile_shares(enum form form, struct bpf_program *programs)
{
	for (unsigned i = 0; i < SHARES; i++) {
		const struct filter_options options = {
			.tunnels = true, .share = i, .share_count = SHARES
		};

		compile(form, &options, &programs[i]);
	}
}

/* Connections with ports, fragments without: all of them by their addresses alone. */
START_TEST(each_connection_is_in_one_share_with_both_directions_and_all_fragments)
{
	const struct shape *s = &shapes[_i / FORMS];
	const struct shape *whole = &shapes[s->ether_type == IP6 ? 6 : 0];
	struct bpf_program programs[SHARES];

	compile_shares((enum form)(_i % FORMS), programs);
	for (unsigned number = 1; number < 200; number++) {
		unsigned shares = shares_of(programs, s, number, false);
		unsigned wanted = shares_of(programs, whole, number, false);

		ck_assert_uint_ne(wanted, 0);
		if (s->ether_type != IP4 && s->ether_type != IP6)
			wanted = 1; /* without addresses */
		ck_assert_msg(shares == (s->passes_with_tunnels ? wanted : 0), "%s, %u: %u, not %u",
		    s->name, number, shares, wanted);
		ck_assert_uint_eq(shares_of(programs, s, number, true), shares);
	}
	for (unsigned i = 0; i < SHARES; i++)
		pcap_freecode(&programs[i]);
}
END_TEST

START_TEST(shares_are_about_equal)
{
	struct bpf_program programs[SHARES];
	unsigned counts[1 << SHARES] = { 0 };

	compile_shares((enum form)(_i / 2), programs);
	/* Clients that differ in two bytes, in steps as address plans have them. */
	for (unsigned number = 0; number < 3000; number++)
		counts[shares_of(programs, &shapes[_i % 2 == 0 ? 0 : 6], number * 4, false)]++;
	for (unsigned i = 0; i < SHARES; i++) {
		ck_assert_uint_gt(counts[1u << i], 900);
		pcap_freecode(&programs[i]);
	}
}
END_TEST

/* net.core.optmem_max is 20 KiB on many machines: 2560 instructions of 8 bytes. */
#define PROGRAM_MAX 2560

static unsigned
program_len(enum form form, unsigned service_count)
{
	struct service_set services;
	const struct filter_options options = {
		.services = &services,
		.tunnels = true,
		.vxlan_ports = { { 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31 },
		    16 },
		.names = true,
		.share_count = 64,
	};
	struct bpf_program program;
	struct error err;
	char service[32];
	unsigned len;

	service_set_init_defaults(&services);
	for (unsigned i = 0; i < service_count; i++) {
		/* No port next to another: no ranges. */
		(void)snprintf(service, sizeof(service), "%u=tls", 2000 + 2 * i);
		ck_assert_int_eq(service_set_add_text(&services, service, &err), 0);
	}
	if (form == FORM_TEXT)
		compile_text(&options, &program);
	else
		ether_filter_make(&options, SNAP_LEN, &program);
	len = program.bf_len;
	pcap_freecode(&program);
	return len;
}

START_TEST(link_types_without_tags_have_a_filter_too)
{
	static const int link_types[] = { DLT_RAW, DLT_LINUX_SLL, DLT_LINUX_SLL2, DLT_NULL };
	struct service_set services;
	struct filter_options options = {
		.services = &services,
		.tunnels = true,
		.names = true,
		.share = (unsigned)_i,
		.share_count = 2,
		.untagged = true,
	};
	struct bpf_program program;
	struct buf text = { 0 };

	make_services(&services);
	filter_write(&options, &text);
	for (size_t i = 0; i < sizeof(link_types) / sizeof(link_types[0]); i++) {
		pcap_t *pcap = pcap_open_dead(link_types[i], 65536);

		ck_assert_msg(
		    pcap_compile(pcap, &program, buf_text(&text), 1, PCAP_NETMASK_UNKNOWN) == 0,
		    "%d: %s", link_types[i], pcap_geterr(pcap));
		pcap_freecode(&program);
		pcap_close(pcap);
	}
	buf_release(&text);
}
END_TEST

START_TEST(a_filter_of_any_number_of_services_fits_the_kernel)
{
	static const unsigned counts[] = { 0, 1, 26, 27, 28, 200, 1000 };

	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		unsigned len = program_len((enum form)_i, counts[i]);

		ck_assert_msg(len <= PROGRAM_MAX, "%u services: %u instructions", counts[i], len);
	}
}
END_TEST

/* A frame of what the filter asks for, in any order. */
static void
random_frame(uint64_t *state, uint8_t frame[128])
{
	static const uint16_t words[] = { 0x0800, 0x86dd, 0x8100, 0x88a8, 0x9100, 0x8847, 0x4500,
		0x4006, 0x4011, 0x06ff, 0x11ff, 0x4033, 0x3340, 0x8740, 1500, 0xaaaa, 0x0401, 53,
		5353, 67, 137, 993, 110, 2525, 4788, 4789, 0x1fff, 0x2000, 0x402c, 0x2c00 };
	const size_t word_count = sizeof(words) / sizeof(words[0]);

	for (size_t at = 0; at < 128; at += 2) {
		*state = *state * 6364136223846793005U + 1442695040888963407U;
		(void)put_u16(frame + at, words[(*state >> 33) % word_count]);
	}
	/* Most are IP, so that the ports are looked at. */
	if ((*state >> 40) % 4 != 0)
		(void)put_u16(frame + 12, words[(*state >> 45) % 3]);
	if ((*state >> 50) % 2 != 0)
		(void)put_u16(frame + 20, 0);
}

START_TEST(both_forms_say_the_same_of_any_frame)
{
	uint64_t state = 1;
	unsigned passed = 0, count = 0;

	for (unsigned kind = 0; kind < 16; kind++) {
		const struct filter_options options = {
			.tunnels = (kind & 1) != 0,
			.names = (kind & 2) != 0,
			.share = kind >> 2 & 1,
			.share_count = (kind & 8) != 0 ? 2 : 1,
		};
		struct bpf_program programs[FORMS];
		uint8_t frame[128];

		if (options.share >= options.share_count)
			continue;
		for (enum form form = FORM_TEXT; form < FORMS; form++)
			compile(form, &options, &programs[form]);
		for (unsigned i = 0; i < 50000; i++, count++) {
			bool wanted;

			random_frame(&state, frame);
			wanted = program_passes(&programs[FORM_TEXT], frame, sizeof(frame));
			ck_assert_msg(
			    program_passes(&programs[FORM_ETHER], frame, sizeof(frame)) == wanted,
			    "options %u, frame %u: not %d", kind, i, wanted);
			passed += wanted;
		}
		for (enum form form = FORM_TEXT; form < FORMS; form++)
			pcap_freecode(&programs[form]);
	}
	/* Neither is the exception. */
	ck_assert_uint_gt(passed, count / 10);
	ck_assert_uint_lt(passed, count / 10 * 9);
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_loop_test(tc, the_filter_lets_through_what_may_matter, 0, SHAPE_COUNT);
	tcase_add_loop_test(tc, with_tunnels_it_lets_through_what_may_hold_more, 0, SHAPE_COUNT);
	tcase_add_loop_test(tc, with_names_it_lets_through_what_tells_them, 0, SHAPE_COUNT);
	tcase_add_loop_test(tc,
	    each_connection_is_in_one_share_with_both_directions_and_all_fragments, 0,
	    FORMS * SHAPE_COUNT);
	tcase_add_loop_test(tc, shares_are_about_equal, 0, FORMS * 2);
	tcase_add_loop_test(tc, link_types_without_tags_have_a_filter_too, 0, 2);
	tcase_add_loop_test(tc, a_filter_of_any_number_of_services_fits_the_kernel, 0, FORMS);
	tcase_add_test(tc, both_forms_say_the_same_of_any_frame);
}

SUITE_MAIN("capture_filter")
