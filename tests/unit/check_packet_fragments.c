/* IP fragments: in any order, doubled, cut, overlapping, too many, too late. */
#include "suite.h"

#include "base/timestamp.h"
#include "base/xalloc.h"
#include "packet/decoder.h"
#include "packet/fragments.h"
#include "wrap.h"

#include "base/banned.h"

#define DATAGRAM_LEN 4000 /* of the IP payload, TCP header included */
#define SECOND USEC_PER_SEC

/* A TCP segment whose payload tells for each byte where it belongs. */
static void
make_segment(struct wrap *w, size_t len)
{
	uint8_t *bytes;

	wrap_init(w);
	bytes = wrap_front(w, len - 20);
	for (size_t i = 0; i < len - 20; i++)
		bytes[i] = (uint8_t)(i * 7 + i / 251);
	wrap_tcp(w, 4001, 993, 77);
}

struct part {
	uint16_t offset, len;
	bool more;
};

/* A frame with a piece of the datagram. */
static void
make_part(struct wrap *w, const struct wrap *whole, struct part part, uint16_t id, int family)
{
	wrap_init(w);
	wrap_bytes(w, span_from(whole->bytes + whole->begin + part.offset, part.len));
	if (family == 4) {
		wrap_ipv4_part(w, 1, 6, id, (uint16_t)(part.offset / 8 | (part.more ? 0x2000 : 0)));
		wrap_ethernet(w, 0x10, 0x0800);
		return;
	}
	put_u32(wrap_front(w, 4), id);
	put_u16(wrap_front(w, 2), (uint16_t)(part.offset | part.more));
	wrap_bytes(w, BYTES("\x06\x00"));
	wrap_ipv6(w, 1, 44);
	wrap_ethernet(w, 0x10, 0x86dd);
}

struct bench {
	struct packet_decoder *decoder;
	struct wrap whole, frame;
	struct packet packet;
	int64_t time_us;
	int family;
};

static struct bench *
bench_new(int family, const struct packet_options *options)
{
	struct bench *b = xcalloc(1, sizeof(*b));

	b->decoder = packet_decoder_new(NULL, options);
	b->family = family;
	make_segment(&b->whole, DATAGRAM_LEN);
	return b;
}

static void
bench_free(struct bench *b)
{
	packet_decoder_free(b->decoder);
	free(b);
}

static const struct packet_fragment_counters *
counters(const struct bench *b)
{
	return packet_decoder_fragments(b->decoder);
}

static enum packet_kind
give_cut(struct bench *b, struct part part, uint16_t id, size_t cut)
{
	struct frame f;

	make_part(&b->frame, &b->whole, part, id, b->family);
	f = wrap_frame(&b->frame, 1);
	f.bytes.len -= cut;
	f.time_us = b->time_us;
	return packet_decoder_decode(b->decoder, &f, &b->packet);
}

static enum packet_kind
give(struct bench *b, struct part part, uint16_t id)
{
	return give_cut(b, part, id, 0);
}

static void
assert_whole(const struct bench *b)
{
	const uint8_t *payload = b->whole.bytes + b->whole.begin + 20;

	ck_assert_uint_eq(b->packet.payload_len, DATAGRAM_LEN - 20);
	ck_assert(span_equals(b->packet.payload, span_from(payload, DATAGRAM_LEN - 20)));
	ck_assert_uint_eq(b->packet.src_port, 4001);
	ck_assert_int_eq(b->packet.src.family, b->family);
	ck_assert_uint_eq(b->packet.src_mac[5], 0x11);
}

static const struct part three[] = { { 0, 1480, true }, { 1480, 1480, true },
	{ 2960, 1040, false } };

static const int orders[6][3] = { { 0, 1, 2 }, { 0, 2, 1 }, { 1, 0, 2 }, { 1, 2, 0 }, { 2, 0, 1 },
	{ 2, 1, 0 } };

