#include "packet_builder.h"

#include "base/banned.h"

#define PAYLOAD BYTES("hello")

static void
build_packet(struct built *b, const struct build_tcp *tcp, struct span payload)
{
	build_start(b, payload);
	build_tcp(b, tcp);
	(void)build_ipv4(b, BUILD_PROTO_TCP);
}

START_TEST(every_field_is_in_host_order)
{
	const struct build_tcp tcp = {
		.src_port = 0x1234,
		.dst_port = 0xfedc,
		.seq = 0x89abcdef,
		.ack = 0x01234567,
		.flags = TCP_FIN | TCP_SYN | TCP_RST | TCP_ACK,
	};
	struct built b;
	struct packet p;

	build_packet(&b, &tcp, PAYLOAD);
	ck_assert_int_eq(decode_built(BUILD_LINK_RAW, &b, &p), PACKET_TCP);
	ck_assert_uint_eq(p.src_port, 0x1234);
	ck_assert_uint_eq(p.dst_port, 0xfedc);
	ck_assert_uint_eq(p.seq, 0x89abcdef);
	ck_assert_uint_eq(p.ack, 0x01234567);
	ck_assert_uint_eq(p.flags, TCP_FIN | TCP_SYN | TCP_RST | TCP_ACK);
	ck_assert(span_equals(p.payload, PAYLOAD));
}
END_TEST

START_TEST(options_of_every_length_are_skipped)
{
	struct built b;
	struct packet p;

	for (uint8_t options_len = 0; options_len <= 40; options_len = (uint8_t)(options_len + 4)) {
		for (size_t len = 0; len <= PAYLOAD.len; len++) {
			build_packet(&b,
			    &(struct build_tcp){ .dst_port = 993, .options_len = options_len },
			    span_first(PAYLOAD, len));
			ck_assert_int_eq(decode_built(BUILD_LINK_RAW, &b, &p), PACKET_TCP);
			ck_assert_uint_eq(p.payload_len, len);
			ck_assert(span_equals(p.payload, span_first(PAYLOAD, len)));
		}
	}
}
END_TEST

START_TEST(a_data_offset_below_five_words_is_bad)
{
	struct built b;
	struct packet p;

	for (unsigned words = 0; words < 5; words++) {
		build_packet(&b, &(struct build_tcp){ .dst_port = 993 }, PAYLOAD);
		b.room[b.at + 20 + 12] = (uint8_t)(words << 4);
		ck_assert_int_eq(decode_built(BUILD_LINK_RAW, &b, &p), PACKET_BAD_TCP);
	}
}
END_TEST

START_TEST(a_data_offset_beyond_the_packet_is_bad)
{
	struct built b;
	struct packet p;

	for (unsigned words = 5; words <= 15; words++) {
		build_packet(&b, &(struct build_tcp){ .dst_port = 993 }, BYTES("12345678"));
		b.room[b.at + 20 + 12] = (uint8_t)(words << 4);
		/* Two words stand behind the header. */
		ck_assert_int_eq(
		    decode_built(BUILD_LINK_RAW, &b, &p), words <= 7 ? PACKET_TCP : PACKET_BAD_TCP);
		if (words <= 7)
			ck_assert_uint_eq(p.payload_len, 8 - 4 * (words - 5));
	}
}
END_TEST

START_TEST(options_that_the_capture_cut_leave_a_payload_of_known_length)
{
	struct built b;
	struct span all;
	struct packet p;

	build_packet(&b, &(struct build_tcp){ .dst_port = 993, .options_len = 40 }, PAYLOAD);
	all = build_bytes(&b);
	for (size_t len = 0; len < 40; len++)
		ck_assert_int_eq(
		    decode_cut(BUILD_LINK_RAW, span_first(all, len), all.len, &p), PACKET_CUT);
	for (size_t len = 40; len <= 80; len++) {
		ck_assert_int_eq(
		    decode_cut(BUILD_LINK_RAW, span_first(all, len), all.len, &p), PACKET_TCP);
		ck_assert_uint_eq(p.payload_len, PAYLOAD.len);
		ck_assert_uint_eq(p.payload.len, 0);
	}
}
END_TEST

