#include "suite.h"

#include "capture_files.h"

#include "base/banned.h"

#define T0 INT64_C(1700000000000000)
#define TIME_MAX_US INT64_C(253402300799999999)

static const bool orders[] = { false, true };

START_TEST(both_byte_orders_give_the_same_packets)
{
	bool little = orders[_i];
	struct buf b = { 0 };
	struct reading all;

	put_section(&b, little);
	put_interface(&b, little, 276, 262144, NULL);
	for (unsigned i = 0; i < 4; i++)
		put_enhanced(&b, little, 0, (uint64_t)T0 + i, i, 60 + i);
	all = read_all(buf_span(&b));
	ck_assert_msg(all.ended == READER_END, "%s", all.error.text);
	ck_assert_uint_eq(all.count, 4);
	ck_assert(all.all_as_made);
	for (unsigned i = 0; i < 4; i++) {
		ck_assert_int_eq(all.frames[i].time_us, T0 + i);
		ck_assert_uint_eq(all.frames[i].bytes.len, 60 + i);
		ck_assert_uint_eq(all.frames[i].link_type, 276);
	}
	buf_release(&b);
}
END_TEST

/* The interfaces of a section are its own, and so is its byte order. */
START_TEST(sections_follow_each_other)
{
	struct buf b = { 0 };
	struct reading all;

	put_section(&b, true);
	put_interface(&b, true, 1, 0, NULL);
	put_interface(&b, true, 101, 0, NULL);
	put_enhanced(&b, true, 1, (uint64_t)T0, 0, 60);
	put_section(&b, false);
	put_enhanced(&b, false, 0, (uint64_t)T0, 99, 60); /* no interface is described yet */
	put_interface(&b, false, 113, 0, NULL);
	put_enhanced(&b, false, 0, (uint64_t)T0 + 1, 1, 60);
	put_enhanced(&b, false, 1, (uint64_t)T0 + 2, 99, 60); /* ... and number 1 was the other's */
	put_section(&b, true);
	put_interface(&b, true, 1, 0, NULL);
	put_enhanced(&b, true, 0, (uint64_t)T0 + 3, 2, 60);
	all = read_all(buf_span(&b));
	ck_assert_msg(all.ended == READER_END, "%s", all.error.text);
	ck_assert_uint_eq(all.count, 3);
	ck_assert(all.all_as_made);
	ck_assert_uint_eq(all.left_out_count, 2);
	ck_assert_uint_eq(all.frames[0].link_type, 101);
	ck_assert_uint_eq(all.frames[1].link_type, 113);
	ck_assert_uint_eq(all.frames[2].link_type, 1);
	buf_release(&b);
}
END_TEST

START_TEST(frames_in_a_row_end_before_a_time_and_where_a_block_is_no_packet)
{
	struct frame frames[8], next;
	struct reader reader;
	struct buf b = { 0 };

	put_pcapng(&b, T0, 1, 10, 60);
	put_interface(&b, true, 101, 0, NULL);
	put_enhanced(&b, true, 1, (uint64_t)T0 + 10, 10, 60);
	ck_assert(reader_open_memory(&reader, buf_span(&b), WINDOW_LEN_SMALL) == READER_OPEN);
	reader.number = 7;
	ck_assert(reader_advance(&reader, &next) == READER_FRAME);
	ck_assert_uint_eq(reader_next_many(&reader, frames, 8, T0 + 1), 0);
	ck_assert_uint_eq(reader_next_many(&reader, frames, 8, T0 + 4), 3);
	ck_assert_uint_eq(reader_next_many(&reader, frames + 3, 2, INT64_MAX), 2);
	for (unsigned i = 0; i < 5; i++) {
		ck_assert(packet_bytes_are(frames[i].bytes, i + 1, 60));
		ck_assert_int_eq(frames[i].time_us, T0 + i + 1);
		ck_assert_uint_eq(frames[i].source, 7);
	}
	ck_assert_uint_eq(reader.packet_count, 6);
	ck_assert(reader_next(&reader, &next) == READER_FRAME);
	ck_assert_int_eq(next.time_us, T0 + 6);
	ck_assert_uint_eq(reader_next_many(&reader, frames, 8, INT64_MAX), 3);
	ck_assert(reader_next(&reader, &next) == READER_FRAME);
	ck_assert_uint_eq(next.link_type, 101);
	ck_assert_uint_eq(reader.packet_count, 11);
	ck_assert(reader_advance(&reader, &next) == READER_END);
	reader_close(&reader);
	buf_release(&b);
}
END_TEST

