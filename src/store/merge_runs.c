/*
 * Which runs are new to the other side, and which cannot be told apart.
 *
 * A run is the same in two databases when it has the same number in the same original one.  Only a
 * copy of a database that went on by itself has another run under that number, and there the start
 * differs.
 */
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "store/merge_internal.h"

#include "base/banned.h"

static int
compare_runs(const void *a, const void *b)
{
	const struct merge_run *x = a, *y = b;
	int order = strcmp(x->uid, y->uid);

	return order != 0 ? order : (x->number > y->number) - (x->number < y->number);
}

static int
compare_numbers(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

static int
compare_sources(const void *a, const void *b)
{
	const struct merge_source *x = a, *y = b;
	int order = (int)y->has_identity - (int)x->has_identity;

	if (order == 0)
		order = compare_numbers(x->identity.head_hash, y->identity.head_hash);
	if (order == 0)
		order = compare_numbers(x->identity.packet_count, y->identity.packet_count);
	return order != 0 ? order
			  : compare_numbers(x->identity.stream_hash, y->identity.stream_hash);
}

static int
load_runs(struct store *s, const char *sensor, struct merge_runs *out, struct error *err)
{
	sqlite3_stmt *st = merge_prepare(s,
	    "SELECT r.id, o.uid, coalesce(r.origin_run, r.id), r.started_us, r.begin_us, r.end_us,"
	    " r.command = 'capture', r.packets, r.part,"
	    " (SELECT value FROM run_counter WHERE run = r.id AND name = 'events') FROM run r"
	    " JOIN origin o ON o.id = r.origin JOIN sensor s ON s.id = r.sensor WHERE s.name = ?1",
	    err);
	size_t room = 0;
	int status;

	if (st == NULL)
		return -1;
	store_bind_text(st, 1, sensor);
	while ((status = sqlite3_step(st)) == SQLITE_ROW) {
		const char *uid = store_column_text(st, 1);
		struct merge_run *run;

		if (strlen(uid) != MERGE_UID_LEN) {
			store_error_damaged(s, err);
			(void)sqlite3_finalize(st);
			return -1;
		}
		out->runs = xgrow(out->runs, out->run_count, &room, sizeof(*out->runs));
		run = &out->runs[out->run_count++];
		*run = (struct merge_run){
			.id = sqlite3_column_int64(st, 0),
			.number = sqlite3_column_int64(st, 2),
			.started_us = sqlite3_column_int64(st, 3),
			.begin_us = sqlite3_column_int64(st, 4),
			.end_us = sqlite3_column_int64(st, 5),
			.is_live = sqlite3_column_int(st, 6) != 0,
			.packets = store_column_u64(st, 7),
			.part = sqlite3_column_int64(st, 8),
			.events = store_column_u64(st, 9),
		};
		memcpy(run->uid, uid, MERGE_UID_LEN);
	}
	if (out->run_count > 0)
		qsort(out->runs, out->run_count, sizeof(*out->runs), compare_runs);
	return merge_finish(s, st, status, err);
}

/* Sources of a run that counted nothing (all of it was known before) say nothing. */
static int
load_sources(struct store *s, struct merge_runs *out, struct error *err)
{
	sqlite3_stmt *st = merge_prepare(s,
	    "SELECT name, head_hash, packet_count, stream_hash FROM run_source"
	    " WHERE run = ?1 AND packets > 0",
	    err);
	size_t room = 0;
	int status = SQLITE_DONE;

	if (st == NULL)
		return -1;
	for (size_t i = 0; i < out->run_count && status == SQLITE_DONE; i++) {
		(void)sqlite3_reset(st);
		(void)sqlite3_bind_int64(st, 1, out->runs[i].id);
		while ((status = sqlite3_step(st)) == SQLITE_ROW) {
			struct merge_source *source;

			out->sources =
			    xgrow(out->sources, out->source_count, &room, sizeof(*out->sources));
			source = &out->sources[out->source_count++];
			*source = (struct merge_source){
				.run = i,
				.has_identity = sqlite3_column_type(st, 1) != SQLITE_NULL,
				.identity = { store_column_u64(st, 1), store_column_u64(st, 2),
				    store_column_u64(st, 3) },
			};
			(void)sqlite3_snprintf(
			    sizeof(source->name), source->name, "%s", store_column_text(st, 0));
		}
	}
	if (out->source_count > 0)
		qsort(out->sources, out->source_count, sizeof(*out->sources), compare_sources);
	return merge_finish(s, st, status, err);
}

int
merge_runs_load(struct store *s, const char *sensor, struct merge_runs *out, struct error *err)
{
	*out = (struct merge_runs){ 0 };
	return load_runs(s, sensor, out, err) == 0 ? load_sources(s, out, err) : -1;
}

void
merge_runs_release(struct merge_runs *r)
{
	free(r->runs);
	free(r->sources);
	*r = (struct merge_runs){ 0 };
}

static const struct merge_run *
find_run(const struct merge_runs *in, const struct merge_run *run)
{
	return in->run_count > 0 ? bsearch(run, in->runs, in->run_count, sizeof(*run), compare_runs)
				 : NULL;
}

/* The highest number from that original database; 0: none. */
static int64_t
last_number(const struct merge_runs *in, const char *uid)
{
	int64_t last = 0;

	for (size_t i = 0; i < in->run_count; i++) {
		if (strcmp(in->runs[i].uid, uid) == 0 && in->runs[i].number > last)
			last = in->runs[i].number;
	}
	return last;
}

struct comparison {
	bool has_news;      /* the other database has something that this one lacks */
	bool lacks;         /* and this one something of it that it does not have (any more) */
	bool other_way;     /* part of it came here another way, beside what is new */
	bool is_other_copy; /* the same number for another run */
};

static void
mark_news(struct merge *m, struct comparison *c)
{
	bool came_another_way = false;

	for (size_t i = 0; i < m->new.run_count; i++) {
		struct merge_run *run = &m->new.runs[i];
		const struct merge_run *known = find_run(&m->old, run);

		if (known == NULL) {
			run->is_news = true;
		} else {
			c->is_other_copy = c->is_other_copy || known->started_us != run->started_us;
			came_another_way =
			    came_another_way || known->part != m->part || m->part == 0;
			/*
			 * When it ends a run settles what is open, which brings events without
			 * another packet.  A live one has listened on, if to nothing.
			 */
			run->is_news = run->packets > known->packets ||
				       run->events > known->events || run->end_us > known->end_us;
			c->lacks = c->lacks || run->packets < known->packets ||
				   run->events < known->events;
		}
		c->has_news = c->has_news || run->is_news;
	}
	c->other_way = came_another_way;
}

/* What was taken from there, and is not there: it was removed by retention, or this is older. */
static void
find_lacking(const struct merge *m, struct comparison *c)
{
	for (size_t i = 0; i < m->old.run_count && m->part != 0; i++) {
		const struct merge_run *run = &m->old.runs[i];

		if (run->part == m->part && find_run(&m->new, run) == NULL &&
		    (!run->is_live || run->number > last_number(&m->new, run->uid)))
			c->lacks = true;
	}
}

/*
 * Whether all that the new runs have read is known here, to the last packet.  Not where a run has
 * gone on that is known: what it has settled since is not.
 */
static bool
is_all_known(const struct merge *m)
{
	size_t count = 0;

	for (size_t i = 0; i < m->new.run_count; i++) {
		if (m->new.runs[i].is_news && find_run(&m->old, &m->new.runs[i]) != NULL)
			return false;
	}
	for (size_t i = 0; i < m->new.source_count; i++) {
		const struct merge_source *source = &m->new.sources[i];

		if (!m->new.runs[source->run].is_news)
			continue;
		if (!source->has_identity || m->old.source_count == 0 ||
		    bsearch(source, m->old.sources, m->old.source_count, sizeof(*source),
			compare_sources) == NULL)
			return false;
		count++;
	}
	return count > 0;
}

/* Of another part, or of this database itself: what a new run must not overlap with. */
static bool
is_foreign(const struct merge *m, const struct merge_run *old)
{
	return m->part == 0 || old->part != m->part;
}

/* A capture that both have counted, if only its beginning. */
static const struct merge_source *
find_common_capture(const struct merge *m)
{
	size_t i = 0, k = 0;

	while (i < m->new.source_count && k < m->old.source_count) {
		const struct merge_source *x = &m->new.sources[i], *y = &m->old.sources[k];

		/* Those without an identity come last. */
		if (!x->has_identity || !y->has_identity)
			break;
		if (x->identity.head_hash != y->identity.head_hash) {
			if (x->identity.head_hash < y->identity.head_hash)
				i++;
			else
				k++;
			continue;
		}
		for (size_t n = k; n < m->old.source_count && m->old.sources[n].has_identity &&
				   m->old.sources[n].identity.head_hash == x->identity.head_hash;
		     n++) {
			if (m->new.runs[x->run].is_news &&
			    is_foreign(m, &m->old.runs[m->old.sources[n].run]))
				return x;
		}
		i++;
	}
	return NULL;
}

static bool
share_interface(const struct merge *m, size_t new_run, size_t old_run)
{
	for (size_t i = 0; i < m->new.source_count; i++) {
		if (m->new.sources[i].run != new_run)
			continue;
		for (size_t k = 0; k < m->old.source_count; k++) {
			if (m->old.sources[k].run == old_run &&
			    strcmp(m->new.sources[i].name, m->old.sources[k].name) == 0)
				return true;
		}
	}
	return false;
}

/*
 * Live traffic has no identity.  Two runs of the same sensor at the same time are taken for the
 * same packets, unless both are live on different interfaces.
 */
static const struct merge_run *
find_same_time(const struct merge *m)
{
	for (size_t i = 0; i < m->new.run_count; i++) {
		const struct merge_run *x = &m->new.runs[i];

		for (size_t k = 0; k < m->old.run_count && x->is_news && x->end_us != 0; k++) {
			const struct merge_run *y = &m->old.runs[k];

			if ((!x->is_live && !y->is_live) || !is_foreign(m, y) || y->end_us == 0 ||
			    x->begin_us >= y->end_us || y->begin_us >= x->end_us)
				continue;
			if (!x->is_live || !y->is_live || share_interface(m, i, k))
				return x;
		}
	}
	return NULL;
}

static int
refuse_overlap(struct merge *m)
{
	const struct merge_source *capture = find_common_capture(m);

	if (capture != NULL) {
		error_set(m->err,
		    "capture %s of sensor %s was counted in %s and in what %s holds already, and "
		    "the two cannot be separated; nothing was merged: replay the captures of both "
		    "into one database",
		    capture->name, m->sensor, m->from->path, m->into->path);
		return -1;
	}
	if (find_same_time(m) != NULL) {
		error_set(m->err,
		    "sensor %s captured live at the same time for %s and for what %s holds "
		    "already, and the two cannot be separated; nothing was merged: choose one of "
		    "them",
		    m->sensor, m->from->path, m->into->path);
		return -1;
	}
	return 1;
}

int
merge_runs_compare(struct merge *m)
{
	struct comparison c = { 0 };

	mark_news(m, &c);
	find_lacking(m, &c);
	if (c.is_other_copy || (c.has_news && c.lacks)) {
		error_set(m->err,
		    "sensor %s: %s and what %s holds of it are copies of one database that have "
		    "each gone on by themselves, and cannot be joined; nothing was merged: choose "
		    "one of them",
		    m->sensor, m->from->path, m->into->path);
		return -1;
	}
	if (!c.has_news || is_all_known(m))
		return 0;
	if (c.other_way) {
		error_set(m->err,
		    "sensor %s: %s holds, beside what is new, what %s has already by another way, "
		    "and the two cannot be separated; nothing was merged: take what is new by that "
		    "way, too",
		    m->sensor, m->from->path, m->into->path);
		return -1;
	}
	return refuse_overlap(m);
}

/* The row of the run, which is made where there is none; *id: its number here. */
static int
write_run(struct merge *m, const struct merge_run *run, int64_t *id)
{
	sqlite3_stmt *st = NULL, *from = NULL;
	int status, rc = -1;

	from = merge_prepare(m->from,
	    "SELECT command, started_us, begin_us, end_us, packets, bytes FROM run WHERE id = ?1",
	    m->err);
	st = from == NULL ? NULL
			  : merge_prepare(m->into,
				"INSERT INTO run (sensor, part, origin, origin_run, command,"
				" started_us, begin_us, end_us, packets, bytes)"
				" SELECT ?1, ?2, id, ?4, ?5, ?6, ?7, ?8, ?9, ?10 FROM origin"
				" WHERE uid = ?3"
				" ON CONFLICT (origin, origin_run)"
				" DO UPDATE SET begin_us = excluded.begin_us,"
				" end_us = excluded.end_us, packets = excluded.packets,"
				" bytes = excluded.bytes RETURNING id",
				m->err);
	if (st == NULL)
		goto out;
	(void)sqlite3_bind_int64(from, 1, run->id);
	status = sqlite3_step(from);
	if (status != SQLITE_ROW) {
		store_error(m->from, "read", m->err);
		goto out;
	}
	(void)sqlite3_bind_int64(st, 1, m->into_sensor);
	(void)sqlite3_bind_int64(st, 2, m->part);
	store_bind_text(st, 3, run->uid);
	(void)sqlite3_bind_int64(st, 4, run->number);
	for (int i = 0; i < 6; i++)
		(void)sqlite3_bind_value(st, 5 + i, sqlite3_column_value(from, i));
	if (sqlite3_step(st) != SQLITE_ROW) {
		store_error(m->into, "write to", m->err);
		goto out;
	}
	*id = sqlite3_column_int64(st, 0);
	rc = 0;
out:
	(void)sqlite3_finalize(from);
	(void)sqlite3_finalize(st);
	return rc;
}

/* Copies the rows that `select` gives for the run; ?1 is its number on either side. */
static int
copy_rows(struct merge *m, const char *select, const char *insert, int64_t from_id, int64_t into_id)
{
	sqlite3_stmt *from = merge_prepare(m->from, select, m->err);
	sqlite3_stmt *into = from != NULL ? merge_prepare(m->into, insert, m->err) : NULL;
	int status, rc = -1;

	if (into == NULL)
		goto out;
	(void)sqlite3_bind_int64(from, 1, from_id);
	while ((status = sqlite3_step(from)) == SQLITE_ROW) {
		(void)sqlite3_reset(into);
		(void)sqlite3_bind_int64(into, 1, into_id);
		for (int i = 0; i < sqlite3_column_count(from); i++)
			(void)sqlite3_bind_value(into, 2 + i, sqlite3_column_value(from, i));
		if (sqlite3_step(into) != SQLITE_DONE) {
			store_error(m->into, "write to", m->err);
			goto out;
		}
	}
	if (status == SQLITE_DONE)
		rc = 0;
	else
		store_error(m->from, "read", m->err);
out:
	(void)sqlite3_finalize(from);
	(void)sqlite3_finalize(into);
	return rc;
}

/* A run may come from a database that this one has not heard of: what was merged into `from`. */
static int
know_origins(struct merge *m)
{
	sqlite3_stmt *st =
	    merge_prepare(m->into, "INSERT OR IGNORE INTO origin (uid) VALUES (?1)", m->err);
	int status = SQLITE_DONE;

	if (st == NULL)
		return -1;
	for (size_t i = 0; i < m->new.run_count &&status == SQLITE_DONE; i++) {
		if (i > 0 && strcmp(m->new.runs[i - 1].uid, m->new.runs[i].uid) == 0)
			continue;
		(void)sqlite3_reset(st);
		store_bind_text(st, 1, m->new.runs[i].uid);
		status = sqlite3_step(st);
	}
	return merge_finish(m->into, st, status, m->err);
}

int
merge_runs_copy(struct merge *m)
{
	if (know_origins(m) != 0)
		return -1;
	for (size_t i = 0; i < m->new.run_count; i++) {
		const struct merge_run *run = &m->new.runs[i];
		int64_t id;

		if (!run->is_news)
			continue;
		if (write_run(m, run, &id) != 0 ||
		    copy_rows(m, "SELECT name, value FROM run_counter WHERE run = ?1",
			"INSERT OR REPLACE INTO run_counter (run, name, value) VALUES (?1, ?2, ?3)",
			run->id, id) != 0 ||
		    copy_rows(m,
			"SELECT position, name, head_hash, packet_count, stream_hash, packets,"
			" bytes, snapped, skipped, begin_us, end_us, error FROM run_source"
			" WHERE run = ?1",
			"INSERT OR REPLACE INTO run_source (run, position, name, head_hash,"
			" packet_count, stream_hash, packets, bytes, snapped, skipped, begin_us,"
			" end_us, error)"
			" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
			run->id, id) != 0)
			return -1;
		m->out->run_count++;
	}
	return 0;
}
