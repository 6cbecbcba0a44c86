/* Retention: what was not seen for long is removed, a few rows at a time. */
#include <string.h>

#include "base/timestamp.h"
#include "store/client_row.h"

#include "base/banned.h"

/* Division goes towards zero: a day before 1970 may stay a day longer. */
static int64_t
first_day(int64_t before_us)
{
	return before_us / USEC_PER_DAY;
}

static int64_t
first_hour(int64_t before_us)
{
	return before_us / (USEC_PER_DAY / 24);
}

/* The next client of the sweep. */
struct prune_client {
	int64_t id, sensor;
	struct addr ip;
	int64_t last_us;
};

static void
read_ip_key(sqlite3_stmt *st, int column, struct addr *out)
{
	const uint8_t *key = sqlite3_column_blob(st, column);
	size_t len = (size_t)sqlite3_column_bytes(st, column);

	memset(out, 0, sizeof(*out));
	if (len < 1 || len > 17)
		return;
	out->family = key[0];
	memcpy(out->bytes, key + 1, len - 1);
}

/* Client by client, in the order of their keys, from where the last call ended. */
static int
next_client(struct store *s, bool *found, struct prune_client *out, struct error *err)
{
	sqlite3_stmt *st = store_statement(s, STATEMENT_PRUNE_NEXT_CLIENT, err);
	int status;

	if (st == NULL)
		return -1;
	store_bind_client(st, 1, s->prune_sensor, &s->prune_ip);
	status = sqlite3_step(st);
	*found = status == SQLITE_ROW;
	if (*found) {
		out->id = sqlite3_column_int64(st, 0);
		out->sensor = sqlite3_column_int64(st, 1);
		read_ip_key(st, 2, &out->ip);
		out->last_us = sqlite3_column_int64(st, 3);
	}
	(void)sqlite3_reset(st);
	if (status == SQLITE_ROW || status == SQLITE_DONE)
		return 0;
	store_error(s, "read", err);
	return -1;
}

/* Runs a DELETE on (id, limit, max); *count grows by the rows that are gone. */
static int
delete_rows(struct store *s, enum store_statement which, int64_t id, int64_t limit, size_t max,
    size_t *count, struct error *err)
{
	sqlite3_stmt *st = store_statement(s, which, err);

	if (st == NULL)
		return -1;
	(void)sqlite3_bind_int64(st, 1, id);
	(void)sqlite3_bind_int64(st, 2, limit);
	(void)sqlite3_bind_int64(st, 3, (int64_t)max);
	if (store_step(s, st, err) != 0)
		return -1;
	*count += (size_t)sqlite3_changes(s->db);
	return 0;
}

/*
 * The same for what is in the client's own row.  It is judged anew, because what is left may mean
 * something else.
 */
static int
prune_row(struct store *s, const struct prune_client *c, int64_t before_us, bool changed,
    size_t max, size_t *count, struct error *err)
{
	struct store_client_row row;
	size_t times = 0, findings;

	if (store_client_load(s, c->id, &c->ip, &row, err) != 0)
		return -1;
	findings = store_set_drop(s, before_us, max);
	store_client_drop_times(&row, first_day(before_us), first_hour(before_us), &times);
	*count += findings + times;
	if (!changed && findings + times == 0)
		return 0;
	return store_judge_client(s, &row, err) == 0 ? store_write_rest(s, err) : -1;
}

/* Nothing that is new enough: all of it. */
static int
remove_client(struct store *s, const struct prune_client *c, int64_t before_us, size_t max,
    size_t *count, struct error *err)
{
	sqlite3_stmt *st;

	if (delete_rows(s, STATEMENT_PRUNE_DAYS, c->id, INT64_MAX, max, count, err) != 0 ||
	    delete_rows(s, STATEMENT_PRUNE_HOURS, c->id, INT64_MAX, max, count, err) != 0)
		return -1;
	store_clients_forget(s);
	st = store_statement(s, STATEMENT_PRUNE_CLIENT, err);
	if (st == NULL)
		return -1;
	(void)sqlite3_bind_int64(st, 1, c->id);
	(void)sqlite3_bind_int64(st, 2, before_us);
	store_bind_client(st, 3, c->sensor, &c->ip);
	if (store_step(s, st, err) != 0)
		return -1;
	*count += (size_t)sqlite3_changes(s->db);
	return 0;
}