static const struct {
	const char *name;
	int resolution; /* -1: no option */
	int64_t offset_s;
	uint64_t ticks;
	int64_t time_us;
} times[] = {
	{ "no option", -1, 0, 1700000000000001, 1700000000000001 },
	{ "microseconds", 6, 0, 1700000000000001, 1700000000000001 },
	{ "nanoseconds", 9, 0, 1700000000000001999, 1700000000000001 },
	{ "milliseconds", 3, 0, 1700000000001, 1700000000001000 },
	{ "seconds", 0, 0, 1700000000, 1700000000000000 },
	{ "picoseconds", 12, 0, 3000001, 3 },
	{ "ten to the minus 19", 19, 0, 20000000000001, 2 },
	{ "ten to the minus 25", 25, 0, UINT64_MAX, 1 },
	{ "ten to the minus 127", 127, 0, 1000, 0 },
	{ "two to the minus 0", 0x80, 0, 5, 5000000 },
	{ "two to the minus 1", 0x81, 0, 5, 2500000 },
	{ "two to the minus 20", 0x80 | 20, 0, (7 << 20) + (1 << 19), 7500000 },
	{ "two to the minus 32", 0x80 | 32, 0, UINT64_C(0x6553f10040000000), 1700000000250000 },
	{ "two to the minus 60", 0x80 | 60, 0, UINT64_C(3) << 59, 1500000 },
	{ "two to the minus 64", 0x80 | 64, 0, UINT64_C(1) << 63, 500000 },
	{ "two to the minus 127", 0xff, 0, UINT64_MAX, 0 },
	{ "with an offset", 6, 1700000000, 1, 1700000000000001 },
	{ "with an offset back", 6, -10, 1700000010000000, 1700000000000000 },
	{ "before 1970", 6, -10, 1, 0 },
	{ "beyond every year", 6, 0, UINT64_MAX, TIME_MAX_US },
	{ "seconds beyond every year", 0, 0, UINT64_MAX, TIME_MAX_US },
	{ "binary beyond every year", 0x80, 0, UINT64_MAX, TIME_MAX_US },
	{ "largest offset", 6, INT64_MAX, UINT64_MAX, TIME_MAX_US },
	{ "smallest offset", 6, INT64_MIN, 1, 0 },
};

START_TEST(time_follows_from_resolution_and_offset)
{
	for (int little = 0; little < 2; little++) {
		struct buf b = { 0 }, options = { 0 };
		uint64_t offset = (uint64_t)times[_i].offset_s;
		struct reading all;

		put_u16(&options, little, 2); /* if_name, to be passed over */
		put_u16(&options, little, 5);
		buf_add(&options, "eth10\0\0\0", 8);
		if (times[_i].resolution >= 0) {
			put_u16(&options, little, 9);
			put_u16(&options, little, 1);
			buf_add_char(&options, (char)times[_i].resolution);
			put_zeros(&options, 3);
		}
		if (offset != 0) {
			put_u16(&options, little, 14);
			put_u16(&options, little, 8);
			put_u32(&options, little, (uint32_t)(little ? offset : offset >> 32));
			put_u32(&options, little, (uint32_t)(little ? offset >> 32 : offset));
		}
		put_section(&b, little);
		put_interface(&b, little, 1, 0, &options);
		put_enhanced(&b, little, 0, times[_i].ticks, 0, 60);
		all = read_all(buf_span(&b));
		ck_assert_msg(all.count == 1 && all.frames[0].time_us == times[_i].time_us,
		    "%s: %lld", times[_i].name, (long long)all.frames[0].time_us);
		buf_release(&b);
		buf_release(&options);
	}
}
END_TEST

