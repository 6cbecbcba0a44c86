/* Reading the inventory back. */
#include "store/query.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "store/client_row.h"
#include "store/columns.h"

#include "base/banned.h"

/* clang-format off */
#define CLIENT_COLUMNS \
	"c.id, s.name, c.ip, x.mac, x.name, " \
	STORE_CLIENT_NAME_SOURCE("x.marks") ", " \
	"x.first_us, x.last_us, x.count, " \
	STORE_CLIENT_WORST("x.marks") ", " \
	STORE_CLIENT_BEST("x.marks") ", " \
	STORE_CLIENT_VERDICT("x.marks") ", " \
	"x.reason, r.mac IS NOT NULL, x.cadence_text, x.interval_us, " \
	STORE_CLIENT_SHARE("x.marks") ", x.active_hours"
/* clang-format on */

static sqlite3_stmt *
prepare(struct store *s, const char *sql, struct error *err)
{
	sqlite3_stmt *st;

	if (sqlite3_prepare_v2(s->db, sql, -1, &st, NULL) != SQLITE_OK) {
		store_error(s, "read", err);
		return NULL;
	}
	return st;
}

static int
result_of(struct store *s, int status, struct error *err)
{
	if (status == SQLITE_DONE || status == SQLITE_ROW)
		return 0;
	store_error(s, "read", err);
	return -1;
}

/* Ends a query whose last step gave `status`. */
static int
finish(struct store *s, sqlite3_stmt *st, int status, struct error *err)
{
	int result = result_of(s, status, err);

	(void)sqlite3_finalize(st);
	return result;
}

static int
finish_damaged(struct store *s, sqlite3_stmt *st, struct error *err)
{
	store_error_damaged(s, err);
	(void)sqlite3_finalize(st);
	return -1;
}

/* ?1 since, ?2 until, ?3 sensor: NULL lets everything through. */
static void
bind_filter(sqlite3_stmt *st, const struct store_filter *f)
{
	if (f == NULL)
		return;
	if (f->has_since)
		(void)sqlite3_bind_int64(st, 1, f->since_us);
	if (f->has_until)
		(void)sqlite3_bind_int64(st, 2, f->until_us);
	if (f->sensor != NULL)
		store_bind_text(st, 3, f->sensor);
}

sqlite3_stmt *
store_prepare_query(
    struct store *s, const char *sql, const struct store_filter *filter, struct error *err)
{
	sqlite3_stmt *st = prepare(s, sql, err);

	if (st != NULL)
		bind_filter(st, filter);
	return st;
}

bool
store_filter_has_client(const struct store_filter *f, const struct addr *ip)
{
	return f == NULL || f->clients == NULL || f->clients->count == 0 ||
	       network_set_contains(f->clients, ip);
}

static bool
passes(const struct store_filter *f, const struct addr *ip, uint8_t verdict)
{
	if (f == NULL)
		return true;
	return store_filter_has_client(f, ip) &&
	       (f->verdicts == 0 || (verdict < 32 && (f->verdicts >> verdict & 1) != 0));
}

static bool
read_client(sqlite3_stmt *st, struct store_client *c)
{
	const char *text = store_column_text(st, 2);
	const void *mac = sqlite3_column_blob(st, 3);
	bool damaged = false;

	*c = (struct store_client){
		.id = sqlite3_column_int64(st, 0),
		.sensor = store_column_text(st, 1),
		.name_source =
		    (enum name_source)store_column_code(st, 5, NAME_SOURCE_LAST, &damaged),
		.first_us = sqlite3_column_int64(st, 6),
		.last_us = sqlite3_column_int64(st, 7),
		.count = store_column_u64(st, 8),
		.worst_version = (uint16_t)store_column_code(st, 9, UINT16_MAX, &damaged),
		.best_version = (uint16_t)store_column_code(st, 10, UINT16_MAX, &damaged),
		.verdict = (uint8_t)store_column_code(st, 11, STORE_VERDICT_NONE, &damaged),
		.reason = store_column_text(st, 12),
	};
	c->is_routers_mac = sqlite3_column_int(st, 13) != 0;
	c->cadence = store_column_text(st, 14);
	c->interval_us = sqlite3_column_int64(st, 15);
	c->interval_share = (unsigned)store_column_code(st, 16, 100, &damaged);
	c->active_hours = store_column_text(st, 17);
	c->has_mac = mac != NULL && sqlite3_column_bytes(st, 3) == 6;
	if (c->has_mac)
		memcpy(c->mac, mac, 6);
	event_text_set(&c->name, store_column_span(st, 4));
	return addr_from_text(text, &c->ip) && !damaged;
}

