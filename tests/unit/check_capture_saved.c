#include "suite.h"

#include <sys/resource.h>

#include "capture_replays.h"

#include "base/banned.h"

/* ---- merging */

START_TEST(no_path_is_no_replay)
{
	ck_assert_ptr_null(saved_open(NULL, 0, NULL));
}
END_TEST

START_TEST(one_file_is_read_in_its_order)
{
	struct replayed all;
	const struct saved_file *f;

	save_pcap("one.pcap", T0, 10, 1000, 100);
	all = replay_one("one.pcap");
	ck_assert_uint_eq(all.count, 1000);
	ck_assert(all.ordered);
	f = saved_file_at(all.saved, 0);
	ck_assert_str_eq(f->path, "one.pcap");
	ck_assert_str_eq(f->name, "one.pcap");
	ck_assert_uint_eq(f->size, 24 + 1000 * 116);
	ck_assert_uint_eq(f->packet_count, 1000);
	ck_assert_uint_eq(f->byte_count, 100000);
	ck_assert_int_eq(f->begin_us, T0);
	ck_assert_int_eq(f->end_us, T0 + 9990);
	ck_assert_uint_eq(f->snap_len, 262144);
	ck_assert(!f->failed && !f->unusable);
	saved_free(all.saved);
}
END_TEST

START_TEST(packets_without_bytes_are_packets_wherever_they_stand)
{
	struct replayed all;
	struct buf b = { 0 };

	put_pcap_header(&b, true, PCAP_US, 1);
	for (unsigned i = 0; i < 200; i++)
		put_pcap_packet(&b, true, PCAP_US, T0 + i, i, i % 3 == 0 || i > 190 ? 0 : 60);
	save("bare.pcap", &b);
	buf_release(&b);
	all = replay_one("bare.pcap");
	ck_assert_uint_eq(all.count, 200);
	ck_assert(all.ordered);
	ck_assert(!saved_file_at(all.saved, 0)->failed);
	saved_free(all.saved);
}
END_TEST

START_TEST(files_are_merged_by_time_and_ties_by_place)
{
	const char *paths[] = { "c.pcap", "b.pcap", "a.pcap" };
	struct replayed all;

	save_pcap("c.pcap", T0, 10, 3, 60);     /* 0 10 20 */
	save_pcap("b.pcap", T0 + 5, 10, 3, 60); /* 5 15 25 */
	save_pcap("a.pcap", T0 + 10, 5, 3, 60); /* 10 15 20 */
	all = replay_with(NULL, paths, 3);
	ck_assert_str_eq(all.sources, "abacbcacb");
	ck_assert(all.ordered);
	saved_free(all.saved);
}
END_TEST

START_TEST(files_that_follow_each_other_are_read_so_whatever_their_names)
{
	const char *paths[] = { "late.pcap", "early.pcap", "middle.pcap" };
	struct replayed all;

	save_pcap("late.pcap", T0 + 2000, 1, 500, 1000);
	save_pcap("early.pcap", T0, 1, 500, 1000);
	save_pcap("middle.pcap", T0 + 1000, 1, 500, 1000);
	all = replay_with(NULL, paths, 3);
	ck_assert_uint_eq(all.count, 1500);
	ck_assert(all.ordered);
	ck_assert_int_eq(all.sources[0], 'b');
	saved_free(all.saved);
}
END_TEST

START_TEST(file_that_goes_back_in_time_keeps_its_order)
{
	const char *paths[] = { "back.pcap", "plain.pcap" };
	struct buf b = { 0 };
	struct replayed all;

	put_pcap_header(&b, true, PCAP_US, 1);
	put_pcap_packet(&b, true, PCAP_US, T0 + 10, 0, 60);
	put_pcap_packet(&b, true, PCAP_US, T0 + 5, 1, 60);
	put_pcap_packet(&b, true, PCAP_US, T0 + 30, 2, 60);
	save("back.pcap", &b);
	save_pcap("plain.pcap", T0 + 7, 10, 2, 60); /* 7 17 */
	all = replay_with(NULL, paths, 2);
	ck_assert_str_eq(all.sources, "baaba");
	ck_assert_uint_eq(saved_file_at(all.saved, 0)->unordered_count, 1);
	ck_assert_uint_eq(saved_file_at(all.saved, 1)->unordered_count, 0);
	ck_assert_int_eq(saved_file_at(all.saved, 0)->begin_us, T0 + 5);
	ck_assert_int_eq(saved_file_at(all.saved, 0)->end_us, T0 + 30);
	saved_free(all.saved);
	buf_release(&b);
}
END_TEST

