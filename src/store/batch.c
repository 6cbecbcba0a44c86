/*
 * Rows of integers on their way into a table, many in one step.
 *
 * A statement per row costs more than the row: its values are bound one by one, its cursor is
 * opened and looks for the place from the root.  Here SQLite takes rows out of memory by itself, by
 * INSERT ... SELECT from a virtual table; in the order of the key each then stands beside the last
 * one.
 */
#include <stdlib.h>

#include "base/xalloc.h"
#include "store/store_internal.h"

#include "base/banned.h"

#define ROWS_MAX 512

static const enum store_statement statements[STORE_BATCH_COUNT] = {
	[STORE_BATCH_FINDINGS] = STATEMENT_FINDINGS_WRITE,
	[STORE_BATCH_FINDINGS_MORE] = STATEMENT_FINDINGS_WRITE_MORE,
	[STORE_BATCH_DAYS] = STATEMENT_DAYS_ADD,
	[STORE_BATCH_HOURS] = STATEMENT_HOURS_ADD,
};

/* The virtual table `batch`, of the batch that is being written. */
struct batch_table {
	sqlite3_vtab base; /* first, for SQLite */
	const struct store *store;
};

struct batch_cursor {
	sqlite3_vtab_cursor base; /* first, for SQLite */
	size_t row;
};

static const struct store_batch *
batch_of(const sqlite3_vtab_cursor *cursor)
{
	const struct batch_table *table = (const void *)cursor->pVtab;

	return table->store->batch;
}

static struct batch_cursor *
batch_cursor(sqlite3_vtab_cursor *cursor)
{
	return (void *)cursor;
}

static int
connect_table(
    sqlite3 *db, void *store, int argc, const char *const *argv, sqlite3_vtab **out, char **message)
{
	struct batch_table *table = xcalloc(1, sizeof(*table));
	int status;

	(void)argc;
	(void)argv;
	(void)message;
	table->store = store;
	*out = &table->base;
	/* For our own statements, not for what a database from elsewhere may have in its schema. */
	status = sqlite3_vtab_config(db, SQLITE_VTAB_DIRECTONLY);
	if (status == SQLITE_OK)
		status =
		    sqlite3_declare_vtab(db, "CREATE TABLE batch (v1, v2, v3, v4, v5, v6, v7, v8)");
	return status;
}

static int
disconnect_table(sqlite3_vtab *table)
{
	free(table);
	return SQLITE_OK;
}

/* There is one way to read it. */
static int
choose_way(sqlite3_vtab *table, sqlite3_index_info *info)
{
	(void)table;
	info->estimatedCost = ROWS_MAX;
	return SQLITE_OK;
}

static int
open_cursor(sqlite3_vtab *table, sqlite3_vtab_cursor **out)
{
	struct batch_cursor *cursor = xcalloc(1, sizeof(*cursor));

	(void)table;
	*out = &cursor->base;
	return SQLITE_OK;
}

static int
close_cursor(sqlite3_vtab_cursor *cursor)
{
	free(cursor);
	return SQLITE_OK;
}

static int
begin(sqlite3_vtab_cursor *cursor, int way, const char *name, int argc, sqlite3_value **argv)
{
	(void)way;
	(void)name;
	(void)argc;
	(void)argv;
	batch_cursor(cursor)->row = 0;
	return SQLITE_OK;
}

static int
next(sqlite3_vtab_cursor *cursor)
{
	batch_cursor(cursor)->row++;
	return SQLITE_OK;
}

static int
is_at_end(sqlite3_vtab_cursor *cursor)
{
	return batch_cursor(cursor)->row >= batch_of(cursor)->count;
}

static int
tell_column(sqlite3_vtab_cursor *cursor, sqlite3_context *out, int column)
{
	sqlite3_result_int64(out, batch_of(cursor)->rows[batch_cursor(cursor)->row][column]);
	return SQLITE_OK;
}

static int
tell_number(sqlite3_vtab_cursor *cursor, sqlite3_int64 *out)
{
	*out = (sqlite3_int64)batch_cursor(cursor)->row;
	return SQLITE_OK;
}

int
store_batch_prepare(struct store *s)
{
	static const sqlite3_module module = {
		.xConnect = connect_table,
		.xDisconnect = disconnect_table,
		.xBestIndex = choose_way,
		.xOpen = open_cursor,
		.xClose = close_cursor,
		.xFilter = begin,
		.xNext = next,
		.xEof = is_at_end,
		.xColumn = tell_column,
		.xRowid = tell_number,
	};

	return sqlite3_create_module(s->db, "batch", &module, s) == SQLITE_OK ? 0 : -1;
}

static int
write_batch(struct store *s, enum store_batch_of which, struct error *err)
{
	sqlite3_stmt *st;
	int result;

	if (s->batches[which].count == 0)
		return 0;
	st = store_statement(s, statements[which], err);
	if (st == NULL)
		return -1;
	s->batch = &s->batches[which];
	result = store_step(s, st, err);
	s->batch = NULL;
	s->batches[which].count = 0;
	return result;
}

int64_t *
store_batch_next(struct store *s, enum store_batch_of which, struct error *err)
{
	struct store_batch *b = &s->batches[which];

	if (b->rows == NULL)
		b->rows = xreallocarray(NULL, ROWS_MAX, sizeof(*b->rows));
	if (b->count == ROWS_MAX && write_batch(s, which, err) != 0)
		return NULL;
	return b->rows[b->count++];
}

int
store_batches_write(struct store *s, struct error *err)
{
	for (int i = 0; i < STORE_BATCH_COUNT; i++) {
		if (write_batch(s, (enum store_batch_of)i, err) != 0)
			return -1;
	}
	return 0;
}

void
store_batches_drop(struct store *s)
{
	for (int i = 0; i < STORE_BATCH_COUNT; i++)
		s->batches[i].count = 0;
}

void
store_batches_release(struct store *s)
{
	for (int i = 0; i < STORE_BATCH_COUNT; i++)
		free(s->batches[i].rows);
}