START_TEST(fragments_in_any_order_give_the_segment)
{
	struct bench *b = bench_new(_i < 6 ? 4 : 6, NULL);

	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(
		    give(b, three[orders[_i % 6][i]], 9), i == 2 ? PACKET_TCP : PACKET_FRAGMENT);
	assert_whole(b);
	ck_assert_uint_eq(counters(b)->seen, 3);
	ck_assert_uint_eq(counters(b)->reassembled, 1);
	packet_decoder_finish(b->decoder);
	ck_assert_uint_eq(counters(b)->timed_out, 0);
	bench_free(b);
}
END_TEST

/* A mirror that sees a packet twice sends its copy at once, or a while later. */
START_TEST(doubled_fragments_give_one_segment)
{
	struct bench *b = bench_new(_i < 6 ? 4 : 6, NULL);
	const int *order = orders[_i % 6];
	int whole = 0;

	for (int i = 0; i < 3; i++) {
		whole += give(b, three[order[i]], 9) == PACKET_TCP;
		whole += give(b, three[order[i]], 9) == PACKET_TCP;
	}
	for (int i = 0; i < 3; i++)
		whole += give(b, three[order[i]], 9) == PACKET_TCP;
	ck_assert_int_eq(whole, 1);
	ck_assert_uint_eq(counters(b)->duplicates, 6);
	packet_decoder_finish(b->decoder);
	ck_assert_uint_eq(counters(b)->timed_out, 0);
	ck_assert_uint_eq(counters(b)->overlapping, 0);
	bench_free(b);
}
END_TEST

START_TEST(identification_used_again_with_other_bytes_is_a_new_datagram)
{
	struct bench *b = bench_new(4, NULL);

	for (int round = 0; round < 5; round++) {
		for (int i = 0; i < 3; i++)
			ck_assert_int_eq(
			    give(b, three[i], 9), i == 2 ? PACKET_TCP : PACKET_FRAGMENT);
		assert_whole(b);
		for (size_t i = 0; i < DATAGRAM_LEN - 20; i++)
			b->whole.bytes[b->whole.begin + 20 + i]++;
	}
	ck_assert_uint_eq(counters(b)->reassembled, 5);
	ck_assert_uint_eq(counters(b)->overlapping, 0);
	bench_free(b);
}
END_TEST

START_TEST(identification_used_again_much_later_is_a_new_datagram)
{
	struct bench *b = bench_new(4, NULL);

	for (int i = 0; i < 6; i++) {
		ck_assert_int_eq(
		    give(b, three[i % 3], 9), i % 3 == 2 ? PACKET_TCP : PACKET_FRAGMENT);
		if (i == 2)
			b->time_us += 2 * SECOND;
	}
	ck_assert_uint_eq(counters(b)->reassembled, 2);
	ck_assert_uint_eq(counters(b)->duplicates, 0);
	bench_free(b);
}
END_TEST

/* RFC 5722: what is sent after an overlap is dropped too. */
static const struct {
	const char *name;
	struct part part;
} overlaps[] = {
	{ "begins inside the first", { 1472, 8, true } },
	{ "begins inside the first, goes on behind it", { 1472, 1488, true } },
	{ "lies inside the first", { 8, 8, true } },
	{ "covers the first", { 0, 1488, true } },
	{ "same begin, shorter", { 0, 1472, true } },
	{ "last one begins inside the last", { 2968, 1032, false } },
	{ "ends inside the last", { 2952, 16, true } },
	{ "another last one with another end", { 2960, 1000, false } },
	{ "last one in front of the last", { 1480, 8, false } },
	{ "same place, but not the last", { 2960, 1040, true } },
	{ "behind the end", { 4000, 0, true } }, /* filled in below: 8 bytes */
	{ "covers all of it", { 0, 4000, true } },
};
#define OVERLAP_COUNT ((int)(sizeof(overlaps) / sizeof(overlaps[0])))

