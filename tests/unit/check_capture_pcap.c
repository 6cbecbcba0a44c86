#include "suite.h"

#include "capture_files.h"

#include "base/banned.h"

#define T0 INT64_C(1700000000000000)

static const struct {
	const char *name;
	bool little;
	uint32_t magic;
} magics[] = {
	{ "microseconds, big-endian", false, PCAP_US },
	{ "microseconds, little-endian", true, PCAP_US },
	{ "nanoseconds, big-endian", false, PCAP_NS },
	{ "nanoseconds, little-endian", true, PCAP_NS },
	{ "patched, big-endian", false, PCAP_PATCHED },
	{ "patched, little-endian", true, PCAP_PATCHED },
};

START_TEST(every_magic_gives_the_same_packets)
{
	struct buf b = { 0 };
	struct reading all;

	put_pcap_header(&b, magics[_i].little, magics[_i].magic, 113);
	for (unsigned i = 0; i < 3; i++)
		put_pcap_packet(&b, magics[_i].little, magics[_i].magic, T0 + i, i, 60 + i);
	all = read_all(buf_span(&b));
	ck_assert_msg(all.opened == READER_OPEN && all.ended == READER_END, "%s: %s",
	    magics[_i].name, all.error.text);
	ck_assert_uint_eq(all.count, 3);
	ck_assert(all.all_as_made);
	for (unsigned i = 0; i < 3; i++) {
		ck_assert_int_eq(all.frames[i].time_us, T0 + i);
		ck_assert_uint_eq(all.frames[i].bytes.len, 60 + i);
		ck_assert_uint_eq(all.frames[i].wire_len, 60 + i);
		ck_assert_uint_eq(all.frames[i].link_type, 113);
		ck_assert_uint_eq(all.frames[i].source, 7);
	}
	buf_release(&b);
}
END_TEST

static const struct {
	const char *name;
	bool little;
	uint32_t magic;
	size_t more;
} longer_headers[] = {
	{ "Nokia", false, PCAP_US, 4 },
	{ "Nokia, little-endian", true, PCAP_US, 4 },
	{ "Red Hat 6.1", true, PCAP_US, 8 },
	{ "SuSE 6.3", true, PCAP_PATCHED, 4 },
	{ "of a length that nobody wrote", true, PCAP_US, 12 },
};

static void
put_packet_with_more(struct buf *b, int row, unsigned number)
{
	struct buf one = { 0 };
	size_t header_len = longer_headers[row].magic == PCAP_PATCHED ? 24 : 16;

	put_pcap_packet(
	    &one, longer_headers[row].little, longer_headers[row].magic, T0 + number, number, 60);
	buf_add(b, one.data, header_len);
	put_zeros(b, longer_headers[row].more);
	buf_add(b, one.data + header_len, one.len - header_len);
	buf_release(&one);
}

START_TEST(headers_that_are_longer_than_the_magic_says_are_found_out)
{
	bool known = longer_headers[_i].more <= 8;
	struct buf b = { 0 };
	struct reading all;

	put_pcap_header(&b, longer_headers[_i].little, longer_headers[_i].magic, 1);
	for (unsigned i = 0; i < 3; i++)
		put_packet_with_more(&b, _i, i);
	all = read_all(buf_span(&b));
	ck_assert_msg(
	    (all.ended == READER_END) == known, "%s: %s", longer_headers[_i].name, all.error.text);
	ck_assert(!known || (all.count == 3 && all.all_as_made && all.frames[2].time_us == T0 + 2));
	buf_release(&b);
}
END_TEST

/* As `cat a.pcap b.pcap` makes it, each with an order, a unit and a link type of its own. */
START_TEST(files_behind_each_other_are_read_as_one)
{
	struct frame frames[4], next;
	struct reader reader;
	struct reading all;
	struct buf b = { 0 };

	put_pcap(&b, T0, 1, 2, 60);
	put_pcap_header(&b, magics[_i].little, magics[_i].magic, 113);
	put_pcap_packet(&b, magics[_i].little, magics[_i].magic, T0 + 2, 2, 0);
	put_pcap_packet(&b, magics[_i].little, magics[_i].magic, T0 + 3, 3, 61);
	put_pcap_header(&b, true, PCAP_US, 1); /* nothing in it */
	put_pcap(&b, T0 + 4, 1, 1, 60);
	all = read_all(buf_span(&b));
	ck_assert_msg(all.ended == READER_END, "%s: %s", magics[_i].name, all.error.text);
	ck_assert_uint_eq(all.count, 5);
	for (unsigned i = 0; i < 5; i++) {
		ck_assert_int_eq(all.frames[i].time_us, T0 + i);
		ck_assert_uint_eq(all.frames[i].link_type, i == 2 || i == 3 ? 113 : 1);
	}
	ck_assert(reader_open_memory(&reader, buf_span(&b), WINDOW_LEN_SMALL) == READER_OPEN);
	ck_assert(reader_advance(&reader, &next) == READER_FRAME);
	ck_assert_uint_eq(reader_next_many(&reader, frames, 4, INT64_MAX), 1);
	reader_close(&reader);
	all = read_all(span_from(b.data, b.len - 76 - 1));
	ck_assert(all.ended == READER_BAD);
	ck_assert_uint_eq(all.count, 4);
	buf_release(&b);
}
END_TEST