#define OPENED(literal) "" literal, sizeof(literal) - 1

static const struct {
	uint8_t flags;
	const char *options; /* filled up with no-operations */
	size_t options_len;
	bool joins;
} opened[] = {
	{ TCP_SYN, OPENED("\x1e\x0c\x10\2\0\0\0\1\0\0\0\2"), true },
	{ TCP_SYN | TCP_ACK, OPENED("\x1e\x10\x10\2\0\0\0\1\0\0\0\2\0\0\0\3"), true },
	{ TCP_SYN, OPENED("\2\4\5\xb4\4\2\1\3\3\7\x1e\4\x1f\0"), true },
	{ TCP_SYN, OPENED("\2\2\x1e\3\x10"), true }, /* the shortest that tell */
	{ TCP_SYN, OPENED(""), false },
	{ TCP_ACK, OPENED("\x1e\x0c\x10\2\0\0\0\1\0\0\0\2"), false },
	{ TCP_SYN, OPENED("\x1e\4\1\1"), false },     /* MP_CAPABLE */
	{ TCP_SYN, OPENED("\0\x1e\4\x10\0"), false }, /* behind the last one */
	{ TCP_SYN, OPENED("\x1e\2\1\1"), false },     /* no subtype */
	{ TCP_SYN, OPENED("\2\1\x1e\3\x10"), false }, /* lengths that cannot be */
	{ TCP_SYN, OPENED("\2\0\x1e\3\x10"), false },
	{ TCP_SYN, OPENED("\2\xff\x1e\3\x10"), false },
	{ TCP_SYN, OPENED("\x1e\x0d\x10\2\0\0\0\1\0\0\0\2"), false },
	{ TCP_SYN, OPENED("\1\1\1\x1e"), false },
};

static void
decode_opened(int row, uint32_t link, struct packet *out)
{
	struct build_tcp tcp = { .dst_port = 993, .flags = opened[row].flags };
	struct built b;

	tcp.options_len = (uint8_t)((opened[row].options_len + 3) & ~(size_t)3);
	build_start(&b, PAYLOAD);
	build_tcp(&b, &tcp);
	memcpy(b.room + b.at + 20, opened[row].options, opened[row].options_len);
	(void)build_ipv4(&b, BUILD_PROTO_TCP);
	if (link == BUILD_LINK_ETHERNET)
		build_ethernet(&b, 0x0800);
	ck_assert_int_eq(decode_built(link, &b, out), PACKET_TCP);
}

#define DSS(len, flags) "\x1e" len "\x20" flags
#define ACK4 "\1\2\3\4"
#define MAP4 "\5\6\7\x8" /* a number of the data, or of this path */
#define ACK8 ACK4 ACK4
#define MAP8 MAP4 MAP4
#define TIMESTAMPS "\1\1\x8\x0a\0\0\0\1\0\0\0\2"

