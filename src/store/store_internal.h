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
