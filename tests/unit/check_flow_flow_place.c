#include "suite.h"

#include <string.h>

#include "base/addr.h"
#include "flow/flow_place.h"

#include "base/banned.h"

static const struct {
	uint8_t low[16], high[16];
	uint16_t low_port, high_port;
} pairs[] = {
	{ { 0x20, 0x01 }, { 0x20, 0x02 }, 993, 40000 },
	{ { 0x20, 0x01 }, { 0x20, 0x02 }, 40000, 993 },
	{ { 0x20, 0x01, [7] = 0xff }, { 0xfe, 0x80 }, 993, 40000 },
	{ { 0x20, 0x01, [15] = 0x7f }, { 0x20, 0x01, [15] = 0x80 }, 40000, 993 },
	{ { 0x20, 0x01, [8] = 1, [15] = 2 }, { 0x20, 0x01, [8] = 2, [15] = 1 }, 40000, 993 },
	{ { 0x20, 0x01, [7] = 1, [8] = 9 }, { 0x20, 0x01, [7] = 2, [8] = 8 }, 40000, 993 },
	{ { [15] = 1 }, { [15] = 1 }, 993, 40000 },
};

static struct packet
between(const uint8_t src[16], uint16_t src_port, const uint8_t dst[16], uint16_t dst_port)
{
	struct packet packet = { .src_port = src_port, .dst_port = dst_port };

	addr_set_v6(&packet.src, src);
	addr_set_v6(&packet.dst, dst);
	return packet;
}

START_TEST(both_ways_between_ipv6_endpoints_are_one_place_and_two_directions)
{
	const struct hash_key key = hash_key_fixed();
	struct packet up =
	    between(pairs[_i].low, pairs[_i].low_port, pairs[_i].high, pairs[_i].high_port);
	struct packet down =
	    between(pairs[_i].high, pairs[_i].high_port, pairs[_i].low, pairs[_i].low_port);
	struct packet other = up;

	other.src_port++;
	ck_assert_int_le(addr_compare(&up.src, &up.dst), 0);
	ck_assert_uint_eq(flow_place(&key, &up).dir, 0);
	ck_assert_uint_eq(flow_place(&key, &down).dir, 1);
	ck_assert(flow_place(&key, &up).hash == flow_place(&key, &down).hash);
	ck_assert(flow_place(&key, &up).hash != flow_place(&key, &other).hash);
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_loop_test(tc, both_ways_between_ipv6_endpoints_are_one_place_and_two_directions,
	    0, sizeof(pairs) / sizeof(pairs[0]));
}

SUITE_MAIN("flow_flow_place")
