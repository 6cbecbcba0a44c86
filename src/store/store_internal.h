/*
 * store_internal - the open database, its statements, and helpers around sqlite3.
 */
#ifndef TLSTALLY_STORE_STORE_INTERNAL_H
#define TLSTALLY_STORE_STORE_INTERNAL_H

#include <sqlite3.h>
#include <sys/types.h>

#include "base/hash.h"
#include "store/query.h"
#include "store/store.h"

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

/* What has to be written of a finding that was stored before. */
enum finding_change { FINDING_SAME, FINDING_COUNTED, FINDING_RENEWED };

/* Where a finding is stored; kind and story 0: their rows have yet to be found, or made. */
struct store_finding_place {
	int64_t client, kind, story;
	bool apart; /* in a row of its own, not in the client's */
};

struct tally_numbers;

/*
 * One client's findings while they are brought up to date.  First those that were stored before,
 * the `own_count` of the client's own row and then the others, both in the order of kinds; then the
 * new ones.
 */
struct finding_set {
	struct finding *items;
	struct store_finding_place *places; /* the client's number is not set */
	struct store_judgement *judged;
	struct store_judgement *stored; /* of those that were stored, and `changes` too */
	uint8_t *changes;               /* enum finding_change */
	struct span *packed; /* of those of the client's own row: as they stand there, in `row` */
	struct buf row;
	size_t own_count, stored_count, count, room;
	struct set_loading *loading; /* while it is read */
	/* By store_set_write, for the client's row: its own findings, packed, and what all tell. */
	struct buf text;
	bool has_apart;
	uint16_t worst_version, best_version; /* 0: none */
};

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

/* The tables of what findings share. */
enum store_shared { STORE_SHARED_KIND, STORE_SHARED_STORY };
#define STORE_SHARED_COUNT (STORE_SHARED_STORY + 1)

struct batch_writer;   /* opaque */
struct shared_cache;   /* opaque */
struct client_numbers; /* opaque */

struct store_reference {
	int64_t id, change;
};

struct store_references {
	struct store_reference *items;
	uint32_t *slots; /* 1 + place in `items`; 0: free */
	size_t count, slot_count;
};

struct store {
	sqlite3 *db;
	char *path;
	enum store_mode mode;
	/* Of the file that is written to. */
	dev_t device;
	ino_t inode;
	sqlite3_stmt *statements[STATEMENT_COUNT];
	bool in_transaction; /* of store_begin */
	bool has_begun;      /* any transaction, of which the end was not asked for */
	bool log_is_due;     /* a new database, without its write-ahead log yet */
	bool sync_is_due;    /* and what it has is not waited for until it is on the disk */
	bool keeps_journal;  /* and the one that it is written with stays beside it */
	bool views_unread;   /* what was made is in the database, and not in this connection */
	bool failed;         /* a flush of it failed: nothing of it is kept */
	bool may_use_thread; /* of store_use_thread */
	store_judge_fn judge;
	void *judge_arg;
	struct buf scratch, reason;
	struct finding_set set;
	struct store_batch batches[STORE_BATCH_COUNT];
	/* The batch that is being written; of whoever has the connection. */
	enum store_batch_of written_of;
	const struct store_batch *written;
	struct batch_writer *writer; /* NULL: batches are written where they are filled */
	struct store_references references[STORE_SHARED_COUNT];
	struct shared_cache *cache;     /* NULL: not needed yet */
	int64_t data_version;           /* of store_cache_refresh */
	struct client_numbers *clients; /* NULL: nothing is known */
	int64_t last_client;            /* the last number in use; 0: not known */
	struct hash_key digest_key;     /* of stories */
	bool has_digest_key;
	/* The last client that the sweep of store_prune is done with. */
	int64_t prune_sensor;
	struct addr prune_ip;
};