/* More files than may be open at once, all of the same time: each gives its descriptor back. */
START_TEST(many_files_at_once_need_few_descriptors)
{
	enum { FILES = 300, PACKETS = 50 };
	struct rlimit few = { 120, 120 };
	struct replayed all;

	ck_assert_int_eq(mkdir("many", 0700), 0);
	for (unsigned i = 0; i < FILES; i++) {
		char name[32];

		(void)snprintf(name, sizeof(name), "many/%03u.pcap", i);
		save_pcap(name, T0 + i, FILES, PACKETS, 1500);
	}
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &few), 0);
	all = replay_one("many");
	ck_assert_uint_eq(saved_file_count(all.saved), FILES);
	for (size_t i = 0; i < FILES; i++)
		ck_assert_msg(saved_file_at(all.saved, i)->packet_count == PACKETS, "%s",
		    saved_file_at(all.saved, i)->error.text);
	ck_assert_uint_eq(all.count, FILES * PACKETS);
	ck_assert(all.ordered);
	saved_free(all.saved);
}
END_TEST

START_TEST(batches_of_one_give_the_same)
{
	const char *paths[] = { "a.pcap", "b.pcap" };
	struct saved *r;
	struct frame frame;
	char sources[7] = "";
	size_t count = 0;

	save_pcap("a.pcap", T0, 10, 3, 60);
	save_pcap("b.pcap", T0 + 1, 10, 3, 60);
	r = saved_open(paths, 2, NULL);
	while (count < 6 && saved_read(r, &frame, 1) == 1)
		sources[count++] = (char)('a' + frame.source);
	ck_assert_str_eq(sources, "ababab");
	ck_assert_uint_eq(saved_read(r, &frame, 1), 0);
	saved_free(r);
}
END_TEST

/* ---- what is not a capture */

START_TEST(unusable_paths_do_not_stop_the_others)
{
	const char *paths[] = { "gone.pcap", "empty.pcap", "notes.txt", "good.pcap", "nothing" };
	static const char *const says[] = { "gone.pcap does not exist", "empty.pcap is empty",
		"notes.txt is not a capture: it begins with neither a pcap nor a pcapng header "
		"(unpack archives; convert other forms with editcap)",
		NULL, "folder nothing is empty" };
	struct replayed all;

	save_text("empty.pcap", "");
	save_text("notes.txt", "buy milk, and a tap");
	save_pcap("good.pcap", T0, 1, 5, 60);
	ck_assert_int_eq(mkdir("nothing", 0700), 0);
	all = replay_with(NULL, paths, 5);
	ck_assert_uint_eq(all.count, 5);
	ck_assert_uint_eq(saved_file_count(all.saved), 5);
	for (size_t i = 0; i < 5; i++) {
		const struct saved_file *f = saved_file_at(all.saved, i);

		ck_assert_str_eq(f->path, paths[i]);
		ck_assert(f->failed == (says[i] != NULL) && f->unusable == f->failed);
		if (says[i] != NULL)
			ck_assert_msg(
			    strstr(f->error.text, says[i]) == f->error.text, "%s", f->error.text);
	}
	saved_free(all.saved);
}
END_TEST

