/* Files that are damaged, cut short, or changed by someone else. */

#include "store_files.h"
#include "store_fixture.h"

#include "base/banned.h"

static bool
ignore_run(void *arg, const struct store_run *run)
{
	size_t *total = arg;

	*total += strlen(run->sensor) + strlen(run->command);
	for (size_t i = 0; i < run->counter_count; i++)
		*total += strlen(run->counters[i].name);
	for (size_t i = 0; i < run->source_count; i++)
		*total += strlen(run->sources[i].name);
	return true;
}

/* Reads and writes a file that may be damaged anywhere.  Failing is fine; a sentence is due. */
static void
use_damaged(void)
{
	struct error err = { "" };
	struct buf out = { 0 };
	struct store *s = store_open(path, STORE_READ, &err);
	size_t total = 0;
	int64_t id;

	if (s != NULL) {
		if (store_each_client(s, NULL, dump_one_client, &out, &err) != 0)
			ck_assert_msg(strstr(err.text, path) != NULL, "%s", err.text);
		if (store_each_finding(s, NULL, dump_one_finding, &out, &err) != 0)
			ck_assert_msg(strstr(err.text, path) != NULL, "%s", err.text);
		if (store_each_day(s, NULL, dump_one_day, &out, &err) != 0)
			ck_assert_msg(strstr(err.text, path) != NULL, "%s", err.text);
		if (store_each_run(s, NULL, ignore_run, &total, &err) != 0)
			ck_assert_msg(strstr(err.text, path) != NULL, "%s", err.text);
		store_close(s);
	} else {
		ck_assert_msg(strstr(err.text, path) != NULL, "%s", err.text);
	}
	s = store_open(path, STORE_WRITE, &err);
	if (s != NULL && store_sensor(s, "here", &id, &err) == 0) {
		struct event ev = handshake("10.0.0.1", "mail.example", V10, DAY);
		struct tally *t = tally_new(NULL);

		store_set_judge(s, judge_by_policy, NULL);
		ck_assert(tally_add(t, &ev));
		if (store_flush(s, id, t, NULL, &err) != 0) {
			ck_assert_msg(strstr(err.text, path) != NULL, "%s", err.text);
			ck_assert_uint_eq(tally_event_count(t), 1);
		}
		tally_free(t);
	}
	store_close(s);
	buf_release(&out);
}

static size_t
fill_with_much(uint8_t *out, size_t room)
{
	struct store *s = open_store(STORE_WRITE);
	struct store_counter counter = { "gaps", 3 };
	struct store_source source = { .name = "a.pcap", .has_identity = true };
	struct store_run run = { .command = "replay",
		.counters = &counter,
		.counter_count = 1,
		.sources = &source,
		.source_count = 1 };
	struct tally *t = tally_new(NULL);
	uint64_t state = 9;

	for (int i = 0; i < 400; i++) {
		struct event ev = random_event(&state, DAY + i * HOUR);

		ck_assert(tally_add(t, &ev));
	}
	flush(s, t, &run);
	tally_free(t);
	store_close(s);
	return read_file(path, out, room);
}

static void
remove_files(void)
{
	static const char *const tails[] = { "", "-wal", "-shm", "-journal" };
	char name[300];

	for (int i = 0; i < ROWS(tails); i++) {
		(void)snprintf(name, sizeof(name), "%s%s", path, tails[i]);
		(void)unlink(name);
	}
}

START_TEST(a_damaged_file_is_no_reason_to_crash)
{
	static uint8_t good[1 << 20], bad[1 << 20];
	size_t len = fill_with_much(good, sizeof(good));
	uint64_t state = 0x9e3779b97f4a7c15 + (uint64_t)_i;

	ck_assert_uint_gt(len, 8192);
	ck_assert_uint_lt(len, sizeof(good));
	for (int round = 0; round < 12; round++) {
		/* A few bits, a block of noise, or another page's content. */
		memcpy(bad, good, len);
		for (int i = 0; i < 40 && round % 3 == 0; i++)
			bad[100 + next_random(&state) % (len - 100)] ^=
			    (uint8_t)(1u << next_random(&state) % 8);
		for (size_t i = 0, at = next_random(&state) % (len - 64); i < 64 && round % 3 == 1;
		     i++)
			bad[at + i] = (uint8_t)next_random(&state);
		if (round % 3 == 2)
			memcpy(bad + 4096 * (next_random(&state) % (len / 4096)),
			    good + 4096 * (next_random(&state) % (len / 4096)), 4096);
		remove_files();
		write_file(path, bad, len);
		use_damaged();
	}
}
END_TEST

