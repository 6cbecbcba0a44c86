#include "base/clock.h"
#include "daemon/service_manager.h"
#include "daemon/watchdog.h"
#include "suite.h"

#include "base/banned.h"

#define SECOND INT64_C(1000000)
#define CAPTURE WATCHDOG_CAPTURE_PATIENCE_US
#define STORE WATCHDOG_STORE_PATIENCE_US

static const struct {
	const char *name;
	int64_t now_us, beat_us, patience_us;
	bool alive;
} rows[] = {
	{ "just now", 100 * SECOND, 100 * SECOND, CAPTURE, true },
	{ "a moment ago", 100 * SECOND, 99 * SECOND, CAPTURE, true },
	{ "as long ago as may be", 100 * SECOND, 100 * SECOND - CAPTURE, CAPTURE, true },
	{ "a microsecond longer ago", 100 * SECOND, 100 * SECOND - CAPTURE - 1, CAPTURE, false },
	{ "at rest, however long", 1000000 * SECOND, 0, CAPTURE, true },
	{ "in the database for a minute", 100 * SECOND, 40 * SECOND, STORE, true },
	{ "in the database for ten minutes", 700 * SECOND, 100 * SECOND, STORE, false },
};

START_TEST(a_thread_is_alive_as_long_as_it_shows_itself)
{
	ck_assert_msg(watchdog_is_alive(rows[_i].now_us, rows[_i].beat_us, rows[_i].patience_us) ==
			  rows[_i].alive,
	    "%s", rows[_i].name);
}
END_TEST

START_TEST(the_watchdog_is_asked_for_by_the_environment)
{
	struct error err;

	ck_assert_int_eq(unsetenv("WATCHDOG_PID"), 0);
	ck_assert_int_eq(unsetenv("WATCHDOG_USEC"), 0);
	ck_assert_int_eq(unsetenv("NOTIFY_SOCKET"), 0);
	ck_assert_int_eq(service_manager_find(&err), 0);
	ck_assert_int_eq(watchdog_interval_us(), 0);
	service_manager_tell("WATCHDOG=1"); /* to nobody */
	ck_assert_int_eq(setenv("WATCHDOG_USEC", "30000000", 1), 0);
	ck_assert_int_eq(service_manager_find(&err), 0);
	ck_assert_int_eq(watchdog_interval_us(), 7500000);
	ck_assert_int_eq(setenv("WATCHDOG_USEC", "1000000", 1), 0);
	ck_assert_int_eq(watchdog_interval_us(), 100000);
	ck_assert_int_eq(unsetenv("WATCHDOG_USEC"), 0);
}
END_TEST

/* Stand in for those of capture_worker.c and store_worker.c. */
static struct capture_snapshot snapshots[2];
static struct store_worker_state store_state;

void
capture_worker_snapshot(struct capture_worker *w, struct capture_snapshot *out)
{
	*out = *(const struct capture_snapshot *)(const void *)w;
}

const char *
capture_worker_interface(const struct capture_worker *w)
{
	(void)w;
	return "eth0";
}

void
store_worker_get_state(struct store_worker *w, struct store_worker_state *out)
{
	(void)w;
	*out = store_state;
}

/* Whether systemd is told; NOTIFY_SOCKET is not set, so it is seen by `silent`. */
static bool
is_told(void)
{
	struct capture_worker *workers[] = {
		(struct capture_worker *)(void *)&snapshots[0],
		(struct capture_worker *)(void *)&snapshots[1],
	};
	struct watchdog w = { .workers = workers, .worker_count = 2 };

	watchdog_tick(&w);
	return !w.silent;
}

START_TEST(one_hung_thread_of_several_is_enough)
{
	int64_t now = clock_monotonic_us();

	snapshots[0].beat_us = snapshots[1].beat_us = now;
	store_state.busy_since_us = 0;
	ck_assert(is_told());
	snapshots[1].beat_us = now - CAPTURE - SECOND;
	ck_assert(!is_told());
	snapshots[1].ended = true;
	ck_assert_msg(is_told(), "a thread that has ended does not hang");
	store_state.busy_since_us = now - STORE - SECOND;
	ck_assert(!is_told());
	store_state.busy_since_us = now - SECOND;
	ck_assert(is_told());
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_loop_test(tc, a_thread_is_alive_as_long_as_it_shows_itself, 0,
	    (int)(sizeof(rows) / sizeof(rows[0])));
	tcase_add_test(tc, the_watchdog_is_asked_for_by_the_environment);
	tcase_add_test(tc, one_hung_thread_of_several_is_enough);
}

SUITE_MAIN("daemon_watchdog")
