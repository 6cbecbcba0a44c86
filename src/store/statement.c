/* Prepared statements, errors as sentences, and small helpers around sqlite3. */
#include <errno.h>
#include <string.h>

#include "store/batch_writer.h"

#include "base/banned.h"

static bool
is_no_room(int system_errno)
{
	return system_errno == ENOSPC || system_errno == EDQUOT || system_errno == EFBIG;
}

static bool
is_no_descriptor(int system_errno)
{
	return system_errno == EMFILE || system_errno == ENFILE;
}

void
store_error(struct store *s, const char *what, struct error *err)
{
	int code = sqlite3_errcode(s->db) & 0xff;
	/* SQLite does not note the system's reason where a COMMIT fails. */
	int noted = sqlite3_system_errno(s->db), reason = noted != 0 ? noted : errno;

	if (code == SQLITE_IOERR && (is_no_room(noted) || is_no_room(errno)))
		code = SQLITE_FULL;
	/* SQLite also calls damaged what the disk, or the network to it, does not let it read. */
	if (code == SQLITE_CORRUPT && errno == EIO) {
		code = SQLITE_IOERR;
		reason = EIO;
	}
	switch (code) {
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		error_set(err,
		    "cannot %s %s: another program has locked it; try again when that is done",
		    what, s->path);
		return;
	case SQLITE_FULL:
		error_set(err,
		    "cannot %s %s: the disk is full; what was stored before is whole; make room "
		    "and try again",
		    what, s->path);
		return;
	case SQLITE_READONLY:
	case SQLITE_CANTOPEN:
	case SQLITE_PERM:
		if (is_no_descriptor(noted)) {
			error_set(err, "cannot %s %s: %s", what, s->path, strerror(noted));
			return;
		}
		error_set(err, "cannot %s %s: it, or its folder, cannot be written to by this user",
		    what, s->path);
		return;
	case SQLITE_NOTADB:
		store_error_not_ours(s, err);
		return;
	case SQLITE_CORRUPT:
		store_error_damaged(s, err);
		return;
	case SQLITE_IOERR:
		error_set(err, "cannot %s %s: %s", what, s->path,
		    reason != 0 ? strerror(reason) : sqlite3_errmsg(s->db));
		return;
	default:
		error_set(err, "cannot %s %s: %s", what, s->path, sqlite3_errmsg(s->db));
		return;
	}
}

void
store_error_not_ours(const struct store *s, struct error *err)
{
	error_set(err,
	    "%s is no database of tlstally, nor of any other program; give another database",
	    s->path);
}

void
store_error_damaged(const struct store *s, struct error *err)
{
	error_set(err,
	    "the database %s is damaged; put it aside and give another database, or save what can "
	    "be "
	    "read of it with the sqlite3 command .recover",
	    s->path);
}

void
store_error_used_up(const struct store *s, struct error *err)
{
	error_set(err,
	    "the database %s has numbered as many clients and servers as it can; give another "
	    "database",
	    s->path);
}

int
store_check_transaction(const struct store *s, struct error *err)
{
	if (!s->has_begun || sqlite3_get_autocommit(s->db) == 0)
		return 0;
	error_set(
	    err, "cannot write to %s: what was begun was taken back, for want of memory", s->path);
	return -1;
}

static sqlite3_stmt *
prepared(struct store *s, enum store_statement which, const char *what, struct error *err)
{
	sqlite3_stmt *st = s->statements[which];

	if (store_check_transaction(s, err) != 0)
		return NULL;
	if (st == NULL && sqlite3_prepare_v3(s->db, store_statements_sql[which], -1,
			      SQLITE_PREPARE_PERSISTENT, &st, NULL) != SQLITE_OK) {
		store_error(s, what, err);
		return NULL;
	}
	s->statements[which] = st;
	return st;
}

sqlite3_stmt *
store_own_statement(struct store *s, enum store_statement which, struct error *err)
{
	return prepared(s, which, "write to", err);
}

sqlite3_stmt *
store_query_of_client(
    struct store *s, enum store_statement which, int64_t client_id, struct error *err)
{
	sqlite3_stmt *st = prepared(s, which, "read", err);

	if (st != NULL)
		(void)sqlite3_bind_int64(st, 1, client_id);
	return st;
}

sqlite3_stmt *
store_statement(struct store *s, enum store_statement which, struct error *err)
{
	if (s->writer != NULL && batch_writer_wait(s->writer, err) != 0)
		return NULL;
	return store_own_statement(s, which, err);
}

int
store_step_number(struct store *s, sqlite3_stmt *st, int64_t *number, struct error *err)
{
	int status = sqlite3_step(st);

	*number = status == SQLITE_ROW ? sqlite3_column_int64(st, 0) : 0;
	if (status != SQLITE_ROW && status != SQLITE_DONE)
		store_error(s, "read", err);
	(void)sqlite3_reset(st);
	return status == SQLITE_ROW || status == SQLITE_DONE ? 0 : -1;
}

int
store_step(struct store *s, sqlite3_stmt *statement, struct error *err)
{
	int status;

	errno = 0;
	status = sqlite3_step(statement);
	if (status != SQLITE_DONE && status != SQLITE_ROW)
		store_error(s, "write to", err);
	(void)sqlite3_reset(statement);
	return status == SQLITE_DONE || status == SQLITE_ROW ? 0 : -1;
}

int
store_run_statement(struct store *s, enum store_statement which, struct error *err)
{
	sqlite3_stmt *st;

	if (which != STATEMENT_COMMIT)
		s->has_begun = false;
	st = store_statement(s, which, err);
	if (st == NULL || store_step(s, st, err) != 0)
		return -1;
	s->has_begun = which == STATEMENT_BEGIN;
	return 0;
}

static void
bind_span(sqlite3_stmt *st, int index, struct span text, sqlite3_destructor_type life)
{
	if (text.len == 0)
		(void)sqlite3_bind_null(st, index);
	else
		(void)sqlite3_bind_text(st, index, (const char *)text.data, (int)text.len, life);
}

void
store_bind_span(sqlite3_stmt *st, int index, struct span text)
{
	bind_span(st, index, text, SQLITE_TRANSIENT);
}

void
store_bind_borrowed(sqlite3_stmt *st, int index, struct span text)
{
	bind_span(st, index, text, SQLITE_STATIC);
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

int
store_column_code(sqlite3_stmt *st, int column, int last, bool *damaged)
{
	int64_t value = sqlite3_column_int64(st, column);

	if (value >= 0 && value <= last)
		return (int)value;
	*damaged = true;
	return 0;
}

struct span
store_column_span(sqlite3_stmt *st, int column)
{
	const void *text = sqlite3_column_text(st, column);

	return span_from(text, text != NULL ? (size_t)sqlite3_column_bytes(st, column) : 0);
}

const char *
store_column_text(sqlite3_stmt *st, int column)
{
	const char *text = (const char *)sqlite3_column_text(st, column);

	return text != NULL ? text : "";
}