START_TEST(header_without_packets_is_a_capture)
{
	struct buf b = { 0 };
	struct reading all;

	put_pcap(&b, T0, 1, 0, 0);
	all = read_all(buf_span(&b));
	ck_assert(all.opened == READER_OPEN && all.ended == READER_END);
	ck_assert_uint_eq(all.count, 0);
	buf_release(&b);
}
END_TEST

static const struct {
	const char *name;
	struct span bytes;
	const char *says;
} no_captures[] = {
	{ "nothing", { NULL, 0 }, "is empty" },
	{ "one byte", { (const uint8_t *)"\xa1", 1 }, "neither a pcap nor a pcapng header" },
	{ "three bytes of a magic", { (const uint8_t *)"\xa1\xb2\xc3", 3 }, "neither a pcap nor" },
	{ "text", { (const uint8_t *)"Dear colleague, see below", 25 }, "neither a pcap nor" },
	{ "pcapng without its byte order",
	    { (const uint8_t *)"\x0a\x0d\x0d\x0a\0\0\0\x1c\x1a\x2b\x3c\x4e", 12 },
	    "neither a pcap nor" },
};

START_TEST(other_bytes_are_no_capture)
{
	struct reading all = read_all(no_captures[_i].bytes);

	ck_assert_msg(all.opened == READER_NO_CAPTURE, "%s", no_captures[_i].name);
	ck_assert_msg(strstr(all.error.text, no_captures[_i].says) != NULL, "%s: %s",
	    no_captures[_i].name, all.error.text);
}
END_TEST

START_TEST(every_prefix_gives_its_whole_packets)
{
	static const size_t ends[] = { 24, 24 + 16 + 60, 24 + 2 * (16 + 60), 24 + 3 * (16 + 60) };
	struct buf b = { 0 };

	put_pcap(&b, T0, 1, 3, 60);
	ck_assert_uint_eq(b.len, ends[3]);
	for (size_t len = 24; len <= b.len; len++) {
		struct reading all = read_all(span_from(b.data, len));
		size_t whole = (len - 24) / 76;
		char says[80];

		ck_assert(all.opened == READER_OPEN);
		ck_assert_uint_eq(all.count, whole);
		ck_assert(all.all_as_made);
		if (len == ends[whole]) {
			ck_assert(all.ended == READER_END);
			continue;
		}
		ck_assert(all.ended == READER_BAD);
		(void)snprintf(says, sizeof(says), "ends in the middle of packet %zu;", whole + 1);
		ck_assert_msg(strstr(all.error.text, says) != NULL, "%zu: %s", len, all.error.text);
	}
	buf_release(&b);
}
END_TEST

START_TEST(frames_in_a_row_end_before_a_time)
{
	struct frame frames[8], next;
	struct reader reader;
	struct buf b = { 0 };

	put_pcap(&b, T0, 1, 10, 60);
	ck_assert(reader_open_memory(&reader, buf_span(&b), WINDOW_LEN_SMALL) == READER_OPEN);
	reader.number = 7;
	ck_assert(reader_next(&reader, &next) == READER_FRAME);
	ck_assert_uint_eq(reader_next_many(&reader, frames, 8, T0 + 1), 0);
	ck_assert_uint_eq(reader_next_many(&reader, frames, 8, T0 + 4), 3);
	ck_assert_uint_eq(reader_next_many(&reader, frames + 3, 2, INT64_MAX), 2);
	for (unsigned i = 0; i < 5; i++) {
		ck_assert(packet_bytes_are(frames[i].bytes, i + 1, 60));
		ck_assert_int_eq(frames[i].time_us, T0 + i + 1);
		ck_assert_uint_eq(frames[i].source, 7);
	}
	ck_assert(reader_next(&reader, &next) == READER_FRAME);
	ck_assert_int_eq(next.time_us, T0 + 6);
	ck_assert_uint_eq(reader_next_many(&reader, frames, 8, INT64_MAX), 3);
	ck_assert_uint_eq(reader.packet_count, 10);
	ck_assert(reader_advance(&reader, &next) == READER_END);
	reader_close(&reader);
	buf_release(&b);
}
END_TEST