static const char clients_sql[] =
    "SELECT " CLIENT_COLUMNS " FROM " STORE_CLIENT_TABLES
    " LEFT JOIN routers r ON r.sensor = c.sensor AND r.mac = x.mac"
    " WHERE (?1 IS NULL OR x.last_us >= ?1) AND (?2 IS NULL OR x.first_us < ?2)"
    " AND (?3 IS NULL OR s.name = ?3) ORDER BY " STORE_CLIENT_VERDICT(
	"x.marks") ", c.ip_key, s.name";

int
store_each_client(struct store *s, const struct store_filter *filter, store_client_fn fn, void *arg,
    struct error *err)
{
	sqlite3_stmt *st;
	int status;

	store_know_views(s);
	st = prepare(s, clients_sql, err);
	if (st == NULL)
		return -1;
	bind_filter(st, filter);
	while ((status = sqlite3_step(st)) == SQLITE_ROW) {
		struct store_client client;

		if (!read_client(st, &client))
			return finish_damaged(s, st, err);
		if (passes(filter, &client.ip, client.verdict) && !fn(arg, &client))
			break;
	}
	return finish(s, st, status, err);
}

/* A finding of a client, for its place among the others. */
struct ranked {
	const struct finding *finding;
	uint8_t rank;
};

/* What a query for findings hands from client to client. */
struct finding_query {
	struct store *store;
	const struct store_filter *filter;
	store_finding_fn fn;
	void *arg;
	struct ranked *list; /* owned */
	size_t room;
	struct error *err;
	int result;
};

static int
compare_ranked(const void *a, const void *b)
{
	const struct ranked *x = a, *y = b;

	return x->rank != y->rank ? (int)x->rank - (int)y->rank
				  : tally_key_compare(&x->finding->key, &y->finding->key);
}

/* Those of the client that pass, the worst first; returns how many. */
static size_t
rank_findings(struct finding_query *q, const struct addr *ip)
{
	const struct finding_set *set = &q->store->set;
	const struct store_filter *filter = q->filter;
	size_t count = 0;

	if (set->count > q->room) {
		q->room = set->count;
		q->list = xreallocarray(q->list, q->room, sizeof(*q->list));
	}
	for (size_t i = 0; i < set->count; i++) {
		const struct finding *f = &set->items[i];

		if ((filter != NULL && filter->has_since && f->last_us < filter->since_us) ||
		    (filter != NULL && filter->has_until && f->first_us >= filter->until_us) ||
		    !passes(filter, ip, set->stored[i].rank))
			continue;
		q->list[count++] = (struct ranked){ f, set->stored[i].rank };
	}
	if (count > 1)
		qsort(q->list, count, sizeof(*q->list), compare_ranked);
	return count;
}

static bool
each_finding_of(void *arg, const struct store_client *client)
{
	struct finding_query *q = arg;
	struct store_client_row row;
	size_t count;

	q->result = store_client_load(q->store, client->id, &client->ip, &row, q->err);
	if (q->result != 0)
		return false;
	count = rank_findings(q, &client->ip);
	for (size_t i = 0; i < count; i++) {
		if (!q->fn(q->arg, client, q->list[i].finding, q->list[i].rank))
			return false;
	}
	return true;
}

/*
 * Client by client, so that only one client's findings are sorted at a time; all of it sees one
 * moment of the database, because the outer query holds it.
 */
int
store_each_finding(struct store *s, const struct store_filter *filter, store_finding_fn fn,
    void *arg, struct error *err)
{
	struct finding_query q = { s, filter, fn, arg, NULL, 0, err, 0 };
	struct store_filter clients = { 0 };
	int result;

	if (filter != NULL) {
		/* A client's own times hold those of all its findings; its verdict does not. */
		clients = *filter;
		clients.verdicts = 0;
	}
	store_cache_clear(s); /* of another moment */
	result = store_each_client(s, &clients, each_finding_of, &q, err);
	free(q.list);
	return result != 0 ? result : q.result;
}

#define WHOSE "s.name AS sensor, c.ip AS ip, c.ip_key AS ip_key, "

