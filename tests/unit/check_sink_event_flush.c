#include "sink/event_flush.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "full_disk.h"
#include "suite.h"

#include "base/banned.h"

/* More events than have room in memory: a line of theirs has some hundred bytes. */
#define MANY 65536

static char folder[64], path[96], logged[96];

static void
setup(void)
{
	(void)snprintf(folder, sizeof(folder), "/tmp/check_sink_event_flush.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	(void)snprintf(path, sizeof(path), "%s/events", folder);
	(void)snprintf(logged, sizeof(logged), "%s/logged", folder);
}

static void
teardown(void)
{
	(void)unlink(path);
	(void)unlink(logged);
	(void)rmdir(folder);
}

static void
add_events(struct event_writer *w, size_t count)
{
	static const struct event event = { .vlan = -1 };

	for (size_t i = 0; i < count; i++)
		event_writer_add(w, &event, "eth0");
}

/* How many lines of the log have the text. */
static size_t
count_logged(const char *text)
{
	char line[512];
	size_t found = 0;

	rewind(stderr);
	while (fgets(line, sizeof(line), stderr) != NULL)
		found += strstr(line, text) != NULL;
	return found;
}

START_TEST(each_change_is_told_once_and_so_is_what_was_lost)
{
	const struct event_writer_options options = {
		.target = EVENT_TARGET_FILE,
		.path = path,
		.append = true,
		.sensor = "here",
	};
	struct error err = { "" };
	struct event_flush flush = { .writer = event_writer_new(&options, &err) };

	ck_assert_msg(flush.writer != NULL, "%s", err.text);
	ck_assert_ptr_nonnull(freopen(logged, "w+", stderr));
	limit_files(4096);
	add_events(flush.writer, 100);
	for (int i = 0; i < 2; i++)
		event_flush_try(&flush);
	add_events(flush.writer, MANY);
	limit_files(RLIM_INFINITY);
	for (int i = 0; i < 2; i++)
		event_flush_try(&flush);
	ck_assert_uint_gt(event_writer_lost(flush.writer), 0);
	ck_assert_uint_eq(count_logged("events are kept in memory"), 1);
	ck_assert_uint_eq(count_logged("events are written again"), 1);
	ck_assert_uint_eq(count_logged("events were not written"), 1);
	event_writer_free(flush.writer);
}
END_TEST

START_TEST(without_a_file_there_is_nothing_to_flush)
{
	struct event_flush flush = { 0 };

	event_flush_try(&flush);
	ck_assert(!flush.failing);
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, each_change_is_told_once_and_so_is_what_was_lost);
	tcase_add_test(tc, without_a_file_there_is_nothing_to_flush);
}

SUITE_MAIN("sink_event_flush")