START_TEST(a_file_that_is_cut_short_is_no_reason_to_crash)
{
	static uint8_t good[1 << 20];
	size_t len = fill_with_much(good, sizeof(good));

	for (size_t cut = 0; cut < len; cut += cut < 200 ? 50 : 3000) {
		remove_files();
		write_file(path, good, cut);
		use_damaged();
	}
}
END_TEST

/* Moves it into a row of its own. */
#define FINDING_APART                                                                              \
	"INSERT INTO finding SELECT id << 32 | 1, 1, 1, first_us, last_us, 2, 0"                   \
	" FROM client_state; UPDATE client_state SET own_findings = NULL, marks = marks | 1 << "   \
	"24; "

START_TEST(values_that_no_tlstally_writes_are_damage)
{
	static const char *const changes[] = {
		"UPDATE kind SET way = way | 99 << 24",
		"UPDATE kind SET way = -1",
		"UPDATE kind SET way = way | 255 << 16",
		"UPDATE kind SET way = way | 255 << 8",
		"UPDATE kind SET service = service | 255 << 8",
		"UPDATE kind SET service = service | 255",
		"UPDATE kind SET service = 1 << 40",
		"UPDATE kind SET service = -1",
		FINDING_APART "UPDATE finding SET judged = 1 << 7",
		FINDING_APART "UPDATE finding SET judged = -1",
		"UPDATE client_state SET own_findings = NULL, marks = marks | 1 << 24;"
		"DELETE FROM kind; UPDATE client_state SET own_findings = '{\"00000001\":1}'",
		"UPDATE client_state SET own_findings = '{\"0000000100000001\":1}'",
		"UPDATE client_state SET own_findings = "
		"'{\"0000000100000001\":5120000000000000001}'",
		"UPDATE client_state SET own_findings = replace(own_findings, ':', '1:')",
		"UPDATE client_state SET own_findings = replace(own_findings, ':', ':00')",
		"UPDATE client_state SET own_findings = replace(own_findings, ':', ':-')",
		"UPDATE client_state SET own_findings = replace(own_findings, ':', ' ')",
		"UPDATE client_state SET own_findings = replace(own_findings, '{\"', '{\"-')",
		"UPDATE client_state SET own_findings = '{' || own_findings",
		"UPDATE client_state SET own_findings = replace(own_findings, '{', '[')",
		"UPDATE client_state SET own_findings = replace(own_findings, '}', '')",
		"UPDATE client_state SET own_findings = replace(own_findings, '}', ',}')",
		"UPDATE client_state SET own_findings = substr(own_findings, 1, 16) || '\":1}'",
		"UPDATE client_state SET own_findings = substr(own_findings, 1, 20) || '}'",
		"UPDATE client_state SET own_findings = replace(own_findings, '}', ' 1}')",
		"UPDATE client_state SET days = replace(days, '\"]', 'x\"]')",
		"UPDATE client_state SET days = '[\"99999999999' || '1\"]'",
		"UPDATE client_state SET hour = '1'",
		"UPDATE story SET server_ip = 'nowhere'",
		"UPDATE client SET ip = 'nowhere'",
		"UPDATE client_state SET marks = -1",
	};
	struct error err = { "" };
	struct buf out = { 0 };
	struct store *s;

	fill();
	make_db(changes[_i]);
	s = open_store(STORE_READ);
	ck_assert_int_eq(store_each_finding(s, NULL, dump_one_finding, &out, &err), -1);
	ck_assert_msg(strstr(err.text, "is damaged") != NULL, "%s", err.text);
	buf_release(&out);
	store_close(s);
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_checked_fixture(tc, make_folder, remove_folder);
	tcase_add_loop_test(tc, a_damaged_file_is_no_reason_to_crash, 0, 6);
	tcase_add_test(tc, a_file_that_is_cut_short_is_no_reason_to_crash);
	tcase_add_loop_test(tc, values_that_no_tlstally_writes_are_damage, 0, 31);
}

SUITE_MAIN("store_open_damage")
