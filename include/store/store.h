/*
 * store - the inventory on disk: one SQLite database (SPEC section 5).
 *
 * What people may read with plain `sqlite3` are the views `inventory`, `clients`, `days`, `logins`
 * and `coverage`; the tables behind them are private and change by numbered migrations.
 *
 * Writing is by flushes: all that a tally holds, and the counters of the run that gathered it, in
 * one transaction, so that the inventory and its coverage always agree.
 *
 * Memory:  a page cache of STORE_CACHE_KIB, or of what is asked for, and the findings of one client
 *          at a time.
 * Threads: one at a time per store, and one more inside of store_flush where store_use_thread
 * allows it; any number of stores, and of processes, per file.
 */
#ifndef TLSTALLY_STORE_STORE_H
#define TLSTALLY_STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "event/finding.h"
#include "tally/tally.h"

#define STORE_CACHE_KIB 4096
#define STORE_BUSY_TIMEOUT_MS 5000
/* PRAGMA application_id of our databases: "TLST". */
#define STORE_APPLICATION_ID 0x544c5354
#define STORE_SCHEMA_VERSION 1
/*
 * A client that makes up host names must not grow without end: what it does beyond this many
 * findings is counted under the server STORE_OTHER_SERVERS, in a few rows more.
 */
#define STORE_FINDINGS_PER_CLIENT_MAX 16384
#define STORE_OTHER_SERVERS "*"
/* So many hours of a client are kept for store_each_hour: the newest, and of older ones the worst.
 */
#define STORE_LOGIN_HOURS_MAX 48
#define STORE_LOGIN_HOURS_NEWEST 24
/* Rank of a row that nobody has judged: NULL in the views. */
#define STORE_VERDICT_NONE 255

struct store; /* opaque */

enum store_mode {
	STORE_READ,  /* an existing database, nothing changed; works beside a writer, and on
			read-only files and folders */
	STORE_WRITE, /* made where it is not there, migrated where it is older */
	STORE_FILL,  /* the same, for a caller that flushes once: see store_flush */
};

/*
 * NULL, and `err` says why in a sentence with the path in it.  A new file is for its owner and
 * group alone (0640, less what the umask takes).
 */
struct store *store_open(const char *path, enum store_mode mode, struct error *err);
/* What is in an open transaction is rolled back. */
void store_close(struct store *s);

/* The page cache from now on, at most; STORE_CACHE_KIB at first. */
int store_set_cache_len(struct store *s, int kib, struct error *err);
/* How long to wait for a lock of another process from now on; STORE_BUSY_TIMEOUT_MS at first. */
void store_set_busy_timeout(struct store *s, int timeout_ms);
/*
 * The first flush of a sensor with many clients then takes less time, by a second thread, and as
 * much processor time.
 */
void store_use_thread(struct store *s);

/* What the judge says of one finding. */
struct store_judgement {
	uint8_t rank;   /* the numbers of policy/verdict.h, or STORE_VERDICT_NONE */
	uint8_t server; /* STORE_SERVER_* together */
};
/* Its server is an opt-in endpoint, which takes old versions on purpose. */
#define STORE_SERVER_LEGACY_ENDPOINT 1
/* Only its address says which service it belongs to: what kind of endpoint it is, is not known. */
#define STORE_SERVER_BY_RANGE 2

/*
 * Judges all findings of one client: writes what it says of each to `out`, appends the reason to
 * `reason`, returns the client's rank.  Called in store_flush, once per client that has something
 * new.  Without one, verdicts stay NULL.
 */
typedef uint8_t (*store_judge_fn)(void *arg, const struct finding *findings, size_t count,
    struct store_judgement *out, struct buf *reason);
void store_set_judge(struct store *s, store_judge_fn judge, void *arg);

/*
 * The number of the sensor of that name, which is added when it is new (STORE_READ: 0 then).
 * Clients belong to a sensor: the same address seen by two sensors is two clients.
 */
int store_sensor(struct store *s, const char *name, int64_t *sensor_id, struct error *err);

/* What recognises the content of a capture file; capture/saved.h defines how it is computed. */
struct store_identity {
	uint64_t head_hash;
	uint64_t packet_count;
	uint64_t stream_hash;
};

/* One file or interface of a run.  Texts are borrowed. */
struct store_source {
	const char *name;
	bool has_identity;
	struct store_identity identity;
	uint64_t packet_count, byte_count;
	uint64_t snapped_count;   /* cut by the snapshot length */
	uint64_t skipped_count;   /* passed over because they were counted before */
	int64_t begin_us, end_us; /* packet time; 0: no packet */
	const char *error;        /* what could not be read; NULL: nothing */
	/* The flush fails when another run, of another process meanwhile, has counted the same
	 * content for this sensor. */
	bool must_be_new;
};

struct store_counter {
	const char *name; /* lower_snake */
	uint64_t value;
};

/*
 * One run of a command that reads packets.  Everything is cumulative since the run began; each
 * flush brings the stored row up to date.  A counter that is given with 0 is known to be 0, one
 * that is not given is not known.  The view `coverage` has columns for kernel_dropped,
 * interface_dropped, flows_evicted, gaps, one_way_flows and undecodable, and names all in
 * `details`.
 */
struct store_run {
	int64_t id; /* 0 before the first flush, which sets it; after a store_rollback the caller
		       sets it to 0 again */
	const char *sensor;       /* set by queries; not read by store_flush */
	const char *command;      /* "replay", "capture" */
	int64_t started_us;       /* the machine's clock */
	int64_t begin_us, end_us; /* packet time of the earliest and the latest; 0: no packet */
	uint64_t packet_count, byte_count;
	const struct store_counter *counters; /* borrowed */
	size_t counter_count;
	const struct store_source *sources; /* borrowed; the order stays the same within a run */
	size_t source_count;
};

/*
 * Several flushes as one, all or nothing; store_close without store_commit rolls back.  Other
 * writers wait while it is open, readers do not.
 */
int store_begin(struct store *s, struct error *err);
/* -1 when a flush in between failed (nothing is kept), or when the commit does. */
int store_commit(struct store *s, struct error *err);
void store_rollback(struct store *s);

/*
 * Moves what the tally holds into the database and brings the run up to date: in a transaction of
 * its own, or in the one of store_begin.  `tally` and `run` may be NULL.  Flushes go through the
 * write-ahead log, and readers do not wait for them.  Only the first flush of STORE_FILL, into a
 * database that it made, is written once, to its place, and readers wait for it.
 *
 * On success the tally is empty.  On failure the transaction, with all of its flushes, is rolled
 * back, nothing is half-written and the tally is as it was, so that the same flush can be tried
 * again later.
 */
int store_flush(struct store *s, int64_t sensor_id, struct tally *tally, struct store_run *run,
    struct error *err);

/*
 * What was last seen before *before_us is old at `now_us`: more than `retention_us` (1 or more)
 * have passed since, and on that many days, in whole ones, there was a capture with an interface
 * up.  So a clock that is wrong for an hour makes nothing old.  0: nothing is.
 */
int store_prune_limit(
    struct store *s, int64_t now_us, int64_t retention_us, int64_t *before_us, struct error *err);

/*
 * Retention, a step of a sweep over all clients: removes about `max` rows, of findings that
 * were last seen before `before_us`, of older days, of clients without anything left, and of
 * captures (not replays: what recognises their files stays) that ended before that; then gives some
 * free pages back to the file system.  In a transaction of its own.
 *
 * *count: the rows removed.  *more: false when the sweep is over; the next call begins another.
 */
int store_prune(
    struct store *s, int64_t before_us, size_t max, size_t *count, bool *more, struct error *err);

#endif
