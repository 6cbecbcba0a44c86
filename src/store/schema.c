/* The schema, numbered by PRAGMA user_version; the views are made anew with every migration. */
#include <string.h>
#include <time.h>

#include "store/client_row.h"
#include "store/columns.h"

#include "base/banned.h"

#define WAL_RETRY_MS 10
/* Of the findings in the row of a client that goes. */
#define OWN_NUMBERS(of)                                                                            \
	"SELECT " of " AS number FROM client_state x CROSS JOIN json_each(x.own_findings) f"       \
	" WHERE x.id = old.id"

/*
 * Version 1.  Times are microseconds since 1970-01-01 UTC, versions wire values (0: not known), the
 * other small numbers the enums of event/event.h and, for verdict, of policy/verdict.h (255: none).
 * Where most of the writing goes, NOT NULL would be asked again for each value.
 */
/* clang-format off */
static const char tables_1[] =
    /* Databases, by a random name each; the first is this one. */
    "CREATE TABLE origin (id INTEGER PRIMARY KEY, uid TEXT NOT NULL UNIQUE);"
    "INSERT INTO origin (id, uid) VALUES (1, lower(hex(randomblob(16))));"
    /* What was merged in: a sensor of another database.  Its copy has the sensor -part.id. */
    "CREATE TABLE part (id INTEGER PRIMARY KEY, origin INTEGER NOT NULL REFERENCES origin(id),"
    " sensor INTEGER NOT NULL REFERENCES sensor(id), UNIQUE (origin, sensor));"
    "CREATE TABLE sensor (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);"
    "CREATE TABLE client ("
    " sensor INTEGER REFERENCES sensor(id),"
    " ip_key BLOB," /* family and bytes: sorts as addresses do */
    " id INTEGER, ip TEXT, PRIMARY KEY (sensor, ip_key)) WITHOUT ROWID;"
    /* What each flush changes. */
    "CREATE TABLE client_state ("
    " id INTEGER PRIMARY KEY REFERENCES client(id),"
    " mac BLOB, name TEXT, name_us INTEGER, first_us INTEGER, last_us INTEGER, count INTEGER,"
    " marks INTEGER," /* verdict and others: STORE_CLIENT_VERDICT */
    " reason TEXT,"
    " cadence BLOB," /* tally/cadence.h; what follows is made from it */
    " cadence_text TEXT, interval_us INTEGER, active_hours TEXT,"
    /* Packed: packed.c.  Findings up to a number, the latest day, the latest hour. */
    " own_findings TEXT, days TEXT, hour TEXT);"
    /* What findings have in common, each once, and by how many of them: shared.c. */
    "CREATE TABLE kind ("
    " id INTEGER PRIMARY KEY, findings INTEGER NOT NULL, server TEXT NOT NULL,"
    " service INTEGER NOT NULL," /* the key's numbers, packed: columns.h */
    " way INTEGER NOT NULL, refusal_text TEXT, UNIQUE (server, service, way));"
    "CREATE TABLE story ("
    " id INTEGER PRIMARY KEY, findings INTEGER NOT NULL,"
    " digest INTEGER NOT NULL," /* of what follows */
    " server_ip TEXT, server_name_source INTEGER NOT NULL,"
    " cipher_suite INTEGER, ja4 TEXT, limited_by INTEGER NOT NULL,"
    " certificate_subject TEXT, certificate_not_after_us INTEGER,"
    " offers INTEGER NOT NULL,"     /* 1: AEAD suites, 2: ECDHE suites */
    " suites_all INTEGER NOT NULL," /* bits of tls/suite_set.h */
    " suites_any INTEGER NOT NULL, fallback_from INTEGER NOT NULL,"
    /* Of the number, if the version is not SSLv2, and if it is. */
    " cipher_suite_text TEXT, sslv2_cipher_text TEXT);"
    "CREATE INDEX story_digest ON story (digest);"
    /* Those for which there is no room in their client's row. */
    "CREATE TABLE finding ("
    " id INTEGER PRIMARY KEY," /* of its client, and of its kind: STORE_KIND_BITS */
    " story INTEGER REFERENCES story(id), count INTEGER, first_us INTEGER, last_us INTEGER,"
    " judged INTEGER," /* verdict and endpoint, packed: STORE_VERDICT */
    " ended_count INTEGER);"
    /* What of most findings is 0, of the others. */
    "CREATE TABLE finding_more ("
    " id INTEGER PRIMARY KEY REFERENCES finding(id),"
    " gap_count INTEGER, login_count INTEGER, scsv_count INTEGER, fallback_count INTEGER,"
    " dropped_early_count INTEGER, dropped_early_us INTEGER, dropped_early_len INTEGER);"
    /* Earlier than what is in the client's row; numbered by client and day, version and outcome,
       and by client and hour. */
    "CREATE TABLE day (id INTEGER PRIMARY KEY, count INTEGER);"
    "CREATE TABLE login_hour ("
    " id INTEGER PRIMARY KEY, sessions INTEGER, short_sessions INTEGER, failed_logins INTEGER,"
    " accepted_logins INTEGER, failed_names INTEGER);"
    "CREATE TABLE run ("
    " id INTEGER PRIMARY KEY, sensor INTEGER NOT NULL REFERENCES sensor(id),"
    " command TEXT NOT NULL, started_us INTEGER NOT NULL, begin_us INTEGER, end_us INTEGER,"
    " packets INTEGER NOT NULL, bytes INTEGER NOT NULL,"
    /* merge.h: the database that made it, its number there (NULL: here), and how it came here */
    " origin INTEGER NOT NULL DEFAULT 1 REFERENCES origin(id), origin_run INTEGER,"
    " part INTEGER REFERENCES part(id), UNIQUE (origin, origin_run));"
    "CREATE INDEX run_end ON run (sensor, end_us);" /* the view clients asks for the last one */
    "CREATE TABLE run_counter ("
    " run INTEGER NOT NULL REFERENCES run(id), name TEXT NOT NULL, value INTEGER NOT NULL,"
    " PRIMARY KEY (run, name)) WITHOUT ROWID;"
    "CREATE TABLE run_source ("
    " run INTEGER NOT NULL REFERENCES run(id), position INTEGER NOT NULL, name TEXT NOT NULL,"
    " head_hash INTEGER, packet_count INTEGER, stream_hash INTEGER, packets INTEGER NOT NULL,"
    " bytes INTEGER NOT NULL, snapped INTEGER NOT NULL, skipped INTEGER NOT NULL,"
    " begin_us INTEGER, end_us INTEGER, error TEXT,"
    " PRIMARY KEY (run, position)) WITHOUT ROWID;"
    "CREATE INDEX run_source_head ON run_source (head_hash);";
