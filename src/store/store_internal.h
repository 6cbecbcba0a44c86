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
	STATEMENT_CLIENT_FIND,
	STATEMENT_CLIENT_INSERT,
	STATEMENT_CLIENT_UPDATE,
	STATEMENT_CLIENT_JUDGED,
	STATEMENT_FINDING_LOAD,
	STATEMENT_FINDING_WRITE,
	STATEMENT_FINDING_COUNT,
	STATEMENT_DAY_ADD,
	STATEMENT_HOUR_ADD,
	STATEMENT_HOURS_MANY,
	STATEMENT_HOURS_TRIM,
	STATEMENT_RUN_INSERT,
	STATEMENT_RUN_UPDATE,
	STATEMENT_COUNTER_SET,
	STATEMENT_SOURCE_KNOWN,
	STATEMENT_SOURCE_SET,
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

/* What has to be written of a finding that was stored before. */
enum finding_change { FINDING_SAME, FINDING_COUNTED, FINDING_RENEWED };

/*
 * One client's findings while they are brought up to date: first those that were stored before, in
 * the order of their keys, then the new ones.
 */
struct finding_set {
	struct finding *items;
	struct store_judgement *judged;
	struct store_judgement *stored; /* of those that were stored, and `changes` too */
	uint8_t *changes;               /* enum finding_change */
	size_t stored_count, count, room;
};

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
	struct finding_set set;
	int64_t prune_after; /* the last client that the sweep of store_prune is done with */
};

/* flush.c */
/* Judges all that is stored of a client, and writes what has changed.  In a transaction. */
int store_judge_client(
    struct store *s, int64_t client_id, const struct addr *ip, struct error *err);

/* The number of a client; 0: there is none. */
int store_find_client(struct store *s, int64_t sensor_id, const struct addr *ip, int64_t *client_id,
    struct error *err);
/*
 * Counts findings and days of one client as those of a tally are counted.  `c` says who it is; its
 * numbers of findings and days are not looked at.  In a transaction.
 */
int store_add_client(struct store *s, int64_t sensor_id, const struct tally_client *c,
    const struct finding *findings, size_t finding_count, const struct tally_day *days,
    size_t day_count, struct error *err);
/* Removes a client with all that is stored of it; 0: none. */
int store_forget_client(struct store *s, int64_t client_id, struct error *err);

/* open.c */
/* Opens the file that s->path names, and makes the connection ready for use. */
int store_open_file(struct store *s, struct error *err);

/* schema.c */
/* Makes, checks or migrates the schema; -1: `err` says what is wrong with the database. */
int store_schema_prepare(struct store *s, struct error *err);
extern const char *const store_views_sql[]; /* ends with NULL */

/* statements_sql.c */
extern const char *const store_statements_sql[STATEMENT_COUNT];

/* statement.c */
/* The statement, reset and ready to be bound; NULL after an error. */
sqlite3_stmt *store_statement(struct store *s, enum store_statement which, struct error *err);
/* Steps a statement that gives no row, and resets it. */
int store_step(struct store *s, sqlite3_stmt *statement, struct error *err);
int store_run_statement(struct store *s, enum store_statement which, struct error *err);
/* "cannot WHAT PATH: REASON", and what to do where that is known. */
void store_error(struct store *s, const char *what, struct error *err);
/* The same for a file that is no database, and for content that no tlstally has written. */
void store_error_not_ours(const struct store *s, struct error *err);
void store_error_damaged(const struct store *s, struct error *err);
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

/* printable.c */
enum store_charset {
	CHARSET_ASCII, /* host names */
	CHARSET_UTF8,
};
/*
 * Text from outside in the form in which it is kept: printable characters as they are, any other
 * byte as \xNN; cut, at a whole character, to `max` bytes.  Borrows from `text`, or from `scratch`
 * until its next use.
 */
struct span store_printable(
    struct buf *scratch, struct span text, enum store_charset charset, size_t max);
void store_make_printable(struct buf *scratch, struct event_text *text, enum store_charset charset);

/*
 * finding_row.c: the columns of a finding, in one order for all statements.
 *
 * The numbers of the key are packed into two, most significant first, so that rows stand in the
 * order of tally_key_compare and a statement has few values to carry:
 *
 *   service  port 16 bits, protocol 8, TLS mode 8
 *   way      version 16 (15 used), offered version 16, outcome 8, refused_by 8, refusal 8, alert 8
 */
#define STORE_PORT(service) "(" service " >> 16)"
#define STORE_PROTOCOL(service) "(" service " >> 8 & 255)"
#define STORE_TLS_MODE(service) "(" service " & 255)"
#define STORE_VERSION(way) "(" way " >> 48)"
#define STORE_OFFERED(way) "(" way " >> 32 & 65535)"
#define STORE_OUTCOME(way) "(" way " >> 24 & 255)"
#define STORE_REFUSED_BY(way) "(" way " >> 16 & 255)"
#define STORE_VERSION_MAX 0x7fff

#define STORE_FINDING_KEY_COLUMNS "server, service, way"
#define STORE_FINDING_COLUMNS                                                                      \
	STORE_FINDING_KEY_COLUMNS                                                                  \
	", count, gap_count, login_count, scsv_count, fallback_count, fallback_from, first_us, "   \
	"last_us, verdict, endpoint, ended_count, dropped_early_count, dropped_early_us, "         \
	"dropped_early_len, server_ip, "                                                           \
	"server_name_source, cipher_suite, ja4, limited_by, certificate_subject, "                 \
	"certificate_not_after_us, offers, suites_all, suites_any"
/* The first ones, which change with each event; `first` is the key's first column. */
int store_finding_bind_counts(
    sqlite3_stmt *st, int first, const struct finding *f, struct store_judgement judged);
/* All, then refusal_text and cipher_suite_text, for STATEMENT_FINDING_WRITE; and steps it. */
int store_finding_write(struct store *s, int64_t client_id, const struct finding *f,
    struct store_judgement judged, struct error *err);
/* False, with `out` fit to be used: the row holds what no tlstally writes. */
bool store_finding_read(sqlite3_stmt *st, int first, const struct addr *client, struct finding *out,
    struct store_judgement *judged);

/* finding_set.c */
void store_set_release(struct finding_set *set);
void store_set_clear(struct finding_set *set);
/* All that is stored of a client. */
int store_set_load(struct store *s, int64_t client_id, const struct addr *ip, struct error *err);
/* What the tally holds of it. */
void store_set_add(struct store *s, const struct tally *tally, const struct tally_client *c);
/* Findings from elsewhere, that are as they are stored. */
void store_set_add_findings(struct store *s, const struct finding *findings, size_t count);
/* Writes what is new or has changed, with its rank. */
int store_set_write(struct store *s, int64_t client_id, struct error *err);

/* query.c */
/* NULL: `err` says why.  ?1 since, ?2 until, ?3 sensor: NULL lets everything through. */
sqlite3_stmt *store_prepare_query(
    struct store *s, const char *sql, const struct store_filter *filter, struct error *err);
bool store_filter_has_client(const struct store_filter *f, const struct addr *ip);

/* login_hour.c */
/* All of one client, in order; *hours is the caller's to free, also after an error. */
int store_load_hours(struct store *s, int64_t client_id, struct tally_hour **hours, size_t *count,
    struct error *err);
/* Adds hours to those of a client, and removes what is beyond STORE_LOGIN_HOURS_MAX. */
int store_add_hours(struct store *s, int64_t client_id, const struct tally_hour *hours,
    size_t count, struct error *err);

/* run_row.c */
int store_write_run(struct store *s, int64_t sensor_id, struct store_run *run, struct error *err);

#endif
