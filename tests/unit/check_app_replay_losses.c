#include "suite.h"

#include "app/replay_losses.h"
#include "capture_replays.h"

#include "base/banned.h"

#define IFRECV 4
#define IFDROP 5
#define OSDROP 7

static void
put_count(struct buf *options, bool little, uint16_t code, uint64_t count)
{
	put_u16(options, little, code);
	put_u16(options, little, 8);
	put_u32(options, little, (uint32_t)(little ? count : count >> 32));
	put_u32(options, little, (uint32_t)(little ? count >> 32 : count));
}

#define NOT_TOLD (UINT64_MAX - 1)

/* A statistics block. */
static void
put_statistics(
    struct buf *b, bool little, uint32_t interface, uint64_t by_interface, uint64_t by_kernel)
{
	struct buf body = { 0 };

	put_u32(&body, little, interface);
	put_zeros(&body, 8); /* time */
	put_count(&body, little, IFRECV, 1000);
	if (by_interface != NOT_TOLD)
		put_count(&body, little, IFDROP, by_interface);
	if (by_kernel != NOT_TOLD)
		put_count(&body, little, OSDROP, by_kernel);
	put_block(b, little, 5, &body);
	buf_release(&body);
}

static void
put_two_interfaces(struct buf *b, bool little)
{
	put_section(b, little);
	put_interface(b, little, 1, 0, NULL);
	put_interface(b, little, 1, 0, NULL);
	put_enhanced(b, little, 0, (uint64_t)T0, 0, 60);
}

/* What a replay of the files says of `name`; -1: nothing. */
static long long
loss_in(const char *const *paths, size_t path_count, const char *name)
{
	struct replayed all = replay_with(NULL, paths, path_count);
	struct store_counter losses[REPLAY_LOSSES_MAX];
	size_t count = replay_losses(all.saved, losses);
	long long loss = -1;

	for (size_t i = 0; i < count; i++)
		if (strcmp(losses[i].name, name) == 0)
			loss = (long long)losses[i].value;
	saved_free(all.saved);
	return loss;
}

static long long
loss_in_one(const struct buf *b, const char *name)
{
	static const char *const path = "a.pcapng";

	save(path, b);
	return loss_in(&path, 1, name);
}

START_TEST(what_each_interface_told_last_is_added_up)
{
	bool little = _i;
	struct buf b = { 0 };

	put_two_interfaces(&b, little);
	put_statistics(&b, little, 0, 3, 10);
	put_statistics(&b, little, 1, 0, 0);
	put_enhanced(&b, little, 1, (uint64_t)T0 + 1, 1, 60);
	put_statistics(&b, little, 0, 5, 10);
	put_statistics(&b, little, 2, 100, 100); /* there is no such interface */
	ck_assert_int_eq(loss_in_one(&b, "interface_dropped"), 5);
	ck_assert_int_eq(loss_in_one(&b, "kernel_dropped"), 10);
	put_two_interfaces(&b, !little); /* another section, whose counters begin anew */
	put_statistics(&b, !little, 0, 2, 0);
	put_statistics(&b, !little, 1, 1, 0);
	ck_assert_int_eq(loss_in_one(&b, "interface_dropped"), 8);
	ck_assert_int_eq(loss_in_one(&b, "kernel_dropped"), 10);
	buf_release(&b);
}
END_TEST

START_TEST(none_is_known_only_where_each_interface_says_so)
{
	struct buf b = { 0 };

	put_two_interfaces(&b, true);
	ck_assert_int_eq(loss_in_one(&b, "kernel_dropped"), -1);
	put_statistics(&b, true, 0, NOT_TOLD, 0);
	ck_assert_int_eq(loss_in_one(&b, "kernel_dropped"), -1);
	put_statistics(&b, true, 1, UINT64_MAX, 0); /* dumpcap: it could not ask */
	ck_assert_int_eq(loss_in_one(&b, "kernel_dropped"), 0);
	ck_assert_int_eq(loss_in_one(&b, "interface_dropped"), -1);
	put_statistics(&b, true, 1, 7, NOT_TOLD);
	ck_assert_int_eq(loss_in_one(&b, "interface_dropped"), 7);
	ck_assert_int_eq(loss_in_one(&b, "kernel_dropped"), 0);
	buf_release(&b);
}
END_TEST

START_TEST(a_file_that_does_not_tell_makes_it_a_lower_bound)
{
	const char *const paths[] = { "b.pcap", "a.pcapng" };
	struct buf b = { 0 };

	save_pcap("b.pcap", T0, 1, 10, 60);
	put_two_interfaces(&b, true);
	put_statistics(&b, true, 0, 0, 4);
	put_statistics(&b, true, 1, 0, 4);
	save("a.pcapng", &b);
	ck_assert_int_eq(loss_in(paths, 1, "kernel_dropped"), -1);
	ck_assert_int_eq(loss_in(paths, 2, "kernel_dropped"), 8);
	ck_assert_int_eq(loss_in(paths, 2, "interface_dropped"), -1);
	buf_release(&b);
}
END_TEST

START_TEST(what_was_told_with_skipped_packets_counts_once)
{
	struct memory m = { 0 };
	struct buf b = { 0 };
	struct saved_file f;

	put_section(&b, true);
	put_interface(&b, true, 1, 0, NULL);
	put_enhanced(&b, true, 0, (uint64_t)T0, 0, 60);
	put_statistics(&b, true, 0, 0, 4);
	save("a.pcapng", &b);
	f = replay_remembering(&m, "a.pcapng");
	ck_assert(f.kernel_loss.is_known);
	ck_assert_uint_eq(f.kernel_loss.count, 4);
	put_enhanced(&b, true, 0, (uint64_t)T0 + 1, 1, 60);
	put_statistics(&b, true, 0, 0, 9);
	save("a.pcapng", &b);
	f = replay_remembering(&m, "a.pcapng");
	ck_assert_uint_eq(f.skipped_count, 1);
	ck_assert_uint_eq(f.kernel_loss.count, 5);
	buf_release(&b);
}
END_TEST

START_TEST(a_number_that_cannot_be_true_is_bounded)
{
	struct buf b = { 0 };

	put_two_interfaces(&b, true);
	put_statistics(&b, true, 0, 0, UINT64_MAX - 2);
	put_statistics(&b, true, 1, 0, UINT64_MAX - 2);
	ck_assert_int_eq(loss_in_one(&b, "kernel_dropped"), INT64_C(1) << 41);
	buf_release(&b);
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_checked_fixture(tc, make_folder, remove_folder);
	tcase_add_loop_test(tc, what_each_interface_told_last_is_added_up, 0, 2);
	tcase_add_test(tc, none_is_known_only_where_each_interface_says_so);
	tcase_add_test(tc, a_file_that_does_not_tell_makes_it_a_lower_bound);
	tcase_add_test(tc, what_was_told_with_skipped_packets_counts_once);
	tcase_add_test(tc, a_number_that_cannot_be_true_is_bounded);
}

SUITE_MAIN("app_replay_losses")
