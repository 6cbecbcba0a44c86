/*
 * merge_internal - one sensor of another database on its way into this one.
 */
#ifndef TLSTALLY_STORE_MERGE_INTERNAL_H
#define TLSTALLY_STORE_MERGE_INTERNAL_H

#include "store/merge.h"
#include "store/store_internal.h"

#define MERGE_UID_LEN 32
#define MERGE_NAME_MAX 128

/* A run, known in every database by where it was made, and its number there. */
struct merge_run {
	int64_t id; /* in the database it was read from */
	char uid[MERGE_UID_LEN + 1];
	int64_t number;
	int64_t started_us, begin_us, end_us;
	bool is_live; /* a capture; else a replay */
	uint64_t packets, events;
	int64_t part; /* 0: counted by the database itself */
	bool is_news; /* not known to the other side, or gone on since */
};

/* What a run has read; its identity where it has one. */
struct merge_source {
	size_t run; /* its place in the list of runs */
	char name[MERGE_NAME_MAX];
	bool has_identity;
	struct store_identity identity;
};

struct merge_runs {
	struct merge_run *runs; /* by uid, then number */
	size_t run_count;
	struct merge_source *sources; /* that counted something; by identity */
	size_t source_count;
};

struct merge {
	struct store *into, *from;
	char into_uid[MERGE_UID_LEN + 1], from_uid[MERGE_UID_LEN + 1];
	const char *sensor; /* its name */
	int64_t into_sensor, from_sensor;
	int64_t part;               /* 0: nothing was taken from there yet */
	struct merge_runs old, new; /* of this sensor: in `into`, and in `from` */
	struct store_merged *out;
	struct error *err;
};

/* merge_runs.c */
int merge_runs_load(struct store *s, const char *sensor, struct merge_runs *out, struct error *err);
void merge_runs_release(struct merge_runs *r);
/*
 * Marks what is new.  1: there is something; 0: there is nothing, or `into` has a later state; -1:
 * both have something that the other lacks and that cannot be separated.
 */
int merge_runs_compare(struct merge *m);
/* Writes the new ones, with their counters and sources. */
int merge_runs_copy(struct merge *m);

/* merge_clients.c */
int merge_clients(struct merge *m);

/* A statement of its own; NULL: `err` says why. */
sqlite3_stmt *merge_prepare(struct store *s, const char *sql, struct error *err);
/* Ends it after the last step gave `status`. */
int merge_finish(struct store *s, sqlite3_stmt *st, int status, struct error *err);

#endif