START_TEST(overlap_spoils_the_datagram)
{
	struct bench *b = bench_new(_i % 2 == 0 ? 4 : 6, NULL);
	struct part part = overlaps[_i / 2].part;

	if (part.len == 0) {
		make_segment(&b->whole, DATAGRAM_LEN + 8);
		part.len = 8;
	}
	ck_assert_int_eq(give(b, three[0], 9), PACKET_FRAGMENT);
	ck_assert_int_eq(give(b, three[2], 9), PACKET_FRAGMENT);
	ck_assert_msg(give(b, part, 9) == PACKET_FRAGMENT, "%s", overlaps[_i / 2].name);
	ck_assert_msg(counters(b)->overlapping == 1, "%s", overlaps[_i / 2].name);
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(give(b, three[i], 9), PACKET_FRAGMENT);
	ck_assert_uint_eq(counters(b)->overlapping, 1);
	ck_assert_uint_eq(counters(b)->reassembled, 0);
	bench_free(b);
}
END_TEST

START_TEST(same_place_with_other_bytes_is_an_overlap)
{
	struct bench *b = bench_new(4, NULL);

	ck_assert_int_eq(give(b, three[0], 9), PACKET_FRAGMENT);
	b->whole.bytes[b->whole.begin + 1479] ^= 1;
	ck_assert_int_eq(give(b, three[0], 9), PACKET_FRAGMENT);
	ck_assert_uint_eq(counters(b)->overlapping, 1);
	bench_free(b);
}
END_TEST

START_TEST(last_fragment_in_front_of_another_one_is_an_overlap)
{
	struct bench *b = bench_new(4, NULL);

	ck_assert_int_eq(give(b, (struct part){ 2960, 1040, true }, 9), PACKET_FRAGMENT);
	ck_assert_int_eq(give(b, (struct part){ 1480, 1480, false }, 9), PACKET_FRAGMENT);
	ck_assert_uint_eq(counters(b)->overlapping, 1);
	bench_free(b);
}
END_TEST

START_TEST(fragments_of_other_datagrams_do_not_mix)
{
	struct bench *b = bench_new(_i == 0 ? 4 : 6, NULL);

	for (uint16_t id = 0; id < 100; id++)
		ck_assert_int_eq(give(b, three[0], id), PACKET_FRAGMENT);
	for (uint16_t id = 0; id < 100; id++)
		ck_assert_int_eq(give(b, three[2], id), PACKET_FRAGMENT);
	for (uint16_t id = 0; id < 100; id++) {
		ck_assert_int_eq(give(b, three[1], id), PACKET_TCP);
		assert_whole(b);
	}
	bench_free(b);
}
END_TEST

START_TEST(fragment_that_comes_too_late_completes_nothing)
{
	struct bench *b = bench_new(4, NULL);
	bool late = _i % 2 == 1;
	int64_t sign = _i < 2 ? 1 : -1; /* the clock may also be set back */

	b->time_us = _i < 4 ? 1000 * SECOND : INT64_MIN;
	ck_assert_int_eq(give(b, three[0], 9), PACKET_FRAGMENT);
	ck_assert_int_eq(give(b, three[1], 9), PACKET_FRAGMENT);
	if (_i < 4)
		b->time_us += sign * (30 * SECOND + late);
	else
		b->time_us = late ? INT64_MAX : INT64_MIN + 30 * SECOND;
	ck_assert_int_eq(give(b, three[2], 9), late ? PACKET_FRAGMENT : PACKET_TCP);
	ck_assert_uint_eq(counters(b)->timed_out, late);
	bench_free(b);
}
END_TEST

START_TEST(segment_whose_last_fragment_is_cut_keeps_its_length)
{
	struct bench *b = bench_new(_i == 0 ? 4 : 6, NULL);

	ck_assert_int_eq(give(b, three[0], 9), PACKET_FRAGMENT);
	ck_assert_int_eq(give(b, three[1], 9), PACKET_FRAGMENT);
	ck_assert_int_eq(give_cut(b, three[2], 9, 40), PACKET_TCP);
	ck_assert_uint_eq(b->packet.payload_len, DATAGRAM_LEN - 20);
	ck_assert_uint_eq(b->packet.payload.len, DATAGRAM_LEN - 20 - 40);
	bench_free(b);
}
END_TEST