static const char triggers_1[] =
    /* Writing counts by itself, in references.c; there is no other way for a row to go. */
    "CREATE TRIGGER finding_removed AFTER DELETE ON finding BEGIN"
    " DELETE FROM finding_more WHERE id = old.id;"
    " UPDATE kind SET findings = findings - 1 WHERE id = " STORE_FINDING_KIND("old.id") ";"
    " DELETE FROM kind WHERE id = " STORE_FINDING_KIND("old.id") " AND findings = 0;"
    " UPDATE story SET findings = findings - 1 WHERE id = old.story;"
    " DELETE FROM story WHERE id = old.story AND findings = 0; END;"
    "CREATE TRIGGER client_removed AFTER DELETE ON client BEGIN"
    " UPDATE kind SET findings = findings - 1 WHERE id IN (" OWN_NUMBERS(STORE_OWN_KIND) ");"
    " DELETE FROM kind WHERE findings = 0 AND id IN (" OWN_NUMBERS(STORE_OWN_KIND) ");"
    " UPDATE story SET findings = findings - (SELECT count(*) FROM (" OWN_NUMBERS(STORE_OWN_STORY) ")"
    " WHERE number = story.id) WHERE id IN (" OWN_NUMBERS(STORE_OWN_STORY) ");"
    " DELETE FROM story WHERE findings = 0 AND id IN (" OWN_NUMBERS(STORE_OWN_STORY) ");"
    " DELETE FROM client_state WHERE id = old.id; END;";
/* clang-format on */

/* Migration i leads from user_version i to i + 1; in pieces, as a view is. */
static const char *const schema_1[] = { tables_1, triggers_1, NULL };
static const char *const *const migrations[STORE_SCHEMA_VERSION] = { schema_1 };

static int
query_int(struct store *s, const char *sql, int64_t *out)
{
	sqlite3_stmt *st;
	int status;

	*out = 0;
	if (sqlite3_prepare_v2(s->db, sql, -1, &st, NULL) != SQLITE_OK)
		return -1;
	status = sqlite3_step(st);
	if (status == SQLITE_ROW)
		*out = sqlite3_column_int64(st, 0);
	return sqlite3_finalize(st) == SQLITE_OK ? 0 : -1;
}

static int
execute(struct store *s, const char *sql)
{
	return sqlite3_exec(s->db, sql, NULL, NULL, NULL) == SQLITE_OK ? 0 : -1;
}

static void
join_pieces(struct buf *sql, const char *const *pieces)
{
	for (; *pieces != NULL; pieces++)
		buf_add_text(sql, *pieces);
}

static int
execute_pieces(struct store *s, const char *const *pieces)
{
	struct buf sql = { 0 };
	int result;

	join_pieces(&sql, pieces);
	result = execute(s, buf_text(&sql));
	buf_release(&sql);
	return result;
}

