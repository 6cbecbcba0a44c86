/* From a path to a connection: what may be opened, how, and what to say where it cannot be. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "store/store_internal.h"

#include "base/banned.h"

/* Who talks to whom, with names of devices: for the owner and a group, not for all. */
#define FILE_MODE 0640
/*
 * From so much on the write-ahead log is moved into the database: a page that several flushes
 * change goes there once.  A log that was larger, by one flush, is cut back to this.  A database
 * that is smaller has a log of its own size at most, as its disk may be small too.
 */
#define WAL_KEPT_BYTES 16777216
#define WAL_KEPT_MIN_BYTES 1048576
#define PAGE_BYTES 4096

/*
 * Made by hand for its mode; SQLite gives the same to the files beside it.  Never called for a file
 * that is there: closing it would drop the locks that this process has on it.
 */
static int
make_file(const char *path, struct error *err)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, FILE_MODE);

	if (fd < 0) {
		error_set(err, "cannot make the database %s: %s", path,
		    errno == ENOENT ? "its folder does not exist" : strerror(errno));
		return -1;
	}
	(void)close(fd);
	return 0;
}

/* SQLite has room for so much of the whole path, with the name of a journal. */
static bool
is_too_long(const char *path, size_t *max)
{
	sqlite3_vfs *vfs = sqlite3_vfs_find(NULL);
	char whole[PATH_MAX];

	/* Without memory SQLite has not begun; to open the file will say so. */
	if (vfs == NULL)
		return false;
	*max = (size_t)vfs->mxPathname - strlen("-journal");
	/* The low byte of the answer: the rest says that there are links in the path. */
	return (vfs->xFullPathname(vfs, path, (int)sizeof(whole), whole) & 0xff) == SQLITE_OK &&
	       strlen(whole) > *max;
}

static int
check_name(const char *path, struct error *err)
{
	size_t max;

	if (path[0] == '\0') {
		error_set(err, "the name of the database is empty; give the name of a file");
		return -1;
	}
	if (strcmp(path, "-") == 0) {
		error_set(err,
		    "a database cannot be read from standard input or written to standard output; "
		    "give the name of a file (./- for one that is called so)");
		return -1;
	}
	if (is_too_long(path, &max)) {
		error_set(err,
		    "the whole path of the database is longer than the %zu bytes that SQLite has "
		    "room for: %s",
		    max, path);
		return -1;
	}
	return 0;
}

static int
check_file(const struct store *s, struct error *err)
{
	bool to_write = s->mode != STORE_READ;
	struct stat st;

	if (check_name(s->path, err) != 0)
		return -1;
	if (stat(s->path, &st) != 0) {
		if (errno == ENOENT && to_write)
			return make_file(s->path, err);
		if (errno == ENOENT)
			error_set(err,
			    "there is no database %s; 'tlstally replay' or 'tlstally capture' "
			    "makes one",
			    s->path);
		else
			error_set(err, "cannot open the database %s: %s", s->path, strerror(errno));
		return -1;
	}
	if (S_ISDIR(st.st_mode)) {
		error_set(err, "%s is a folder; give the name of a file in it", s->path);
		return -1;
	}
	if (!S_ISREG(st.st_mode)) {
		error_set(err, "%s is no ordinary file; give another database", s->path);
		return -1;
	}
	/* SQLite takes a single byte for nothing, and would write over it. */
	if (st.st_size == 1) {
		store_error_not_ours(s, err);
		return -1;
	}
	if (access(s->path, to_write ? R_OK | W_OK : R_OK) != 0) {
		error_set(err, "cannot %s the database %s: %s", to_write ? "write to" : "read",
		    s->path, strerror(errno));
		return -1;
	}
	return 0;
}

