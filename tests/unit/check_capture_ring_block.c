#include "capture/ring_block.h"

#include <linux/if_ether.h>
#include <linux/if_packet.h>

#include "suite.h"

#include "base/banned.h"

#define FRAMES_MAX 100
/* Where the kernel puts the frame, behind its headers. */
#define MAC_AT 86
#define FIRST_AT 48
#define SENDER_AT 48

static _Alignas(64) uint8_t block[65536];

/* What the kernel says of a frame. */
struct given {
	const char *text;
	uint32_t len; /* on the wire; 0: that of the text */
	uint32_t flags;
	uint16_t tag, tag_type;
	uint8_t sender; /* PACKET_* */
};

static struct frame seen[FRAMES_MAX];
static size_t seen_count, calls;

static void
note(void *arg, const struct frame *frames, size_t count)
{
	ck_assert_ptr_eq(arg, block);
	ck_assert_uint_gt(count, 0);
	ck_assert_uint_le(count, RING_BATCH);
	calls++;
	for (size_t i = 0; i < count; i++)
		seen[seen_count++] = frames[i];
}

/* Writes a block as the kernel does: each frame says where the next one is, the last one nothing.
 */
static void
fill(const struct given *frames, size_t count)
{
	struct tpacket_block_desc *desc = (struct tpacket_block_desc *)(void *)block;
	uint8_t *at = block + FIRST_AT;

	memset(block, 0xee, sizeof(block));
	desc->hdr.bh1.num_pkts = (uint32_t)count;
	desc->hdr.bh1.offset_to_first_pkt = FIRST_AT;
	for (size_t i = 0; i < count; i++) {
		const struct given *g = &frames[i];
		uint32_t len = (uint32_t)strlen(g->text), room = (MAC_AT + len + 7) / 8 * 8;
		struct tpacket3_hdr header = {
			.tp_next_offset = i + 1 < count ? room : 0,
			.tp_sec = 7,
			.tp_nsec = 1000 * (uint32_t)i + 999,
			.tp_snaplen = len,
			.tp_len = g->len > 0 ? g->len : len,
			.tp_status = g->flags,
			.hv1 = { .tp_vlan_tci = g->tag, .tp_vlan_tpid = g->tag_type },
			.tp_mac = MAC_AT,
		};
		const struct sockaddr_ll sender = { .sll_pkttype = g->sender };

		memcpy(at, &header, sizeof(header));
		memcpy(at + SENDER_AT, &sender, sizeof(sender));
		memcpy(at + MAC_AT, g->text, len);
		at += room;
	}
}

static size_t
read_block(bool skips_outgoing)
{
	const struct ring_block_options options = {
		.link_type = 1,
		.source = 9,
		.skips_outgoing = skips_outgoing,
	};

	seen_count = calls = 0;
	return ring_block_read(block, &options, note, block);
}

static bool
has_text(const struct frame *f, const char *text)
{
	return span_equals(f->bytes, span_from_text(text));
}

START_TEST(frames_come_in_order_where_they_lie)
{
	static const struct given frames[] = { { .text = "one" },
		{ .text = "the second", .len = 60 }, { .text = "" } };

	fill(frames, 3);
	ck_assert_uint_eq(read_block(false), 3);
	ck_assert_uint_eq(seen_count, 3);
	ck_assert_uint_eq(calls, 1);
	ck_assert(has_text(&seen[0], "one"));
	ck_assert(has_text(&seen[1], "the second"));
	ck_assert(has_text(&seen[2], ""));
	ck_assert_ptr_eq(seen[0].bytes.data, block + FIRST_AT + MAC_AT);
	ck_assert_uint_eq(seen[0].wire_len, 3);
	ck_assert_uint_eq(seen[1].wire_len, 60);
	ck_assert_uint_eq(seen[1].link_type, 1);
	ck_assert_uint_eq(seen[1].source, 9);
	ck_assert_int_eq(seen[0].time_us, 7000000);
	ck_assert_int_eq(seen[2].time_us, 7000002);
}
END_TEST

START_TEST(many_frames_come_in_several_batches)
{
	struct given frames[RING_BATCH + 1];

	for (size_t i = 0; i < RING_BATCH + 1; i++)
		frames[i] = (struct given){ .text = "abc" };
	fill(frames, RING_BATCH);
	ck_assert_uint_eq(read_block(false), RING_BATCH);
	ck_assert_uint_eq(calls, 1);
	fill(frames, RING_BATCH + 1);
	ck_assert_uint_eq(read_block(false), RING_BATCH + 1);
	ck_assert_uint_eq(calls, 2);
	ck_assert_int_eq(seen[RING_BATCH].time_us, 7000000 + RING_BATCH);
}
END_TEST

START_TEST(an_empty_block_gives_nothing)
{
	fill(NULL, 0);
	ck_assert_uint_eq(read_block(false), 0);
	ck_assert_uint_eq(calls, 0);
}
END_TEST

START_TEST(a_tag_that_was_taken_out_is_put_back)
{
	static const struct given frames[] = {
		{ .text = "DESTINSOURCE\x08\x01payload",
		    .len = 1000,
		    .flags = TP_STATUS_VLAN_VALID,
		    .tag = 0x6162 },
		{ .text = "DESTINSOURCE\x08\x01payload",
		    .flags = TP_STATUS_VLAN_VALID | TP_STATUS_VLAN_TPID_VALID,
		    .tag = 0x6364,
		    .tag_type = ETH_P_8021AD },
		{ .text = "DESTINSOURCE\x08\x01payload", .tag = 0x6566 },
	};

	fill(frames, 3);
	ck_assert_uint_eq(read_block(false), 3);
	ck_assert(span_equals(seen[0].bytes, span_from("DESTINSOURCE\x81\x00"
						       "ab\x08\x01payload",
						 25)));
	ck_assert_uint_eq(seen[0].wire_len, 1004);
	ck_assert(span_equals(seen[1].bytes, span_from("DESTINSOURCE\x88\xa8"
						       "cd\x08\x01payload",
						 25)));
	ck_assert_uint_eq(seen[1].wire_len, 25);
	ck_assert(has_text(&seen[2], "DESTINSOURCE\x08\x01payload"));
}
END_TEST

START_TEST(a_frame_that_ends_within_its_addresses_has_no_place_for_a_tag)
{
	static const struct given frame = {
		.text = "DESTINSOURC",
		.flags = TP_STATUS_VLAN_VALID,
		.tag = 0x6162,
	};

	fill(&frame, 1);
	ck_assert_uint_eq(read_block(false), 1);
	ck_assert(has_text(&seen[0], "DESTINSOURC"));
}
END_TEST

START_TEST(of_a_loopback_only_what_comes_in_counts)
{
	static const struct given frames[] = {
		{ .text = "sent", .sender = PACKET_OUTGOING },
		{ .text = "got", .sender = PACKET_HOST },
		{ .text = "sent again", .sender = PACKET_OUTGOING },
	};

	fill(frames, 3);
	ck_assert_uint_eq(read_block(true), 1);
	ck_assert(has_text(&seen[0], "got"));
	ck_assert_uint_eq(read_block(false), 3);
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_test(tc, frames_come_in_order_where_they_lie);
	tcase_add_test(tc, many_frames_come_in_several_batches);
	tcase_add_test(tc, an_empty_block_gives_nothing);
	tcase_add_test(tc, a_tag_that_was_taken_out_is_put_back);
	tcase_add_test(tc, a_frame_that_ends_within_its_addresses_has_no_place_for_a_tag);
	tcase_add_test(tc, of_a_loopback_only_what_comes_in_counts);
}

SUITE_MAIN("capture_ring_block")