int
store_renew_views(struct store *s)
{
	struct buf sql = { 0 };
	int result;

	for (size_t i = 0; i < STORE_VIEW_COUNT; i++) {
		buf_addf(&sql, "DROP VIEW IF EXISTS %s;", store_views[i].name);
		join_pieces(&sql, store_views[i].sql);
		buf_add_char(&sql, ';');
	}
	result = execute(s, buf_text(&sql));
	buf_release(&sql);
	return result;
}

static int
note_view(sqlite3_stmt *st, const struct store_view *view, struct buf *sql)
{
	buf_clear(sql);
	join_pieces(sql, view->sql);
	/* Without a copy, for which memory might be out. */
	store_bind_borrowed(st, 1, span_from_text(view->name));
	store_bind_borrowed(st, 2, span_from(sql->data, sql->len));
	(void)sqlite3_step(st);
	return sqlite3_reset(st) == SQLITE_OK ? 0 : -1;
}

/*
 * The rows that CREATE VIEW would write (sqlite.org/schematab.html), in the transaction that makes
 * the tables.  SQLite would parse each view twice, and nobody who fills a database asks for one:
 * half the work of making it.
 */
static int
note_views(struct store *s)
{
	sqlite3_stmt *st = NULL;
	struct buf sql = { 0 };
	int result = -1;

	(void)sqlite3_db_config(s->db, SQLITE_DBCONFIG_DEFENSIVE, 0, NULL);
	(void)sqlite3_db_config(s->db, SQLITE_DBCONFIG_WRITABLE_SCHEMA, 1, NULL);
	if (sqlite3_prepare_v2(s->db,
		"INSERT INTO sqlite_master (type, name, tbl_name, rootpage, sql)"
		" VALUES ('view', ?1, ?1, 0, ?2)",
		-1, &st, NULL) == SQLITE_OK) {
		result = 0;
		for (size_t i = 0; result == 0 && i < STORE_VIEW_COUNT; i++)
			result = note_view(st, &store_views[i], &sql);
	}
	(void)sqlite3_finalize(st);
	(void)sqlite3_db_config(s->db, SQLITE_DBCONFIG_WRITABLE_SCHEMA, 0, NULL);
	buf_release(&sql);
	s->views_unread = true;
	return result;
}

void
store_know_views(struct store *s)
{
	/* sqlite.org/pragma.html#pragma_writable_schema: the schema is read again. */
	if (s->views_unread && execute(s, "PRAGMA writable_schema = RESET") == 0)
		s->views_unread = false;
}

static int
migrate(struct store *s, int64_t from)
{
	char number[64];

	for (int64_t i = from; i < STORE_SCHEMA_VERSION; i++) {
		if (execute_pieces(s, migrations[i]) != 0)
			return -1;
	}
	if ((from == 0 ? note_views(s) : store_renew_views(s)) != 0)
		return -1;
	(void)sqlite3_snprintf(sizeof(number), number,
	    "PRAGMA user_version = %d; PRAGMA application_id = %d;", STORE_SCHEMA_VERSION,
	    STORE_APPLICATION_ID);
	return execute(s, number);
}

/* What the file is: fills in the numbers, or says why it cannot be used. */
static int
identify(struct store *s, int64_t *version, bool *is_empty, struct error *err)
{
	int64_t id, tables;

	if (query_int(s, "PRAGMA application_id", &id) != 0 ||
	    query_int(s, "PRAGMA user_version", version) != 0 ||
	    query_int(s, "SELECT count(*) FROM sqlite_master", &tables) != 0) {
		store_error(s, "read", err);
		return -1;
	}
	*is_empty = tables == 0 && id == 0 && *version == 0;
	if (!*is_empty && id != STORE_APPLICATION_ID) {
		error_set(
		    err, "%s is a database of another program; give another database", s->path);
		return -1;
	}
	if (*version > STORE_SCHEMA_VERSION) {
		error_set(err,
		    "%s was written by a newer tlstally (schema %lld, this one knows %d); use that "
		    "one, or give another database",
		    s->path, (long long)*version, STORE_SCHEMA_VERSION);
		return -1;
	}
	return 0;
}

/*
 * In one transaction, so that a program that dies here leaves what was there.  auto_vacuum counts
 * only before the first page is there, which it writes itself, and takes the lock for that.
 */
static int
bring_up_to_date(struct store *s, bool was_empty, struct error *err)
{
	int64_t version;
	bool is_empty;

	if (execute(s, was_empty ? "BEGIN; PRAGMA auto_vacuum = INCREMENTAL" : "BEGIN IMMEDIATE") !=
	    0)
		goto bad;
	/* Another process may have been faster. */
	if (identify(s, &version, &is_empty, err) != 0) {
		(void)execute(s, "ROLLBACK");
		return -1;
	}
	if (version < STORE_SCHEMA_VERSION && migrate(s, version) != 0)
		goto bad;
	if (execute(s, "COMMIT") != 0)
		goto bad;
	/* What is in the other one's by now must not be lost. */
	s->log_is_due = s->log_is_due && is_empty;
	return 0;
bad:
	store_error(s, "write to", err);
	(void)execute(s, "ROLLBACK");
	return -1;
}

