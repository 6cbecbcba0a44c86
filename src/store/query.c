/* Reading the inventory back. */
#include "store/query.h"

#include <stdlib.h>
#include <string.h>

#include "store/store_internal.h"

#include "base/banned.h"

#define CLIENT_COLUMNS                                                                             \
	"c.id, s.name, c.ip, c.mac, c.name, c.name_source, c.first_us, c.last_us, c.count, "       \
	"(SELECT min(tls_version) FROM finding WHERE client = c.id AND tls_version > 0), "         \
	"(SELECT max(tls_version) FROM finding WHERE client = c.id AND tls_version > 0), "         \
	"c.verdict, c.reason"
#define CLIENT_COLUMN_COUNT 13
#define CLIENT_ORDER "c.verdict, c.ip_key, s.name"

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

/* Ends a query whose last step gave `status`. */
static int
finish(struct store *s, sqlite3_stmt *st, int status, struct error *err)
{
	if (status != SQLITE_DONE && status != SQLITE_ROW)
		store_error(s, "read", err);
	(void)sqlite3_finalize(st);
	return status == SQLITE_DONE || status == SQLITE_ROW ? 0 : -1;
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

static bool
passes(const struct store_filter *f, const struct addr *ip, uint8_t verdict)
{
	if (f == NULL)
		return true;
	if (f->clients != NULL && (f->clients->any || f->clients->count > 0) &&
	    !network_set_contains(f->clients, ip))
		return false;
	return f->verdicts == 0 || (verdict < 32 && (f->verdicts >> verdict & 1) != 0);
}

static void
read_client(sqlite3_stmt *st, struct store_client *c)
{
	const char *text = (const char *)sqlite3_column_text(st, 2);
	const void *mac = sqlite3_column_blob(st, 3);
	const void *name = sqlite3_column_text(st, 4);

	*c = (struct store_client){
		.id = sqlite3_column_int64(st, 0),
		.sensor = (const char *)sqlite3_column_text(st, 1),
		.name_source = (enum name_source)sqlite3_column_int(st, 5),
		.first_us = sqlite3_column_int64(st, 6),
		.last_us = sqlite3_column_int64(st, 7),
		.count = store_column_u64(st, 8),
		.worst_version = (uint16_t)sqlite3_column_int(st, 9),
		.best_version = (uint16_t)sqlite3_column_int(st, 10),
		.verdict = (uint8_t)sqlite3_column_int(st, 11),
		.reason = (const char *)sqlite3_column_text(st, 12),
	};
	if (text != NULL)
		(void)addr_from_text(text, &c->ip);
	c->has_mac = mac != NULL && sqlite3_column_bytes(st, 3) == 6;
	if (c->has_mac)
		memcpy(c->mac, mac, 6);
	if (name != NULL)
		event_text_set(&c->name, span_from(name, (size_t)sqlite3_column_bytes(st, 4)));
}

int
store_each_client(struct store *s, const struct store_filter *filter, store_client_fn fn, void *arg,
    struct error *err)
{
	sqlite3_stmt *st = prepare(s,
	    "SELECT " CLIENT_COLUMNS " FROM client c JOIN sensor s ON s.id = c.sensor"
	    " WHERE (?1 IS NULL OR c.last_us >= ?1) AND (?2 IS NULL OR c.first_us < ?2)"
	    " AND (?3 IS NULL OR s.name = ?3) ORDER BY " CLIENT_ORDER,
	    err);
	int status;

	if (st == NULL)
		return -1;
	bind_filter(st, filter);
	while ((status = sqlite3_step(st)) == SQLITE_ROW) {
		struct store_client client;

		read_client(st, &client);
		if (passes(filter, &client.ip, client.verdict) && !fn(arg, &client))
			break;
	}
	return finish(s, st, status, err);
}

int
store_each_finding(struct store *s, const struct store_filter *filter, store_finding_fn fn,
    void *arg, struct error *err)
{
	sqlite3_stmt *st = prepare(s,
	    "SELECT " CLIENT_COLUMNS ", f.server, f.server_port, f.protocol, f.tls_mode,"
	    " f.tls_version, f.offered_version, f.outcome, f.refused_by, f.refusal,"
	    " f.refusal_alert, f.count, f.gap_count, f.login_count, f.scsv_count, f.first_us,"
	    " f.last_us, f.server_ip, f.server_name_source, f.cipher_suite, f.ja4, f.limited_by,"
	    " f.certificate_subject, f.certificate_not_after_us, f.offers, f.verdict"
	    " FROM finding f JOIN client c ON c.id = f.client JOIN sensor s ON s.id = c.sensor"
	    " WHERE (?1 IS NULL OR f.last_us >= ?1) AND (?2 IS NULL OR f.first_us < ?2)"
	    " AND (?3 IS NULL OR s.name = ?3) ORDER BY " CLIENT_ORDER
	    ", f.verdict, f.server, f.server_port, f.protocol, f.tls_mode, f.tls_version,"
	    " f.offered_version, f.outcome, f.refused_by, f.refusal, f.refusal_alert",
	    err);
	int status;

	if (st == NULL)
		return -1;
	bind_filter(st, filter);
	while ((status = sqlite3_step(st)) == SQLITE_ROW) {
		struct store_client client;
		struct finding finding;
		uint8_t verdict;

		read_client(st, &client);
		store_finding_read(st, CLIENT_COLUMN_COUNT, &client.ip, &finding, &verdict);
		if (passes(filter, &client.ip, verdict) && !fn(arg, &client, &finding, verdict))
			break;
	}
	return finish(s, st, status, err);
}

int
store_each_day(struct store *s, const struct store_filter *filter, store_day_fn fn, void *arg,
    struct error *err)
{
	sqlite3_stmt *st = prepare(s,
	    "SELECT s.name, c.ip, d.day, d.tls_version, d.outcome, d.count"
	    " FROM day d JOIN client c ON c.id = d.client JOIN sensor s ON s.id = c.sensor"
	    " WHERE (?1 IS NULL OR (d.day + 1) * 86400000000 > ?1)"
	    " AND (?2 IS NULL OR d.day * 86400000000 < ?2) AND (?3 IS NULL OR s.name = ?3)"
	    " ORDER BY d.day, c.ip_key, s.name, d.tls_version, d.outcome",
	    err);
	int status;

	if (st == NULL)
		return -1;
	bind_filter(st, filter);
	while ((status = sqlite3_step(st)) == SQLITE_ROW) {
		struct store_day day = {
			.sensor = (const char *)sqlite3_column_text(st, 0),
			.client = (const char *)sqlite3_column_text(st, 1),
			.day = sqlite3_column_int64(st, 2),
			.tls_version = (uint16_t)sqlite3_column_int(st, 3),
			.outcome = (enum outcome)sqlite3_column_int(st, 4),
			.count = store_column_u64(st, 5),
		};
		struct addr ip = { 0 };

		(void)addr_from_text(day.client, &ip);
		if (filter != NULL && filter->clients != NULL && filter->clients->count > 0 &&
		    !network_set_contains(filter->clients, &ip))
			continue;
		if (!fn(arg, &day))
			break;
	}
	return finish(s, st, status, err);
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
	if (sqlite3_exec(s->db, "BEGIN; SELECT count(*) FROM sensor", NULL, NULL, NULL) ==
	    SQLITE_OK)
		return 0;
	store_error(s, "read", err);
	return -1;
}

void
store_snapshot_end(struct store *s)
{
	(void)sqlite3_exec(s->db, "COMMIT", NULL, NULL, NULL);
}
