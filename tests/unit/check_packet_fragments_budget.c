/* How much memory fragments may take, and what gives way. */
#include "suite.h"

#include "base/timestamp.h"
#include "packet/decoder.h"
#include "packet/fragments.h"
#include "wrap.h"

#include "base/banned.h"

#define SECOND USEC_PER_SEC

static struct fragment
fragment(uint32_t id, uint32_t offset, struct span bytes, bool more)
{
	static const uint8_t src[4] = { 10, 0, 0, 1 }, dst[4] = { 10, 0, 0, 2 };

	return (struct fragment){
		.src = addr_from_v4(src),
		.dst = addr_from_v4(dst),
		.id = id,
		.proto = 6,
		.more = more,
		.offset = offset,
		.wire_len = (uint32_t)bytes.len,
		.bytes = bytes,
		.time_us = 5 * SECOND,
	};
}

START_TEST(oldest_datagram_gives_way_and_is_counted)
{
	struct packet_options options = { .fragment_datagrams_max = 10 };
	struct fragment_table *t = fragment_table_new(&options);
	struct fragment_whole whole;
	struct fragment f;

	for (uint32_t id = 0; id < 12; id++) {
		f = fragment(id, 0, BYTES("12345678"), true);
		ck_assert(!fragment_table_add(t, &f, &whole));
	}
	ck_assert_uint_eq(fragment_table_counters(t)->evicted, 2);
	for (uint32_t id = 2; id < 12; id++) {
		f = fragment(id, 8, BYTES("9"), false);
		ck_assert(fragment_table_add(t, &f, &whole));
		ck_assert(span_equals(whole.bytes, BYTES("123456789")));
	}
	/* Those that are joined already make room without a loss. */
	for (uint32_t id = 20; id < 30; id++) {
		f = fragment(id, 0, BYTES("12345678"), true);
		ck_assert(!fragment_table_add(t, &f, &whole));
	}
	ck_assert_uint_eq(fragment_table_counters(t)->evicted, 2);
	fragment_table_finish(t);
	ck_assert_uint_eq(fragment_table_counters(t)->timed_out, 10);
	ck_assert_uint_eq(fragment_table_held_len(t), 0);
	fragment_table_free(t);
}
END_TEST

START_TEST(flood_of_fragments_stays_within_the_budget)
{
	struct packet_options options = { .fragment_bytes_max = 100000 };
	struct fragment_table *t = fragment_table_new(&options);
	static const uint8_t bytes[1480];
	struct fragment_whole whole;

	for (uint32_t i = 0; i < 20000; i++) {
		size_t len = _i == 0 ? sizeof(bytes) : 8;
		struct fragment f =
		    fragment(_i == 2 ? i / 300 : i, i % 300 * 8, span_from(bytes, len), true);

		ck_assert(!fragment_table_add(t, &f, &whole));
		ck_assert_uint_le(fragment_table_held_len(t), options.fragment_bytes_max);
	}
	ck_assert_uint_gt(
	    fragment_table_counters(t)->evicted + fragment_table_counters(t)->too_many, 0);
	fragment_table_free(t);
}
END_TEST

START_TEST(datagram_larger_than_the_budget_is_evicted)
{
	struct packet_options options = { .fragment_bytes_max = 1000 };
	struct fragment_table *t = fragment_table_new(&options);
	static const uint8_t bytes[1480];
	struct fragment_whole whole;
	struct fragment f = fragment(1, 0, span_from(bytes, sizeof(bytes)), true);

	ck_assert(!fragment_table_add(t, &f, &whole));
	ck_assert_uint_eq(fragment_table_held_len(t), 0);
	ck_assert_uint_eq(fragment_table_counters(t)->evicted, 1);
	fragment_table_free(t);
}
END_TEST

START_TEST(next_header_is_that_of_the_first_fragment)
{
	struct fragment_table *t = fragment_table_new(&(struct packet_options){ 0 });
	struct fragment_whole whole;
	struct fragment f = fragment(1, 8, BYTES("9"), false);

	ck_assert(addr_from_text("2001:db8::1", &f.src));
	f.proto = 17;
	ck_assert(!fragment_table_add(t, &f, &whole));
	f.offset = 0;
	f.bytes = BYTES("12345678");
	f.wire_len = 8;
	f.more = true;
	f.proto = 6;
	ck_assert(fragment_table_add(t, &f, &whole));
	ck_assert_uint_eq(whole.proto, 6);
	fragment_table_free(t);
}
END_TEST

START_TEST(key_is_addresses_identification_and_protocol)
{
	struct fragment_table *t = fragment_table_new(&(struct packet_options){ 0 });
	struct fragment_whole whole;
	struct fragment f = fragment(1, 0, BYTES("12345678"), true);

	ck_assert(!fragment_table_add(t, &f, &whole));
	f = fragment(1, 8, BYTES("9"), false);
	switch (_i) {
	case 0:
		f.id = 1 << 16 | 1;
		break;
	case 1:
		f.src.bytes[3]++;
		break;
	case 2:
		f.dst.bytes[3]++;
		break;
	case 3:
		f.proto = 17;
		break;
	default:
		f.src.family = f.dst.family = 6;
		break;
	}
	ck_assert(!fragment_table_add(t, &f, &whole));
	f = fragment(1, 8, BYTES("9"), false);
	ck_assert(fragment_table_add(t, &f, &whole));
	fragment_table_free(t);
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_test(tc, oldest_datagram_gives_way_and_is_counted);
	tcase_add_loop_test(tc, flood_of_fragments_stays_within_the_budget, 0, 3);
	tcase_add_test(tc, datagram_larger_than_the_budget_is_evicted);
	tcase_add_test(tc, next_header_is_that_of_the_first_fragment);
	tcase_add_loop_test(tc, key_is_addresses_identification_and_protocol, 0, 5);
}

SUITE_MAIN("packet_fragments_budget")
