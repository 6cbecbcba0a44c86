#include "event/event.h"
#include "suite.h"
#include "tls/names.h"

#include "base/banned.h"

#define ROWS(table) ((int)(sizeof(table) / sizeof((table)[0])))
#define SECOND INT64_C(1000000)
#define V10 TLS_VERSION_1_0
#define V12 TLS_VERSION_1_2
#define CLOSE SESSION_END_CLOSE
#define RESET SESSION_END_RESET
#define UNSEEN SESSION_END_UNSEEN

static const struct {
	const char *fact;
	uint16_t version;
	struct event_ending ending;
	bool dropped_early, is_short;
} rows[] = {
	{ "the server closes at once", V10,
	    { .how = CLOSE,
		.by = SIDE_SERVER,
		.duration_us = 2000,
		.client_len = 0,
		.server_len = 180 },
	    true, true },
	{ "or resets", V10,
	    { .how = RESET,
		.by = SIDE_SERVER,
		.duration_us = 2000,
		.client_len = 0,
		.server_len = 0 },
	    true, true },
	{ "at the limits", V10,
	    { .how = CLOSE,
		.by = SIDE_SERVER,
		.duration_us = 10 * SECOND,
		.client_len = 4096,
		.server_len = 512 },
	    true, true },
	{ "a byte more", V10,
	    { .how = CLOSE,
		.by = SIDE_SERVER,
		.duration_us = 0,
		.client_len = 0,
		.server_len = 513 },
	    false, true },
	{ "a moment later", V10,
	    { .how = CLOSE,
		.by = SIDE_SERVER,
		.duration_us = 10 * SECOND + 1,
		.client_len = 0,
		.server_len = 0 },
	    false, true },
	{ "a current version is not dropped for its version", V12,
	    { .how = CLOSE, .by = SIDE_SERVER, .duration_us = 0, .client_len = 0, .server_len = 0 },
	    false, true },
	{ "the client may go when it likes", V10,
	    { .how = CLOSE, .by = SIDE_CLIENT, .duration_us = 0, .client_len = 0, .server_len = 0 },
	    false, true },
	{ "what was not seen to end proves nothing", V10,
	    { .how = UNSEEN, .by = SIDE_NONE, .duration_us = 0, .client_len = 0, .server_len = 0 },
	    false, false },
	{ "a long session", V12,
	    { .how = CLOSE,
		.by = SIDE_CLIENT,
		.duration_us = 30 * SECOND + 1,
		.client_len = 0,
		.server_len = 0 },
	    false, false },
	{ "much from the server", V12,
	    { .how = CLOSE,
		.by = SIDE_CLIENT,
		.duration_us = 0,
		.client_len = 0,
		.server_len = 4097 },
	    false, false },
	{ "a mail from the client", V12,
	    { .how = CLOSE,
		.by = SIDE_CLIENT,
		.duration_us = 0,
		.client_len = 4097,
		.server_len = 0 },
	    false, false },
};

START_TEST(an_ending_is_judged_by_time_bytes_and_who)
{
	struct event_ending_limits limits;
	struct event ev;

	event_init(&ev);
	ev.kind = EVENT_SESSION_END;
	ev.outcome = OUTCOME_ESTABLISHED;
	ev.tls_version = rows[_i].version;
	ev.ending = rows[_i].ending;
	event_ending_limits_init(&limits);
	event_ending_judge(&ev, &limits);
	ck_assert_msg(ev.ending.dropped_early == rows[_i].dropped_early, "%s", rows[_i].fact);
	ck_assert_msg(ev.ending.is_short == rows[_i].is_short, "%s", rows[_i].fact);
}
END_TEST

START_TEST(an_ending_comes_behind_its_event)
{
	struct event ev, end;

	event_init(&ev);
	event_init(&end);
	ev.kind = EVENT_TLS_HANDSHAKE;
	end.kind = EVENT_SESSION_END;
	ck_assert_int_lt(event_compare(&ev, &end), 0);
	ck_assert_int_gt(event_compare(&end, &ev), 0);
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_loop_test(tc, an_ending_is_judged_by_time_bytes_and_who, 0, ROWS(rows));
	tcase_add_test(tc, an_ending_comes_behind_its_event);
}

SUITE_MAIN("event_ending")