START_TEST(folder_gives_its_captures_by_name_and_passes_over_the_rest)
{
	struct replayed all;

	ck_assert_int_eq(mkdir("d", 0700), 0);
	ck_assert_int_eq(mkdir("d/below", 0700), 0);
	save_pcap("d/2.pcap", T0, 1, 1, 60);
	save_pcap("d/10.pcap", T0, 1, 1, 60);
	save_pcap("d/B.cap", T0, 1, 1, 60);
	save_pcap("d/a", T0, 1, 1, 60);
	save_pcap("d/.hidden.pcap", T0, 1, 1, 60);
	save_pcap("d/below/x.pcap", T0, 1, 1, 60);
	save_text("d/README", "captures of the printer");
	save_text("d/just-begun.pcap", "");
	all = replay_one("d/");
	ck_assert_uint_eq(all.count, 4);
	ck_assert_uint_eq(saved_file_count(all.saved), 4);
	ck_assert_str_eq(saved_file_at(all.saved, 0)->path, "d/10.pcap");
	ck_assert_str_eq(saved_file_at(all.saved, 0)->name, "10.pcap");
	ck_assert_str_eq(saved_file_at(all.saved, 1)->name, "2.pcap");
	ck_assert_str_eq(saved_file_at(all.saved, 2)->name, "B.cap");
	ck_assert_str_eq(saved_file_at(all.saved, 3)->name, "a");
	ck_assert_str_eq(all.sources, "abcd");
	ck_assert_uint_eq(saved_passed_over_count(all.saved), 2);
	ck_assert_str_eq(saved_passed_over_at(all.saved, 0), "d/README");
	ck_assert_str_eq(saved_passed_over_at(all.saved, 1), "d/just-begun.pcap");
	ck_assert_uint_eq(saved_inner_folder_count(all.saved), 1);
	saved_free(all.saved);
}
END_TEST

START_TEST(folder_without_a_capture_is_unusable)
{
	struct saved_file f;

	ck_assert_int_eq(mkdir("d", 0700), 0);
	save_text("d/README", "nothing yet");
	f = replay_single("d", NULL);
	ck_assert(f.failed && f.unusable);
	ck_assert_msg(
	    strstr(f.error.text, "folder d holds no capture: none of what") == f.error.text, "%s",
	    f.error.text);
	ck_assert_int_eq(mkdir("d/below", 0700), 0);
	save_pcap("d/below/x.pcap", T0, 1, 1, 60);
	f = replay_single("d", NULL);
	ck_assert(f.failed && f.unusable);
	ck_assert_str_eq(f.error.text,
	    "folder d holds no capture, and folders in it are not looked into: name those");
}
END_TEST

START_TEST(cut_file_gives_its_packets_and_is_failed_but_not_unusable)
{
	struct saved_file f;

	save_pcap("cut.pcap", T0, 1, 124, 60);
	cut_file("cut.pcap", 1);
	f = replay_single("cut.pcap", NULL);
	ck_assert_uint_eq(f.packet_count, 123);
	ck_assert(f.failed && !f.unusable);
	ck_assert_str_eq(f.error.text,
	    "cut.pcap ends in the middle of packet 124; the 123 packets before it were read");
}
END_TEST

START_TEST(packets_of_an_interface_that_is_not_described_fail_the_file)
{
	struct buf b = { 0 };
	struct saved_file f;

	put_section(&b, true);
	put_enhanced(&b, true, 0, (uint64_t)T0, 0, 60);
	save("none.pcapng", &b);
	put_interface(&b, true, 1, 0, NULL);
	put_enhanced(&b, true, 0, (uint64_t)T0 + 1, 1, 60);
	put_enhanced(&b, true, 1, (uint64_t)T0 + 2, 2, 60);
	save("some.pcapng", &b);
	f = replay_single("none.pcapng", NULL);
	ck_assert(f.failed && !f.unusable);
	ck_assert_uint_eq(f.packet_count, 0);
	ck_assert_str_eq(f.error.text,
	    "none.pcapng does not describe the interface of some packets; 1 packet could "
	    "not be read");
	f = replay_single("some.pcapng", NULL);
	ck_assert(f.failed && !f.unusable);
	ck_assert_uint_eq(f.packet_count, 1);
	ck_assert_str_eq(f.error.text,
	    "some.pcapng does not describe the interface of some packets; 2 packets could "
	    "not be read");
	buf_release(&b);
}
END_TEST