/* As of one moment: a database that another process is just making is none of another program. */
static int
identify_at_once(struct store *s, int64_t *version, bool *is_empty, struct error *err)
{
	int result;

	if (execute(s, "BEGIN") != 0) {
		store_error(s, "read", err);
		return -1;
	}
	result = identify(s, version, is_empty, err);
	(void)execute(s, "ROLLBACK");
	return result;
}

static int64_t
monotonic_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int
store_sync(struct store *s)
{
	if (!s->sync_is_due)
		return 0;
	if (execute(s, "PRAGMA synchronous = NORMAL") != 0)
		return -1;
	s->sync_is_due = false;
	return 0;
}

/* As far as this connection knows: to switch the log off that another one uses is not ours. */
static bool
has_own_journal(struct store *s)
{
	sqlite3_stmt *st = NULL;
	bool result =
	    sqlite3_prepare_v2(s->db, "PRAGMA journal_mode", -1, &st, NULL) == SQLITE_OK &&
	    sqlite3_step(st) == SQLITE_ROW && strcmp(store_column_text(st, 0), "persist") == 0;

	(void)sqlite3_finalize(st);
	return result;
}

void
store_remove_journal(struct store *s)
{
	if (s->keeps_journal && has_own_journal(s))
		(void)execute(s, "PRAGMA journal_mode = DELETE");
	s->keeps_journal = false;
}

/*
 * Of processes that do it at the same time SQLite turns some away at once, because two that wait
 * with a lock in hand would wait for ever.  Those ask again, as long as anybody else would wait.
 */
int
store_use_log(struct store *s)
{
	int64_t end_ms = monotonic_ms() + STORE_BUSY_TIMEOUT_MS;
	int result;

	store_remove_journal(s);
	/*
	 * It changes a few bytes of the first sector, which is on the disk as it was or as it is
	 * then; to wait for that would protect nothing.
	 */
	s->sync_is_due = execute(s, "PRAGMA synchronous = OFF") == 0;
	while ((result = execute(s, "PRAGMA journal_mode = WAL")) != 0) {
		if (sqlite3_errcode(s->db) != SQLITE_BUSY || monotonic_ms() >= end_ms)
			break;
		(void)sqlite3_sleep(WAL_RETRY_MS);
	}
	if (store_sync(s) != 0 || result != 0)
		return -1;
	s->log_is_due = false;
	return 0;
}

static bool
has_column(struct store *s, const char *table, const char *column)
{
	return sqlite3_table_column_metadata(
		   s->db, NULL, table, column, NULL, NULL, NULL, NULL, NULL) == SQLITE_OK;
}

/* Up to the first release, what is in schema 1 has changed. */
static int
check_form(struct store *s, struct error *err)
{
	if (!has_column(s, "finding", NULL) || has_column(s, "client_state", "own_findings"))
		return 0;
	error_set(err,
	    "%s was written by a tlstally from before the first release, which kept findings in "
	    "another form; give another database, and read the captures into that once more",
	    s->path);
	return -1;
}

int
store_schema_prepare(struct store *s, struct error *err)
{
	int64_t version;
	bool is_empty;

	if (identify_at_once(s, &version, &is_empty, err) != 0 ||
	    (version == 1 && check_form(s, err) != 0))
		return -1;
	if (s->mode == STORE_READ) {
		if (version == STORE_SCHEMA_VERSION)
			return 0;
		if (is_empty)
			error_set(err, "%s is empty: no capture was read into it yet", s->path);
		else
			error_set(err,
			    "%s was written by an older tlstally; a replay or capture into it "
			    "brings it up to date",
			    s->path);
		return -1;
	}
	s->log_is_due = is_empty && s->mode == STORE_FILL;
	/*
	 * With nothing in it that could be lost: the first flush waits for the whole file.  Its
	 * journal stays where it is until then, and is made once.
	 */
	s->sync_is_due = s->log_is_due && execute(s, "PRAGMA synchronous = OFF") == 0;
	s->keeps_journal = s->log_is_due && execute(s, "PRAGMA journal_mode = PERSIST") == 0;
	if (version < STORE_SCHEMA_VERSION && bring_up_to_date(s, is_empty, err) != 0)
		return -1;
	/* After the schema, which does not go through the log then. */
	if (s->log_is_due || store_use_log(s) == 0)
		return 0;
	store_error(s, "write to", err);
	return -1;
}