START_TEST(simple_packets_take_the_last_time_and_the_snapshot_length)
{
	struct buf b = { 0 }, body = { 0 };
	struct reading all;

	put_section(&b, true);
	put_interface(&b, true, 1, 100, NULL);
	put_u32(&body, true, 61);
	put_packet_bytes(&body, 0, 61);
	put_block(&b, true, 3, &body);
	put_enhanced(&b, true, 0, (uint64_t)T0, 1, 60);
	buf_clear(&body);
	put_u32(&body, true, 1514);
	put_packet_bytes(&body, 2, 100);
	put_block(&b, true, 3, &body);
	all = read_all(buf_span(&b));
	ck_assert_msg(all.ended == READER_END, "%s", all.error.text);
	ck_assert_uint_eq(all.count, 3);
	ck_assert(all.all_as_made);
	ck_assert_int_eq(all.frames[0].time_us, 0);
	ck_assert_uint_eq(all.frames[0].bytes.len, 61);
	ck_assert_int_eq(all.frames[2].time_us, T0);
	ck_assert_uint_eq(all.frames[2].bytes.len, 100);
	ck_assert_uint_eq(all.frames[2].wire_len, 1514);
	buf_release(&b);
	buf_release(&body);
}
END_TEST

START_TEST(old_packet_blocks_are_read)
{
	struct buf b = { 0 }, body = { 0 };
	struct reading all;

	put_section(&b, false);
	put_interface(&b, false, 1, 0, NULL);
	put_interface(&b, false, 101, 0, NULL);
	put_u16(&body, false, 1);
	put_u16(&body, false, 5); /* drops */
	put_u32(&body, false, (uint32_t)(T0 >> 32));
	put_u32(&body, false, (uint32_t)T0);
	put_u32(&body, false, 61);
	put_u32(&body, false, 1514);
	put_packet_bytes(&body, 0, 61);
	put_block(&b, false, 2, &body);
	all = read_all(buf_span(&b));
	ck_assert_uint_eq(all.count, 1);
	ck_assert(all.all_as_made);
	ck_assert_int_eq(all.frames[0].time_us, T0);
	ck_assert_uint_eq(all.frames[0].bytes.len, 61);
	ck_assert_uint_eq(all.frames[0].wire_len, 1514);
	ck_assert_uint_eq(all.frames[0].link_type, 101);
	buf_release(&b);
	buf_release(&body);
}
END_TEST

static const uint32_t other_types[] = { 0, 4, 5, 9, 10, 0xbad, 0x40000bad, 0x80000001, 0xffffffff };
/* Around the window's size, and far beyond: what is passed over is not kept. */
static const size_t other_lens[] = { 0, 1, 4, 1000, WINDOW_LEN_SMALL - 12, WINDOW_LEN_SMALL,
	PACKET_LEN_MAX * 3 };

START_TEST(other_blocks_are_passed_over)
{
	for (size_t i = 0; i < sizeof(other_lens) / sizeof(other_lens[0]); i++) {
		struct buf b = { 0 }, body = { 0 };
		struct reading all;

		buf_reserve(&body, other_lens[i] + 1);
		memset(body.data, 0x5a, other_lens[i]);
		body.len = other_lens[i];
		put_section(&b, true);
		put_block(&b, true, other_types[_i], &body);
		put_interface(&b, true, 1, 0, NULL);
		put_enhanced(&b, true, 0, (uint64_t)T0, 0, 60);
		put_block(&b, true, other_types[_i], &body);
		put_enhanced(&b, true, 0, (uint64_t)T0, 1, 60);
		put_block(&b, true, other_types[_i], &body);
		all = read_all(buf_span(&b));
		ck_assert_msg(all.ended == READER_END, "%zu: %s", other_lens[i], all.error.text);
		ck_assert_uint_eq(all.count, 2);
		ck_assert(all.all_as_made);
		all = read_all(span_from(b.data, b.len - 1));
		ck_assert_uint_eq(all.count, 2);
		ck_assert(all.ended == READER_BAD);
		buf_release(&b);
		buf_release(&body);
	}
}
END_TEST

