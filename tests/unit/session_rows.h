/*
 * session_rows - tables of conversations and the event that each gives, however it is delivered.
 *
 * A file defines `static const struct row rows[]` and says ROW_TESTS; add_row_tests adds them.
 */
#ifndef TLSTALLY_TESTS_SESSION_ROWS_H
#define TLSTALLY_TESTS_SESSION_ROWS_H

#include "session_handshakes.h"

struct row {
	const char *name;
	uint16_t port;
	void (*write)(struct script *s);
	const char *event; /* as told by describe() */
};

static inline void
check_telling(const struct row *row, const struct telling *how)
{
	static struct script script;
	struct buf text = { 0 };
	struct told told;

	script = (struct script){ .server_port = row->port };
	row->write(&script);
	told = tell(&script, how);
	describe(&told, &text);
	ck_assert_msg(strcmp(buf_text(&text), row->event) == 0,
	    "%s, order %d, pieces of %zu:\n  said: %s\n  want: %s", row->name, how->order,
	    how->piece_len, buf_text(&text), row->event);
	buf_release(&text);
}

static inline void
check_both_ways(const struct row *row, enum script_order order)
{
	struct telling how = { .order = order };

	check_telling(row, &how);
	how.swapped = true;
	check_telling(row, &how);
}

static inline struct script *
script_of(const struct row *row)
{
	static struct script script;

	script = (struct script){ .server_port = row->port };
	row->write(&script);
	return &script;
}

static inline void
check_pieces(const struct row *row)
{
	static const size_t lens[] = { 1, 2, 3, 5, 11, 50 };

	for (size_t i = 0; !script_of(row)->whole_segments && i < sizeof(lens) / sizeof(lens[0]);
	     i++) {
		struct telling how = { .piece_len = lens[i] };

		check_telling(row, &how);
	}
}

static inline void
check_time(const struct row *row)
{
	const struct script *script = script_of(row);
	struct telling how = { 0 };
	int64_t timestamp_us = tell(script, &how).event.timestamp_us;

	for (int order = 0; order < SCRIPT_ORDERS; order++) {
		how.order = (enum script_order)order;
		ck_assert_int_eq(tell(script, &how).event.timestamp_us, timestamp_us);
	}
}

/* Every prefix of a conversation is one too: the capture ended there. */
static inline void
check_prefixes(const struct row *row)
{
	struct script *script = script_of(row);
	const struct telling how = { 0 };
	size_t whole = script->count;

	for (script->count = 0; script->count <= whole; script->count++) {
		struct told told = tell(script, &how);
		const struct session_counters *c = &told.counters;

		ck_assert_uint_le(told.event_count, 1);
		ck_assert_uint_eq(c->events, told.event_count);
		if (script->count > 0 && told.event_count == 0)
			ck_assert_uint_eq(c->banner_only + c->quit_only + c->http + c->half_hello +
					      c->starttls_no_hello + c->garbage + c->no_hello,
			    1);
	}
}

static inline struct told
tell_row(void (*write)(struct script *s), uint16_t port, const char *internal)
{
	static struct script script;
	const struct telling how = { .internal = internal };

	script = (struct script){ .server_port = port };
	write(&script);
	return tell(&script, &how);
}

#define ROW_TESTS                                                                                  \
	START_TEST(conversation_gives_the_event)                                                   \
	{                                                                                          \
		check_both_ways(&rows[_i], IN_TIME);                                               \
	}                                                                                          \
	END_TEST                                                                                   \
	START_TEST(pieces_of_any_size_give_the_same_event)                                         \
	{                                                                                          \
		check_pieces(&rows[_i]);                                                           \
	}                                                                                          \
	END_TEST                                                                                   \
	START_TEST(directions_in_any_order_give_the_same_event)                                    \
	{                                                                                          \
		check_both_ways(&rows[_i], CLIENT_FIRST);                                          \
		check_both_ways(&rows[_i], SERVER_FIRST);                                          \
		check_both_ways(&rows[_i], TURN_BY_TURN);                                          \
		check_time(&rows[_i]);                                                             \
	}                                                                                          \
	END_TEST                                                                                   \
	START_TEST(conversation_cut_short_never_gives_more_than_one_event)                         \
	{                                                                                          \
		check_prefixes(&rows[_i]);                                                         \
	}                                                                                          \
	END_TEST                                                                                   \
	static void add_row_tests(TCase *tc)                                                       \
	{                                                                                          \
		int count = (int)(sizeof(rows) / sizeof(rows[0]));                                 \
                                                                                                   \
		tcase_add_loop_test(tc, conversation_gives_the_event, 0, count);                   \
		tcase_add_loop_test(tc, pieces_of_any_size_give_the_same_event, 0, count);         \
		tcase_add_loop_test(tc, directions_in_any_order_give_the_same_event, 0, count);    \
		tcase_add_loop_test(                                                               \
		    tc, conversation_cut_short_never_gives_more_than_one_event, 0, count);         \
	}

#endif
