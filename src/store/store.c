#include "store/store.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "store/client_row.h"

#include "base/banned.h"

/* More than the configuration lets through, escaped. */
#define SENSOR_NAME_MAX 511

struct store *
store_open(const char *path, enum store_mode mode, struct error *err)
{
	struct store *s = xcalloc(1, sizeof(*s));

	s->path = xstrdup(path);
	s->mode = mode;
	if (store_open_file(s, err) != 0 || store_schema_prepare(s, err) != 0) {
		store_close(s);
		return NULL;
	}
	return s;
}

void
store_close(struct store *s)
{
	if (s == NULL)
		return;
	store_rollback(s);
	for (size_t i = 0; i < STATEMENT_COUNT; i++)
		(void)sqlite3_finalize(s->statements[i]);
	if (s->db != NULL)
		store_remove_journal(s);
	/* SQLite leaves this to the next one where it cannot look at the file's name any more: in a
	 * folder that is closed to the daemon's user.  A copy of the file alone would lack it.
	 * Where there is no log yet, SQLite reads the whole schema to make one. */
	if (s->mode != STORE_READ && s->db != NULL && store_may_have_log(s)) {
		(void)store_sync(s); /* the log is another one's where nothing was flushed */
		store_move_log(s->db);
	}
	(void)sqlite3_close(s->db);
	store_set_release(&s->set);
	store_batches_release(s);
	store_references_drop(s);
	store_cache_release(s);
	store_clients_forget(s);
	buf_release(&s->scratch);
	buf_release(&s->reason);
	free(s->path);
	free(s);
}

void
store_set_judge(struct store *s, store_judge_fn judge, void *arg)
{
	s->judge = judge;
	s->judge_arg = arg;
}

void
store_use_thread(struct store *s)
{
	s->may_use_thread = true;
}

int
store_set_cache_len(struct store *s, int kib, struct error *err)
{
	char sql[64];

	(void)sqlite3_snprintf(sizeof(sql), sql, "PRAGMA cache_size = -%d", kib);
	if (sqlite3_exec(s->db, sql, NULL, NULL, NULL) == SQLITE_OK)
		return 0;
	store_error(s, "open", err);
	return -1;
}

void
store_set_busy_timeout(struct store *s, int timeout_ms)
{
	(void)sqlite3_busy_timeout(s->db, timeout_ms);
}

/* Runs one of the statements below; the id is 0 where it gives no row. */
static int
query_sensor(
    struct store *s, const char *sql, const char *name, int64_t *sensor_id, struct error *err)
{
	sqlite3_stmt *st = NULL;

	*sensor_id = 0;
	if (sqlite3_prepare_v2(s->db, sql, -1, &st, NULL) == SQLITE_OK) {
		store_bind_text(st, 1, name);
		if (sqlite3_step(st) == SQLITE_ROW)
			*sensor_id = sqlite3_column_int64(st, 0);
	}
	if (st != NULL && sqlite3_finalize(st) == SQLITE_OK)
		return 0;
	store_error(s, s->mode == STORE_READ ? "read" : "write to", err);
	return -1;
}

int
store_sensor(struct store *s, const char *name, int64_t *sensor_id, struct error *err)
{
	struct span shown =
	    store_printable(&s->scratch, span_from_text(name), CHARSET_UTF8, SENSOR_NAME_MAX);
	char text[SENSOR_NAME_MAX + 1] = "";

	/* It is shown as it stands, by whoever reads the views. */
	if (shown.len > 0)
		memcpy(text, shown.data, shown.len);
	/* The usual case needs no write, and so no lock. */
	if (query_sensor(s, "SELECT id FROM sensor WHERE name = ?1", text, sensor_id, err) != 0)
		return -1;
	if (*sensor_id != 0 || s->mode == STORE_READ)
		return 0;
	/* Another process may have been faster: then this changes nothing, and gives its number. */
	return query_sensor(s,
	    "INSERT INTO sensor (name) VALUES (?1) ON CONFLICT (name) DO UPDATE SET name = name"
	    " RETURNING id",
	    text, sensor_id, err);
}

int
store_begin(struct store *s, struct error *err)
{
	assert(!s->in_transaction);
	/* Who writes for long lets others read meanwhile. */
	if (s->log_is_due && store_use_log(s) != 0) {
		store_error(s, "write to", err);
		return -1;
	}
	if (store_run_statement(s, STATEMENT_BEGIN, err) != 0)
		return -1;
	s->in_transaction = true;
	s->failed = false;
	if (store_cache_refresh(s, err) == 0)
		return 0;
	store_rollback(s);
	return -1;
}

int
store_commit(struct store *s, struct error *err)
{
	if (s->failed || !s->in_transaction) {
		error_set(
		    err, "nothing was written to %s: a write before this one failed", s->path);
		s->in_transaction = false;
		return -1;
	}
	if (store_run_statement(s, STATEMENT_COMMIT, err) != 0) {
		store_rollback(s);
		return -1;
	}
	s->in_transaction = false;
	return 0;
}

void
store_rollback(struct store *s)
{
	struct error ignored;

	if (s->db != NULL && sqlite3_get_autocommit(s->db) == 0)
		(void)store_run_statement(s, STATEMENT_ROLLBACK, &ignored);
	store_batches_drop(s);
	store_references_drop(s);
	store_cache_clear(s);
	store_clients_forget(s);
	s->in_transaction = s->has_begun = false;
}