START_TEST(every_prefix_gives_its_whole_packets)
{
	struct buf b = { 0 };
	size_t head_len;

	put_pcapng(&b, T0, 1, 0, 0);
	head_len = b.len;
	for (unsigned i = 0; i < 3; i++)
		put_enhanced(&b, true, 0, (uint64_t)T0, i, 60);
	for (size_t len = MAGIC_LEN; len <= b.len; len++) {
		struct reading all = read_all(span_from(b.data, len));
		bool at_block = len == 28 || (len >= head_len && (len - head_len) % 92 == 0);

		ck_assert(all.opened == READER_OPEN);
		ck_assert_uint_eq(all.count, len < head_len ? 0 : (len - head_len) / 92);
		ck_assert_msg(
		    all.ended == (at_block ? READER_END : READER_BAD), "%zu of %zu", len, b.len);
		ck_assert(at_block || strstr(all.error.text, "ends in the middle of") != NULL);
	}
	buf_release(&b);
}
END_TEST

/* Each row changes one 32-bit number of a good file: a section (28 bytes), an interface (20), a
 * packet of 60 bytes (92), another. */
static const struct {
	const char *name;
	size_t at;
	uint32_t value;
	uint64_t count;
	const char *says;
} damages[] = {
	{ "section's first length is 0", 4, 0, 0, "impossible length" },
	{ "section's first length is 11", 4, 11, 0, "impossible length" },
	{ "section's second length", 24, 32, 0, "two lengths" },
	{ "section's length is past the end", 4, 0x7ffffffc, 0, "in the middle of a block" },
	{ "largest section", 4, 0xffffffff, 0, "in the middle of a block" },
	{ "interface's second length", 28 + 16, 0, 0, "two lengths" },
	{ "interface's length takes a packet in", 28 + 4, 20 + 92, 0, "two lengths" },
	{ "packet's first length", 48 + 4, 96, 0, "two lengths" },
	{ "packet's first length is 8", 48 + 4, 8, 0, "impossible length" },
	{ "packet's second length", 48 + 88, 93, 0, "two lengths" },
	{ "packet's lengths disagree in the second", 140 + 88, 0, 1, "two lengths" },
	{ "packet block of 2 GiB", 140 + 4, 0x80000000, 1, "lying length: packet 2" },
	{ "packet block of 4 GiB", 140 + 4, 0xffffffff, 1, "lying length: packet 2" },
	{ "second packet is a section of no order", 140, 0x0a0d0d0a, 1, "unknown byte order" },
};

START_TEST(damage_ends_the_file_there)
{
	struct buf b = { 0 }, changed = { 0 };
	struct reading all;

	put_pcapng(&b, T0, 1, 2, 60);
	ck_assert_uint_eq(b.len, 28 + 20 + 2 * 92);
	buf_add(&changed, b.data, damages[_i].at);
	put_u32(&changed, true, damages[_i].value);
	buf_add(&changed, b.data + changed.len, b.len - changed.len);
	all = read_all(buf_span(&changed));
	ck_assert(all.opened == READER_OPEN);
	ck_assert_msg(all.ended == READER_BAD, "%s", damages[_i].name);
	ck_assert_uint_eq(all.count, damages[_i].count);
	ck_assert_msg(strstr(all.error.text, damages[_i].says) != NULL, "%s: %s", damages[_i].name,
	    all.error.text);
	buf_release(&b);
	buf_release(&changed);
}
END_TEST