/* *done: nothing of the client is left that is too old. */
static int
prune_client(struct store *s, const struct prune_client *c, int64_t before_us, size_t max,
    size_t *count, bool *done, struct error *err)
{
	size_t findings = 0, own = 0, rows = 0, hours = 0;

	if (delete_rows(s, STATEMENT_PRUNE_FINDINGS, c->id, before_us, max, &findings, err) != 0 ||
	    delete_rows(s, STATEMENT_PRUNE_DAYS, c->id, first_day(before_us), max, &rows, err) !=
		0 ||
	    delete_rows(s, STATEMENT_PRUNE_HOURS, c->id, first_hour(before_us), max, &hours, err) !=
		0)
		return -1;
	if (findings > 0)
		store_cache_clear(s); /* what only those findings had is gone as well */
	if (prune_row(s, c, before_us, findings > 0, max, &own, err) != 0)
		return -1;
	*done = findings < max && own < max && rows < max && hours < max;
	*count += findings + own + rows + hours;
	return *done && c->last_us < before_us ? remove_client(s, c, before_us, max, count, err)
					       : 0;
}

static int
prune_runs(struct store *s, int64_t before_us, size_t max, size_t *count, struct error *err)
{
	static const enum store_statement statements[] = {
		STATEMENT_PRUNE_COUNTERS,
		STATEMENT_PRUNE_SOURCES,
		STATEMENT_PRUNE_RUNS,
	};
	size_t removed = 0;

	/* In this order, each only once the one before has found nothing more. */
	for (size_t i = 0; i < sizeof(statements) / sizeof(statements[0]) && removed == 0; i++) {
		if (delete_rows(s, statements[i], 0, before_us, max, &removed, err) != 0)
			return -1;
	}
	*count += removed;
	return 0;
}

static int
prune_some(
    struct store *s, int64_t before_us, size_t max, size_t *count, bool *more, struct error *err)
{
	/* Looking at a client counts too, so that a call ends where all clients are fresh. */
	for (size_t looked = 0; looked < max && *count < max; looked++) {
		struct prune_client c;
		bool found, done;

		if (next_client(s, &found, &c, err) != 0)
			return -1;
		if (!found) {
			if (prune_runs(s, before_us, max, count, err) != 0)
				return -1;
			*more = *count > 0;
			return 0;
		}
		if (prune_client(s, &c, before_us, max, count, &done, err) != 0)
			return -1;
		if (done) {
			s->prune_sensor = c.sensor;
			s->prune_ip = c.ip;
		}
	}
	return 0;
}

/* Pages that are free at the end of the file go back to the file system. */
static void
give_pages_back(struct store *s)
{
	(void)sqlite3_exec(s->db, "PRAGMA incremental_vacuum(256)", NULL, NULL, NULL);
}

int
store_prune_limit(
    struct store *s, int64_t now_us, int64_t retention_us, int64_t *before_us, struct error *err)
{
	sqlite3_stmt *st = store_statement(s, STATEMENT_PRUNE_LIMIT, err);
	int64_t day;

	if (st == NULL)
		return -1;
	(void)sqlite3_bind_int64(st, 1, now_us);
	(void)sqlite3_bind_int64(st, 2, (retention_us + USEC_PER_DAY - 1) / USEC_PER_DAY - 1);
	if (store_step_number(s, st, &day, err) != 0)
		return -1;
	*before_us = now_us - retention_us;
	if (day * USEC_PER_DAY < *before_us)
		*before_us = day * USEC_PER_DAY;
	if (*before_us < 0) /* by a clock that has not been set */
		*before_us = 0;
	return 0;
}

int
store_prune(
    struct store *s, int64_t before_us, size_t max, size_t *count, bool *more, struct error *err)
{
	*count = 0;
	*more = true;
	if (store_begin(s, err) != 0)
		return -1;
	if (prune_some(s, before_us, max, count, more, err) != 0) {
		store_rollback(s);
		goto bad;
	}
	if (store_commit(s, err) != 0)
		goto bad;
	if (*count > 0)
		give_pages_back(s);
	if (!*more)
		s->prune_sensor = 0;
	return 0;
bad:
	/*
	 * The next sweep starts again, because what this one has passed over may not have been
	 * removed.
	 */
	s->prune_sensor = 0;
	*count = 0;
	return -1;
}