START_TEST(file_that_shrinks_while_it_is_read_ends_there)
{
	const char *path = "big.pcap";
	struct saved *r;
	struct frame frames[BATCH];
	struct replayed rest;
	size_t count;

	save_pcap(path, T0, 1, 1000, 1500); /* six windows */
	r = saved_open(&path, 1, NULL);
	count = saved_read(r, frames, BATCH);
	ck_assert_uint_gt(count, 0);
	ck_assert_int_eq(truncate(path, 100000), 0);
	rest = read_rest(r);
	ck_assert_uint_eq(count + rest.count, (100000 - 24) / 1516);
	ck_assert(saved_file_at(r, 0)->failed);
	saved_free(r);
}
END_TEST

/* ---- large files, which are mapped */

#define LARGE_COUNT 4000u /* of 1500 bytes and a header of 16: 6 MB */
#define LARGE_RECORD 1516

static struct saved *
cut_after_a_batch(off_t size, size_t *first_count)
{
	const char *path = "large.pcap";
	struct saved *r;
	struct frame frames[BATCH];

	save_pcap(path, T0, 1, LARGE_COUNT, 1500);
	r = saved_open(&path, 1, NULL);
	*first_count = saved_read(r, frames, BATCH);
	ck_assert_uint_gt(*first_count, 0);
	ck_assert_int_eq(truncate(path, size), 0);
	return r;
}

START_TEST(large_file_gives_the_same_as_one_through_a_pipe)
{
	struct saved_file mapped, piped;
	struct buf b = { 0 };
	int fd = pipe_to_standard_input();
	pid_t pid;

	put_pcap(&b, T0, 1, LARGE_COUNT, 1500);
	save("large.pcap", &b);
	mapped = replay_single("large.pcap", NULL);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0)
		_exit(write(fd, b.data, b.len) == (ssize_t)b.len ? 0 : 1);
	ck_assert_int_eq(close(fd), 0);
	piped = replay_single("-", NULL);
	ck_assert_uint_eq(mapped.packet_count, LARGE_COUNT);
	ck_assert_uint_eq(piped.packet_count, LARGE_COUNT);
	ck_assert_uint_eq(mapped.identity.stream_hash, piped.identity.stream_hash);
	ck_assert_int_eq(mapped.end_us, T0 + LARGE_COUNT - 1);
	buf_release(&b);
}
END_TEST

START_TEST(large_file_that_shrinks_where_it_is_not_read_yet_ends_there)
{
	size_t count;
	struct saved *r = cut_after_a_batch(24 + 3000 * LARGE_RECORD + 7, &count);

	ck_assert_uint_eq(count + read_rest(r).count, 3000);
	ck_assert_str_eq(saved_file_at(r, 0)->error.text,
	    "large.pcap ends in the middle of packet 3001; the 3000 packets before it were read");
	saved_free(r);
}
END_TEST

START_TEST(large_file_that_is_cut_where_it_is_being_read_is_failed)
{
	struct frame frames[BATCH];
	size_t count, batch_count, whole_count = 4096 * 50 / LARGE_RECORD;
	struct saved *r = cut_after_a_batch(4096 * 50, &count);
	const struct saved_file *f = saved_file_at(r, 0);

	while ((batch_count = saved_read(r, frames, BATCH)) > 0) {
		for (size_t i = 0; i < batch_count; i++, count++) {
			/* The bytes of one more packet may have gone behind its header. */
			ck_assert(count >= whole_count ||
				  packet_bytes_are(frames[i].bytes, (unsigned)count, 1500));
		}
	}
	ck_assert_uint_le(count, whole_count + 1);
	ck_assert_uint_ge(count, whole_count - BATCH);
	ck_assert(f->failed && !f->unusable);
	ck_assert_ptr_nonnull(
	    strstr(f->error.text, "large.pcap was cut while it was being read; "));
	saved_free(r);
}
END_TEST

