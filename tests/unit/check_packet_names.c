/* Packets of name services: found wherever TCP would be, and only where asked for. */
#include "suite.h"

#include "packet/decoder.h"
#include "wrap.h"

#include "base/banned.h"

#define ROWS(table) (int)(sizeof(table) / sizeof((table)[0]))

static const char payload[] = "what a name service says";
#define PAYLOAD_LEN (sizeof(payload) - 1)

static enum packet_kind
decode(const struct wrap *w, bool names, const struct service_set *services, struct packet *out)
{
	const struct packet_options options = { .names = names };
	struct packet_decoder *decoder = packet_decoder_new(services, &options);
	struct frame frame = wrap_frame(w, 1);
	enum packet_kind kind = packet_decoder_decode(decoder, &frame, out);

	packet_decoder_free(decoder);
	return kind;
}

static void
start(struct wrap *w)
{
	wrap_init(w);
	wrap_bytes(w, span_from(payload, PAYLOAD_LEN));
}

static const struct {
	const char *name;
	uint16_t src_port, dst_port;
	bool counts;
} udp_rows[] = {
	{ "a DNS answer", 53, 40000, true },
	{ "a DNS answer to a port that is a tunnel's", 53, 37008, true },
	{ "a DNS question", 40000, 53, false },
	{ "DHCP, client to server", 68, 67, true },
	{ "DHCP, relay to server", 67, 67, true },
	{ "DHCP, server to client", 67, 68, true },
	{ "mDNS", 5353, 5353, true },
	{ "NBNS", 137, 137, true },
	{ "NBNS, an answer to another port", 137, 40000, false },
	{ "QUIC", 443, 40000, false },
};

START_TEST(udp_between_ports_that_tell_names_is_found)
{
	struct wrap w;
	struct packet p;

	start(&w);
	wrap_udp(&w, udp_rows[_i].src_port, udp_rows[_i].dst_port);
	wrap_ipv4(&w, 1, 17);
	wrap_ethernet(&w, 0x10, 0x0800);
	ck_assert_int_eq((int)decode(&w, false, NULL, &p), PACKET_OTHER);
	ck_assert_msg((decode(&w, true, NULL, &p) == PACKET_NAMES) == udp_rows[_i].counts, "%s",
	    udp_rows[_i].name);
	if (!udp_rows[_i].counts)
		return;
	ck_assert(!p.is_tcp);
	ck_assert_uint_eq(p.src_port, udp_rows[_i].src_port);
	ck_assert_uint_eq(p.dst_port, udp_rows[_i].dst_port);
	ck_assert(span_equals(p.payload, span_from(payload, PAYLOAD_LEN)));
}
END_TEST

START_TEST(dns_over_tcp_is_found_beside_services)
{
	struct service_set services;
	struct wrap w;
	struct packet p;

	service_set_init_defaults(&services);
	start(&w);
	wrap_tcp(&w, 53, 40000, 7);
	wrap_ipv4(&w, 1, 6);
	wrap_ethernet(&w, 0x10, 0x0800);
	ck_assert_int_eq((int)decode(&w, false, &services, &p), PACKET_OTHER_PORT);
	ck_assert_int_eq((int)decode(&w, true, &services, &p), PACKET_NAMES);
	ck_assert(p.is_tcp);
	ck_assert(span_equals(p.payload, span_from(payload, PAYLOAD_LEN)));
	/* From a service to port 53: mail it is. */
	start(&w);
	wrap_tcp(&w, 53, 993, 7);
	wrap_ipv4(&w, 1, 6);
	wrap_ethernet(&w, 0x10, 0x0800);
	ck_assert_int_eq((int)decode(&w, true, &services, &p), PACKET_TCP);
}
END_TEST

START_TEST(an_answer_over_ipv6_in_a_tunnel_is_found)
{
	struct wrap w;
	struct packet p;

	start(&w);
	wrap_udp(&w, 53, 40000);
	wrap_ipv6(&w, 1, 17);
	wrap_ethernet(&w, 0x20, 0x86dd);
	wrap_bytes(&w, BYTES("\x08\x00\x00\x00\x00\x00\x01\x00"));
	wrap_udp(&w, 50000, 4789);
	wrap_ipv4(&w, 2, 17);
	wrap_ethernet(&w, 0x10, 0x0800);
	ck_assert_int_eq((int)decode(&w, true, NULL, &p), PACKET_NAMES);
	ck_assert_uint_eq(p.src.family, 6);
	ck_assert(span_equals(p.payload, span_from(payload, PAYLOAD_LEN)));
}
END_TEST