/* RFC 8684, section 3.3: the length is that of the payload, and one for the end. */
static const struct {
	uint8_t flags;
	size_t payload_len;
	const char *options;
	size_t options_len;
	bool ends;
} data_fin[] = {
	{ TCP_ACK, 0, OPENED(DSS("\x1a", "\x1f") ACK8 MAP8 MAP4 "\0\1"), true },
	{ TCP_ACK, 0, OPENED(DSS("\x1c", "\x1f") ACK8 MAP8 MAP4 "\0\1\xab\xcd"), true },
	{ TCP_ACK, 3, OPENED(DSS("\x1a", "\x1f") ACK8 MAP8 MAP4 "\0\4"), true },
	{ TCP_ACK, 3, OPENED(DSS("\x16", "\x1d") ACK4 MAP8 MAP4 "\0\4"), true },
	{ TCP_ACK, 3, OPENED(DSS("\x12", "\x15") ACK4 MAP4 MAP4 "\0\4"), true },
	{ TCP_ACK, 3, OPENED(DSS("\x0e", "\x14") MAP4 MAP4 "\0\4"), true },
	{ TCP_ACK, 3, OPENED("\x1e\4\x50\0" DSS("\x0e", "\x14") MAP4 MAP4 "\0\4"), true },
	{ TCP_ACK, 0, OPENED(TIMESTAMPS DSS("\x1a", "\x1f") ACK8 MAP8 MAP4 "\0\1"), true },
	/* A first segment of several, which have one mapping. */
	{ TCP_ACK, 3, OPENED(DSS("\x12", "\x15") ACK4 MAP4 MAP4 "\0\7"), false },
	{ TCP_ACK, 3, OPENED(DSS("\x12", "\x15") ACK4 MAP4 MAP4 "\0\3"), false },
	{ TCP_ACK, 3, OPENED(DSS("\x12", "\x05") ACK4 MAP4 MAP4 "\0\4"), false }, /* goes on */
	{ TCP_ACK, 3, OPENED(DSS("\x12", "\x11") ACK4 MAP4 MAP4 "\0\4"), false }, /* no mapping */
	{ TCP_ACK, 3, OPENED("\x1e\x12\x30\x15" ACK4 MAP4 MAP4 "\0\4"), false },  /* no DSS */
	{ TCP_SYN, 3, OPENED(DSS("\x12", "\x15") ACK4 MAP4 MAP4 "\0\4"), false },
	{ TCP_ACK, 3, OPENED(DSS("\x10", "\x15") ACK4 MAP4 MAP4 "\0\4"), false }, /* cut */
	{ TCP_ACK, 3, OPENED("\1\1\1\1\1\1\1\1\1\1\1\1\1\1\x1e\2"), false },
	{ TCP_ACK, 3, OPENED("\1\1\1\1\1\1\1\1\1\1\1\1\1\x1e\3\x20"), false },
	{ TCP_ACK, 0, OPENED(TIMESTAMPS), false },
};

START_TEST(the_end_of_the_data_on_all_paths_is_a_fin)
{
	static const uint32_t links[] = { BUILD_LINK_ETHERNET, BUILD_LINK_RAW };
	struct build_tcp tcp = { .dst_port = 993, .flags = data_fin[_i].flags };

	tcp.options_len = (uint8_t)((data_fin[_i].options_len + 3) & ~(size_t)3);
	for (size_t i = 0; i < 2; i++) {
		struct packet p;
		struct built b;

		build_start(&b, span_first(PAYLOAD, data_fin[_i].payload_len));
		build_tcp(&b, &tcp);
		memcpy(b.room + b.at + 20, data_fin[_i].options, data_fin[_i].options_len);
		(void)build_ipv4(&b, BUILD_PROTO_TCP);
		if (links[i] == BUILD_LINK_ETHERNET)
			build_ethernet(&b, 0x0800);
		ck_assert_int_eq(decode_built(links[i], &b, &p), PACKET_TCP);
		ck_assert_int_eq(p.flags, data_fin[_i].flags | (data_fin[_i].ends ? TCP_FIN : 0));
	}
}
END_TEST

START_TEST(a_syn_tells_whether_it_joins_a_connection)
{
	static const uint32_t links[] = { BUILD_LINK_ETHERNET, BUILD_LINK_RAW };

	/* The way of usual frames and that of all others. */
	for (size_t i = 0; i < 2; i++) {
		struct packet p = { .joins = !opened[_i].joins };

		decode_opened(_i, links[i], &p);
		ck_assert_int_eq(p.joins, opened[_i].joins);
	}
}
END_TEST

