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
	tcase_add_test(tc, a_service_on_either_side_is_of_interest);
	tcase_add_test(tc, ports_are_enough_to_see_that_a_cut_packet_is_of_no_interest);
}

SUITE_MAIN("packet_tcp")