START_TEST(an_answer_in_two_fragments_is_whole)
{
	const struct packet_options options = { .names = true };
	struct packet_decoder *decoder = packet_decoder_new(NULL, &options);
	struct wrap whole, part;
	struct packet p;
	struct frame frame;

	start(&whole);
	wrap_udp(&whole, 53, 40000);
	wrap_init(&part);
	wrap_bytes(&part, span_from(whole.bytes + whole.begin, 16));
	wrap_ipv4_part(&part, 1, 17, 5, 0x2000);
	wrap_ethernet(&part, 0x10, 0x0800);
	frame = wrap_frame(&part, 1);
	ck_assert_int_eq((int)packet_decoder_decode(decoder, &frame, &p), PACKET_FRAGMENT);
	wrap_init(&part);
	wrap_bytes(&part, span_from(whole.bytes + whole.begin + 16, wrap_len(&whole) - 16));
	wrap_ipv4_part(&part, 1, 17, 5, 2);
	wrap_ethernet(&part, 0x10, 0x0800);
	frame = wrap_frame(&part, 1);
	ck_assert_int_eq((int)packet_decoder_decode(decoder, &frame, &p), PACKET_NAMES);
	ck_assert(span_equals(p.payload, span_from(payload, PAYLOAD_LEN)));
	packet_decoder_free(decoder);
}
END_TEST

static const struct {
	uint16_t ethertype;
	bool tagged;
} wrappings[] = { { 0x0800, false }, { 0x0800, true }, { 0x86dd, false }, { 0x86dd, true } };

/* A decoder knows UDP that is of no use without a walk, and says the same of it. */
START_TEST(udp_is_the_same_with_and_without_a_decoder)
{
	const struct packet_options options = { .names = false };
	struct packet_decoder *decoder = packet_decoder_new(NULL, &options);
	static struct wrap w;
	struct frame frame;
	struct packet p;

	start(&w);
	wrap_udp(&w, 443, 40000);
	if (wrappings[_i].ethertype == 0x0800)
		wrap_ipv4(&w, 1, 17);
	else
		wrap_ipv6(&w, 1, 17);
	if (wrappings[_i].tagged) {
		put_u16(wrap_front(&w, 2), wrappings[_i].ethertype);
		put_u16(wrap_front(&w, 2), 7);
	}
	wrap_ethernet(&w, 0x10, wrappings[_i].tagged ? 0x8100 : wrappings[_i].ethertype);
	frame = wrap_frame(&w, 1);
	for (size_t len = frame.bytes.len; len > 0; len--) {
		frame.bytes.len = len;
		ck_assert_int_eq((int)packet_decoder_decode(decoder, &frame, &p),
		    (int)packet_decode(&frame, NULL, &p));
		frame.wire_len = (uint32_t)len;
		ck_assert_int_eq((int)packet_decoder_decode(decoder, &frame, &p),
		    (int)packet_decode(&frame, NULL, &p));
		frame.wire_len = (uint32_t)wrap_len(&w);
	}
	packet_decoder_free(decoder);
}
END_TEST

static void
wrap_answer(struct wrap *w, bool ipv4, uint16_t udp_len, struct span tags)
{
	start(w);
	wrap_udp(w, 53, 40000);
	put_u16(w->bytes + w->begin + 4, udp_len);
	if (ipv4)
		wrap_ipv4(w, 1, 17);
	else
		wrap_ipv6(w, 1, 17);
	put_u16(wrap_front(w, 2), ipv4 ? 0x0800 : 0x86dd);
	wrap_bytes(w, tags);
	wrap_ethernet(w, 0x10, 0x8100);
}