/* flush.c */
struct store_client_row;
/* Judges what s->set has of a client, and writes that and its row.  In a transaction. */
int store_judge_client(struct store *s, struct store_client_row *row, struct error *err);
/* The number of a client; 0: there is none. */
int store_find_client(struct store *s, int64_t sensor_id, const struct addr *ip, int64_t *client_id,
    struct error *err);
/* What is to be counted of one client. */
struct store_addition {
	const struct tally_client *client; /* who it is; its numbers of what follows say nothing */
	const struct finding *findings;
	const struct tally_day *days;
	const struct tally_hour *hours;
	size_t finding_count, day_count, hour_count;
	bool bounded; /* all that a client of another database has: so few as are allowed */
};
/* As what a tally holds is counted.  In a transaction; store_write_rest ends it. */
int store_add_client(
    struct store *s, int64_t sensor_id, const struct store_addition *more, struct error *err);
/* Writes what waits to be written with more of its like. */
int store_write_rest(struct store *s, struct error *err);
/* Removes a client with all that is stored of it; number 0: there is none. */
int store_forget_client(struct store *s, int64_t sensor_id, const struct addr *ip,
    int64_t client_id, struct error *err);

/* open.c */
/* Opens the file that s->path names, and makes the connection ready for use. */
int store_open_file(struct store *s, struct error *err);
/*
 * -1 where the path does not lead to the open file any more: what is written to it, nobody would
 * find again.
 */
int store_check_place(const struct store *s, struct error *err);
/* Moves what the write-ahead log has into the database, as far as no reader is in the way. */
void store_move_log(sqlite3 *db);
/* There is a write-ahead log beside the file, or nobody can tell. */
bool store_may_have_log(const struct store *s);

/* schema.c */
/* Makes, checks or migrates the schema; -1: `err` says what is wrong with the database. */
int store_schema_prepare(struct store *s, struct error *err);
/*
 * Readers and a writer do not wait for each other from then on.  -1: somebody reads or writes.  Not
 * in a transaction.
 */
int store_use_log(struct store *s);
/* That of a new database, which is kept from one transaction to the next until there is a log. */
void store_remove_journal(struct store *s);
/* From now on what is written waits for the disk, if it did not.  Not in a transaction. */
int store_sync(struct store *s);
/* Makes them anew, as this tlstally has them, where the connection has read what is there. */
int store_renew_views(struct store *s);
/* Before a query of a view: a connection that has just made them has not read them. */
void store_know_views(struct store *s);

/* views.c */
#define STORE_VIEW_COUNT 6
struct store_view {
	const char *name;
	/* The pieces of its statement, no longer than what a compiler has to take; then NULL. */
	const char *sql[4];
};
extern const struct store_view store_views[STORE_VIEW_COUNT];

/* statements_sql.c */
extern const char *const store_statements_sql[STATEMENT_COUNT];

/* statement.c */
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

/* batch.c */
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

/* packed.c: several rows as one text. */
#define STORE_PACKED_WIDTH_MAX 19
/* Puts a number that has no more digits, with leading zeros; returns where it ends. */
char *store_packed_put(char *out, uint64_t value, unsigned width);
/* No wider than it is, though eight bytes beyond may be written. */
char *store_packed_put_short(char *out, uint64_t value);
/* The opposite: takes so many digits, STORE_PACKED_WIDTH_MAX at most, off the front; false: there
 * is something else. */
bool store_packed_take(struct span *item, unsigned width, uint64_t *value);
void store_packed_add(struct buf *out, const char *item, size_t len);
/* The same for a name, whose `len` bytes at most go where it says, and the number that it names. */
char *store_packed_begin_named(struct buf *out, size_t len);
void store_packed_end_named(struct buf *out, char *end, uint64_t number);
/* Both, as they stood in such a text. */
void store_packed_add_again(struct buf *out, struct span item);
void store_packed_end(struct buf *out);
/* Takes the next one off.  False: there is none; or, *damaged: this is no such list. */
bool store_packed_next(struct span *text, struct span *item, bool *damaged);
/* *item: all of it, for store_packed_add_again. */
bool store_packed_next_named(
    struct span *text, struct span *item, struct span *name, uint64_t *number, bool *damaged);