/* In options of each length at each place; numbers and payload are full of the option's kind. */
START_TEST(a_join_is_found_wherever_it_stands)
{
	size_t len = ((size_t)_i + 1) * 4;
	struct build_tcp tcp = {
		.dst_port = 993,
		.flags = TCP_SYN,
		.seq = 0x1e1e1e1e,
		.ack = 0x1e1e1e1e,
		.options_len = (uint8_t)len,
	};

	for (size_t at = 0; at <= len; at++) {
		struct packet p = { .joins = true };
		struct built b;

		build_start(&b, BYTES("\x1e\3\x10\x1e\3\x10"));
		build_tcp(&b, &tcp);
		if (at + 3 <= len)
			memcpy(b.room + b.at + 20 + at, "\x1e\3\x10", 3);
		(void)build_ipv4(&b, BUILD_PROTO_TCP);
		build_ethernet(&b, 0x0800);
		ck_assert_int_eq(decode_built(BUILD_LINK_ETHERNET, &b, &p), PACKET_TCP);
		ck_assert_int_eq(p.joins, at + 3 <= len);
	}
}
END_TEST

static enum packet_kind
decode_ports(uint16_t src_port, uint16_t dst_port, size_t captured_len)
{
	static struct service_set services;
	struct built b;
	struct frame frame = { .link_type = BUILD_LINK_RAW };
	struct packet p;

	service_set_init_defaults(&services);
	build_packet(
	    &b, &(struct build_tcp){ .src_port = src_port, .dst_port = dst_port }, PAYLOAD);
	frame.bytes = span_first(build_bytes(&b), captured_len);
	frame.wire_len = (uint32_t)build_bytes(&b).len;
	return packet_decode(&frame, &services, &p);
}

START_TEST(a_service_on_either_side_is_of_interest)
{
	ck_assert_int_eq(decode_ports(49152, 993, SIZE_MAX), PACKET_TCP);
	ck_assert_int_eq(decode_ports(993, 49152, SIZE_MAX), PACKET_TCP);
	ck_assert_int_eq(decode_ports(993, 995, SIZE_MAX), PACKET_TCP);
	ck_assert_int_eq(decode_ports(49152, 443, SIZE_MAX), PACKET_OTHER_PORT);
	ck_assert_int_eq(decode_ports(0, 0, SIZE_MAX), PACKET_OTHER_PORT);
	ck_assert_int_eq(decode_ports(65535, 65535, SIZE_MAX), PACKET_OTHER_PORT);
}
END_TEST

START_TEST(ports_are_enough_to_see_that_a_cut_packet_is_of_no_interest)
{
	for (size_t len = 0; len < 45; len++) {
		ck_assert_int_eq(
		    decode_ports(49152, 443, len), len < 24 ? PACKET_CUT : PACKET_OTHER_PORT);
		ck_assert_int_eq(decode_ports(49152, 993, len), len < 40 ? PACKET_CUT : PACKET_TCP);
	}
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_test(tc, every_field_is_in_host_order);
	tcase_add_test(tc, options_of_every_length_are_skipped);
	tcase_add_test(tc, a_data_offset_below_five_words_is_bad);
	tcase_add_test(tc, a_data_offset_beyond_the_packet_is_bad);
	tcase_add_test(tc, options_that_the_capture_cut_leave_a_payload_of_known_length);
	tcase_add_loop_test(tc, a_join_is_found_wherever_it_stands, 0, 10);
	tcase_add_loop_test(tc, the_end_of_the_data_on_all_paths_is_a_fin, 0,
	    (int)(sizeof(data_fin) / sizeof(data_fin[0])));
	tcase_add_loop_test(tc, a_syn_tells_whether_it_joins_a_connection, 0,
	    (int)(sizeof(opened) / sizeof(opened[0])));
	tcase_add_test(tc, a_service_on_either_side_is_of_interest);
	tcase_add_test(tc, ports_are_enough_to_see_that_a_cut_packet_is_of_no_interest);
}

SUITE_MAIN("packet_tcp")