/* Nobody asks how much memory SQLite uses, and counting takes a lock for each allocation. */
static void
set_up_sqlite(void)
{
	(void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

static int
connect_to(struct store *s, const char *name, int flags, struct error *err)
{
	/* In one thread at a time; a reader that waits for a writer's recovery waits too. */
	if (sqlite3_open_v2(name, &s->db, flags | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK) {
		if (s->db != NULL)
			store_error(s, "open", err);
		else
			error_set(err, "cannot open %s: out of memory", s->path);
		return -1;
	}
	store_set_busy_timeout(s, STORE_BUSY_TIMEOUT_MS);
	return 0;
}

/* sqlite.org/uri.html: '?' and '#' end the path, '%' begins an escape. */
static void
add_uri(struct buf *uri, const char *path)
{
	buf_add_text(uri, path[0] == '/' ? "file://" : "file:");
	for (const char *p = path; *p != '\0'; p++) {
		if (*p == '?' || *p == '#' || *p == '%')
			buf_addf(uri, "%%%02x", (unsigned)*p);
		else
			buf_add_char(uri, *p);
	}
	buf_add_text(uri, "?immutable=1");
}

/* Of either kind: write-ahead, or for going back. */
static bool
has_log(const struct store *s)
{
	const char *file = sqlite3_db_filename(s->db, "main");
	const char *names[] = { sqlite3_filename_wal(file), sqlite3_filename_journal(file) };
	struct stat st;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (names[i] != NULL && stat(names[i], &st) == 0 && st.st_size > 0)
			return true;
	}
	return false;
}

/*
 * A database in WAL mode in a folder where this user cannot make the files that readers share is
 * read as it stands, unless a log beside it says that it does not stand still.
 */
static int
open_standing_still(struct store *s, struct error *err)
{
	struct buf uri = { 0 };
	int result;

	if (has_log(s)) {
		error_set(err,
		    "cannot read %s: a -wal or -journal file beside it belongs to it, which takes "
		    "a "
		    "folder that can be written to; copy both files into one",
		    s->path);
		return -1;
	}
	(void)sqlite3_close(s->db);
	s->db = NULL;
	add_uri(&uri, s->path);
	result = connect_to(s, buf_text(&uri), SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, err);
	buf_release(&uri);
	return result;
}

/* SQLite's status, of the kind that says more. */
static int
try_to_read(struct store *s)
{
	sqlite3_stmt *st = NULL;
	int status = sqlite3_prepare_v2(s->db, "SELECT 1 FROM sqlite_master", -1, &st, NULL);

	(void)sqlite3_finalize(st);
	return status == SQLITE_OK ? SQLITE_OK : sqlite3_extended_errcode(s->db);
}

/*
 * A writer that was killed while the database had no write-ahead log yet (STORE_FILL) has left a
 * journal, by which the file is put back to what it was.  A connection for reading does not do so.
 */
static int
take_back(struct store *s, int *status, struct error *err)
{
	(void)sqlite3_close(s->db);
	s->db = NULL;
	if (connect_to(s, s->path, SQLITE_OPEN_READWRITE, err) != 0)
		return -1;
	(void)try_to_read(s);
	(void)sqlite3_close(s->db);
	s->db = NULL;
	if (connect_to(s, s->path, SQLITE_OPEN_READONLY, err) != 0)
		return -1;
	*status = try_to_read(s);
	return 0;
}

static int
open_for_reading(struct store *s, struct error *err)
{
	int status;

	if (connect_to(s, s->path, SQLITE_OPEN_READONLY, err) != 0)
		return -1;
	status = try_to_read(s);
	if (status == SQLITE_READONLY_ROLLBACK && access(s->path, W_OK) == 0 &&
	    take_back(s, &status, err) != 0)
		return -1;
	if (status == SQLITE_OK)
		return 0;
	/* In a folder of somebody else SQLite says that it is read-only. */
	if ((status & 0xff) == SQLITE_CANTOPEN || (status & 0xff) == SQLITE_READONLY)
		return open_standing_still(s, err);
	store_error(s, "read", err);
	return -1;
}

/* ":memory:" and "file:x.db" are names of files like any other to us. */
static void
hide_from_sqlite(struct store *s)
{
	struct buf path = { 0 };

	if (s->path[0] != ':' && strncmp(s->path, "file:", 5) != 0)
		return;
	buf_addf(&path, "./%s", s->path);
	free(s->path);
	s->path = xstrdup(buf_text(&path));
	buf_release(&path);
}

/* After each commit. */
static int
move_log(void *arg, sqlite3 *db, const char *name, int page_count)
{
	int64_t log_len = (int64_t)page_count * PAGE_BYTES;
	sqlite3_file *file = NULL;
	sqlite3_int64 file_len = 0;

	(void)arg;
	if (log_len < WAL_KEPT_MIN_BYTES)
		return SQLITE_OK;
	if (log_len >= WAL_KEPT_BYTES ||
	    (sqlite3_file_control(db, name, SQLITE_FCNTL_FILE_POINTER, &file) == SQLITE_OK &&
		file->pMethods->xFileSize(file, &file_len) == SQLITE_OK && log_len >= file_len))
		store_move_log(db);
	return SQLITE_OK;
}

void
store_move_log(sqlite3 *db)
{
	(void)sqlite3_wal_checkpoint_v2(db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
}

static int
configure(struct store *s, struct error *err)
{
	char sql[256];

	(void)sqlite3_snprintf(sizeof(sql), sql,
	    "PRAGMA cache_size = -%d; PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON; "
	    "PRAGMA synchronous = NORMAL; PRAGMA journal_size_limit = %d",
	    STORE_CACHE_KIB, WAL_KEPT_BYTES);
	(void)sqlite3_wal_hook(s->db, move_log, NULL);
	if (sqlite3_exec(s->db, sql, NULL, NULL, NULL) == SQLITE_OK &&
	    store_batch_prepare(s) == 0 && store_set_prepare(s) == 0)
		return 0;
	store_error(s, "open", err);
	return -1;
}

int
store_open_file(struct store *s, struct error *err)
{
	static pthread_once_t set_up = PTHREAD_ONCE_INIT;
	struct stat st;
	int result;

	(void)pthread_once(&set_up, set_up_sqlite);
	hide_from_sqlite(s);
	if (check_file(s, err) != 0)
		return -1;
	if (s->mode == STORE_READ)
		result = open_for_reading(s, err);
	else
		result = connect_to(s, s->path, SQLITE_OPEN_READWRITE, err);
	if (result == 0 && stat(s->path, &st) == 0) {
		s->device = st.st_dev;
		s->inode = st.st_ino;
	}
	return result == 0 ? configure(s, err) : -1;
}

int
store_check_place(const struct store *s, struct error *err)
{
	struct stat st;
	bool is_there = stat(s->path, &st) == 0;

	/* Who has given up the right to look into the folder cannot know. */
	if (!is_there && errno != ENOENT && errno != ENOTDIR)
		return 0;
	if (is_there && st.st_dev == s->device && st.st_ino == s->inode)
		return 0;
	error_set(err,
	    "the database %s was moved, removed or replaced while it was in use; put it back, or "
	    "start again with what is there now",
	    s->path);
	return -1;
}

bool
store_may_have_log(const struct store *s)
{
	struct stat st;

	return stat(s->path, &st) != 0 || st.st_dev != s->device || st.st_ino != s->inode ||
	       has_log(s);
}
