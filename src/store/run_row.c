/* A run with its counters and sources, as rows. */
#include "store/store_internal.h"

#include "base/banned.h"

static void
bind_time(sqlite3_stmt *st, int index, int64_t time_us)
{
	if (time_us != 0)
		(void)sqlite3_bind_int64(st, index, time_us);
	else
		(void)sqlite3_bind_null(st, index);
}

/* Asked inside the transaction: what was not known when the file was opened may be by now. */
static int
check_is_new(struct store *s, int64_t sensor_id, int64_t run_id, const struct store_source *source,
    struct error *err)
{
	sqlite3_stmt *st = store_statement(s, STATEMENT_SOURCE_KNOWN, err);
	int status;

	if (st == NULL)
		return -1;
	store_bind_u64(st, 1, source->identity.head_hash);
	store_bind_u64(st, 2, source->identity.packet_count);
	store_bind_u64(st, 3, source->identity.stream_hash);
	(void)sqlite3_bind_int64(st, 4, sensor_id);
	(void)sqlite3_bind_int64(st, 5, run_id);
	status = sqlite3_step(st);
	if (status == SQLITE_ROW)
		error_set(err, "another program has just read %s into %s", source->name, s->path);
	else if (status != SQLITE_DONE)
		store_error(s, "read", err);
	(void)sqlite3_reset(st);
	return status == SQLITE_DONE ? 0 : -1;
}

static int
write_source(struct store *s, int64_t run_id, size_t position, const struct store_source *source,
    struct error *err)
{
	sqlite3_stmt *st = store_statement(s, STATEMENT_SOURCE_SET, err);
	const char *error = source->error != NULL ? source->error : "";

	if (st == NULL)
		return -1;
	(void)sqlite3_clear_bindings(st);
	(void)sqlite3_bind_int64(st, 1, run_id);
	store_bind_u64(st, 2, position);
	/* An empty name is a name: the column is never NULL. */
	store_bind_text(st, 3, "");
	if (source->name[0] != '\0')
		store_bind_span(st, 3,
		    store_printable(
			&s->scratch, span_from_text(source->name), CHARSET_UTF8, SIZE_MAX));
	if (source->has_identity) {
		store_bind_u64(st, 4, source->identity.head_hash);
		store_bind_u64(st, 5, source->identity.packet_count);
		store_bind_u64(st, 6, source->identity.stream_hash);
	}
	store_bind_u64(st, 7, source->packet_count);
	store_bind_u64(st, 8, source->byte_count);
	store_bind_u64(st, 9, source->snapped_count);
	store_bind_u64(st, 10, source->skipped_count);
	bind_time(st, 11, source->begin_us);
	bind_time(st, 12, source->end_us);
	store_bind_span(
	    st, 13, store_printable(&s->scratch, span_from_text(error), CHARSET_UTF8, SIZE_MAX));
	return store_step(s, st, err);
}

static int
insert_run(struct store *s, int64_t sensor_id, struct store_run *run, struct error *err)
{
	sqlite3_stmt *st = store_statement(s, STATEMENT_RUN_INSERT, err);

	if (st == NULL)
		return -1;
	(void)sqlite3_bind_int64(st, 1, sensor_id);
	store_bind_text(st, 2, run->command);
	(void)sqlite3_bind_int64(st, 3, run->started_us);
	if (store_step(s, st, err) != 0)
		return -1;
	run->id = sqlite3_last_insert_rowid(s->db);
	return 0;
}

static int
write_counters(struct store *s, const struct store_run *run, struct error *err)
{
	sqlite3_stmt *st = store_statement(s, STATEMENT_COUNTER_SET, err);

	if (st == NULL)
		return -1;
	for (size_t i = 0; i < run->counter_count; i++) {
		(void)sqlite3_bind_int64(st, 1, run->id);
		store_bind_borrowed(st, 2, span_from_text(run->counters[i].name));
		store_bind_u64(st, 3, run->counters[i].value);
		if (store_step(s, st, err) != 0)
			return -1;
	}
	return 0;
}

int
store_write_run(struct store *s, int64_t sensor_id, struct store_run *run, struct error *err)
{
	sqlite3_stmt *st;

	if (run->id == 0 && insert_run(s, sensor_id, run, err) != 0)
		return -1;
	st = store_statement(s, STATEMENT_RUN_UPDATE, err);
	if (st == NULL)
		return -1;
	(void)sqlite3_bind_int64(st, 1, run->id);
	bind_time(st, 2, run->begin_us);
	bind_time(st, 3, run->end_us);
	store_bind_u64(st, 4, run->packet_count);
	store_bind_u64(st, 5, run->byte_count);
	if (store_step(s, st, err) != 0 || write_counters(s, run, err) != 0)
		return -1;
	for (size_t i = 0; i < run->source_count; i++) {
		const struct store_source *source = &run->sources[i];

		if ((source->must_be_new && source->has_identity &&
			check_is_new(s, sensor_id, run->id, source, err) != 0) ||
		    write_source(s, run->id, i, source, err) != 0)
			return -1;
	}
	return 0;
}
