#include "suite.h"

#include <fcntl.h>

#include "capture/identity.h"
#include "capture_replays.h"

#include "base/banned.h"

/* ---- identity */

START_TEST(container_and_compression_do_not_change_the_identity)
{
	static const char *const names[] = { "a.pcap", "a.pcapng", "a.ns.pcap", "a.pcap.gz" };
	struct buf pcap = { 0 }, pcapng = { 0 }, ns = { 0 };
	struct saved_identity first = { 0 };

	put_pcap(&pcap, T0, 7, 200, 90);
	put_pcapng(&pcapng, T0, 7, 200, 90);
	put_pcap_header(&ns, false, PCAP_NS, 1);
	for (unsigned i = 0; i < 200; i++)
		put_pcap_packet(&ns, false, PCAP_NS, T0 + i * 7, i, 90);
	save("a.pcap", &pcap);
	save("a.pcapng", &pcapng);
	save("a.ns.pcap", &ns);
	save_gzip("a.pcap.gz", &pcap);
	for (int i = 0; i < ROWS(names); i++) {
		struct saved_file f = replay_single(names[i], NULL);

		if (i == 0)
			first = f.identity;
		ck_assert_uint_eq(f.identity.packet_count, 200);
		ck_assert_uint_eq(f.identity.head_hash, first.head_hash);
		ck_assert_uint_eq(f.identity.stream_hash, first.stream_hash);
	}
	buf_release(&pcap);
	buf_release(&pcapng);
	buf_release(&ns);
}
END_TEST

START_TEST(identity_depends_on_each_packet_and_their_order)
{
	uint8_t bytes[100] = { 0 };
	struct frame plain = { .bytes = { bytes, 100 }, .wire_len = 100, .time_us = T0 };
	struct frame other = plain, shorter = plain, longer = plain;
	uint8_t changed[100] = { 0 };
	uint64_t hash = identity_add(0, &plain);

	other.time_us++;
	shorter.bytes.len--;
	longer.wire_len++;
	ck_assert_uint_ne(identity_add(0, &other), hash);
	ck_assert_uint_ne(identity_add(0, &shorter), hash);
	ck_assert_uint_ne(identity_add(0, &longer), hash);
	ck_assert_uint_ne(identity_add(identity_add(0, &plain), &other),
	    identity_add(identity_add(0, &other), &plain));
	ck_assert_uint_ne(identity_add(hash, &plain), hash);
	other = plain;
	other.bytes.data = changed;
	for (size_t i = 16; i < 48; i++) {
		changed[i] = 1;
		ck_assert_uint_ne(identity_add(0, &other), hash);
		changed[i] = 0;
	}
	ck_assert_uint_eq(identity_add(0, &other), hash);
	for (size_t len = 0; len < 48; len++) {
		plain.bytes.len = len;
		hash = identity_add(0, &plain);
		other.bytes.len = len;
		ck_assert_uint_eq(identity_add(0, &other), hash);
		for (size_t i = 0; i < len; i++) {
			changed[i] = 1;
			ck_assert_uint_ne(identity_add(0, &other), hash);
			changed[i] = 0;
		}
	}
}
END_TEST

/* Databases keep these numbers: they stay the same from version to version. */
START_TEST(identity_is_the_same_on_every_machine)
{
	struct saved_file f;

	save_pcap("a.pcap", T0, 1, 3, 60);
	f = replay_single("a.pcap", NULL);
	ck_assert_uint_eq(f.identity.packet_count, 3);
	ck_assert_uint_eq(f.identity.head_hash, UINT64_C(0xe8590e488f4f00a1));
	ck_assert_uint_eq(f.identity.stream_hash, UINT64_C(0x9fec7abc1e8183da));
}
END_TEST

/* ---- what was counted before */

/* Few packets and many, and around windows: one packet is the smallest capture there is. */
static const unsigned growths[][3] = { { 1, 1, 2 }, { 1, 2, 3 }, { 3, 63, 65 }, { 64, 64, 65 },
	{ 200, 500, 2000 }, { 2000, 2000, 2001 } };

