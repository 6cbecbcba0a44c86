#include <lzma.h>

#include "suite.h"

#include "capture_replays.h"

#include "base/banned.h"

/* ---- compressed */

static const struct {
	const char *name;
	int filter;
} filters[] = {
	{ "gzip", ARCHIVE_FILTER_GZIP },
	{ "bzip2", ARCHIVE_FILTER_BZIP2 },
	{ "xz", ARCHIVE_FILTER_XZ },
	{ "zstd", ARCHIVE_FILTER_ZSTD },
	{ "lz4", ARCHIVE_FILTER_LZ4 },
};

START_TEST(compressed_captures_are_read_whatever_their_name)
{
	struct buf b = { 0 };
	struct saved_file f;

	put_pcapng(&b, T0, 1, 3000, 700);
	save_archive("capture", filters[_i].filter, &b);
	f = replay_single("capture", NULL);
	ck_assert_msg(!f.failed, "%s: %s", filters[_i].name, f.error.text);
	ck_assert_uint_eq(f.packet_count, 3000);
	ck_assert_uint_lt(f.size, b.len / 4);
	buf_release(&b);
}
END_TEST

/* As pzstd makes it: frames of zstd, each behind one that tells its length. */
START_TEST(zstd_behind_a_skippable_frame_is_read)
{
	struct buf b = { 0 }, whole = { 0 };
	struct saved_file f;

	put_pcapng(&b, T0, 1, 3000, 700);
	save_archive("capture.zst", ARCHIVE_FILTER_ZSTD, &b);
	put_u32(&whole, true, 0x184d2a50);
	put_u32(&whole, true, 4);
	put_u32(&whole, true, 12345);
	add_file(&whole, "capture.zst");
	save("capture.zst", &whole);
	f = replay_single("capture.zst", NULL);
	ck_assert_msg(!f.failed, "%s", f.error.text);
	ck_assert_uint_eq(f.packet_count, 3000);
	buf_release(&b);
	buf_release(&whole);
}
END_TEST

START_TEST(compressed_text_is_no_capture)
{
	struct buf b = { 0 };
	struct saved_file f;

	for (int i = 0; i < 1000; i++)
		buf_add_text(&b, "not a capture at all\n");
	save_archive("notes", filters[_i].filter, &b);
	f = replay_single("notes", NULL);
	ck_assert(f.unusable);
	ck_assert_msg(strstr(f.error.text, "notes is not a capture: what is compressed in it") ==
			  f.error.text,
	    "%s", f.error.text);
	buf_release(&b);
}
END_TEST

/* Bytes that do not compress, so that half of the file is half of the packets. */
static void
put_random_pcap(struct buf *b, unsigned count)
{
	uint32_t state = 1;

	put_pcap_header(b, true, PCAP_US, 1);
	for (unsigned i = 0; i < count; i++) {
		uint8_t bytes[1000];

		for (size_t k = 0; k < sizeof(bytes); k++) {
			state = state * 1664525 + 1013904223;
			bytes[k] = (uint8_t)(state >> 24);
		}
		put_u32(b, true, (uint32_t)(T0 / 1000000));
		put_u32(b, true, i);
		put_u32(b, true, sizeof(bytes));
		put_u32(b, true, sizeof(bytes));
		buf_add(b, bytes, sizeof(bytes));
	}
}

static uint64_t
count_random(const char *path, struct saved_file *f)
{
	struct saved *r = saved_open(&path, 1, NULL);
	struct frame frames[BATCH];
	uint64_t total = 0;
	size_t count;

	while ((count = saved_read(r, frames, BATCH)) > 0)
		total += count;
	*f = *saved_file_at(r, 0);
	f->path = f->name = NULL;
	saved_free(r);
	return total;
}

