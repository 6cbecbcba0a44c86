/*
 * wrapped_segment - one TCP segment to be wrapped, and what has to come out of every wrapping of
 * it.
 */
#ifndef TLSTALLY_TESTS_WRAPPED_SEGMENT_H
#define TLSTALLY_TESTS_WRAPPED_SEGMENT_H

#include "packet/decoder.h"
#include "packet/packet.h"
#include "suite.h"
#include "wrap.h"

struct wrapping {
	const char *name;
	void (*build)(struct wrap *w);
	uint8_t family;
	bool ethernet_inside;
	int32_t vlan;
};

/* Of this suite: see wrapped_add_tests. */
static const struct wrapping *wrapped_rows;

static const char text[] = "mail server, client";

/* The innermost packet: 10.1.0.1:4001 > 10.1.0.2:993 or 2001:db8:1::1 > 2001:db8:1::2. */
static inline void
inner_ipv4(struct wrap *w)
{
	wrap_init(w);
	wrap_bytes(w, span_from_text(text));
	wrap_tcp(w, 4001, 993, 77);
	wrap_ipv4(w, 1, 6);
}

static inline void
inner_ipv6(struct wrap *w)
{
	wrap_init(w);
	wrap_bytes(w, span_from_text(text));
	wrap_tcp(w, 4001, 993, 77);
	wrap_ipv6(w, 1, 6);
}

static inline void
inner_ethernet(struct wrap *w)
{
	inner_ipv4(w);
	wrap_ethernet(w, 0x10, 0x0800);
}

static inline void
around_ipv4(struct wrap *w, uint8_t proto)
{
	wrap_ipv4(w, 9, proto);
	wrap_ethernet(w, 0x90, 0x0800);
}

static inline void
around_udp(struct wrap *w, uint16_t port)
{
	wrap_udp(w, 50000, port);
	around_ipv4(w, 17);
}

static inline void
around_gre(struct wrap *w, struct span header)
{
	wrap_bytes(w, header);
	around_ipv4(w, 47);
}

static inline void
assert_is_inner(const struct packet *p, uint8_t family, const char *name)
{
	static const uint8_t v4[2][4] = { { 10, 1, 0, 1 }, { 10, 1, 0, 2 } };
	struct addr src = addr_from_v4(v4[0]), dst = addr_from_v4(v4[1]);

	if (family == 6) {
		ck_assert(addr_from_text("2001:db8:1::1", &src));
		ck_assert(addr_from_text("2001:db8:1::2", &dst));
	}
	ck_assert_msg(addr_equals(&p->src, &src) && addr_equals(&p->dst, &dst), "%s", name);
	ck_assert_uint_eq(p->src_port, 4001);
	ck_assert_uint_eq(p->dst_port, 993);
	ck_assert_uint_eq(p->seq, 77);
}

START_TEST(wrapped_segment_is_found)
{
	const struct wrapping *row = &wrapped_rows[_i];
	struct wrap w;
	struct frame f;
	struct packet p;
	enum packet_kind kind;

	row->build(&w);
	f = wrap_frame(&w, 1);
	kind = packet_decode(&f, NULL, &p);
	ck_assert_msg(kind == PACKET_TCP, "%s: %s", row->name, packet_kind_name(kind));
	assert_is_inner(&p, row->family, row->name);
	ck_assert_msg(span_equals(p.payload, span_from_text(text)), "%s", row->name);
	ck_assert_uint_eq(p.payload_len, p.payload.len);
	ck_assert_msg(p.vlan == row->vlan, "%s: vlan %d", row->name, (int)p.vlan);
	if (row->ethernet_inside)
		ck_assert_msg(p.src_mac[5] == 0x11, "%s", row->name);
}
END_TEST

START_TEST(wrapped_segment_with_padding_and_checksum_behind_is_the_same)
{
	const struct wrapping *row = &wrapped_rows[_i];
	struct wrap w, padded;
	struct frame f;
	struct packet p;

	row->build(&w);
	wrap_init(&padded);
	wrap_bytes(&padded, BYTES("\x45\0\0\0\0\0\0\0FCS!"));
	wrap_bytes(&padded, span_from(w.bytes + w.begin, wrap_len(&w)));
	f = wrap_frame(&padded, 1);
	ck_assert_int_eq(packet_decode(&f, NULL, &p), PACKET_TCP);
	assert_is_inner(&p, row->family, row->name);
	ck_assert_msg(span_equals(p.payload, span_from_text(text)), "%s", row->name);
}
END_TEST