/* Of three packets, the one in the middle. */
START_TEST(a_packet_longer_than_its_block_is_left_out_alone)
{
	const uint32_t lengths[] = { 61, PACKET_LEN_MAX + 1, UINT32_MAX };
	struct buf b = { 0 };
	struct reading all;

	put_pcapng(&b, T0, 1, 2, 60);
	for (unsigned i = 0; i < 4; i++)
		b.data[140 + 20 + i] = (char)(lengths[_i] >> (8 * i));
	put_enhanced(&b, true, 0, (uint64_t)T0 + 2, 1, 60);
	all = read_all(buf_span(&b));
	ck_assert_msg(all.ended == READER_END, "%s", all.error.text);
	ck_assert_uint_eq(all.count, 2);
	ck_assert_uint_eq(all.left_out_count, 1);
	ck_assert(all.all_as_made);
	ck_assert_ptr_nonnull(strstr(all.error.text, "lying length: packet 2 claims "));
	buf_release(&b);
}
END_TEST

START_TEST(bad_stays_bad)
{
	struct buf b = { 0 };
	struct reader reader;
	struct frame frame;

	put_pcapng(&b, T0, 1, 1, 60);
	put_enhanced(&b, true, 0, (uint64_t)T0, 1, 60);
	b.data[28 + 20 + 4] = 8; /* the length of the first packet's block */
	ck_assert(reader_open_memory(&reader, buf_span(&b), WINDOW_LEN_SMALL) == READER_OPEN);
	for (int i = 0; i < 3; i++)
		ck_assert(reader_advance(&reader, &frame) == READER_BAD);
	reader_close(&reader);
	buf_release(&b);
}
END_TEST

/* A length without its padding, as some writers gave it. */
START_TEST(length_that_is_no_multiple_of_four_is_rounded_up)
{
	struct buf b = { 0 };
	struct reading all;

	put_pcapng(&b, T0, 1, 0, 0);
	put_u32(&b, true, 6);
	put_u32(&b, true, 32 + 1);
	put_zeros(&b, 12);
	put_u32(&b, true, 1);
	put_u32(&b, true, 1);
	put_zeros(&b, 4);
	put_u32(&b, true, 32 + 1);
	put_enhanced(&b, true, 0, (uint64_t)T0, 1, 60);
	all = read_all(buf_span(&b));
	ck_assert_msg(all.ended == READER_END, "%s", all.error.text);
	ck_assert_uint_eq(all.count, 2);
	ck_assert_uint_eq(all.frames[0].bytes.len, 1);
	buf_release(&b);
}
END_TEST

static const struct span bad_options[] = {
	{ (const uint8_t *)"\x09", 1 }, { (const uint8_t *)"\x09\0\x01", 3 },
	{ (const uint8_t *)"\x09\0\0\0", 4 },           /* if_tsresol without its byte */
	{ (const uint8_t *)"\x0e\0\x04\0\1\1\1\1", 8 }, /* if_tsoffset of half its size */
	{ (const uint8_t *)"\x02\0\xff\xff"
			   "eth0",
	    8 },                                               /* longer than the block */
	{ (const uint8_t *)"\0\0\0\0\x09\0\1\0\3\0\0\0", 12 }, /* behind the end of the options */
};

START_TEST(bad_options_leave_the_interface_as_it_is)
{
	struct buf b = { 0 }, options = { 0 };
	struct reading all;

	buf_add(&options, bad_options[_i].data, bad_options[_i].len);
	put_section(&b, true);
	put_interface(&b, true, 1, 0, &options);
	put_enhanced(&b, true, 0, (uint64_t)T0, 0, 60);
	all = read_all(buf_span(&b));
	ck_assert_uint_eq(all.count, 1);
	ck_assert_int_eq(all.frames[0].time_us, T0);
	buf_release(&b);
	buf_release(&options);
}
END_TEST

