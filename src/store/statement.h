/*
 * statement - the statements of an open database, each prepared once, and helpers around sqlite3.
 */
#ifndef TLSTALLY_STORE_STATEMENT_H
#define TLSTALLY_STORE_STATEMENT_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/span.h"

enum store_statement {
	STATEMENT_BEGIN,
	STATEMENT_COMMIT,
	STATEMENT_ROLLBACK,
	STATEMENT_DATA_VERSION,
	STATEMENT_CLIENT_FIND,
	STATEMENT_CLIENT_ANY,
	STATEMENT_CLIENT_LAST,
	STATEMENT_CLIENT_READ,
	STATEMENT_CLIENTS_WRITE,
	STATEMENT_STATES_WRITE,
	STATEMENT_FINDING_LOAD,
	STATEMENT_FINDING_LOAD_MORE,
	STATEMENT_FINDINGS_WRITE,
	STATEMENT_FINDINGS_WRITE_MORE,
	STATEMENT_KIND_FIND,
	STATEMENT_KIND_READ,
	STATEMENT_KIND_INSERT,
	STATEMENT_KIND_COUNT,
	STATEMENT_KIND_REMOVE,
	STATEMENT_STORY_FIND,
	STATEMENT_STORY_READ,
	STATEMENT_STORY_INSERT,
	STATEMENT_STORY_COUNT,
	STATEMENT_STORY_REMOVE,
	STATEMENT_DAYS_ADD,
	STATEMENT_DAYS_OF,
	STATEMENT_HOURS_ADD,
	STATEMENT_HOURS_OF,
	STATEMENT_HOURS_MANY,
	STATEMENT_HOURS_TRIM,
	STATEMENT_RUN_INSERT,
	STATEMENT_RUN_UPDATE,
	STATEMENT_COUNTER_SET,
	STATEMENT_SOURCE_KNOWN,
	STATEMENT_SOURCE_SET,
	STATEMENT_PRUNE_LIMIT,
	STATEMENT_PRUNE_NEXT_CLIENT,
	STATEMENT_PRUNE_FINDINGS,
	STATEMENT_PRUNE_DAYS,
	STATEMENT_PRUNE_HOURS,
	STATEMENT_PRUNE_CLIENT,
	STATEMENT_PRUNE_COUNTERS,
	STATEMENT_PRUNE_SOURCES,
	STATEMENT_PRUNE_RUNS,
	STATEMENT_FORGET_FINDINGS,
	STATEMENT_FORGET_DAYS,
	STATEMENT_FORGET_HOURS,
	STATEMENT_FORGET_CLIENT,
};
#define STATEMENT_COUNT (STATEMENT_FORGET_CLIENT + 1)

struct store; /* store_internal.h */

/* The statement, reset and ready to be bound, once the connection is free; NULL after an error. */
sqlite3_stmt *store_statement(struct store *s, enum store_statement which, struct error *err);
/* The same for who has the connection. */
sqlite3_stmt *store_own_statement(struct store *s, enum store_statement which, struct error *err);
/* A query of one client's rows, of which there is one per client; to be reset when it is read. */
sqlite3_stmt *store_query_of_client(
    struct store *s, enum store_statement which, int64_t client_id, struct error *err);
/* Steps a statement that gives no row, and resets it. */
int store_step(struct store *s, sqlite3_stmt *statement, struct error *err);
/* The one number that a statement reads; 0: there is none.  Resets it. */
int store_step_number(struct store *s, sqlite3_stmt *st, int64_t *number, struct error *err);
/* One that begins or ends a transaction. */
int store_run_statement(struct store *s, enum store_statement which, struct error *err);
/*
 * Where memory is out, SQLite takes a transaction back by itself, also when only a column was read.
 * What is written after that would be stored at once, row by row: -1.
 */
int store_check_transaction(const struct store *s, struct error *err);
/* "cannot WHAT PATH: REASON", and what to do where that is known. */
void store_error(struct store *s, const char *what, struct error *err);
/* The same for a file that is no database, and for content that no tlstally has written. */
void store_error_not_ours(const struct store *s, struct error *err);
void store_error_damaged(const struct store *s, struct error *err);
/* For numbers of rows that are used up. */
void store_error_used_up(const struct store *s, struct error *err);
/* Empty, or NULL: NULL.  A `borrowed` text must stay as it is until the statement was stepped. */
void store_bind_span(sqlite3_stmt *st, int index, struct span text);
void store_bind_borrowed(sqlite3_stmt *st, int index, struct span text);
void store_bind_text(sqlite3_stmt *st, int index, const char *text);
void store_bind_u64(sqlite3_stmt *st, int index, uint64_t value);
uint64_t store_column_u64(sqlite3_stmt *st, int column);
/* A value of an enum from 0 to `last`; 0, and *damaged set, for anything else. */
int store_column_code(sqlite3_stmt *st, int column, int last, bool *damaged);
struct span store_column_span(sqlite3_stmt *st, int column); /* data NULL: NULL */
const char *store_column_text(sqlite3_stmt *st, int column); /* "" for NULL */

#endif
