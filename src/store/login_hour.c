/*
 * A client's hours but for its latest, which is in its row: few enough to keep, the newest and the
 * worst.
 */
#include <stdlib.h>

#include "base/xalloc.h"
#include "store/columns.h"
#include "store/store_internal.h"

#include "base/banned.h"

/* Besides the latest. */
#define HOURS_MAX (STORE_LOGIN_HOURS_MAX - 1)
#define HOURS_NEWEST (STORE_LOGIN_HOURS_NEWEST - 1)

int
store_add_hour(struct store *s, int64_t client_id, const struct tally_hour *hour, struct error *err)
{
	int64_t *row = store_batch_next(s, STORE_BATCH_HOURS, err);

	if (row == NULL)
		return -1;
	row[0] = client_id << STORE_TIME_BITS | (hour->hour + STORE_HOUR_ZERO);
	row[1] = (int64_t)hour->sessions; /* counters never reach the sign */
	row[2] = (int64_t)hour->short_sessions;
	row[3] = (int64_t)hour->failed_logins;
	row[4] = (int64_t)hour->accepted_logins;
	row[5] = hour->failed_names;
	return 0;
}

/* Of the clients whose hours are to be trimmed, those that have too many. */
static int
find_many(struct store *s, int64_t *clients, size_t *count, struct error *err)
{
	struct store_batch *trims = &s->batches[STORE_BATCH_TRIMS];
	sqlite3_stmt *st = store_batch_start(s, STORE_BATCH_TRIMS, trims, err);
	int status;

	*count = 0;
	if (st == NULL)
		return -1;
	(void)sqlite3_bind_int(st, 1, HOURS_MAX);
	while ((status = sqlite3_step(st)) == SQLITE_ROW)
		clients[(*count)++] = sqlite3_column_int64(st, 0);
	if (status != SQLITE_DONE)
		store_error(s, "read", err);
	(void)sqlite3_reset(st);
	store_batch_done(trims);
	return status == SQLITE_DONE ? 0 : -1;
}

static int
trim_client(struct store *s, int64_t client_id, struct error *err)
{
	sqlite3_stmt *st = store_statement(s, STATEMENT_HOURS_TRIM, err);

	if (st == NULL)
		return -1;
	(void)sqlite3_bind_int64(st, 1, client_id);
	(void)sqlite3_bind_int(st, 2, HOURS_MAX);
	(void)sqlite3_bind_int(st, 3, HOURS_NEWEST - 1);
	return store_step(s, st, err);
}

int
store_trims_write(struct store *s, struct error *err)
{
	size_t count = s->batches[STORE_BATCH_TRIMS].count;
	int64_t *clients;
	int result;

	if (count == 0)
		return 0;
	/* The hours themselves first. */
	if (store_batches_write(s, err) != 0)
		return -1;
	clients = xreallocarray(NULL, count, sizeof(*clients));
	result = find_many(s, clients, &count, err);
	for (size_t i = 0; i < count && result == 0; i++)
		result = trim_client(s, clients[i], err);
	free(clients);
	return result;
}

int
store_trim_hours(struct store *s, int64_t client_id, struct error *err)
{
	int64_t *row;

	if (s->batches[STORE_BATCH_TRIMS].count == STORE_BATCH_ROWS_MAX &&
	    store_trims_write(s, err) != 0)
		return -1;
	row = store_batch_next(s, STORE_BATCH_TRIMS, err);
	if (row == NULL)
		return -1;
	*row = client_id;
	return 0;
}

int
store_load_hours(
    struct store *s, int64_t client_id, struct tally_hour **hours, size_t *count, struct error *err)
{
	sqlite3_stmt *st = store_query_of_client(s, STATEMENT_HOURS_OF, client_id, err);
	int status;

	*hours = NULL;
	*count = 0;
	if (st == NULL)
		return -1;
	while ((status = sqlite3_step(st)) == SQLITE_ROW) {
		*hours = xreallocarray(*hours, *count + 1, sizeof(**hours));
		(*hours)[(*count)++] = (struct tally_hour){
			.hour = sqlite3_column_int64(st, 0),
			.sessions = store_column_u64(st, 1),
			.short_sessions = store_column_u64(st, 2),
			.failed_logins = store_column_u64(st, 3),
			.accepted_logins = store_column_u64(st, 4),
			.failed_names = (uint32_t)store_column_u64(st, 5),
		};
	}
	if (status != SQLITE_DONE)
		store_error(s, "read", err);
	(void)sqlite3_reset(st);
	return status == SQLITE_DONE ? 0 : -1;
}

#define WHOSE "s.name AS sensor, c.ip AS ip, c.ip_key AS ip_key, x.name AS name, "

static const char hours_sql[] =
    "SELECT sensor, ip, name, hour, sessions, short_sessions, failed_logins, accepted_logins,"
    " failed_names FROM (SELECT " WHOSE STORE_HOUR_COLUMNS " FROM " STORE_CLIENT_TABLES
    " CROSS JOIN login_hour h WHERE " STORE_IS_TIME_OF("h.id",
	"c.id") " UNION ALL SELECT " WHOSE STORE_LATEST_HOUR_COLUMNS " FROM " STORE_CLIENT_TABLES
		" WHERE x.hour IS NOT NULL) WHERE (?1 IS NULL OR (hour + 1) * 3600000000 >"
		" ?1) AND (?2 IS NULL OR hour * 3600000000 < ?2)"
		" AND (?3 IS NULL OR sensor = ?3) ORDER BY ip_key, sensor, hour";

int
store_each_hour(struct store *s, const struct store_filter *filter, store_hour_fn fn, void *arg,
    struct error *err)
{
	sqlite3_stmt *st = store_prepare_query(s, hours_sql, filter, err);
	int status;

	if (st == NULL)
		return -1;
	while ((status = sqlite3_step(st)) == SQLITE_ROW) {
		bool damaged = false;
		struct store_hour hour = {
			.sensor = store_column_text(st, 0),
			.client_name = store_column_text(st, 2),
			.hour = {
				.hour = sqlite3_column_int64(st, 3),
				.sessions = store_column_u64(st, 4),
				.short_sessions = store_column_u64(st, 5),
				.failed_logins = store_column_u64(st, 6),
				.accepted_logins = store_column_u64(st, 7),
				.failed_names =
				    (uint32_t)store_column_code(st, 8, UINT16_MAX, &damaged),
			},
		};

		if (!addr_from_text(store_column_text(st, 1), &hour.client) || damaged) {
			store_error_damaged(s, err);
			(void)sqlite3_finalize(st);
			return -1;
		}
		if (store_filter_has_client(filter, &hour.client) && !fn(arg, &hour))
			break;
	}
	if (status != SQLITE_DONE && status != SQLITE_ROW)
		store_error(s, "read", err);
	(void)sqlite3_finalize(st);
	return status == SQLITE_DONE || status == SQLITE_ROW ? 0 : -1;
}