START_TEST(grown_capture_gives_only_its_new_packets)
{
	struct memory m = { 0 };
	unsigned before = 0;

	for (size_t i = 0; i < 3; i++) {
		struct saved_file f;

		save_pcap("grows.pcap", T0, 1, growths[_i][i], 700);
		f = replay_remembering(&m, "grows.pcap");
		ck_assert(!f.failed);
		ck_assert_uint_eq(f.packet_count, growths[_i][i]);
		ck_assert_uint_eq(f.skipped_count, before);
		ck_assert_uint_eq(f.skipped_byte_count, before * 700);
		ck_assert_int_eq(f.begin_us, growths[_i][i] > before ? T0 + before : 0);
		before = growths[_i][i];
	}
	save_pcap("grows.pcap", T0, 1, before, 700);
	ck_assert_uint_eq(replay_remembering(&m, "grows.pcap").skipped_count, before);
}
END_TEST

START_TEST(capture_that_only_begins_the_same_loses_nothing)
{
	struct memory m = { 0 };
	struct buf b = { 0 };
	struct saved_file f;

	save_pcap("a.pcap", T0, 1, 1000, 700);
	ck_assert_uint_eq(replay_remembering(&m, "a.pcap").skipped_count, 0);
	put_pcap(&b, T0, 1, 999, 700); /* the last packet differs */
	put_pcap_packet(&b, true, PCAP_US, T0 + 999, 1, 700);
	for (unsigned i = 0; i < 500; i++)
		put_pcap_packet(&b, true, PCAP_US, T0 + 1000 + i, i, 700);
	save("b.pcap", &b);
	f = replay_remembering(&m, "b.pcap");
	ck_assert_uint_eq(f.packet_count, 1500);
	ck_assert_uint_eq(f.skipped_count, 0);
	ck_assert_uint_eq(f.byte_count, 1500 * 700);
	ck_assert_int_eq(f.begin_us, T0);
	ck_assert_uint_eq(f.unordered_count, 0);
	ck_assert_uint_eq(replay_remembering(&m, "b.pcap").skipped_count, 1500);
	save_pcap("short.pcap", T0, 1, 999, 700); /* shorter than what is known */
	ck_assert_uint_eq(replay_remembering(&m, "short.pcap").skipped_count, 0);
	buf_release(&b);
}
END_TEST

/* The longer candidate does not fit, the shorter one does. */
START_TEST(longest_candidate_that_fits_is_skipped)
{
	struct memory m = { 0 };
	struct buf b = { 0 };
	struct saved_file f;

	save_pcap("a.pcap", T0, 1, 1000, 700);
	(void)replay_remembering(&m, "a.pcap");
	save_pcap("a.pcap", T0, 1, 400, 700);
	(void)replay_remembering(&m, "a.pcap");
	save_pcap("a.pcap", T0, 1, 10, 700);
	(void)replay_remembering(&m, "a.pcap");
	put_pcap(&b, T0, 1, 450, 700);
	for (unsigned i = 0; i < 800; i++)
		put_pcap_packet(&b, true, PCAP_US, T0 + 5000 + i, i, 700);
	save("b.pcap", &b);
	f = replay_remembering(&m, "b.pcap");
	ck_assert_uint_eq(f.packet_count, 1250);
	ck_assert_uint_eq(f.skipped_count, 400);
	ck_assert_int_eq(f.begin_us, T0 + 400);
	ck_assert_int_eq(f.end_us, T0 + 5799);
	buf_release(&b);
}
END_TEST

START_TEST(cut_capture_goes_on_where_it_was_cut_once_it_is_whole)
{
	struct memory m = { 0 };
	struct saved_file f;

	save_pcap("a.pcap", T0, 1, 1000, 700);
	cut_file("a.pcap", 100);
	f = replay_remembering(&m, "a.pcap");
	ck_assert(f.failed);
	ck_assert_uint_eq(f.packet_count, 999);
	f = replay_remembering(&m, "a.pcap");
	ck_assert(f.failed);
	ck_assert_uint_eq(f.skipped_count, 999);
	save_pcap("a.pcap", T0, 1, 1000, 700);
	f = replay_remembering(&m, "a.pcap");
	ck_assert(!f.failed);
	ck_assert_uint_eq(f.skipped_count, 999);
	ck_assert_uint_eq(f.packet_count, 1000);
}
END_TEST

