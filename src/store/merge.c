#include "store/merge.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "store/merge_internal.h"

#include "base/banned.h"

sqlite3_stmt *
merge_prepare(struct store *s, const char *sql, struct error *err)
{
	sqlite3_stmt *st;

	if (store_check_transaction(s, err) != 0)
		return NULL;
	if (sqlite3_prepare_v2(s->db, sql, -1, &st, NULL) == SQLITE_OK)
		return st;
	store_error(s, s->mode == STORE_READ ? "read" : "write to", err);
	return NULL;
}

int
merge_finish(struct store *s, sqlite3_stmt *st, int status, struct error *err)
{
	bool good = status == SQLITE_DONE || status == SQLITE_ROW;

	if (!good)
		store_error(s, s->mode == STORE_READ ? "read" : "write to", err);
	(void)sqlite3_finalize(st);
	return good ? 0 : -1;
}

/* The random name of a database. */
static int
read_uid(struct store *s, char out[MERGE_UID_LEN + 1], struct error *err)
{
	sqlite3_stmt *st = merge_prepare(s, "SELECT uid FROM origin WHERE id = 1", err);
	const char *uid;
	int status;

	if (st == NULL)
		return -1;
	status = sqlite3_step(st);
	uid = status == SQLITE_ROW ? store_column_text(st, 0) : "";
	if (status == SQLITE_ROW && strlen(uid) == MERGE_UID_LEN) {
		memcpy(out, uid, MERGE_UID_LEN + 1);
		return merge_finish(s, st, status, err);
	}
	(void)merge_finish(s, st, status, err);
	if (status == SQLITE_ROW || status == SQLITE_DONE)
		store_error_damaged(s, err);
	return -1;
}

/* The number of the row that the statement finds or makes for two values. */
static int
query_id(struct store *s, const char *sql, int64_t a, int64_t b, int64_t *out, struct error *err)
{
	sqlite3_stmt *st = merge_prepare(s, sql, err);
	int status;

	if (st == NULL)
		return -1;
	(void)sqlite3_bind_int64(st, 1, a);
	(void)sqlite3_bind_int64(st, 2, b);
	status = sqlite3_step(st);
	*out = status == SQLITE_ROW ? sqlite3_column_int64(st, 0) : 0;
	return merge_finish(s, st, status, err);
}

static int
find_origin(struct merge *m, int64_t *out)
{
	sqlite3_stmt *st = merge_prepare(m->into,
	    "INSERT INTO origin (uid) VALUES (?1) ON CONFLICT (uid) DO UPDATE SET uid = uid"
	    " RETURNING id",
	    m->err);
	int status;

	if (st == NULL)
		return -1;
	store_bind_text(st, 1, m->from_uid);
	status = sqlite3_step(st);
	*out = status == SQLITE_ROW ? sqlite3_column_int64(st, 0) : 0;
	return merge_finish(m->into, st, status, m->err);
}

static int
find_part(struct merge *m)
{
	int64_t origin;

	if (find_origin(m, &origin) != 0)
		return -1;
	return query_id(m->into, "SELECT id FROM part WHERE origin = ?1 AND sensor = ?2", origin,
	    m->into_sensor, &m->part, m->err);
}

static int
make_part(struct merge *m)
{
	int64_t origin;

	if (m->part != 0)
		return 0;
	if (find_origin(m, &origin) != 0)
		return -1;
	return query_id(m->into, "INSERT INTO part (origin, sensor) VALUES (?1, ?2) RETURNING id",
	    origin, m->into_sensor, &m->part, m->err);
}

static int
merge_sensor(struct merge *m)
{
	int news;

	if (store_sensor(m->into, m->sensor, &m->into_sensor, m->err) != 0 ||
	    store_sensor(m->from, m->sensor, &m->from_sensor, m->err) != 0 || find_part(m) != 0 ||
	    merge_runs_load(m->into, m->sensor, &m->old, m->err) != 0 ||
	    merge_runs_load(m->from, m->sensor, &m->new, m->err) != 0)
		return -1;
	news = merge_runs_compare(m);
	if (news < 0)
		return -1;
	if (news == 0) {
		m->out->unchanged_count++;
		return 0;
	}
	return make_part(m) == 0 && merge_clients(m) == 0 ? merge_runs_copy(m) : -1;
}

/* Names are few; they are copied, so that no statement is open while rows are written. */
static int
load_sensors(struct store *s, char ***names, size_t *count, struct error *err)
{
	sqlite3_stmt *st = merge_prepare(s, "SELECT name FROM sensor ORDER BY name", err);
	int status;

	*names = NULL;
	*count = 0;
	if (st == NULL)
		return -1;
	while ((status = sqlite3_step(st)) == SQLITE_ROW) {
		*names = xreallocarray(*names, *count + 1, sizeof(**names));
		(*names)[(*count)++] = xstrdup(store_column_text(st, 0));
	}
	return merge_finish(s, st, status, err);
}

int
store_merge(struct store *into, struct store *from, struct store_merged *out, struct error *err)
{
	struct merge m = { .into = into, .from = from, .out = out, .err = err };
	char **names = NULL;
	size_t count = 0;
	int rc = -1;

	*out = (struct store_merged){ 0 };
	/* A writer may go on with it meanwhile: what is read is of one moment. */
	if (store_snapshot_begin(from, err) != 0)
		return -1;
	if (read_uid(into, m.into_uid, err) != 0 || read_uid(from, m.from_uid, err) != 0 ||
	    load_sensors(from, &names, &count, err) != 0)
		goto out;
	out->sensor_count = count;
	for (size_t i = 0; i < count; i++) {
		m.sensor = names[i];
		rc = merge_sensor(&m);
		merge_runs_release(&m.old);
		merge_runs_release(&m.new);
		if (rc != 0)
			goto out;
	}
	rc = 0;
out:
	store_snapshot_end(from);
	for (size_t i = 0; i < count; i++)
		free(names[i]);
	free(names);
	return rc;
}