START_TEST(large_file_that_grows_while_it_is_read_is_read_to_its_end)
{
	const char *path = "large.pcap";
	struct buf b = { 0 };
	struct frame frames[BATCH];
	struct saved *r;
	size_t count;
	FILE *f;

	save_pcap(path, T0, 1, LARGE_COUNT, 1500);
	r = saved_open(&path, 1, NULL);
	count = saved_read(r, frames, BATCH);
	put_pcap_packet(&b, true, PCAP_US, T0 + LARGE_COUNT, 7, 100000);
	f = fopen(path, "ab");
	ck_assert_ptr_nonnull(f);
	ck_assert_uint_eq(fwrite(b.data, 1, b.len, f), b.len);
	ck_assert_int_eq(fclose(f), 0);
	ck_assert_uint_eq(count + read_rest(r).count, LARGE_COUNT + 1);
	ck_assert(!saved_file_at(r, 0)->failed);
	saved_free(r);
	buf_release(&b);
}
END_TEST

/* More than are mapped at the same time. */
START_TEST(many_large_files_are_merged)
{
	const char *paths[] = { "0", "1", "2", "3", "4", "5", "6", "7", "8", "9" };
	size_t count = sizeof(paths) / sizeof(paths[0]);
	struct replayed all;

	for (size_t i = 0; i < count; i++)
		save_pcap(paths[i], T0 + (int64_t)i, 10, LARGE_COUNT, 1500);
	all = replay_with(NULL, paths, count);
	ck_assert_uint_eq(all.count, count * LARGE_COUNT);
	ck_assert(all.ordered);
	saved_free(all.saved);
}
END_TEST

START_TEST(large_pcapng_passes_over_blocks_of_megabytes)
{
	struct saved_file f;
	struct buf b = { 0 }, secret = { 0 };

	put_pcapng(&b, T0, 1, 2000, 1500);
	put_zeros(&secret, 5000001);
	put_block(&b, true, 0x0a, &secret);
	put_pcapng(&b, T0 + 2000, 1, 2000, 1500);
	put_block(&b, true, 0x0a, &secret);
	save("large.pcapng", &b);
	f = replay_single("large.pcapng", NULL);
	ck_assert_uint_eq(f.packet_count, 4000);
	ck_assert(!f.failed);
	buf_release(&b);
	buf_release(&secret);
}
END_TEST

START_TEST(large_pcapng_whose_last_block_lies_keeps_the_frames_before_it)
{
	const char *path = "large.pcapng";
	struct frame frames[BATCH];
	struct buf b = { 0 }, secret = { 0 };
	unsigned seen = 0;
	struct saved *r;
	size_t count;

	put_pcapng(&b, T0, 1, LARGE_COUNT, 1500);
	put_zeros(&secret, 20000000);
	put_block(&b, true, 0x0a, &secret);
	b.len -= 19999000;
	save(path, &b);
	r = saved_open(&path, 1, NULL);
	while ((count = saved_read(r, frames, BATCH)) > 0)
		for (size_t i = 0; i < count; i++)
			ck_assert(packet_bytes_are(frames[i].bytes, seen++, 1500));
	ck_assert_uint_eq(seen, LARGE_COUNT);
	ck_assert_ptr_nonnull(
	    strstr(saved_file_at(r, 0)->error.text, "ends in the middle of a block"));
	saved_free(r);
	buf_release(&b);
	buf_release(&secret);
}
END_TEST

/* ---- standard input */

START_TEST(pipe_gives_packets_as_they_arrive)
{
	const char *path = "-";
	struct buf b = { 0 };
	struct frame frames[BATCH];
	struct saved *r;
	int fd = pipe_to_standard_input();
	size_t at = 24;

	put_pcap(&b, T0, 1, 10, 100);
	feed(fd, &b, 0, at);
	r = saved_open(&path, 1, NULL); /* reads nothing yet */
	for (unsigned i = 0; i < 4; i++, at += 116) {
		feed(fd, &b, at, at + 116);
		ck_assert_uint_eq(saved_read(r, frames, BATCH), 1);
		ck_assert(packet_bytes_are(frames[0].bytes, i, 100));
	}
	feed(fd, &b, at, at + 2 * 116 + 50); /* two and a piece */
	ck_assert_uint_eq(saved_read(r, frames, BATCH), 2);
	feed(fd, &b, at + 2 * 116 + 50, b.len - 1);
	ck_assert_int_eq(close(fd), 0);
	ck_assert_uint_eq(read_rest(r).count, 3);
	ck_assert_str_eq(saved_file_at(r, 0)->error.text,
	    "standard input ends in the middle of packet 10; the 9 packets before it were read");
	ck_assert_str_eq(saved_file_at(r, 0)->name, "-");
	ck_assert_uint_eq(saved_bytes_total(r), 0);
	ck_assert_uint_eq(saved_bytes_done(r), b.len - 1);
	saved_free(r);
	buf_release(&b);
}
END_TEST