START_TEST(cut_compressed_capture_gives_what_is_there)
{
	struct buf b = { 0 };
	struct saved_file f;
	char position[64];
	uint64_t count;

	put_random_pcap(&b, 2000);
	save_archive("half", filters[_i].filter, &b);
	cut_file("half", 1000000);
	count = count_random("half", &f);
	/* bzip2 and lz4 have blocks of up to 4 MiB, of which a cut one gives nothing. */
	if (filters[_i].filter == ARCHIVE_FILTER_BZIP2)
		ck_assert_uint_le(count, 1000);
	else if (filters[_i].filter != ARCHIVE_FILTER_LZ4)
		ck_assert_msg(count > 800 && count < 1020, "%s: %llu", filters[_i].name,
		    (unsigned long long)count);
	ck_assert(f.failed);
	ck_assert_ptr_nonnull(strstr(f.error.text, "half "));
	ck_assert_ptr_nonnull(strstr(f.error.text, filters[_i].name));
	ck_assert_ptr_nonnull(strstr(f.error.text, " byte "));
	(void)snprintf(position, sizeof(position), "; the %llu packets before it were read",
	    (unsigned long long)count);
	ck_assert_msg(count == 0 || strstr(f.error.text, position) != NULL, "%s", f.error.text);
	buf_release(&b);
}
END_TEST

/* Also where nothing of it can be decompressed yet. */
START_TEST(however_short_a_compressed_capture_is_cut_it_is_told_as_cut)
{
	struct buf b = { 0 };
	struct stat st;

	put_random_pcap(&b, 20);
	save_archive("cut", filters[_i].filter, &b);
	ck_assert_int_eq(stat("cut", &st), 0);
	for (off_t len = st.st_size - 1; len >= 6; len = len > 400 ? len - 397 : len - 1) {
		struct saved_file f;

		ck_assert_int_eq(truncate("cut", len), 0);
		(void)count_random("cut", &f);
		ck_assert(f.failed);
		ck_assert_msg(strstr(f.error.text, "ends too early") != NULL, "%s, %ld bytes: %s",
		    filters[_i].name, (long)len, f.error.text);
	}
	buf_release(&b);
}
END_TEST

static void
put_little(uint8_t *out, uint32_t value)
{
	for (unsigned i = 0; i < 4; i++)
		out[i] = (uint8_t)(value >> (8 * i));
}

START_TEST(damaged_compressed_capture_gives_what_is_before)
{
	static uint8_t damage[200000];
	struct buf b = { 0 };
	struct saved_file f;
	uint64_t count;
	FILE *file;

	/* Larger than a block of zstd: what no check sum finds, the capture itself shows. */
	memset(damage, 0xff, sizeof(damage));
	put_random_pcap(&b, 2000);
	save_archive("bad", filters[_i].filter, &b);
	file = fopen("bad", "r+b");
	ck_assert_ptr_nonnull(file);
	ck_assert_int_eq(fseek(file, 1000000, SEEK_SET), 0);
	ck_assert_uint_eq(fwrite(damage, 1, sizeof(damage), file), sizeof(damage));
	ck_assert_int_eq(fclose(file), 0);
	count = count_random("bad", &f);
	ck_assert(f.failed);
	ck_assert_msg(strstr(f.error.text, "ends too early") == NULL, "%s", f.error.text);
	ck_assert_uint_lt(count, 1200);
	if (filters[_i].filter != ARCHIVE_FILTER_BZIP2 && filters[_i].filter != ARCHIVE_FILTER_LZ4)
		ck_assert_uint_gt(count, 800);
	buf_release(&b);
}
END_TEST

/* Magic, no length of the content, a window of 2^(10 + 20) bytes; a block, empty and the last. */
START_TEST(a_zstd_capture_that_asks_for_a_gigabyte_is_refused)
{
	struct buf b = { 0 };
	struct saved_file f;

	buf_add(&b, "\x28\xb5\x2f\xfd\x00\xa0\x01\x00\x00", 9);
	put_zeros(&b, 100);
	save("greedy.zst", &b);
	f = replay_single("greedy.zst", NULL);
	ck_assert(f.failed);
	ck_assert_str_eq(f.error.text, "cannot decompress greedy.zst: its zstd data ask for 1024 "
				       "MiB of memory, and 128 MiB are "
				       "the most");
	buf_release(&b);
}
END_TEST