START_TEST(cut_file_is_told_in_one_sentence)
{
	struct buf b = { 0 };

	put_pcap(&b, T0, 1, 124, 60);
	ck_assert_str_eq(read_all(span_from(b.data, b.len - 1)).error.text,
	    "the capture ends in the middle of packet 124; the 123 packets before it were read");
	ck_assert_str_eq(read_all(span_from(b.data, 24 + 76 + 1)).error.text,
	    "the capture ends in the middle of packet 2; the 1 packet before it was read");
	ck_assert_str_eq(read_all(span_from(b.data, 25)).error.text,
	    "the capture ends in the middle of packet 1; no packet could be read before");
	buf_release(&b);
}
END_TEST

START_TEST(zeros_at_the_end_are_no_packets)
{
	struct buf b = { 0 };

	put_pcap(&b, T0, 1, 2, 60);
	put_zeros(&b, 4096);
	ck_assert_uint_eq(read_all(buf_span(&b)).count, 2);
	ck_assert_str_eq(read_all(buf_span(&b)).error.text,
	    "the capture is damaged: zeros stand where packet 3 is due; the 2 packets before it "
	    "were "
	    "read");
	buf_release(&b);
}
END_TEST

START_TEST(cut_header_is_unreadable)
{
	struct buf b = { 0 };

	put_pcap(&b, T0, 1, 0, 0);
	for (size_t len = 4; len < 24; len++) {
		struct reading all = read_all(span_from(b.data, len));

		ck_assert(all.opened == READER_UNREADABLE);
		ck_assert_ptr_nonnull(strstr(all.error.text, "ends inside its file header"));
	}
	buf_release(&b);
}
END_TEST

static const struct {
	uint32_t len;
	bool lies;
} lengths[] = {
	{ 0, false },
	{ 1, false },
	{ 262144, false },
	{ PACKET_LEN_MAX, false },
	{ PACKET_LEN_MAX + 1, true },
	{ 0x7fffffff, true },
	{ 0x80000000, true },
	{ 0xfffffff0, true },
	{ 0xffffffff, true },
};

START_TEST(lying_length_ends_the_file_there)
{
	struct buf b = { 0 };
	struct reading all;
	uint32_t len = lengths[_i].len;

	put_pcap(&b, T0, 1, 1, 60);
	put_u32(&b, true, 1700000000);
	put_u32(&b, true, 0);
	put_u32(&b, true, len);
	put_u32(&b, true, 60);
	put_packet_bytes(&b, 1, lengths[_i].lies ? 60 : len);
	put_pcap_packet(&b, true, PCAP_US, T0, 2, 60);
	all = read_all(buf_span(&b));
	ck_assert_uint_eq(all.count, lengths[_i].lies ? 1 : 3);
	ck_assert(all.ended == (lengths[_i].lies ? READER_BAD : READER_END));
	if (lengths[_i].lies) {
		ck_assert_ptr_nonnull(strstr(all.error.text, "lying length: packet 2 claims"));
		ck_assert_ptr_nonnull(strstr(all.error.text, "the 1 packet before it was read"));
	} else {
		ck_assert_uint_eq(all.frames[1].wire_len, len > 60 ? len : 60);
		ck_assert(all.all_as_made);
	}
	buf_release(&b);
}
END_TEST

START_TEST(packets_across_windows_are_whole)
{
	static const uint32_t sizes[] = { 60, 1514, 9018, 65535, 200000, PACKET_LEN_MAX, 60 };
	struct buf b = { 0 };
	struct reading all;
	unsigned count = 0;

	put_pcap_header(&b, true, PCAP_US, 1);
	for (unsigned round = 0; round < 20; round++)
		for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++, count++)
			if (sizes[i] < PACKET_LEN_MAX || round == 10)
				put_pcap_packet(&b, true, PCAP_US, T0, count, sizes[i]);
			else
				count--;
	all = read_all(buf_span(&b));
	ck_assert(all.ended == READER_END);
	ck_assert_uint_eq(all.count, count);
	ck_assert(all.all_as_made);
	buf_release(&b);
}
END_TEST