/* A guess may fail where what it would go by is cut, but never to something that is not there. */
START_TEST(wrapped_segment_that_the_capture_cut_is_cut_or_short)
{
	const struct wrapping *row = &wrapped_rows[_i];
	struct wrap w;
	struct frame f;
	struct packet p;
	size_t shorter = 0;

	row->build(&w);
	f = wrap_frame(&w, 1);
	while (f.bytes.len > 0) {
		enum packet_kind kind;

		f.bytes.len--;
		kind = packet_decode(&f, NULL, &p);
		if (kind == PACKET_TCP) {
			shorter++;
			assert_is_inner(&p, row->family, row->name);
			ck_assert_uint_eq(p.payload_len, sizeof(text) - 1);
			ck_assert(span_equals(
			    p.payload, span_first(span_from_text(text), p.payload.len)));
		} else {
			ck_assert_msg(kind == PACKET_CUT || kind == PACKET_OTHER, "%s at %zu: %s",
			    row->name, f.bytes.len, packet_kind_name(kind));
		}
	}
	ck_assert_msg(shorter >= sizeof(text) - 1, "%s: %zu", row->name, shorter);
}
END_TEST

START_TEST(wrapped_segment_that_ends_early_gives_no_other_addresses)
{
	const struct wrapping *row = &wrapped_rows[_i];
	struct wrap w;
	struct frame f;
	struct packet p;

	row->build(&w);
	f = wrap_frame(&w, 1);
	while (f.bytes.len > 0) {
		f.bytes.len--;
		f.wire_len--;
		if (packet_decode(&f, NULL, &p) == PACKET_TCP)
			assert_is_inner(&p, row->family, row->name);
	}
}
END_TEST

/* Header fields of every value in turn: nothing but no crash is asked for. */
START_TEST(wrapped_segment_with_one_byte_changed_is_decoded_without_harm)
{
	const struct wrapping *row = &wrapped_rows[_i];
	struct wrap w;
	struct frame f;
	struct packet p;
	size_t kinds[PACKET_KIND_COUNT] = { 0 };

	row->build(&w);
	f = wrap_frame(&w, 1);
	for (size_t i = w.begin; i < sizeof(w.bytes); i++) {
		uint8_t keep = w.bytes[i];

		for (unsigned v = 0; v < 256; v++) {
			enum packet_kind kind;

			w.bytes[i] = (uint8_t)v;
			kind = packet_decode(&f, NULL, &p);
			ck_assert_uint_lt(kind, PACKET_KIND_COUNT);
			kinds[kind]++;
			if (kind == PACKET_TCP)
				ck_assert_uint_le(p.payload.len, p.payload_len);
		}
		w.bytes[i] = keep;
	}
	ck_assert_uint_gt(kinds[PACKET_TCP], 0);
	ck_assert_uint_gt(kinds[PACKET_OTHER], 0);
}
END_TEST

/* What has to be so of each row. */
static inline void
wrapped_add_tests(TCase *tc, const struct wrapping *rows, int count)
{
	wrapped_rows = rows;
	tcase_add_loop_test(tc, wrapped_segment_is_found, 0, count);
	tcase_add_loop_test(
	    tc, wrapped_segment_with_padding_and_checksum_behind_is_the_same, 0, count);
	tcase_add_loop_test(tc, wrapped_segment_that_the_capture_cut_is_cut_or_short, 0, count);
	tcase_add_loop_test(tc, wrapped_segment_that_ends_early_gives_no_other_addresses, 0, count);
	tcase_add_loop_test(
	    tc, wrapped_segment_with_one_byte_changed_is_decoded_without_harm, 0, count);
}

static inline enum packet_kind
wrapped_kind(const struct wrap *w)
{
	struct frame f = wrap_frame(w, 1);
	struct packet p;

	return packet_decode(&f, NULL, &p);
}

#endif
