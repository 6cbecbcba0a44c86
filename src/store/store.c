#include "store/store.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "store/store_internal.h"

#include "base/banned.h"

static int
check_path(const char *path, enum store_mode mode, struct error *err)
{
	struct stat st;

	if (stat(path, &st) != 0) {
		if (errno == ENOENT && mode == STORE_WRITE)
			return 0;
		error_set(err, "cannot open the database %s: %s", path, strerror(errno));
		return -1;
	}
	if (S_ISDIR(st.st_mode)) {
		error_set(err, "the database %s is a folder; give the name of a file", path);
		return -1;
	}
	if (mode == STORE_WRITE && access(path, W_OK) != 0) {
		error_set(err, "cannot write to the database %s: %s", path, strerror(errno));
		return -1;
	}
	return 0;
}

static int
configure(struct store *s, struct error *err)
{
	char sql[160];

	(void)sqlite3_busy_timeout(s->db, STORE_BUSY_TIMEOUT_MS);
	(void)sqlite3_snprintf(sizeof(sql), sql,
	    "PRAGMA synchronous = NORMAL; PRAGMA cache_size = -%d; PRAGMA trusted_schema = OFF",
	    STORE_CACHE_KIB);
	if (sqlite3_exec(s->db, sql, NULL, NULL, NULL) != SQLITE_OK) {
		store_error(s, "open", err);
		return -1;
	}
	return 0;
}

/*
 * A database in WAL mode on a read-only folder cannot make the files that readers share; there is
 * no writer either then, so the file stands still and may be read as it is.
 */
static int
open_db(struct store *s, struct error *err)
{
	int flags = s->mode == STORE_WRITE ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE
					   : SQLITE_OPEN_READONLY;
	sqlite3_stmt *st;
	char *uri;

	if (sqlite3_open_v2(s->path, &s->db, flags | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK) {
		store_error(s, "open", err);
		return -1;
	}
	if (s->mode == STORE_WRITE)
		return 0;
	if (sqlite3_prepare_v2(s->db, "SELECT 1 FROM sqlite_master", -1, &st, NULL) == SQLITE_OK) {
		(void)sqlite3_finalize(st);
		return 0;
	}
	if (sqlite3_errcode(s->db) != SQLITE_CANTOPEN)
		return 0; /* what is wrong with it is for the schema's check to say */
	(void)sqlite3_close(s->db);
	uri = sqlite3_mprintf("file:%s?immutable=1", s->path);
	if (sqlite3_open_v2(uri, &s->db, flags | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX, NULL) !=
	    SQLITE_OK) {
		store_error(s, "open", err);
		sqlite3_free(uri);
		return -1;
	}
	sqlite3_free(uri);
	return 0;
}

struct store *
store_open(const char *path, enum store_mode mode, struct error *err)
{
	struct store *s;

	if (check_path(path, mode, err) != 0)
		return NULL;
	s = xcalloc(1, sizeof(*s));
	s->path = xstrdup(path);
	s->mode = mode;
	if (open_db(s, err) != 0 || configure(s, err) != 0 || store_schema_prepare(s, err) != 0) {
		store_close(s);
		return NULL;
	}
	return s;
}

void
store_close(struct store *s)
{
	if (s == NULL)
		return;
	store_rollback(s);
	for (size_t i = 0; i < STATEMENT_COUNT; i++)
		(void)sqlite3_finalize(s->statements[i]);
	(void)sqlite3_close(s->db);
	buf_release(&s->scratch);
	buf_release(&s->reason);
	free(s->findings);
	free(s->ranks);
	free(s->old_ranks);
	free(s->path);
	free(s);
}

void
store_set_judge(struct store *s, store_judge_fn judge, void *arg)
{
	s->judge = judge;
	s->judge_arg = arg;
}

int
store_sensor(struct store *s, const char *name, int64_t *sensor_id, struct error *err)
{
	sqlite3_stmt *st = NULL;
	const char *sql = s->mode == STORE_WRITE ? "INSERT INTO sensor (name) VALUES (?1) ON "
						   "CONFLICT (name) DO UPDATE SET name = name "
						   "RETURNING id"
						 : "SELECT id FROM sensor WHERE name = ?1";
	int status;

	*sensor_id = 0;
	/* The usual case needs no write, and so no lock. */
	if (sqlite3_prepare_v2(s->db, "SELECT id FROM sensor WHERE name = ?1", -1, &st, NULL) !=
	    SQLITE_OK)
		goto bad;
	store_bind_text(st, 1, name);
	status = sqlite3_step(st);
	if (status == SQLITE_ROW)
		*sensor_id = sqlite3_column_int64(st, 0);
	(void)sqlite3_finalize(st);
	if (*sensor_id != 0 || s->mode == STORE_READ)
		return 0;
	if (sqlite3_prepare_v2(s->db, sql, -1, &st, NULL) != SQLITE_OK)
		goto bad;
	store_bind_text(st, 1, name);
	status = sqlite3_step(st);
	if (status == SQLITE_ROW)
		*sensor_id = sqlite3_column_int64(st, 0);
	if (sqlite3_finalize(st) == SQLITE_OK)
		return 0;
bad:
	store_error(s, "write", err);
	return -1;
}

int
store_begin(struct store *s, struct error *err)
{
	if (store_run_statement(s, STATEMENT_BEGIN, err) != 0)
		return -1;
	s->in_transaction = true;
	s->failed = false;
	return 0;
}

int
store_commit(struct store *s, struct error *err)
{
	if (s->failed || !s->in_transaction) {
		error_set(err, "nothing was written to %s", s->path);
		s->in_transaction = false;
		return -1;
	}
	if (store_run_statement(s, STATEMENT_COMMIT, err) != 0) {
		store_rollback(s);
		return -1;
	}
	s->in_transaction = false;
	return 0;
}

void
store_rollback(struct store *s)
{
	struct error ignored;

	if (s->db != NULL && sqlite3_get_autocommit(s->db) == 0)
		(void)store_run_statement(s, STATEMENT_ROLLBACK, &ignored);
	s->in_transaction = false;
}