START_TEST(segment_with_a_cut_fragment_in_the_middle_ends_there)
{
	struct bench *b = bench_new(4, NULL);

	ck_assert_int_eq(give(b, three[0], 9), PACKET_FRAGMENT);
	ck_assert_int_eq(give_cut(b, three[1], 9, 1480), PACKET_FRAGMENT);
	ck_assert_int_eq(give(b, three[2], 9), PACKET_TCP);
	ck_assert_uint_eq(b->packet.payload_len, DATAGRAM_LEN - 20);
	ck_assert_uint_eq(b->packet.payload.len, 1480 - 20);
	bench_free(b);
}
END_TEST

START_TEST(segment_with_a_cut_header_is_cut)
{
	struct bench *b = bench_new(4, NULL);

	ck_assert_int_eq(give_cut(b, three[0], 9, 1480 - 10), PACKET_FRAGMENT);
	ck_assert_int_eq(give(b, three[1], 9), PACKET_FRAGMENT);
	ck_assert_int_eq(give(b, three[2], 9), PACKET_CUT);
	bench_free(b);
}
END_TEST

START_TEST(cut_copy_of_a_fragment_is_a_duplicate_and_the_longer_one_counts)
{
	struct bench *b = bench_new(4, NULL);

	ck_assert_int_eq(give_cut(b, three[0], 9, _i == 0 ? 100 : 0), PACKET_FRAGMENT);
	ck_assert_int_eq(give_cut(b, three[0], 9, _i == 0 ? 0 : 100), PACKET_FRAGMENT);
	ck_assert_int_eq(give(b, three[1], 9), PACKET_FRAGMENT);
	ck_assert_int_eq(give(b, three[2], 9), PACKET_TCP);
	assert_whole(b);
	ck_assert_int_eq(give_cut(b, three[1], 9, 7), PACKET_FRAGMENT);
	ck_assert_uint_eq(counters(b)->duplicates, 2);
	bench_free(b);
}
END_TEST

START_TEST(atomic_fragment_is_a_whole_packet)
{
	struct bench *b = bench_new(6, NULL);

	ck_assert_int_eq(give(b, (struct part){ 0, DATAGRAM_LEN, false }, 9), PACKET_TCP);
	assert_whole(b);
	ck_assert_uint_eq(counters(b)->seen, 0);
	bench_free(b);
}
END_TEST

static const struct {
	const char *name;
	struct part part;
	enum packet_kind kind;
} bad_parts[] = {
	{ "no multiple of 8", { 0, 1001, true }, PACKET_BAD_IP },
	{ "empty", { 8, 0, true }, PACKET_BAD_IP },
	{ "empty last one", { 8, 0, false }, PACKET_BAD_IP },
	{ "one byte past the largest length", { 65528, 8, false }, PACKET_BAD_IP },
	{ "far past the largest length", { 65528, 1480, true }, PACKET_BAD_IP },
	{ "up to the largest length", { 65528, 7, false }, PACKET_FRAGMENT },
	{ "one byte", { 8, 1, false }, PACKET_FRAGMENT },
};
#define BAD_PART_COUNT ((int)(sizeof(bad_parts) / sizeof(bad_parts[0])))

START_TEST(fragment_that_cannot_be_is_bad)
{
	struct bench *b = bench_new(_i % 2 == 0 ? 4 : 6, NULL);
	struct part part = bad_parts[_i / 2].part;
	enum packet_kind kind;

	make_segment(&b->whole, 68000);
	kind = give(b, part, 9);
	ck_assert_msg(kind == bad_parts[_i / 2].kind, "%s: %s", bad_parts[_i / 2].name,
	    packet_kind_name(kind));
	bench_free(b);
}
END_TEST