/* The xz file format, section 3.1: the block header behind the stream's 12 bytes says how much. */
START_TEST(an_xz_capture_that_asks_for_a_gigabyte_is_refused)
{
	enum { BLOCK = 12, DICTIONARY = BLOCK + 4, GIGABYTE = 36 };
	uint8_t head[64];
	struct buf b = { 0 };
	struct saved_file f;
	size_t len;
	FILE *file;

	put_random_pcap(&b, 10);
	save_archive("greedy", ARCHIVE_FILTER_XZ, &b);
	file = fopen("greedy", "r+b");
	ck_assert_ptr_nonnull(file);
	ck_assert_uint_eq(fread(head, 1, sizeof(head), file), sizeof(head));
	ck_assert_uint_eq(head[DICTIONARY - 2], LZMA_FILTER_LZMA2);
	head[DICTIONARY] = GIGABYTE;
	len = head[BLOCK] * 4u;
	put_little(head + BLOCK + len, lzma_crc32(head + BLOCK, len, 0));
	ck_assert_int_eq(fseek(file, 0, SEEK_SET), 0);
	ck_assert_uint_eq(fwrite(head, 1, sizeof(head), file), sizeof(head));
	ck_assert_int_eq(fclose(file), 0);
	f = replay_single("greedy", NULL);
	ck_assert(f.failed);
	ck_assert_msg(
	    strstr(f.error.text, "greedy: its xz data ask for 10") != NULL, "%s", f.error.text);
	ck_assert_ptr_nonnull(strstr(f.error.text, "96 MiB are the most"));
	buf_release(&b);
}
END_TEST

/* The end of a capture that was being compressed when the machine stopped. */
START_TEST(every_cut_of_a_gzip_file_keeps_its_packets)
{
	struct buf b = { 0 };
	struct saved_file f;
	uint64_t last = 20;
	struct stat st;

	put_random_pcap(&b, 20);
	save_gzip("a.gz", &b);
	ck_assert_int_eq(stat("a.gz", &st), 0);
	for (off_t len = st.st_size; len > 20; len -= 97) {
		uint64_t count;

		ck_assert_int_eq(truncate("a.gz", len), 0);
		count = count_random("a.gz", &f);
		ck_assert(f.failed == (len < st.st_size));
		ck_assert_uint_le(count, last);
		ck_assert_uint_ge((count + 2) * 1016 + 600, (uint64_t)len);
		last = count;
	}
	buf_release(&b);
}
END_TEST

START_TEST(gzip_members_follow_each_other)
{
	struct buf b = { 0 }, joined = { 0 };
	struct saved_file f;

	put_random_pcap(&b, 300);
	for (size_t at = 0; at < b.len; at += 1777) {
		struct buf piece = { 0 };

		buf_add(&piece, b.data + at, b.len - at < 1777 ? b.len - at : 1777);
		save_gzip("piece", &piece);
		add_file(&joined, "piece");
		buf_release(&piece);
	}
	put_zeros(&joined, 100); /* padding, as tapes and some tools leave it */
	save("joined.gz", &joined);
	ck_assert_uint_eq(count_random("joined.gz", &f), 300);
	ck_assert_msg(!f.failed, "%s", f.error.text);
	buf_release(&b);
	buf_release(&joined);
}
END_TEST