static const struct {
	uint32_t field, link_type;
} link_types[] = {
	{ 1, 1 },
	{ 0, 0 },
	{ 101, 101 },
	{ 12, 101 }, /* DLT_RAW */
	{ 14, 101 }, /* DLT_RAW of OpenBSD */
	{ 108, 108 },
	{ 113, 113 },
	{ 276, 276 },
	{ 0x44000001, 1 }, /* four bytes of frame check sequence, length given */
	{ 0xf4000001, 1 },
};

START_TEST(link_type_is_the_registered_one)
{
	struct buf b = { 0 };

	put_pcap_header(&b, false, PCAP_US, link_types[_i].field);
	put_pcap_packet(&b, false, PCAP_US, T0, 0, 60);
	ck_assert_uint_eq(read_all(buf_span(&b)).frames[0].link_type, link_types[_i].link_type);
	buf_release(&b);
}
END_TEST

START_TEST(fraction_beyond_a_second_is_carried)
{
	struct buf b = { 0 };
	struct reading all;

	put_pcap_header(&b, true, PCAP_NS, 1);
	put_u32(&b, true, 10);
	put_u32(&b, true, 3999999999);
	put_u32(&b, true, 0);
	put_u32(&b, true, 0);
	put_u32(&b, true, UINT32_MAX);
	put_u32(&b, true, 999);
	put_u32(&b, true, 0);
	put_u32(&b, true, 0);
	all = read_all(buf_span(&b));
	ck_assert_uint_eq(all.count, 2);
	ck_assert_int_eq(all.frames[0].time_us, 13999999);
	ck_assert_int_eq(all.frames[1].time_us, INT64_C(4294967295000000));
	buf_release(&b);
}
END_TEST

static const struct {
	uint16_t major, minor;
	bool read, swapped;
} versions[] = {
	{ 2, 4, true, false },
	{ 2, 9, true, false },
	{ 2, 3, true, true }, /* of two lengths the captured one cannot be the larger */
	{ 2, 2, true, true },
	{ 0, 0, false, false },
	{ 1, 4, false, false },
	{ 3, 0, false, false },
	{ 0x0200, 0x0400, false, false },
};

START_TEST(version_two_is_read_whatever_its_minor)
{
	struct buf b = { 0 };
	struct reading all;

	put_u32(&b, true, PCAP_US);
	put_u16(&b, true, versions[_i].major);
	put_u16(&b, true, versions[_i].minor);
	put_zeros(&b, 12); /* snapshot length 0: none given */
	put_u32(&b, true, 1);
	put_u32(&b, true, 1);
	put_u32(&b, true, 2);
	put_u32(&b, true, versions[_i].swapped ? 1000 : 60);
	put_u32(&b, true, versions[_i].swapped ? 60 : 1000);
	put_packet_bytes(&b, 0, 60);
	all = read_all(buf_span(&b));
	ck_assert(all.opened == (versions[_i].read ? READER_OPEN : READER_UNREADABLE));
	ck_assert_uint_eq(all.count, versions[_i].read);
	if (versions[_i].read) {
		ck_assert_uint_eq(all.frames[0].bytes.len, 60);
		ck_assert_uint_eq(all.frames[0].wire_len, 1000);
	}
	buf_release(&b);
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_loop_test(tc, every_magic_gives_the_same_packets, 0, ROWS(magics));
	tcase_add_loop_test(
	    tc, headers_that_are_longer_than_the_magic_says_are_found_out, 0, ROWS(longer_headers));
	tcase_add_loop_test(tc, files_behind_each_other_are_read_as_one, 0, ROWS(magics));
	tcase_add_test(tc, header_without_packets_is_a_capture);
	tcase_add_loop_test(tc, other_bytes_are_no_capture, 0, ROWS(no_captures));
	tcase_add_test(tc, every_prefix_gives_its_whole_packets);
	tcase_add_test(tc, frames_in_a_row_end_before_a_time);
	tcase_add_test(tc, cut_file_is_told_in_one_sentence);
	tcase_add_test(tc, zeros_at_the_end_are_no_packets);
	tcase_add_test(tc, cut_header_is_unreadable);
	tcase_add_loop_test(tc, lying_length_ends_the_file_there, 0, ROWS(lengths));
	tcase_add_test(tc, packets_across_windows_are_whole);
	tcase_add_loop_test(tc, link_type_is_the_registered_one, 0, ROWS(link_types));
	tcase_add_test(tc, fraction_beyond_a_second_is_carried);
	tcase_add_loop_test(tc, version_two_is_read_whatever_its_minor, 0, ROWS(versions));
}

SUITE_MAIN("capture_pcap")