START_TEST(pipe_of_single_bytes_gives_all_packets)
{
	const char *path = "-";
	struct buf b = { 0 };
	struct replayed all;
	int fd = pipe_to_standard_input();
	pid_t pid;

	put_pcapng(&b, T0, 1, 20, 100);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		for (size_t i = 0; i < b.len; i++)
			if (write(fd, b.data + i, 1) != 1)
				_exit(1);
		_exit(0);
	}
	ck_assert_int_eq(close(fd), 0);
	all = replay_with(NULL, &path, 1);
	ck_assert_uint_eq(all.count, 20);
	ck_assert(!saved_file_at(all.saved, 0)->failed);
	saved_free(all.saved);
	buf_release(&b);
}
END_TEST

START_TEST(pipe_is_merged_with_files_and_named_once)
{
	const char *paths[] = { "a.pcap", "-", "-" };
	struct buf b = { 0 };
	struct replayed all;
	int fd = pipe_to_standard_input();

	save_pcap("a.pcap", T0, 10, 3, 60);
	put_pcap(&b, T0 + 5, 10, 3, 60);
	feed(fd, &b, 0, b.len);
	ck_assert_int_eq(close(fd), 0);
	all = replay_with(NULL, paths, 3);
	ck_assert_uint_eq(saved_file_count(all.saved), 2);
	ck_assert_str_eq(all.sources, "ababab");
	saved_free(all.saved);
	buf_release(&b);
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_checked_fixture(tc, make_folder, remove_folder);
	tcase_add_test(tc, no_path_is_no_replay);
	tcase_add_test(tc, one_file_is_read_in_its_order);
	tcase_add_test(tc, packets_without_bytes_are_packets_wherever_they_stand);
	tcase_add_test(tc, files_are_merged_by_time_and_ties_by_place);
	tcase_add_test(tc, files_that_follow_each_other_are_read_so_whatever_their_names);
	tcase_add_test(tc, file_that_goes_back_in_time_keeps_its_order);
	tcase_add_test(tc, many_files_at_once_need_few_descriptors);
	tcase_add_test(tc, batches_of_one_give_the_same);
	tcase_add_test(tc, unusable_paths_do_not_stop_the_others);
	tcase_add_test(tc, folder_gives_its_captures_by_name_and_passes_over_the_rest);
	tcase_add_test(tc, folder_without_a_capture_is_unusable);
	tcase_add_test(tc, cut_file_gives_its_packets_and_is_failed_but_not_unusable);
	tcase_add_test(tc, packets_of_an_interface_that_is_not_described_fail_the_file);
	tcase_add_test(tc, file_that_shrinks_while_it_is_read_ends_there);
	tcase_add_test(tc, large_file_gives_the_same_as_one_through_a_pipe);
	tcase_add_test(tc, large_file_that_shrinks_where_it_is_not_read_yet_ends_there);
	tcase_add_test(tc, large_file_that_is_cut_where_it_is_being_read_is_failed);
	tcase_add_test(tc, large_file_that_grows_while_it_is_read_is_read_to_its_end);
	tcase_add_test(tc, many_large_files_are_merged);
	tcase_add_test(tc, large_pcapng_passes_over_blocks_of_megabytes);
	tcase_add_test(tc, large_pcapng_whose_last_block_lies_keeps_the_frames_before_it);
	tcase_add_test(tc, pipe_gives_packets_as_they_arrive);
	tcase_add_test(tc, pipe_of_single_bytes_gives_all_packets);
	tcase_add_test(tc, pipe_is_merged_with_files_and_named_once);
}

SUITE_MAIN("capture_replay")