/* references.c */
/* `change` findings more refer to that row. */
void store_reference(struct store *s, enum store_shared which, int64_t id, int change);
/* Before findings are removed, and before a commit: store_write_rest.  Rows that nobody refers to
 * are gone then. */
int store_references_write(struct store *s, struct error *err);
void store_references_drop(struct store *s);

/* shared.c */
/* The number of the kind with that key, whosoever; 0: there is none yet. */
int store_find_kind(struct store *s, const struct finding_key *key, int64_t *id, struct error *err);
/* The same, and makes it; it is gone again unless store_reference names it. */
int store_keep_kind(struct store *s, const struct finding_key *key, int64_t *id, struct error *err);
/*
 * Makes s->digest_key out of the random name of the database, so that nobody else can choose what
 * collides.  With another key, what is there already would not be found.
 */
int store_set_digest_key(struct store *s, struct error *err);
int store_keep_story(struct store *s, const struct finding *f, int64_t *id, struct error *err);
bool store_same_story(const struct finding *a, const struct finding *b);

/*
 * finding_row.c: the columns of a finding, in one order for all statements.
 *
 * The numbers of its kind are packed into two, most significant first, so that kinds stand in the
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

#define STORE_STORY_COLUMNS                                                                        \
	"t.server_ip, t.server_name_source, t.cipher_suite, t.ja4, t.limited_by, "                 \
	"t.certificate_subject, t.certificate_not_after_us, t.offers, t.suites_all, "              \
	"t.suites_any, t.fallback_from"
#define STORE_FINDING_KEY_COLUMNS "k.server, k.service, k.way"
#define STORE_FINDING_OWN_COLUMNS "f.count, f.first_us, f.last_us, f.judged, f.ended_count"
#define STORE_FINDING_OWN_COUNT 5
#define STORE_FINDING_MORE_COLUMNS                                                                 \
	"m.gap_count, m.login_count, m.scsv_count, m.fallback_count, m.dropped_early_count, "      \
	"m.dropped_early_us, m.dropped_early_len"
#define STORE_FINDING_MORE_COUNT 7
/*
 * So many findings of a client, the first ones, stand in its own row, as all of them are read and
 * judged together (packed.c); one whose numbers are too large has a row of its own.  SQLite takes
 * an integer as it is, but time and memory for every piece of a text; so the number that is named
 * has what views ask for most: the judgement, and below it 16 digits, the first time.  The name
 * begins with kind and story, 8 digits each.  A space, the count with 7 digits, and how long after
 * the first time the last one was follow, unless it was seen once; and where one of them is not 0,
 * a space and what finding_more has, behind the number of sessions ended.
 */
#define STORE_OWN_FINDINGS_MAX 48
/* As an INTEGER a text is worth the number at its beginning. */
#define STORE_OWN_PLACE "CAST(f.key AS INTEGER)"
#define STORE_OWN_KIND "(" STORE_OWN_PLACE " / 100000000)"
#define STORE_OWN_STORY "(" STORE_OWN_PLACE " % 100000000)"
#define STORE_OWN_FIRST_US "(f.value % 10000000000000000)"
#define STORE_OWN_JUDGED "(f.value / 10000000000000000)"
#define STORE_OWN_TEXT(place) "CAST(substr(f.key, " place ") AS INTEGER)"
#define STORE_OWN_COUNT                                                                            \
	"CASE WHEN " STORE_OWN_JUDGED " & 256 THEN 1 ELSE " STORE_OWN_TEXT("18, 7") " END"
#define STORE_OWN_LEN_US                                                                           \
	"CASE WHEN " STORE_OWN_JUDGED " & 256 THEN 0 ELSE " STORE_OWN_TEXT("25") " END"
