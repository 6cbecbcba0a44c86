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

#define THREE_HANDSHAKES "pcaps/dovecot_imaps_pop3s.pcap"
/* Two handshakes, and two sessions in the clear of which the last packets end the capture. */
#define CLOSED_AT_THE_END "pcaps/smtp_login_then_starttls.pcap"
/* Then the store has given up once. */
#define LOCKED_MS (STORE_BUSY_TIMEOUT_MS + 500)

struct following {
	char folder[128], capture[160];
	pthread_t thread;
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
copy_capture(const char *name, const char *to)
{
	struct buf from = { 0 }, bytes = { 0 };
	FILE *out = fopen(to, "wb");

	buf_addf(&from, "%s/%s", getenv("TLSTALLY_SOURCE_ROOT"), name);
	ck_assert_int_eq(whole_file_read(buf_text(&from), 1 << 20, &bytes), 0);
	ck_assert_ptr_nonnull(out);
	ck_assert_uint_eq(fwrite(bytes.data, 1, bytes.len, out), bytes.len);
	ck_assert_int_eq(fclose(out), 0);
	buf_release(&from);
	buf_release(&bytes);
}

static void
make_following(struct following *f, const char *capture)
{
	struct store *s = open_store(STORE_WRITE);

	(void)sensor_of(s, "here");
	store_close(s);
	(void)snprintf(f->folder, sizeof(f->folder), "%s/captures", folder);
	(void)snprintf(f->capture, sizeof(f->capture), "%s/a.pcap", f->folder);
	ck_assert_int_eq(mkdir(f->folder, 0700), 0);
	copy_capture(capture, f->capture);
	f->command.db = path;
	(void)snprintf(f->command.sensor, sizeof(f->command.sensor), "here");
	f->command.follow = f->folder;
	f->command.internal.any = true;
	service_set_init_defaults(&f->command.services);
	ck_assert_int_eq(policy_setup_load(&f->command.policy, &f->command.policy_options), 0);
}

static void
begin(struct following *f)
{
	ck_assert_int_eq(pthread_create(&f->thread, NULL, follow, f), 0);
}

/* Once the file is stored. */
static void
stop(struct following *f)
{
	for (int i = 0; i < 200 && strcmp(sql("SELECT count(*) FROM coverage"), "1") != 0; i++)
		(void)usleep(100000);
	f->stop = 1;
	ck_assert_int_eq(pthread_join(f->thread, NULL), 0);
	ck_assert_int_eq(f->status, APP_EXIT_DONE);
	policy_setup_release(&f->command.policy);
	ck_assert_int_eq(unlink(f->capture), 0);
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
	struct following f = { .command.tally_len = 1 };
	sqlite3 *locked;

	make_following(&f, THREE_HANDSHAKES);
	locked = lock_database();
	begin(&f);
	(void)usleep(LOCKED_MS * 1000);
	ck_assert(!atomic_load(&f.ended));
	ck_assert_int_eq(sqlite3_close(locked), SQLITE_OK);
	stop(&f);
	ck_assert_str_eq(sql("SELECT sum(count) FROM inventory"), "3");
}
END_TEST

START_TEST(what_has_ended_when_it_is_stopped_is_counted)
{
	struct following f = { .stop = 0 };

	make_following(&f, CLOSED_AT_THE_END);
	begin(&f);
	stop(&f);
	ck_assert_str_eq(sql("SELECT sum(count) FROM inventory"), "4");
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_checked_fixture(tc, make_folder, remove_folder);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, what_has_ended_when_it_is_stopped_is_counted);
	tcase_add_test(tc, a_full_tally_waits_for_a_locked_database);
}

SUITE_MAIN("app_replay_follow")