START_TEST(skipped_packets_do_not_disturb_the_merging)
{
	const char *paths[] = { "a.pcap", "b.pcap" };
	struct memory m = { 0 };
	struct saved_options options = { .known = recall, .known_arg = &m };
	struct replayed all;

	save_pcap("a.pcap", T0, 10, 500, 700);
	(void)replay_remembering(&m, "a.pcap");
	save_pcap("a.pcap", T0, 10, 502, 700); /* two new ones: at 5000 and 5010 */
	save_pcap("b.pcap", T0 + 4995, 10, 2, 60);
	all = replay_with(&options, paths, 2);
	ck_assert_str_eq(all.sources, "baba");
	saved_free(all.saved);
}
END_TEST

START_TEST(known_pipe_is_skipped_and_one_that_differs_later_is_an_error)
{
	const char *path = "-";
	struct memory m = { 0 };
	struct saved_options options = { .known = recall, .known_arg = &m };
	struct buf b = { 0 };
	struct saved_file f;
	int fd;

	save_pcap("a.pcap", T0, 1, 100, 100);
	(void)replay_remembering(&m, "a.pcap");
	put_pcap(&b, T0, 1, 110, 100);
	fd = pipe_to_standard_input();
	feed(fd, &b, 0, b.len);
	ck_assert_int_eq(close(fd), 0);
	f = replay_single(path, &options);
	ck_assert(!f.failed);
	ck_assert_uint_eq(f.skipped_count, 100);
	ck_assert_uint_eq(f.packet_count, 110);

	b.data[24 + 50 * 116 + 16 + 30] ^= 1; /* in packet 51 */
	fd = pipe_to_standard_input();
	feed(fd, &b, 0, b.len);
	ck_assert_int_eq(close(fd), 0);
	f = replay_single(path, &options);
	ck_assert(f.failed && !f.unusable);
	ck_assert_ptr_nonnull(strstr(f.error.text, "save it to a file and replay that"));
	buf_release(&b);
}
END_TEST

START_TEST(file_as_standard_input_is_as_good_as_its_name)
{
	const char *path = "-";
	struct memory m = { 0 };
	struct saved_options options = { .known = recall, .known_arg = &m };
	struct saved_file f;
	int fd;

	save_pcap("a.pcap", T0, 1, 1000, 100);
	(void)replay_remembering(&m, "a.pcap");
	save_pcap("b.pcap", T0, 1, 999, 100); /* shorter: has to be read again from its start */
	fd = open("b.pcap", O_RDONLY);
	ck_assert_int_eq(dup2(fd, STDIN_FILENO), STDIN_FILENO);
	f = replay_single(path, &options);
	ck_assert_msg(!f.failed, "%s", f.error.text);
	ck_assert_uint_eq(f.packet_count, 999);
	ck_assert_uint_eq(f.skipped_count, 0);
	ck_assert_uint_eq(f.size, 24 + 999 * 116);
	(void)close(fd);
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_checked_fixture(tc, make_folder, remove_folder);
	tcase_add_test(tc, container_and_compression_do_not_change_the_identity);
	tcase_add_test(tc, identity_depends_on_each_packet_and_their_order);
	tcase_add_test(tc, identity_is_the_same_on_every_machine);
	tcase_add_loop_test(tc, grown_capture_gives_only_its_new_packets, 0, ROWS(growths));
	tcase_add_test(tc, capture_that_only_begins_the_same_loses_nothing);
	tcase_add_test(tc, longest_candidate_that_fits_is_skipped);
	tcase_add_test(tc, cut_capture_goes_on_where_it_was_cut_once_it_is_whole);
	tcase_add_test(tc, skipped_packets_do_not_disturb_the_merging);
	tcase_add_test(tc, known_pipe_is_skipped_and_one_that_differs_later_is_an_error);
	tcase_add_test(tc, file_as_standard_input_is_as_good_as_its_name);
}

SUITE_MAIN("capture_known")
