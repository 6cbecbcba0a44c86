/*
 * store_internal - the open database, and what its parts do for each other.
 */
#ifndef TLSTALLY_STORE_STORE_INTERNAL_H
#define TLSTALLY_STORE_STORE_INTERNAL_H

#include <sqlite3.h>
#include <sys/types.h>

#include "base/hash.h"
#include "store/batch.h"
#include "store/finding_set.h"
#include "store/query.h"
#include "store/shared.h"
#include "store/statement.h"
#include "store/store.h"

struct batch_writer;   /* opaque */
struct shared_cache;   /* opaque */
struct client_numbers; /* opaque */

struct store {
	sqlite3 *db;
	char *path;
	enum store_mode mode;
	/* They tell the open file, whatever its path leads to later. */
	dev_t device;
	ino_t inode;
	sqlite3_stmt *statements[STATEMENT_COUNT];
	bool in_transaction; /* store_begin was called, and its end not yet */
	bool has_begun;      /* the same for any transaction, be it of store_begin or not */
	bool log_is_due;     /* the database is new, and has no write-ahead log yet */
	bool sync_is_due;    /* until store_sync nothing waits for the disk */
	bool keeps_journal;  /* a new database's journal is kept: store_remove_journal */
	bool views_unread;   /* views were made that this connection cannot use: store_know_views */
	bool failed;         /* a flush in store_begin's transaction failed: none of it is kept */
	bool may_use_thread; /* store_use_thread was called */
	store_judge_fn judge;
	void *judge_arg;
	struct buf scratch, reason;
	struct finding_set set; /* of the client at hand */
	struct store_batch batches[STORE_BATCH_COUNT];
	/* The batch that is being written, by the thread that has the connection. */
	enum store_batch_of written_of;
	const struct store_batch *written;
	struct batch_writer *writer; /* NULL: batches are written where they are filled */
	struct store_references references[STORE_SHARED_COUNT];
	struct shared_cache *cache;     /* NULL: not needed yet */
	int64_t data_version;           /* of the database, for store_cache_refresh */
	struct client_numbers *clients; /* numbers that were found lately; NULL: none */
	int64_t last_client;            /* the highest number in use; 0: not known */
	struct hash_key digest_key;     /* for digests of stories */
	bool has_digest_key;
	/* The last client that store_prune has looked at; it goes on behind that one. */
	int64_t prune_sensor;
	struct addr prune_ip;
};

/* --- flush.c: adding to what is stored of clients --- */

struct store_client_row;
/* Judges a client's findings, those in s->set, and writes them and its row.  In a transaction. */
int store_judge_client(struct store *s, struct store_client_row *row, struct error *err);
/* Sets *client_id to the number of a client; 0: there is none. */
int store_find_client(struct store *s, int64_t sensor_id, const struct addr *ip, int64_t *client_id,
    struct error *err);
/* What is to be counted of one client. */
struct store_addition {
	/* Who it is; its numbers for tally_finding_at and the like are not used. */
	const struct tally_client *client;
	const struct finding *findings;
	const struct tally_day *days;
	const struct tally_hour *hours;
	size_t finding_count, day_count, hour_count;
	bool bounded; /* another database has kept them: no more than are allowed for a client */
};
/* Counts that as if it came from a tally.  In a transaction; store_write_rest before its end. */
int store_add_client(
    struct store *s, int64_t sensor_id, const struct store_addition *more, struct error *err);
/* Writes the batches that are not full, and the references that were counted. */
int store_write_rest(struct store *s, struct error *err);
/* Removes a client with all that is stored of it; number 0: there is none. */
int store_forget_client(struct store *s, int64_t sensor_id, const struct addr *ip,
    int64_t client_id, struct error *err);

/* --- open.c: the file and its log --- */

/* Opens the file that s->path names, and makes the connection ready for use. */
int store_open_file(struct store *s, struct error *err);
/*
 * Returns -1 if s->path does not lead to the open file any more: nobody would find what is written
 * to it.
 */
int store_check_place(const struct store *s, struct error *err);
/* Moves the content of the write-ahead log into the database, as far as no reader is in the way. */
void store_move_log(sqlite3 *db);
/* True if there is a write-ahead log beside the file, or if nobody can tell. */
bool store_may_have_log(const struct store *s);

/* --- schema.c: tables and views, and how they are written --- */

/* Makes, checks or migrates the schema; -1: `err` says what is wrong with the database. */
int store_schema_prepare(struct store *s, struct error *err);
/*
 * Switches the database to a write-ahead log, with which readers and a writer do not wait for each
 * other.  -1: somebody reads or writes.  Not in a transaction.
 */
int store_use_log(struct store *s);
/*
 * Removes the journal of a new database, which is kept from one transaction to the next until there
 * is a log.
 */
void store_remove_journal(struct store *s);
/* From now on each transaction waits for the disk, if it did not.  Not in a transaction. */
int store_sync(struct store *s);
/* Drops all views, and makes them as this tlstally has them. */
int store_renew_views(struct store *s);
/* Called before a view is queried: where this connection has just made the views, it reads them. */
void store_know_views(struct store *s);

/* --- views.c --- */

#define STORE_VIEW_COUNT 6
struct store_view {
	const char *name;
	/* The pieces of its statement, no longer than what a compiler has to take; then NULL. */
	const char *sql[4];
};
extern const struct store_view store_views[STORE_VIEW_COUNT];

/* --- statements_sql.c --- */

extern const char *const store_statements_sql[STATEMENT_COUNT];

/* --- printable.c: text from outside --- */

enum store_charset {
	CHARSET_ASCII, /* host names */
	CHARSET_UTF8,
};
/*
 * Returns a text from outside in the form in which it is kept: printable characters as they are,
 * any other byte as \xNN; cut, at a whole character, to `max` bytes.  Borrows from `text`, or from
 * `scratch` until its next use.
 */
struct span store_printable(
    struct buf *scratch, struct span text, enum store_charset charset, size_t max);
/* The same for a text of an event, in its place. */
void store_make_printable(struct buf *scratch, struct event_text *text, enum store_charset charset);

/* --- query.c --- */

/*
 * Prepares a query; the caller finalises it.  The filter's since, until and sensor are its ?1, ?2
 * and ?3, which are NULL where the filter lets everything through.  NULL: `err` says why.
 */
sqlite3_stmt *store_prepare_query(
    struct store *s, const char *sql, const struct store_filter *filter, struct error *err);
/* True if the filter, which may be NULL, lets the client with that address through. */
bool store_filter_has_client(const struct store_filter *f, const struct addr *ip);

/* --- login_hour.c: rows of hours --- */

/* Loads those of a client, in order; the caller frees *hours, after an error as well. */
int store_load_hours(struct store *s, int64_t client_id, struct tally_hour **hours, size_t *count,
    struct error *err);
/* Adds an hour to the table, with the next batch. */
int store_add_hour(
    struct store *s, int64_t client_id, const struct tally_hour *hour, struct error *err);
/*
 * Notes that the client may have more than STORE_LOGIN_HOURS_MAX: store_trims_write removes what is
 * too many, for all clients that were noted.
 */
int store_trim_hours(struct store *s, int64_t client_id, struct error *err);
int store_trims_write(struct store *s, struct error *err);

/* --- run_row.c --- */

/* Writes a run, its counters and its sources; one with id 0 is new, and gets its id. */
int store_write_run(struct store *s, int64_t sensor_id, struct store_run *run, struct error *err);

#endif
