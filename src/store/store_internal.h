/*
 * store_internal - the open database, its statements, and helpers around sqlite3.
 */
#ifndef TLSTALLY_STORE_STORE_INTERNAL_H
#define TLSTALLY_STORE_STORE_INTERNAL_H

#include <sqlite3.h>

#include "store/query.h"
#include "store/store.h"

enum store_statement {
	STATEMENT_BEGIN,
	STATEMENT_COMMIT,
	STATEMENT_ROLLBACK,
	STATEMENT_CLIENT_UPSERT,
	STATEMENT_CLIENT_JUDGED,
	STATEMENT_FINDING_UPSERT,
	STATEMENT_FINDING_LOAD,
	STATEMENT_FINDING_JUDGED,
	STATEMENT_DAY_UPSERT,
	STATEMENT_RUN_INSERT,
	STATEMENT_RUN_UPDATE,
	STATEMENT_COUNTER_UPSERT,
	STATEMENT_SOURCE_UPSERT,
};
#define STATEMENT_COUNT (STATEMENT_SOURCE_UPSERT + 1)

struct store {
	sqlite3 *db;
	char *path;
	enum store_mode mode;
	sqlite3_stmt *statements[STATEMENT_COUNT];
	bool in_transaction; /* of store_begin */
	bool failed;         /* a flush of it failed: nothing of it is kept */
	store_judge_fn judge;
	void *judge_arg;
	struct buf scratch, reason;
	struct finding *findings; /* room for one client's */
	uint8_t *ranks, *old_ranks;
	size_t finding_room;
};

/* schema.c */
/* Makes, checks or migrates the schema; -1: `err` says what is wrong with the database. */
int store_schema_prepare(struct store *s, struct error *err);
extern const char *const store_views_sql[]; /* ends with NULL */

/* statement.c */
/* The statement, reset and ready to be bound; NULL after an error. */
sqlite3_stmt *store_statement(struct store *s, enum store_statement which, struct error *err);
/* Steps a statement that gives no row, and resets it. */
int store_step(struct store *s, sqlite3_stmt *statement, struct error *err);
int store_run_statement(struct store *s, enum store_statement which, struct error *err);
/* "cannot WHAT PATH: REASON"; a full disk and a lock say what to do. */
void store_error(struct store *s, const char *what, struct error *err);
void store_bind_span(sqlite3_stmt *st, int index, struct span text); /* empty: NULL */
void store_bind_text(sqlite3_stmt *st, int index, const char *text); /* NULL: NULL */
void store_bind_u64(sqlite3_stmt *st, int index, uint64_t value);
uint64_t store_column_u64(sqlite3_stmt *st, int column);

/*
 * Text from the network in the form in which it is kept: valid UTF-8 without control characters,
 * what is neither shown as \xNN.  Borrowed from `scratch` until its next use.
 */
struct span store_printable(struct buf *scratch, struct span text);

/* finding_row.c: the columns of a finding, in one order for all statements. */
#define STORE_FINDING_COLUMNS                                                                      \
	"server, server_port, protocol, tls_mode, tls_version, offered_version, outcome, "         \
	"refused_by, refusal, refusal_alert, count, gap_count, login_count, scsv_count, "          \
	"first_us, last_us, server_ip, server_name_source, cipher_suite, ja4, limited_by, "        \
	"certificate_subject, certificate_not_after_us, offers, verdict"
#define STORE_FINDING_COLUMN_COUNT 25
#define STORE_FINDING_COLUMN_VERDICT 24
void store_finding_bind(
    sqlite3_stmt *st, int first, const struct finding *f, struct buf *scratch, uint8_t verdict);
void store_finding_read(
    sqlite3_stmt *st, int first, const struct addr *client, struct finding *out, uint8_t *verdict);

#endif