/* Places count from the end of the text, where this stands if any of it is not 0. */
#define STORE_OWN_MORE(place)                                                                      \
	"CASE WHEN " STORE_OWN_JUDGED " & 64 THEN " STORE_OWN_TEXT(place ", 7") " ELSE 0 END"
#define STORE_OWN_GAPS STORE_OWN_MORE("-63")
#define STORE_OWN_LOGINS STORE_OWN_MORE("-56")
#define STORE_OWN_FALLBACKS STORE_OWN_MORE("-42")
#define STORE_OWN_DROPPED STORE_OWN_MORE("-35")
/* Where nothing else is said, the end of all sessions was seen, or of none. */
#define STORE_OWN_ENDED                                                                            \
	"CASE WHEN " STORE_OWN_JUDGED " & 64 THEN " STORE_OWN_TEXT(                                \
	    "-70, 7") " WHEN " STORE_OWN_JUDGED " & 128 THEN " STORE_OWN_COUNT " ELSE 0 END"
/*
 * What the judge said, and what is in this row.  So few bits that they fit in front of a time; no
 * rank is the highest of its four.
 */
#define STORE_VERDICT(judged) "(" judged " & 15)"
#define STORE_JUDGED_RANK_NONE 15
#define STORE_JUDGED_SERVER_SHIFT 4         /* STORE_SERVER_*, two bits */
#define STORE_JUDGED_MORE (1 << 6)          /* there is something of finding_more */
#define STORE_JUDGED_OWN_ALL_ENDED (1 << 7) /* of the client's own ones only, as what follows */
#define STORE_JUDGED_OWN_ONCE (1 << 8)
/*
 * A finding's number is that of its client, and of its kind in the lower bits: SQLite then finds a
 * row by comparing integers, and writes one over another of the same length.
 */
#define STORE_KIND_BITS 32
#define STORE_KIND_MAX ((INT64_C(1) << STORE_KIND_BITS) - 1)
#define STORE_FINDING_KIND(id) "(" id " & 4294967295)"
#define STORE_IS_OF_CLIENT(id, client)                                                             \
	id " BETWEEN (" client " << 32) AND (" client " << 32) + 4294967295"
#define STORE_CLIENT_TABLES                                                                        \
	"client c JOIN client_state x ON x.id = c.id JOIN sensor s ON s.id = c.sensor"
/*
 * The same for counts by time.  The number of a day: its client's, the day (23 bits), the version
 * (8, see client_times.c) and the outcome (3).  That of an hour: its client's, and the hour.  Days
 * and hours are counted from long before 1970.
 */
#define STORE_TIME_BITS 34
#define STORE_DAY_SHIFT 11
#define STORE_DAY_ZERO (1 << 22)
#define STORE_DAY_LAST ((1 << 23) - 1)
#define STORE_HOUR_ZERO (INT64_C(1) << 33)
#define STORE_IS_TIME_OF(id, client)                                                               \
	id " BETWEEN (" client " << 34) AND (" client " << 34) + 17179869183"
#define STORE_DAY(id) "((" id " >> 11 & 8388607) - 4194304)"
#define STORE_DAY_VERSION(id)                                                                      \
	"CASE WHEN " id " >> 10 & 1 THEN 32512 + (" id " >> 3 & 127) WHEN " id                     \
	" >> 9 & 1 THEN 768 + (" id " >> 3 & 63) ELSE " id " >> 3 & 63 END"