START_TEST(largest_datagram_is_joined)
{
	struct bench *b = bench_new(4, NULL);
	enum packet_kind kind = PACKET_FRAGMENT;

	make_segment(&b->whole, 65535);
	for (size_t at = 0; at < 65535; at += 1480) {
		size_t len = at + 1480 < 65535 ? 1480 : 65535 - at;

		ck_assert_int_eq(kind, PACKET_FRAGMENT);
		kind = give(b, (struct part){ (uint16_t)at, (uint16_t)len, at + len < 65535 }, 9);
	}
	ck_assert_int_eq(kind, PACKET_TCP);
	ck_assert_uint_eq(b->packet.payload.len, 65535 - 20);
	bench_free(b);
}
END_TEST

START_TEST(datagram_in_too_many_pieces_is_dropped)
{
	struct bench *b = bench_new(4, NULL);
	uint16_t pieces = (uint16_t)(DATAGRAM_PIECES_MAX + _i);
	enum packet_kind kind = PACKET_OTHER;

	make_segment(&b->whole, pieces * 8u);
	for (uint16_t i = pieces; i > 0; i--)
		kind = give(b, (struct part){ (uint16_t)((i - 1) * 8), 8, i < pieces }, 9);
	ck_assert_int_eq(kind, _i == 0 ? PACKET_TCP : PACKET_FRAGMENT);
	ck_assert_uint_eq(counters(b)->too_many, (uint64_t)_i);
	bench_free(b);
}
END_TEST

START_TEST(protocol_that_is_not_walked_into_is_not_held)
{
	struct packet_decoder *decoder = packet_decoder_new(NULL, NULL);
	struct wrap w;
	struct frame f;
	struct packet p;

	wrap_init(&w);
	wrap_bytes(&w, BYTES("ICMP ..."));
	wrap_ipv4_part(&w, 1, 1, 9, 0x2000);
	wrap_ethernet(&w, 0x10, 0x0800);
	f = wrap_frame(&w, 1);
	ck_assert_int_eq(packet_decoder_decode(decoder, &f, &p), PACKET_FRAGMENT);
	packet_decoder_finish(decoder);
	ck_assert_uint_eq(packet_decoder_fragments(decoder)->timed_out, 0);
	ck_assert_uint_eq(packet_decoder_fragments(decoder)->seen, 0);
	packet_decoder_free(decoder);
}
END_TEST

/* The segment, in two fragments, in VXLAN, each frame of it again in two fragments. */
START_TEST(fragments_in_a_tunnel_in_fragments_are_joined)
{
	struct bench *b = bench_new(4, NULL);
	static const struct part two[] = { { 0, 2000, true }, { 2000, 2000, false } };
	struct wrap outer;
	struct frame f;
	enum packet_kind kind = PACKET_FRAGMENT;

	for (int i = 0; i < 4; i++) {
		size_t len, half = 1008;

		ck_assert_int_eq(kind, PACKET_FRAGMENT);
		make_part(&b->frame, &b->whole, two[i / 2], 9, 4);
		wrap_bytes(&b->frame, BYTES("\x08\x00\x00\x00\x00\x00\x2a\x00"));
		wrap_udp(&b->frame, 50000, 4789);
		len = wrap_len(&b->frame);
		wrap_init(&outer);
		wrap_bytes(&outer,
		    i % 2 == 0 ? span_from(b->frame.bytes + b->frame.begin, half)
			       : span_from(b->frame.bytes + b->frame.begin + half, len - half));
		wrap_ipv4_part(
		    &outer, 2, 17, (uint16_t)(i / 2), (uint16_t)(i % 2 == 0 ? 0x2000 : half / 8));
		wrap_ethernet(&outer, 0x20, 0x0800);
		f = wrap_frame(&outer, 1);
		kind = packet_decoder_decode(b->decoder, &f, &b->packet);
	}
	ck_assert_int_eq(kind, PACKET_TCP);
	assert_whole(b);
	ck_assert_uint_eq(counters(b)->reassembled, 3);
	bench_free(b);
}
END_TEST

