/* Prepared statements, and small helpers around sqlite3. */
#include <string.h>

#include "base/json.h"
#include "store/store_internal.h"

#include "base/banned.h"

/* clang-format off */
/* The latest one that knew it decides; an earlier one fills what is not known yet. */
#define LATEST(column) \
	column " = CASE WHEN excluded." column " IS NOT NULL" \
	" AND (excluded.last_us >= last_us OR " column " IS NULL)" \
	" THEN excluded." column " ELSE " column " END"
/* The same for codes of which 0 says that it is not known. */
#define LATEST_CODE(column) \
	column " = CASE WHEN excluded." column " <> 0" \
	" AND (excluded.last_us >= last_us OR " column " = 0)" \
	" THEN excluded." column " ELSE " column " END"
#define WIDEN_TIMES \
	"first_us = min(first_us, excluded.first_us), last_us = max(last_us, excluded.last_us)"

static const char *const statements_sql[STATEMENT_COUNT] = {
	[STATEMENT_BEGIN] = "BEGIN IMMEDIATE",
	[STATEMENT_COMMIT] = "COMMIT",
	[STATEMENT_ROLLBACK] = "ROLLBACK",
	[STATEMENT_CLIENT_UPSERT] =
		"INSERT INTO client (sensor, ip_key, ip, mac, name, name_source, first_us, last_us,"
		" count, finding_count, verdict, reason)"
		" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, 0, 255, '')"
		" ON CONFLICT (sensor, ip_key) DO UPDATE SET "
		LATEST("mac") ","
		" name_source = CASE WHEN excluded.name IS NOT NULL"
		"  AND (excluded.last_us >= last_us OR name IS NULL)"
		"  THEN excluded.name_source ELSE name_source END, "
		LATEST("name") ","
		" count = count + excluded.count, " WIDEN_TIMES
		" RETURNING id, count = ?9, finding_count",
	[STATEMENT_CLIENT_JUDGED] =
		"UPDATE client SET verdict = ?2, reason = ?3, finding_count = ?4 WHERE id = ?1",
	[STATEMENT_FINDING_UPSERT] =
		"INSERT INTO finding (client, " STORE_FINDING_COLUMNS ","
		" refusal_text, cipher_suite_text)"
		" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16,"
		" ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26, ?27, ?28)"
		" ON CONFLICT (client, server, server_port, protocol, tls_mode, tls_version,"
		" offered_version, outcome, refused_by, refusal, refusal_alert) DO UPDATE SET "
		LATEST("server_ip") ", "
		LATEST_CODE("server_name_source") ", "
		LATEST("cipher_suite") ", "
		LATEST("cipher_suite_text") ", "
		LATEST("ja4") ", "
		LATEST_CODE("limited_by") ", "
		LATEST("certificate_not_after_us") ", "
		LATEST("certificate_subject") ", "
		LATEST_CODE("offers") ","
		" count = count + excluded.count,"
		" gap_count = gap_count + excluded.gap_count,"
		" login_count = login_count + excluded.login_count,"
		" scsv_count = scsv_count + excluded.scsv_count, " WIDEN_TIMES,
	[STATEMENT_FINDING_LOAD] =
		"SELECT " STORE_FINDING_COLUMNS " FROM finding WHERE client = ?1",
	[STATEMENT_FINDING_JUDGED] =
		"UPDATE finding SET verdict = ?12"
		" WHERE client = ?1 AND server = ?2 AND server_port = ?3 AND protocol = ?4"
		" AND tls_mode = ?5 AND tls_version = ?6 AND offered_version = ?7 AND outcome = ?8"
		" AND refused_by = ?9 AND refusal = ?10 AND refusal_alert = ?11",
	[STATEMENT_DAY_UPSERT] =
		"INSERT INTO day (client, day, tls_version, outcome, count)"
		" VALUES (?1, ?2, ?3, ?4, ?5)"
		" ON CONFLICT (client, day, tls_version, outcome) DO UPDATE SET"
		" count = count + excluded.count",
	[STATEMENT_RUN_INSERT] =
		"INSERT INTO run (sensor, command, started_us, packets, bytes)"
		" VALUES (?1, ?2, ?3, 0, 0)",
	[STATEMENT_RUN_UPDATE] =
		"UPDATE run SET begin_us = ?2, end_us = ?3, packets = ?4, bytes = ?5 WHERE id = ?1",
	[STATEMENT_COUNTER_UPSERT] =
		"INSERT INTO run_counter (run, name, value) VALUES (?1, ?2, ?3)"
		" ON CONFLICT (run, name) DO UPDATE SET value = excluded.value",
	[STATEMENT_SOURCE_UPSERT] =
		"INSERT OR REPLACE INTO run_source (run, position, name, head_hash, packet_count,"
		" stream_hash, packets, bytes, snapped, skipped, begin_us, end_us, error)"
		" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
};
/* clang-format on */

void
store_error(struct store *s, const char *what, struct error *err)
{
	switch (sqlite3_errcode(s->db)) {
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		error_set(err,
		    "cannot %s %s: another program has locked it; try again when it is done", what,
		    s->path);
		return;
	case SQLITE_FULL:
		error_set(err, "cannot %s %s: the disk is full; what was stored before is whole",
		    what, s->path);
		return;
	case SQLITE_READONLY:
	case SQLITE_CANTOPEN:
	case SQLITE_PERM:
		error_set(err, "cannot %s %s: it, or its folder, is not writable", what, s->path);
		return;
	case SQLITE_CORRUPT:
		error_set(err,
		    "cannot %s %s: the file is damaged; 'sqlite3 %s .recover' may save it", what,
		    s->path, s->path);
		return;
	default:
		error_set(err, "cannot %s %s: %s", what, s->path, sqlite3_errmsg(s->db));
		return;
	}
}

sqlite3_stmt *
store_statement(struct store *s, enum store_statement which, struct error *err)
{
	sqlite3_stmt *st = s->statements[which];

	if (st == NULL && sqlite3_prepare_v3(s->db, statements_sql[which], -1,
			      SQLITE_PREPARE_PERSISTENT, &st, NULL) != SQLITE_OK) {
		store_error(s, "read", err);
		return NULL;
	}
	s->statements[which] = st;
	return st;
}

int
store_step(struct store *s, sqlite3_stmt *statement, struct error *err)
{
	int status = sqlite3_step(statement);

	if (status != SQLITE_DONE && status != SQLITE_ROW)
		store_error(s, "write", err);
	(void)sqlite3_reset(statement);
	return status == SQLITE_DONE || status == SQLITE_ROW ? 0 : -1;
}

int
store_run_statement(struct store *s, enum store_statement which, struct error *err)
{
	sqlite3_stmt *st = store_statement(s, which, err);

	return st != NULL ? store_step(s, st, err) : -1;
}

void
store_bind_span(sqlite3_stmt *st, int index, struct span text)
{
	if (text.len == 0)
		(void)sqlite3_bind_null(st, index);
	else
		(void)sqlite3_bind_text(
		    st, index, (const char *)text.data, (int)text.len, SQLITE_TRANSIENT);
}

void
store_bind_text(sqlite3_stmt *st, int index, const char *text)
{
	(void)sqlite3_bind_text(st, index, text, -1, SQLITE_TRANSIENT);
}

void
store_bind_u64(sqlite3_stmt *st, int index, uint64_t value)
{
	/* All 64 bits are kept; counters never reach the sign. */
	(void)sqlite3_bind_int64(st, index, (int64_t)value);
}

uint64_t
store_column_u64(sqlite3_stmt *st, int column)
{
	return (uint64_t)sqlite3_column_int64(st, column);
}