static void
check_same(const struct packet *a, const struct packet *b)
{
	ck_assert(addr_equals(&a->src, &b->src) && addr_equals(&a->dst, &b->dst));
	ck_assert_uint_eq(a->src_port, b->src_port);
	ck_assert_uint_eq(a->dst_port, b->dst_port);
	ck_assert(span_equals(a->payload, b->payload));
	ck_assert_uint_eq(a->payload_len, b->payload_len);
	ck_assert_int_eq(a->vlan, b->vlan);
	ck_assert(memcmp(a->src_mac, b->src_mac, 6) == 0);
	ck_assert(memcmp(a->dst_mac, b->dst_mac, 6) == 0);
	ck_assert(a->is_tcp == b->is_tcp && a->time_us == b->time_us && a->source == b->source);
}

/* Both whole, and with bytes cut off their ends. */
static void
check_same_cut(struct packet_decoder *decoder, const struct wrap *one, const struct wrap *other)
{
	for (size_t cut = 0; cut <= PAYLOAD_LEN; cut++) {
		struct frame f = wrap_frame(one, 1), g = wrap_frame(other, 1);
		struct packet p, q;

		f.bytes.len -= cut;
		g.bytes.len -= cut;
		ck_assert_int_eq((int)packet_decoder_decode(decoder, &f, &p), PACKET_NAMES);
		ck_assert_int_eq((int)packet_decoder_decode(decoder, &g, &q), PACKET_NAMES);
		check_same(&p, &q);
	}
}

/* Two tags are walked through. */
START_TEST(an_answer_is_the_same_with_and_without_a_walk)
{
	const struct packet_options options = { .names = true };
	struct packet_decoder *decoder = packet_decoder_new(NULL, &options);
	static struct wrap quick, walked;

	for (uint16_t udp_len = 0; udp_len <= PAYLOAD_LEN + 12; udp_len++) {
		for (int ipv4 = 0; ipv4 <= 1; ipv4++) {
			wrap_answer(&quick, ipv4, udp_len, BYTES("\0\7"));
			wrap_answer(&walked, ipv4, udp_len, BYTES("\0\7\x81\0\0\2"));
			check_same_cut(decoder, &quick, &walked);
		}
	}
	packet_decoder_free(decoder);
}
END_TEST

START_TEST(a_tunnel_is_found_at_all_ports_where_it_is_without_a_decoder)
{
	struct packet_decoder *decoder = packet_decoder_new(NULL, NULL);
	static struct wrap w;
	struct packet p;
	unsigned found = 0;

	start(&w);
	wrap_tcp(&w, 40000, 993, 7);
	wrap_ipv4(&w, 1, 6);
	wrap_ethernet(&w, 0x20, 0x0800);
	wrap_bytes(&w, BYTES("\x08\x00\x00\x00\x00\x00\x01\x00"));
	for (unsigned port = 0; port <= 65535; port++) {
		struct frame frame;
		enum packet_kind kind;
		size_t begin = w.begin;

		wrap_udp(&w, 40000, (uint16_t)port);
		wrap_ipv4(&w, 2, 17);
		wrap_ethernet(&w, 0x10, 0x0800);
		frame = wrap_frame(&w, 1);
		kind = packet_decoder_decode(decoder, &frame, &p);
		ck_assert_int_eq((int)kind, (int)packet_decode(&frame, NULL, &p));
		found += kind == PACKET_TCP;
		w.begin = begin;
	}
	ck_assert_uint_ge(found, 3); /* those of VXLAN */
	packet_decoder_free(decoder);
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_loop_test(tc, udp_between_ports_that_tell_names_is_found, 0, ROWS(udp_rows));
	tcase_add_test(tc, dns_over_tcp_is_found_beside_services);
	tcase_add_test(tc, an_answer_over_ipv6_in_a_tunnel_is_found);
	tcase_add_test(tc, an_answer_in_two_fragments_is_whole);
	tcase_add_loop_test(tc, udp_is_the_same_with_and_without_a_decoder, 0, ROWS(wrappings));
	tcase_add_test(tc, an_answer_is_the_same_with_and_without_a_walk);
	tcase_add_test(tc, a_tunnel_is_found_at_all_ports_where_it_is_without_a_decoder);
}

SUITE_MAIN("packet_names")
