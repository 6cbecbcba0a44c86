#include <pcap/pcap.h>
#include <stdio.h>
#include <string.h>

#include "capture/filter.h"
#include "suite.h"

#include "base/banned.h"

#define IP4 0x0800
#define IP6 0x86dd

/* A frame to be: EtherTypes of tags, then an IP packet. */
struct shape {
	const char *name;
	uint16_t tags[2];
	uint16_t ether_type;
	uint8_t protocol; /* of IPv4, or the next header of IPv6 */
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
	{ "a later fragment", { 0, 0 }, IP4, 6, 0x0010, 1, 1, true, true, true },
	{ "an IPv6 fragment", { 0, 0 }, IP6, 44, 0, 1, 1, true, true, true },
	{ "IPv6 hop-by-hop options", { 0, 0 }, IP6, 0, 0, 1, 1, true, true, true },
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

/* As pcap-filter(7) understands it where tags are in the packet, as in a file. */
static bool
passes(const struct shape *s, bool tunnels, bool names)
{
	struct service_set services;
	const struct filter_options options = {
		.services = &services, .tunnels = tunnels, .names = names
	};
	pcap_t *pcap = pcap_open_dead(DLT_EN10MB, 65536);
	struct bpf_program program;
	struct pcap_pkthdr header = { .caplen = 0 };
	struct buf text = { 0 };
	uint8_t frame[128];
	bool result;

	make_services(&services);
	filter_write(&options, &text);
	ck_assert_msg(pcap_compile(pcap, &program, buf_text(&text), 1, PCAP_NETMASK_UNKNOWN) == 0,
	    "%s: %s", buf_text(&text), pcap_geterr(pcap));
	header.caplen = header.len = (bpf_u_int32)make_frame(s, frame);
	result = pcap_offline_filter(&program, &header, frame) > 0;
	pcap_freecode(&program);
	pcap_close(pcap);
	buf_release(&text);
	return result;
}

START_TEST(the_filter_lets_through_what_may_matter)
{
	ck_assert_msg(
	    passes(&shapes[_i], false, false) == shapes[_i].passes, "%s", shapes[_i].name);
}
END_TEST

START_TEST(with_tunnels_it_lets_through_what_may_hold_more)
{
	ck_assert_msg(passes(&shapes[_i], true, false) == shapes[_i].passes_with_tunnels, "%s",
	    shapes[_i].name);
}
END_TEST

START_TEST(with_names_it_lets_through_what_tells_them)
{
	ck_assert_msg(passes(&shapes[_i], false, true) == shapes[_i].passes_with_names, "%s",
	    shapes[_i].name);
}
END_TEST

/* net.core.optmem_max is 20 KiB on many machines: 2560 instructions of 8 bytes. */
#define PROGRAM_MAX 2560

static unsigned
program_len(unsigned service_count)
{
	struct service_set services;
	const struct filter_options options = {
		.services = &services, .tunnels = true, .names = true
	};
	pcap_t *pcap = pcap_open_dead(DLT_EN10MB, 65536);
	struct bpf_program program;
	struct buf text = { 0 };
	struct error err;
	char service[32];
	unsigned len;

	service_set_init_defaults(&services);
	for (unsigned i = 0; i < service_count; i++) {
		/* No port next to another: no ranges. */
		(void)snprintf(service, sizeof(service), "%u=tls", 2000 + 2 * i);
		ck_assert_int_eq(service_set_add_text(&services, service, &err), 0);
	}
	filter_write(&options, &text);
	ck_assert_int_eq(pcap_compile(pcap, &program, buf_text(&text), 1, PCAP_NETMASK_UNKNOWN), 0);
	len = program.bf_len;
	pcap_freecode(&program);
	pcap_close(pcap);
	buf_release(&text);
	return len;
}

START_TEST(a_filter_of_any_number_of_services_fits_the_kernel)
{
	static const unsigned counts[] = { 0, 1, 26, 27, 28, 200, 1000 };

	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
		ck_assert_msg(program_len(counts[i]) <= PROGRAM_MAX, "%u services: %u instructions",
		    counts[i], program_len(counts[i]));
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_loop_test(tc, the_filter_lets_through_what_may_matter, 0, SHAPE_COUNT);
	tcase_add_loop_test(tc, with_tunnels_it_lets_through_what_may_hold_more, 0, SHAPE_COUNT);
	tcase_add_loop_test(tc, with_names_it_lets_through_what_tells_them, 0, SHAPE_COUNT);
	tcase_add_test(tc, a_filter_of_any_number_of_services_fits_the_kernel);
}

SUITE_MAIN("capture_filter")