static const char days_sql[] =
    "SELECT sensor, ip, day, version, outcome, count FROM (SELECT " WHOSE STORE_DAY_COLUMNS
    " FROM client c JOIN sensor s ON s.id = c.sensor CROSS JOIN day d"
    " WHERE " STORE_IS_TIME_OF("d.id",
	"c.id") " UNION ALL SELECT " WHOSE STORE_LATEST_DAY_COLUMNS " FROM " STORE_CLIENT_TABLES
		" CROSS JOIN json_each(x.days) d)"
		" WHERE (?1 IS NULL OR (day + 1) * 86400000000 > ?1)"
		" AND (?2 IS NULL OR day * 86400000000 < ?2) AND (?3 IS NULL OR sensor = ?3)"
		" ORDER BY day, ip_key, sensor, version, outcome";

int
store_each_day(struct store *s, const struct store_filter *filter, store_day_fn fn, void *arg,
    struct error *err)
{
	sqlite3_stmt *st = prepare(s, days_sql, err);
	int status;

	if (st == NULL)
		return -1;
	bind_filter(st, filter);
	while ((status = sqlite3_step(st)) == SQLITE_ROW) {
		bool damaged = false;
		struct store_day day = {
			.sensor = store_column_text(st, 0),
			.client = store_column_text(st, 1),
			.day = sqlite3_column_int64(st, 2),
			.tls_version = (uint16_t)store_column_code(st, 3, UINT16_MAX, &damaged),
			.outcome =
			    (enum outcome)store_column_code(st, 4, OUTCOME_CLEARTEXT, &damaged),
			.count = store_column_u64(st, 5),
		};
		struct addr ip;

		if (!addr_from_text(day.client, &ip) || damaged)
			return finish_damaged(s, st, err);
		if (store_filter_has_client(filter, &ip) && !fn(arg, &day))
			break;
	}
	return finish(s, st, status, err);
}

int
store_each_day_of(struct store *s, int64_t client_id, store_day_fn fn, void *arg, struct error *err)
{
	sqlite3_stmt *st = store_query_of_client(s, STATEMENT_DAYS_OF, client_id, err);
	bool damaged = false;
	int status, result;

	if (st == NULL)
		return -1;
	while ((status = sqlite3_step(st)) == SQLITE_ROW) {
		struct store_day day = {
			.day = sqlite3_column_int64(st, 0),
			.tls_version = (uint16_t)store_column_code(st, 1, UINT16_MAX, &damaged),
			.outcome =
			    (enum outcome)store_column_code(st, 2, OUTCOME_CLEARTEXT, &damaged),
			.count = store_column_u64(st, 3),
		};

		if (damaged || !fn(arg, &day))
			break;
	}
	result = result_of(s, status, err);
	if (damaged) {
		store_error_damaged(s, err);
		result = -1;
	}
	(void)sqlite3_reset(st);
	return result;
}

int
store_each_identity(struct store *s, int64_t sensor_id, uint64_t head_hash, store_identity_fn fn,
    void *arg, struct error *err)
{
	sqlite3_stmt *st = prepare(s,
	    "SELECT q.packet_count, q.stream_hash FROM run_source q JOIN run r ON r.id = q.run"
	    " WHERE q.head_hash = ?1 AND (?2 = 0 OR r.sensor = ?2)"
	    " ORDER BY q.packet_count DESC",
	    err);
	int status;

	if (st == NULL)
		return -1;
	store_bind_u64(st, 1, head_hash);
	(void)sqlite3_bind_int64(st, 2, sensor_id);
	while ((status = sqlite3_step(st)) == SQLITE_ROW) {
		struct store_identity identity = {
			.head_hash = head_hash,
			.packet_count = store_column_u64(st, 0),
			.stream_hash = store_column_u64(st, 1),
		};

		if (!fn(arg, &identity))
			break;
	}
	return finish(s, st, status, err);
}

int
store_snapshot_begin(struct store *s, struct error *err)
{
	store_cache_clear(s);
	if (sqlite3_exec(s->db, "BEGIN; SELECT count(*) FROM sensor", NULL, NULL, NULL) ==
	    SQLITE_OK)
		return 0;
	store_error(s, "read", err);
	store_snapshot_end(s);
	return -1;
}

void
store_snapshot_end(struct store *s)
{
	(void)sqlite3_exec(s->db, "COMMIT", NULL, NULL, NULL);
}
