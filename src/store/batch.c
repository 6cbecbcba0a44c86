/*
 * Rows on their way into a table, many in one step: integers, and the places of texts.
 *
 * A statement per row costs more than the row: its values are bound one by one, its cursor is
 * opened and looks for the place from the root.  Here SQLite takes rows out of memory by itself, by
 * INSERT ... SELECT from a virtual table; in the order of the key each then stands beside the last
 * one.
 */
#include <stdlib.h>

#include "base/xalloc.h"
#include "store/batch_writer.h"

#include "base/banned.h"

/* One letter for the kind of each column: a number, one that may be NULL, text, bytes. */
#define NUMBER 'i'
#define OPTIONAL 'n'
#define TEXT 't'
#define BYTES 'b'

static const struct {
	enum store_statement statement;
	int width;
	char columns[STORE_BATCH_WIDTH_MAX + 1];
} formats[STORE_BATCH_COUNT] = {
	[STORE_BATCH_CLIENTS] = { STATEMENT_CLIENTS_WRITE, 4, "iibt" },
	[STORE_BATCH_STATES] = { STATEMENT_STATES_WRITE, 16, "ibtniiiitbtntttt" },
	[STORE_BATCH_FINDINGS] = { STATEMENT_FINDINGS_WRITE, 7, "iiiiiii" },
	[STORE_BATCH_FINDINGS_MORE] = { STATEMENT_FINDINGS_WRITE_MORE, 8, "iiiiiiii" },
	[STORE_BATCH_DAYS] = { STATEMENT_DAYS_ADD, 2, "ii" },
	[STORE_BATCH_HOURS] = { STATEMENT_HOURS_ADD, 6, "iiiiii" },
	[STORE_BATCH_TRIMS] = { STATEMENT_HOURS_MANY, 1, "i" },
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

static const struct store *
store_of(const sqlite3_vtab_cursor *cursor)
{
	const struct batch_table *table = (const void *)cursor->pVtab;

	return table->store;
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
	/* For our own statements only, not for triggers or views of a database from elsewhere. */
	status = sqlite3_vtab_config(db, SQLITE_VTAB_DIRECTONLY);
	if (status == SQLITE_OK)
		status = sqlite3_declare_vtab(db,
		    "CREATE TABLE batch (v1, v2, v3, v4, v5, v6, v7, v8, v9, v10, v11, v12, v13,"
		    " v14, v15, v16)");
	return status;
}

static int
disconnect_table(sqlite3_vtab *table)
{
	free(table);
	return SQLITE_OK;
}

/* There is only one way to read the table. */
static int
choose_way(sqlite3_vtab *table, sqlite3_index_info *info)
{
	(void)table;
	info->estimatedCost = STORE_BATCH_ROWS_MAX;
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
	return batch_cursor(cursor)->row >= store_of(cursor)->written->count;
}

/* A text by its place, as of store_batch_text. */
static void
tell_text(sqlite3_context *out, const struct store_batch *b, int64_t place, char kind)
{
	const char *text = b->text.data + (size_t)(place >> 32);
	int len = (int)(place & INT32_MAX);

	/* The text stays where it is until the statement was stepped. */
	if (kind == BYTES)
		sqlite3_result_blob(out, text, len, SQLITE_STATIC);
	else
		sqlite3_result_text(out, text, len, SQLITE_STATIC);
}

static int
tell_column(sqlite3_vtab_cursor *cursor, sqlite3_context *out, int column)
{
	const struct store *s = store_of(cursor);
	const struct store_batch *b = s->written;
	char kind = formats[s->written_of].columns[column];
	size_t width = (size_t)formats[s->written_of].width;
	size_t row = b->order[batch_cursor(cursor)->row];
	int64_t value = b->rows[row * width + (size_t)column];

	/* Only a number that is always there may have that value. */
	if (kind != NUMBER && value == STORE_BATCH_NULL)
		sqlite3_result_null(out);
	else if (kind == NUMBER || kind == OPTIONAL)
		sqlite3_result_int64(out, value);
	else
		tell_text(out, b, value, kind);
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

/*
 * Sorts by the key, which is the first column: rows go to the end of a table, each behind the last
 * one, and fill its pages.  They are nearly in that order already.
 */
static void
sort_rows(struct store_batch *b, size_t width)
{
	for (size_t i = 0; i < b->count; i++) {
		int64_t key = b->rows[i * width];
		size_t at = i;

		for (; at > 0 && b->rows[b->order[at - 1] * width] > key; at--)
			b->order[at] = b->order[at - 1];
		b->order[at] = (uint16_t)i;
	}
}

sqlite3_stmt *
store_batch_start(
    struct store *s, enum store_batch_of which, struct store_batch *b, struct error *err)
{
	s->written_of = which;
	s->written = b;
	sort_rows(b, (size_t)formats[which].width);
	return store_own_statement(s, formats[which].statement, err);
}

void
store_batch_done(struct store_batch *b)
{
	b->count = 0;
	buf_clear(&b->text);
}

int
store_batch_put(
    struct store *s, enum store_batch_of which, struct store_batch *b, struct error *err)
{
	sqlite3_stmt *st = store_batch_start(s, which, b, err);
	int result;

	if (st == NULL)
		return -1;
	result = store_step(s, st, err);
	store_batch_done(b);
	return result;
}

static int
write_batch(struct store *s, enum store_batch_of which, struct error *err)
{
	struct store_batch *b = &s->batches[which];

	if (b->count == 0)
		return 0;
	return s->writer != NULL ? batch_writer_give(s->writer, which, b, err)
				 : store_batch_put(s, which, b, err);
}

int64_t *
store_batch_next(struct store *s, enum store_batch_of which, struct error *err)
{
	struct store_batch *b = &s->batches[which];
	size_t width = (size_t)formats[which].width;

	if (b->count == STORE_BATCH_ROWS_MAX && write_batch(s, which, err) != 0)
		return NULL;
	if (b->rows == NULL) {
		/* Wide enough for any table: a writer's batches take turns. */
		b->rows = xreallocarray(
		    NULL, STORE_BATCH_ROWS_MAX, STORE_BATCH_WIDTH_MAX * sizeof(*b->rows));
		b->order = xreallocarray(NULL, STORE_BATCH_ROWS_MAX, sizeof(*b->order));
	}
	return b->rows + width * b->count++;
}

int64_t
store_batch_text(struct store *s, enum store_batch_of which, struct span text)
{
	struct buf *kept = &s->batches[which].text;
	int64_t place = (int64_t)kept->len << 32 | (int64_t)text.len;

	if (text.len == 0)
		return STORE_BATCH_NULL;
	buf_add(kept, text.data, text.len);
	return place;
}

int
store_batches_write(struct store *s, struct error *err)
{
	for (int i = 0; i < STORE_BATCH_TRIMS; i++) {
		if (write_batch(s, (enum store_batch_of)i, err) != 0)
			return -1;
	}
	return s->writer != NULL ? batch_writer_wait(s->writer, err) : 0;
}

void
store_batches_drop(struct store *s)
{
	for (int i = 0; i < STORE_BATCH_COUNT; i++)
		store_batch_done(&s->batches[i]);
}

void
store_batch_release(struct store_batch *b)
{
	free(b->rows);
	free(b->order);
	buf_release(&b->text);
}

void
store_batches_release(struct store *s)
{
	for (int i = 0; i < STORE_BATCH_COUNT; i++)
		store_batch_release(&s->batches[i]);
}
