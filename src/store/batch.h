/*
 * batch - rows that wait to be written together with others of their table.
 */
#ifndef TLSTALLY_STORE_BATCH_H
#define TLSTALLY_STORE_BATCH_H

#include <sqlite3.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/span.h"

struct store; /* store_internal.h */

/* The batch of each table, in the order in which the tables are written. */
enum store_batch_of {
	STORE_BATCH_CLIENTS,
	STORE_BATCH_STATES,
	STORE_BATCH_FINDINGS,
	STORE_BATCH_FINDINGS_MORE,
	STORE_BATCH_DAYS,
	STORE_BATCH_HOURS,
	STORE_BATCH_TRIMS, /* not written: clients whose hours are to be trimmed */
};
#define STORE_BATCH_COUNT (STORE_BATCH_TRIMS + 1)
/*
 * Few enough that the pages that rows were read from are still in the page cache when they are
 * written: where a flush has filled it with changed pages, a tenth of it is left for others.
 */
#define STORE_BATCH_ROWS_MAX 32
#define STORE_BATCH_WIDTH_MAX 16
/* Stands for NULL in a column that may be NULL. */
#define STORE_BATCH_NULL INT64_MIN

struct store_batch {
	int64_t *rows;
	uint16_t *order; /* of their first columns, while they are written */
	size_t count;
	struct buf text; /* of its columns with text */
};

int store_batch_prepare(struct store *s);
/*
 * The next row, to be filled in at once, in the order of the statement's columns; NULL: those
 * before it could not be written.  Rows are in their tables after store_batches_write.
 */
int64_t *store_batch_next(struct store *s, enum store_batch_of which, struct error *err);
/* For a column of that row with text, or bytes, which are copied; empty ones are NULL. */
int64_t store_batch_text(struct store *s, enum store_batch_of which, struct span text);
/* Its statement, with the batch to read; store_batch_done once it was stepped and reset. */
sqlite3_stmt *store_batch_start(
    struct store *s, enum store_batch_of which, struct store_batch *b, struct error *err);
void store_batch_done(struct store_batch *b);
/* Both, and the step between them: the connection is the caller's. */
int store_batch_put(
    struct store *s, enum store_batch_of which, struct store_batch *b, struct error *err);
int store_batches_write(struct store *s, struct error *err);
void store_batches_drop(struct store *s);
void store_batch_release(struct store_batch *b);
void store_batches_release(struct store *s);

#endif