START_TEST(interface_too_short_to_be_one_keeps_its_number)
{
	struct buf b = { 0 }, body = { 0 };
	struct reading all;

	put_section(&b, true);
	put_block(&b, true, 1, &body);
	put_interface(&b, true, 101, 0, NULL);
	put_enhanced(&b, true, 0, (uint64_t)T0, 99, 60);
	put_enhanced(&b, true, 1, (uint64_t)T0, 0, 60);
	put_enhanced(&b, true, UINT32_MAX, (uint64_t)T0, 99, 60);
	all = read_all(buf_span(&b));
	ck_assert(all.ended == READER_END);
	ck_assert_uint_eq(all.count, 1);
	ck_assert_uint_eq(all.left_out_count, 2);
	ck_assert_uint_eq(all.frames[0].link_type, 101);
	buf_release(&b);
	buf_release(&body);
}
END_TEST

static const uint32_t packet_types[] = { 2, 3, 6 };

START_TEST(a_packet_block_shorter_than_its_header_is_left_out)
{
	size_t header_len = packet_types[_i] == 3 ? 4 : 20;

	for (size_t len = 0; len <= header_len; len += 4) {
		struct buf b = { 0 }, body = { 0 };
		struct reading all;

		put_pcapng(&b, T0, 1, 0, 0);
		put_zeros(&body, len);
		put_block(&b, true, packet_types[_i], &body);
		all = read_all(buf_span(&b));
		ck_assert(all.ended == READER_END);
		ck_assert_uint_eq(all.left_out_count, len < header_len);
		ck_assert_uint_eq(all.count, len == header_len);
		buf_release(&b);
		buf_release(&body);
	}
}
END_TEST

START_TEST(largest_packet_with_options_is_read)
{
	struct buf b = { 0 }, body = { 0 };
	struct reading all;

	put_pcapng(&b, T0, 1, 0, 0);
	put_zeros(&body, 12);
	put_u32(&body, true, PACKET_LEN_MAX);
	put_u32(&body, true, PACKET_LEN_MAX);
	put_packet_bytes(&body, 0, PACKET_LEN_MAX);
	put_u16(&body, true, 1);
	put_u16(&body, true, 60000);
	put_zeros(&body, 60000);
	put_block(&b, true, 6, &body);
	put_enhanced(&b, true, 0, (uint64_t)T0, 1, 60);
	all = read_all(buf_span(&b));
	ck_assert_msg(all.ended == READER_END, "%s", all.error.text);
	ck_assert_uint_eq(all.count, 2);
	ck_assert(all.all_as_made);
	buf_release(&b);
	buf_release(&body);
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_test(tc, frames_in_a_row_end_before_a_time_and_where_a_block_is_no_packet);
	tcase_add_loop_test(tc, both_byte_orders_give_the_same_packets, 0, ROWS(orders));
	tcase_add_test(tc, sections_follow_each_other);
	tcase_add_loop_test(tc, time_follows_from_resolution_and_offset, 0, ROWS(times));
	tcase_add_test(tc, simple_packets_take_the_last_time_and_the_snapshot_length);
	tcase_add_test(tc, old_packet_blocks_are_read);
	tcase_add_loop_test(tc, other_blocks_are_passed_over, 0, ROWS(other_types));
	tcase_add_test(tc, every_prefix_gives_its_whole_packets);
	tcase_add_loop_test(tc, damage_ends_the_file_there, 0, ROWS(damages));
	tcase_add_loop_test(tc, a_packet_longer_than_its_block_is_left_out_alone, 0, 3);
	tcase_add_test(tc, bad_stays_bad);
	tcase_add_test(tc, length_that_is_no_multiple_of_four_is_rounded_up);
	tcase_add_loop_test(tc, bad_options_leave_the_interface_as_it_is, 0, ROWS(bad_options));
	tcase_add_test(tc, interface_too_short_to_be_one_keeps_its_number);
	tcase_add_loop_test(
	    tc, a_packet_block_shorter_than_its_header_is_left_out, 0, ROWS(packet_types));
	tcase_add_test(tc, largest_packet_with_options_is_read);
}

SUITE_MAIN("capture_pcapng")