#define STORE_DAY_OUTCOME(id) "(" id " & 7)"
#define STORE_HOUR(id) "((" id " & 17179869183) - 8589934592)"
/* One day of json_each(x.days), the client's latest: its number, and then the count. */
#define STORE_ROW_DAY "CAST(substr(d.value, 1, 11) AS INTEGER)"
#define STORE_ROW_DAY_COUNT "CAST(substr(d.value, 12) AS INTEGER)"
/* And of its latest hour: its number, as above, then 9 digits each. */
#define STORE_ROW_HOUR "(CAST(substr(x.hour, 1, 11) AS INTEGER) - 8589934592)"
#define STORE_ROW_HOUR_COUNT(place) "CAST(substr(x.hour, " place ", 9) AS INTEGER)"
/* A row of the table, or one of the client's latest day in its own row. */
#define STORE_DAY_COLUMNS_OF(number, count)                                                        \
	STORE_DAY(number)                                                                          \
	" AS day, " STORE_DAY_VERSION(number) " AS version, " STORE_DAY_OUTCOME(                   \
	    number) " AS outcome, " count " AS count"
#define STORE_DAY_COLUMNS STORE_DAY_COLUMNS_OF("d.id", "d.count")
#define STORE_LATEST_DAY_COLUMNS STORE_DAY_COLUMNS_OF(STORE_ROW_DAY, STORE_ROW_DAY_COUNT)
/* The row of the table, or that of the client, of which the latest hour is. */
#define STORE_HOUR_COLUMNS                                                                         \
	STORE_HOUR("h.id")                                                                         \
	" AS hour, h.sessions AS sessions, h.short_sessions AS short_sessions,"                    \
	" h.failed_logins AS failed_logins, h.accepted_logins AS"                                  \
	" accepted_logins, h.failed_names AS failed_names"
/* clang-format off */
#define STORE_LATEST_HOUR_COLUMNS \
	STORE_ROW_HOUR ", " \
	STORE_ROW_HOUR_COUNT("12") ", " \
	STORE_ROW_HOUR_COUNT("21") ", " \
	STORE_ROW_HOUR_COUNT("30") ", " \
	STORE_ROW_HOUR_COUNT("39") ", " \
	STORE_ROW_HOUR_COUNT("48")
/* clang-format on */
/* The largest number of a client that leaves room for all of that, and for a kind. */
#define STORE_CLIENT_MAX (INT64_MAX >> STORE_TIME_BITS)

/* Writes it with the next batch; `place` is whole. */
int store_finding_write(struct store *s, const struct store_finding_place *place,
    const struct finding *f, struct store_judgement judged, struct error *err);
/* True when it can be one of those in its client's row; then adds it to them. */
bool store_finding_fits(const struct store_finding_place *place, const struct finding *f);
void store_finding_pack(struct buf *out, const struct store_finding_place *place,
    const struct finding *f, struct store_judgement judged);
/* The beginning of such a name; then the rest, which leaves what is of kind and story. */
bool store_finding_unpack_place(struct span *name, struct store_finding_place *out);
bool store_finding_unpack(
    struct span name, uint64_t number, struct finding *out, struct store_judgement *judged);
/*
 * These, of STORE_FINDING_OWN_COLUMNS, of STORE_FINDING_MORE_COLUMNS or from column `first` on,
 * fill in what is theirs and leave the rest of `out` as it is.  *more: there are those, too. False,
 * with `out` fit to be used: the row holds what no tlstally writes.
 */
bool store_finding_read_own(
    sqlite3_value *const *values, struct finding *out, struct store_judgement *judged, bool *more);
void store_finding_read_more(sqlite3_value *const *values, struct finding *out);
bool store_kind_read(sqlite3_stmt *st, int first, struct finding_key *out);
bool store_story_read(sqlite3_stmt *st, int first, struct finding *out);

/* shared_cache.c */
/* The kind or story with that number, until the next call; NULL: `err` says why. */
const struct finding_key *store_cached_kind(struct store *s, int64_t id, struct error *err);
const struct finding *store_cached_story(struct store *s, int64_t id, struct error *err);
/* The number of a row whose content may have this hash; 0: none was found lately. */
int64_t store_cache_find(struct store *s, enum store_shared which, uint64_t hash);
void store_cache_keep(struct store *s, enum store_shared which, uint64_t hash, int64_t id);
/* When rows may have been removed, by ourselves. */
void store_cache_clear(struct store *s);
/* At the beginning of a transaction, in it: the same, if others have written since. */
int store_cache_refresh(struct store *s, struct error *err);
void store_cache_release(struct store *s);

