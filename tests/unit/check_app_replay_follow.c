#include "app/replay_follow.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include "app/app.h"
#include "base/log.h"
#include "base/whole_file.h"
#include "store_fixture.h"
#include "suite.h"

#include "base/banned.h"

/* Handshakes with three services. */
#define CAPTURE "pcaps/dovecot_imaps_pop3s.pcap"
#define EVENTS "3"
/* Then the store has given up once. */
#define LOCKED_MS (STORE_BUSY_TIMEOUT_MS + 500)

struct following {
	struct replay_command command;
	volatile sig_atomic_t stop;
	int status;
	atomic_bool ended;
};

static void *
follow(void *arg)
{
	struct following *f = arg;

	f->status = replay_follow(&f->command, &f->stop);
	atomic_store(&f->ended, true);
	return NULL;
}

static void
copy_capture(const char *to)
{
	struct buf from = { 0 }, bytes = { 0 };
	FILE *out = fopen(to, "wb");

	buf_addf(&from, "%s/" CAPTURE, getenv("TLSTALLY_SOURCE_ROOT"));
	ck_assert_int_eq(whole_file_read(buf_text(&from), 1 << 20, &bytes), 0);
	ck_assert_ptr_nonnull(out);
	ck_assert_uint_eq(fwrite(bytes.data, 1, bytes.len, out), bytes.len);
	ck_assert_int_eq(fclose(out), 0);
	buf_release(&from);
	buf_release(&bytes);
}

static sqlite3 *
lock_database(void)
{
	sqlite3 *db;

	ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
	ck_assert_int_eq(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	return db;
}

/* With room for one event: the second one finds the tally full. */
START_TEST(a_full_tally_waits_for_a_locked_database)
{
	struct following f = { .command = { .db = path, .sensor = "here", .tally_len = 1 } };
	struct store *s = open_store(STORE_WRITE);
	char captures[128], capture[160];
	sqlite3 *locked;
	pthread_t thread;

	(void)sensor_of(s, "here");
	store_close(s);
	(void)snprintf(captures, sizeof(captures), "%s/captures", folder);
	(void)snprintf(capture, sizeof(capture), "%s/a.pcap", captures);
	ck_assert_int_eq(mkdir(captures, 0700), 0);
	copy_capture(capture);
	f.command.follow = captures;
	f.command.internal.any = true;
	service_set_init_defaults(&f.command.services);
	ck_assert_int_eq(policy_setup_load(&f.command.policy, &f.command.policy_options), 0);
	locked = lock_database();
	ck_assert_int_eq(pthread_create(&thread, NULL, follow, &f), 0);
	(void)usleep(LOCKED_MS * 1000);
	ck_assert(!atomic_load(&f.ended));
	ck_assert_int_eq(sqlite3_close(locked), SQLITE_OK);
	for (int i = 0; i < 200 && strcmp(sql("SELECT sum(count) FROM inventory"), EVENTS) != 0;
	     i++)
		(void)usleep(100000);
	f.stop = 1;
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	ck_assert_int_eq(f.status, APP_EXIT_DONE);
	ck_assert_str_eq(sql("SELECT sum(count) FROM inventory"), EVENTS);
	ck_assert_str_eq(sql("SELECT count(*) FROM coverage"), "1");
	policy_setup_release(&f.command.policy);
	ck_assert_int_eq(unlink(capture), 0);
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_checked_fixture(tc, make_folder, remove_folder);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, a_full_tally_waits_for_a_locked_database);
}

SUITE_MAIN("app_replay_follow")