/* libarchive keeps the last block of zstd to itself where nonsense follows. */
START_TEST(what_stands_behind_a_compressed_capture_is_told_but_for_zeros)
{
	bool is_zstd = filters[_i].filter == ARCHIVE_FILTER_ZSTD;
	struct buf b = { 0 }, whole = { 0 };
	struct saved_file f;

	put_pcapng(&b, T0, 1, 30, 700);
	save_archive("capture", filters[_i].filter, &b);
	add_file(&whole, "capture");
	put_zeros(&whole, 100);
	save("padded", &whole);
	f = replay_single("padded", NULL);
	ck_assert_msg(f.failed == is_zstd, "%s: %s", filters[_i].name, f.error.text);
	ck_assert(f.packet_count == 30 || is_zstd);

	whole.len = 0;
	add_file(&whole, "capture");
	buf_add(&whole, b.data, b.len);
	save("joined", &whole);
	f = replay_single("joined", NULL);
	ck_assert_msg(f.failed, "%s", filters[_i].name);
	ck_assert_msg(strstr(f.error.text, "is damaged near byte") != NULL, "%s", f.error.text);
	ck_assert(f.packet_count == 30 || is_zstd);
	buf_release(&b);
	buf_release(&whole);
}
END_TEST

START_TEST(known_compressed_capture_is_recognised)
{
	struct memory m = { 0 };
	struct buf b = { 0 };

	save_pcap("a.pcap", T0, 1, 2000, 700);
	(void)replay_remembering(&m, "a.pcap");
	put_pcap(&b, T0, 1, 2001, 700);
	save_archive("a.gz", filters[_i].filter, &b);
	ck_assert_uint_eq(replay_remembering(&m, "a.gz").skipped_count, 2000);
	buf_release(&b);
}
END_TEST

START_TEST(compressed_pipe_is_read)
{
	const char *path = "-";
	struct buf b = { 0 };
	struct replayed all;
	char bytes[65536];
	size_t len;
	FILE *file;
	int fd = pipe_to_standard_input();

	put_pcap(&b, T0, 1, 2000, 100);
	save_archive("a", filters[_i].filter, &b);
	file = fopen("a", "rb");
	ck_assert_ptr_nonnull(file);
	len = fread(bytes, 1, sizeof(bytes), file);
	ck_assert(feof(file)); /* it fits into the pipe */
	ck_assert_int_eq(fclose(file), 0);
	ck_assert_int_eq((int)write(fd, bytes, len), (int)len);
	ck_assert_int_eq(close(fd), 0);
	all = replay_with(NULL, &path, 1);
	ck_assert_uint_eq(all.count, 2000);
	saved_free(all.saved);
	buf_release(&b);
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_checked_fixture(tc, make_folder, remove_folder);
	tcase_add_loop_test(tc, compressed_captures_are_read_whatever_their_name, 0, ROWS(filters));
	tcase_add_test(tc, zstd_behind_a_skippable_frame_is_read);
	tcase_add_loop_test(tc, compressed_text_is_no_capture, 0, ROWS(filters));
	tcase_add_loop_test(tc, cut_compressed_capture_gives_what_is_there, 0, ROWS(filters));
	tcase_add_loop_test(
	    tc, however_short_a_compressed_capture_is_cut_it_is_told_as_cut, 0, ROWS(filters));
	tcase_add_loop_test(tc, damaged_compressed_capture_gives_what_is_before, 0, ROWS(filters));
	tcase_add_test(tc, a_zstd_capture_that_asks_for_a_gigabyte_is_refused);
	tcase_add_test(tc, an_xz_capture_that_asks_for_a_gigabyte_is_refused);
	tcase_add_test(tc, every_cut_of_a_gzip_file_keeps_its_packets);
	tcase_add_test(tc, gzip_members_follow_each_other);
	tcase_add_loop_test(
	    tc, what_stands_behind_a_compressed_capture_is_told_but_for_zeros, 0, ROWS(filters));
	tcase_add_loop_test(tc, known_compressed_capture_is_recognised, 0, ROWS(filters));
	tcase_add_loop_test(tc, compressed_pipe_is_read, 0, ROWS(filters));
}

SUITE_MAIN("capture_compressed")