/* A tunnel's first fragment is cut in front of the TCP header inside, and its last one is whole. */
START_TEST(header_in_a_tunnel_is_cut_by_any_fragment)
{
	struct bench *b = bench_new(4, NULL);
	static const size_t cuts[] = { 900, 0 };
	struct wrap outer;
	struct frame f;
	enum packet_kind kind = PACKET_FRAGMENT;

	make_part(&b->frame, &b->whole, (struct part){ 0, DATAGRAM_LEN, false }, 9, 4);
	wrap_bytes(&b->frame, BYTES("\x08\x00\x00\x00\x00\x00\x2a\x00"));
	wrap_udp(&b->frame, 50000, 4789);
	for (size_t i = 0; i < 2; i++) {
		size_t len = wrap_len(&b->frame), first = 960;

		ck_assert_int_eq(kind, PACKET_FRAGMENT);
		wrap_init(&outer);
		wrap_bytes(&outer,
		    i == 0 ? span_from(b->frame.bytes + b->frame.begin, first)
			   : span_from(b->frame.bytes + b->frame.begin + first, len - first));
		wrap_ipv4_part(&outer, 2, 17, 1, (uint16_t)(i == 0 ? 0x2000 : first / 8));
		wrap_ethernet(&outer, 0x20, 0x0800);
		f = wrap_frame(&outer, 1);
		f.bytes.len -= cuts[i];
		kind = packet_decoder_decode(b->decoder, &f, &b->packet);
	}
	ck_assert_int_eq(kind, PACKET_CUT);
	bench_free(b);
}
END_TEST

START_TEST(header_that_is_split_over_fragments_is_read)
{
	struct bench *b = bench_new(6, NULL);

	ck_assert_int_eq(give(b, (struct part){ 8, 3992, false }, 9), PACKET_FRAGMENT);
	ck_assert_int_eq(give(b, (struct part){ 0, 8, true }, 9), PACKET_TCP);
	assert_whole(b);
	bench_free(b);
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_loop_test(tc, fragments_in_any_order_give_the_segment, 0, 12);
	tcase_add_loop_test(tc, doubled_fragments_give_one_segment, 0, 12);
	tcase_add_test(tc, identification_used_again_with_other_bytes_is_a_new_datagram);
	tcase_add_test(tc, identification_used_again_much_later_is_a_new_datagram);
	tcase_add_loop_test(tc, overlap_spoils_the_datagram, 0, 2 * OVERLAP_COUNT);
	tcase_add_test(tc, same_place_with_other_bytes_is_an_overlap);
	tcase_add_test(tc, last_fragment_in_front_of_another_one_is_an_overlap);
	tcase_add_loop_test(tc, fragments_of_other_datagrams_do_not_mix, 0, 2);
	tcase_add_loop_test(tc, fragment_that_comes_too_late_completes_nothing, 0, 6);
	tcase_add_loop_test(tc, segment_whose_last_fragment_is_cut_keeps_its_length, 0, 2);
	tcase_add_test(tc, segment_with_a_cut_fragment_in_the_middle_ends_there);
	tcase_add_test(tc, segment_with_a_cut_header_is_cut);
	tcase_add_loop_test(
	    tc, cut_copy_of_a_fragment_is_a_duplicate_and_the_longer_one_counts, 0, 2);
	tcase_add_test(tc, atomic_fragment_is_a_whole_packet);
	tcase_add_loop_test(tc, fragment_that_cannot_be_is_bad, 0, 2 * BAD_PART_COUNT);
	tcase_add_test(tc, largest_datagram_is_joined);
	tcase_add_loop_test(tc, datagram_in_too_many_pieces_is_dropped, 0, 2);
	tcase_add_test(tc, protocol_that_is_not_walked_into_is_not_held);
	tcase_add_test(tc, fragments_in_a_tunnel_in_fragments_are_joined);
	tcase_add_test(tc, header_in_a_tunnel_is_cut_by_any_fragment);
	tcase_add_test(tc, header_that_is_split_over_fragments_is_read);
}

SUITE_MAIN("packet_fragments")