/* finding_load.c */
int store_set_prepare(struct store *s);
/* Into a set that is clear: what its own row has of a client; then, its rows of `finding`. */
int store_set_load_own(
    struct store *s, struct span packed, const struct addr *ip, struct error *err);
int store_set_load_apart(
    struct store *s, int64_t client_id, const struct addr *ip, struct error *err);

/* finding_set.c */
void store_set_release(struct finding_set *set);
void store_set_clear(struct finding_set *set);
/* For `count` in all, one at least. */
void store_set_make_room(struct finding_set *set, size_t count);
/* Among those that were stored, by its kind; NULL: it is none of them. */
struct finding *store_set_find_stored(struct finding_set *set, int64_t kind);
/* Removes findings of the client's own row that were last seen before that, `max` at most; returns
 * how many. */
size_t store_set_drop(struct store *s, int64_t before_us, size_t max);
/* Puts what was loaded in the order of keys, for who only reads it. */
void store_set_sort(struct finding_set *set);
/* What the tally holds of it. */
int store_set_add(struct store *s, struct tally_numbers *numbers, const struct tally_client *c,
    struct error *err);
/* Findings from elsewhere, that are as they are stored; `bounded`: none of them is folded. */
int store_set_add_findings(
    struct store *s, const struct finding *findings, size_t count, bool bounded, struct error *err);
/* Writes what is new or has changed, with its rank; what is the client's own into set.text. */
int store_set_write(struct store *s, int64_t client_id, struct error *err);

/* tally_numbers.c: where the kinds and stories of a tally are in the database. */
struct tally_number {
	int64_t id; /* 0: there is no row yet, as far as is known */
	bool seen;  /* and so it is known whether it is plain: */
	bool plain; /* it is kept as it is, without anything that cannot be printed */
};

struct tally_numbers {
	const struct tally *tally;
	struct tally_number *kinds, *stories; /* by their numbers in the tally */
};

void tally_numbers_init(struct tally_numbers *n, const struct tally *tally);
void tally_numbers_release(struct tally_numbers *n);
/* Makes those that are not there, and asks nothing of the database later. */
int tally_numbers_find_all(struct store *s, struct tally_numbers *n, struct error *err);
/*
 * A finding of the tally as it is to be stored, and where.  place->kind is 0 for a key that had to
 * be changed for that; and, without `keep`, for one that no finding has yet.
 */
int tally_numbers_finding(struct store *s, struct tally_numbers *n, size_t index, bool keep,
    struct finding *out, struct store_finding_place *place, struct error *err);

/* query.c */
/* NULL: `err` says why.  ?1 since, ?2 until, ?3 sensor: NULL lets everything through. */
sqlite3_stmt *store_prepare_query(
    struct store *s, const char *sql, const struct store_filter *filter, struct error *err);
bool store_filter_has_client(const struct store_filter *f, const struct addr *ip);

/* login_hour.c */
/* All of one client, in order; *hours is the caller's to free, also after an error. */
int store_load_hours(struct store *s, int64_t client_id, struct tally_hour **hours, size_t *count,
    struct error *err);
/* Adds an hour to those in the table, with the next batch. */
int store_add_hour(
    struct store *s, int64_t client_id, const struct tally_hour *hour, struct error *err);
/* Has what is beyond STORE_LOGIN_HOURS_MAX removed, with that of other clients. */
int store_trim_hours(struct store *s, int64_t client_id, struct error *err);
int store_trims_write(struct store *s, struct error *err);

/* run_row.c */
int store_write_run(struct store *s, int64_t sensor_id, struct store_run *run, struct error *err);

#endif
