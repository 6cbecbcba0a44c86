/* Reading the runs back, with their counters and sources. */
#include <stdlib.h>

#include "base/xalloc.h"
#include "store/store_internal.h"

#include "base/banned.h"

/* One run's lists; the texts are copies. */
struct lists {
	struct store_counter *counters;
	struct store_source *sources;
	size_t counter_count, source_count;
};

static void
release(struct lists *l)
{
	for (size_t i = 0; i < l->counter_count; i++)
		free((void *)(uintptr_t)l->counters[i].name);
	for (size_t i = 0; i < l->source_count; i++) {
		free((void *)(uintptr_t)l->sources[i].name);
		free((void *)(uintptr_t)l->sources[i].error);
	}
	free(l->counters);
	free(l->sources);
	*l = (struct lists){ 0 };
}

static int
load_counters(struct store *s, sqlite3_stmt *st, int64_t run, struct lists *l, struct error *err)
{
	int status;

	(void)sqlite3_reset(st);
	(void)sqlite3_bind_int64(st, 1, run);
	while ((status = sqlite3_step(st)) == SQLITE_ROW) {
		l->counters =
		    xreallocarray(l->counters, l->counter_count + 1, sizeof(*l->counters));
		l->counters[l->counter_count++] = (struct store_counter){
			.name = xstrdup(store_column_text(st, 0)),
			.value = store_column_u64(st, 1),
		};
	}
	if (status != SQLITE_DONE)
		store_error(s, "read", err);
	return status == SQLITE_DONE ? 0 : -1;
}

static int
load_sources(struct store *s, sqlite3_stmt *st, int64_t run, struct lists *l, struct error *err)
{
	int status;

	(void)sqlite3_reset(st);
	(void)sqlite3_bind_int64(st, 1, run);
	while ((status = sqlite3_step(st)) == SQLITE_ROW) {
		l->sources = xreallocarray(l->sources, l->source_count + 1, sizeof(*l->sources));
		l->sources[l->source_count++] = (struct store_source){
			.name = xstrdup(store_column_text(st, 0)),
			.has_identity = sqlite3_column_type(st, 1) != SQLITE_NULL,
			.identity = { store_column_u64(st, 1), store_column_u64(st, 2),
			    store_column_u64(st, 3) },
			.packet_count = store_column_u64(st, 4),
			.byte_count = store_column_u64(st, 5),
			.snapped_count = store_column_u64(st, 6),
			.skipped_count = store_column_u64(st, 7),
			.begin_us = sqlite3_column_int64(st, 8),
			.end_us = sqlite3_column_int64(st, 9),
			.error = sqlite3_column_type(st, 10) != SQLITE_NULL
				     ? xstrdup(store_column_text(st, 10))
				     : NULL,
		};
	}
	if (status != SQLITE_DONE)
		store_error(s, "read", err);
	return status == SQLITE_DONE ? 0 : -1;
}

static void
read_run(sqlite3_stmt *st, const struct lists *l, struct store_run *run)
{
	*run = (struct store_run){
		.id = sqlite3_column_int64(st, 0),
		.sensor = store_column_text(st, 1),
		.command = store_column_text(st, 2),
		.started_us = sqlite3_column_int64(st, 3),
		.begin_us = sqlite3_column_int64(st, 4),
		.end_us = sqlite3_column_int64(st, 5),
		.packet_count = store_column_u64(st, 6),
		.byte_count = store_column_u64(st, 7),
		.counters = l->counters,
		.counter_count = l->counter_count,
		.sources = l->sources,
		.source_count = l->source_count,
	};
}

static const char runs_sql[] =
    "SELECT r.id, s.name, r.command, r.started_us, r.begin_us, r.end_us, r.packets, r.bytes"
    " FROM run r JOIN sensor s ON s.id = r.sensor"
    " WHERE (?1 IS NULL OR coalesce(r.end_us, r.started_us) >= ?1)"
    " AND (?2 IS NULL OR coalesce(r.begin_us, r.started_us) < ?2)"
    " AND (?3 IS NULL OR s.name = ?3) ORDER BY r.id";
static const char counters_sql[] =
    "SELECT name, value FROM run_counter WHERE run = ?1 ORDER BY name";
static const char sources_sql[] =
    "SELECT name, head_hash, packet_count, stream_hash, packets, bytes, snapped, skipped,"
    " begin_us, end_us, error FROM run_source WHERE run = ?1 ORDER BY position";

static int
each_run(struct store *s, sqlite3_stmt *runs, sqlite3_stmt *counters, sqlite3_stmt *sources,
    store_run_fn fn, void *arg, struct error *err)
{
	int status;

	while ((status = sqlite3_step(runs)) == SQLITE_ROW) {
		struct lists lists = { 0 };
		int64_t id = sqlite3_column_int64(runs, 0);
		struct store_run run;
		bool go_on;

		if (load_counters(s, counters, id, &lists, err) != 0 ||
		    load_sources(s, sources, id, &lists, err) != 0) {
			release(&lists);
			return -1;
		}
		read_run(runs, &lists, &run);
		go_on = fn(arg, &run);
		release(&lists);
		if (!go_on)
			return 0;
	}
	if (status != SQLITE_DONE)
		store_error(s, "read", err);
	return status == SQLITE_DONE ? 0 : -1;
}

int
store_each_run(struct store *s, const struct store_filter *filter, store_run_fn fn, void *arg,
    struct error *err)
{
	sqlite3_stmt *runs = NULL, *counters = NULL, *sources = NULL;
	int result = -1;

	if (sqlite3_prepare_v2(s->db, runs_sql, -1, &runs, NULL) != SQLITE_OK ||
	    sqlite3_prepare_v2(s->db, counters_sql, -1, &counters, NULL) != SQLITE_OK ||
	    sqlite3_prepare_v2(s->db, sources_sql, -1, &sources, NULL) != SQLITE_OK) {
		store_error(s, "read", err);
		goto out;
	}
	if (filter != NULL && filter->has_since)
		(void)sqlite3_bind_int64(runs, 1, filter->since_us);
	if (filter != NULL && filter->has_until)
		(void)sqlite3_bind_int64(runs, 2, filter->until_us);
	if (filter != NULL && filter->sensor != NULL)
		store_bind_text(runs, 3, filter->sensor);
	result = each_run(s, runs, counters, sources, fn, arg, err);
out:
	(void)sqlite3_finalize(runs);
	(void)sqlite3_finalize(counters);
	(void)sqlite3_finalize(sources);
	return result;
}
