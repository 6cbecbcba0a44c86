#include "base/output_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/timestamp.h"
#include "base/xalloc.h"

#include "base/banned.h"

/* Names end as mkstemp wants it; the point in front hides what a killed run may leave. */
#define UNFINISHED ".XXXXXX"
/* Linux follows as many, one after the other. */
#define LINKS_MAX 40

static int
write_to(int fd, struct span content)
{
	while (content.len > 0) {
		ssize_t len = write(fd, content.data, content.len);

		if (len < 0 && errno == EINTR)
			continue;
		if (len < 0)
			return -1;
		content = span_from(content.data + len, content.len - (size_t)len);
	}
	return 0;
}

static int
write_through(const char *path, struct span content, struct error *err)
{
	bool is_stdout = strcmp(path, "-") == 0;
	int fd = is_stdout ? STDOUT_FILENO : open(path, O_WRONLY | O_CLOEXEC);
	int rc = -1;

	if (fd < 0) {
		error_set(err, "cannot open %s: %s", path, strerror(errno));
		return -1;
	}
	if (write_to(fd, content) != 0)
		error_set(err, "cannot write to %s: %s", is_stdout ? "standard output" : path,
		    strerror(errno));
	else
		rc = 0;
	if (!is_stdout)
		(void)close(fd);
	return rc;
}

/* A renamed file is safe on the disk once its folder is. */
static int
sync_folder(const char *path)
{
	char *copy = xstrdup(path);
	int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC), rc = -1;

	if (fd >= 0) {
		/* Some file systems cannot: then there is nothing more to be done. */
		rc = fsync(fd) == 0 || errno == EINVAL || errno == EROFS ? 0 : -1;
		(void)close(fd);
	}
	free(copy);
	return rc;
}

static mode_t
mode_for(const struct stat *old)
{
	mode_t mask;

	if (old != NULL)
		return old->st_mode & 0777;
	mask = umask(077);
	(void)umask(mask);
	return 0666 & ~mask;
}

/* "folder/.name.XXXXXX": of a long name as much as leaves room for the rest. */
static void
unfinished_name(const char *path, struct buf *out)
{
	const size_t room = NAME_MAX - strlen("." UNFINISHED);
	const char *slash = strrchr(path, '/');
	const char *name = slash != NULL ? slash + 1 : path;
	size_t len = strlen(name);

	buf_add(out, path, (size_t)(name - path));
	buf_add_char(out, '.');
	buf_add(out, name, len < room ? len : room);
	buf_add(out, UNFINISHED, sizeof(UNFINISHED));
}

/* `old`: of the file that is there; NULL: none. */
static int
write_and_rename(const char *path, const struct stat *old, struct span content, struct error *err)
{
	struct buf name = { 0 };
	bool made = false, closed;
	int fd, rc = -1;

	unfinished_name(path, &name);
	fd = mkstemp(name.data);
	if (fd < 0) {
		error_set(err,
		    errno == ENOENT ? "cannot write %s: its folder does not exist"
				    : "cannot make a file beside %s: %s",
		    path, strerror(errno));
		goto out;
	}
	made = true;
	if (fchmod(fd, mode_for(old)) != 0 || write_to(fd, content) != 0 || fsync(fd) != 0) {
		error_set(err, "cannot write %s: %s", path, strerror(errno));
		goto out;
	}
	closed = close(fd) == 0;
	fd = -1;
	if (!closed || rename(name.data, path) != 0) {
		error_set(err, "cannot write %s: %s", path, strerror(errno));
		goto out;
	}
	made = false;
	if (sync_folder(path) != 0) {
		error_set(
		    err, "cannot bring the folder of %s to the disk: %s", path, strerror(errno));
		goto out;
	}
	rc = 0;
out:
	if (fd >= 0)
		(void)close(fd);
	if (made)
		(void)unlink(name.data);
	buf_release(&name);
	return rc;
}

/* By its first bytes (sqlite.org/fileformat2.html, section 1.3.1). */
static bool
is_database(const char *path)
{
	static const char magic[] = "SQLite format 3";
	char first[sizeof(magic)];
	struct stat st;
	bool is;
	int fd;

	if (stat(path, &st) != 0 || !S_ISREG(st.st_mode))
		return false;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	is = pread(fd, first, sizeof(first), 0) == (ssize_t)sizeof(first) &&
	     memcmp(first, magic, sizeof(first)) == 0;
	(void)close(fd);
	return is;
}

bool
output_file_is_of_database(const char *path)
{
	/* What SQLite keeps beside a database holds a part of it (section 4.2 there; wal.html). */
	static const char *const endings[] = { "", "-wal", "-shm", "-journal" };
	size_t len = strlen(path);
	bool is = false;

	for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]) && !is; i++) {
		size_t ending_len = strlen(endings[i]);
		char *database;

		if (len <= ending_len || strcmp(path + len - ending_len, endings[i]) != 0)
			continue;
		database = xstrdup(path);
		database[len - ending_len] = '\0';
		is = is_database(database);
		free(database);
	}
	return is;
}

/* As the kernel, it goes on from the folder that the link is in. */
static void
step_along(struct buf *path, const char *link)
{
	const char *slash = strrchr(buf_text(path), '/');

	path->len = slash != NULL && link[0] != '/' ? (size_t)(slash + 1 - path->data) : 0;
	buf_add_text(path, link);
}

/* The file that is not there does not come in the place of a link to it. */
static int
write_new(const char *path, struct span content, struct error *err)
{
	char link[PATH_MAX];
	struct buf end = { 0 };
	ssize_t len;
	int rc;

	buf_add_text(&end, path);
	for (unsigned links = 0; links < LINKS_MAX; links++) {
		len = readlink(buf_text(&end), link, sizeof(link) - 1);
		if (len < 0)
			break;
		link[len] = '\0';
		step_along(&end, link);
	}
	rc = write_and_rename(buf_text(&end), NULL, content, err);
	buf_release(&end);
	return rc;
}

int
output_file_write(const char *path, struct span content, struct error *err)
{
	struct stat old;
	char *target;
	int rc;

	if (strcmp(path, "-") == 0)
		return write_through(path, content, err);
	if (path[0] == '\0') {
		error_set(err, "the name of the file to write is empty");
		return -1;
	}
	if (output_file_is_of_database(path)) {
		error_set(err, "%s is a database, or belongs to one; give another name", path);
		return -1;
	}
	if (stat(path, &old) != 0)
		return write_new(path, content, err);
	if (S_ISDIR(old.st_mode)) {
		error_set(err, "cannot write %s: it is a folder", path);
		return -1;
	}
	if (!S_ISREG(old.st_mode))
		return write_through(path, content, err);
	target = realpath(path, NULL);
	if (target == NULL) {
		error_set(err, "cannot write %s: %s", path, strerror(errno));
		return -1;
	}
	rc = write_and_rename(target, &old, content, err);
	free(target);
	return rc;
}

/* "tlstally-20261120T221400Z." and the ending, nothing else. */
static bool
is_dated_name(const char *name, const char *ending)
{
	static const char pattern[] = "tlstally-ddddddddTddddddZ.";

	for (const char *p = pattern; *p != '\0'; p++, name++) {
		bool fits = *p == 'd' ? *name >= '0' && *name <= '9' : *name == *p;

		if (!fits)
			return false;
	}
	return strcmp(name, ending) == 0;
}

static void
dated_name(int64_t time_us, const char *ending, struct buf *out)
{
	char text[TIMESTAMP_TEXT_LEN];

	/* "2026-11-20T22:14:00.000000Z" without what a file's name need not have. */
	timestamp_to_text(time_us, text);
	buf_add_text(out, "tlstally-");
	for (const char *p = text; *p != '\0' && *p != '.'; p++) {
		if (*p != '-' && *p != ':')
			buf_add_char(out, *p);
	}
	buf_addf(out, "Z.%s", ending);
}

static int
compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/*
 * The dates in the names are their order, so the oldest come first.  *why: the errno with which
 * readdir left out the rest of them; 0: it did not.
 */
static char **
list_dated(DIR *dir, const char *ending, const char *but, size_t *count, int *why)
{
	char **names = NULL;
	size_t room = 0;
	const struct dirent *entry;
	struct stat st;

	*count = 0;
	for (errno = 0; (entry = readdir(dir)) != NULL; errno = 0) {
		if (!is_dated_name(entry->d_name, ending) || strcmp(entry->d_name, but) == 0)
			continue;
		if (fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0 ||
		    !S_ISREG(st.st_mode))
			continue;
		names = xgrow(names, *count, &room, sizeof(*names));
		names[(*count)++] = xstrdup(entry->d_name);
	}
	*why = errno;
	if (*count > 0)
		qsort(names, *count, sizeof(*names), compare_names);
	return names;
}

/* `newest` stays whatever its date: the clock may have been set back. */
static int
remove_oldest(
    const char *folder, const char *ending, const char *newest, size_t keep, struct error *err)
{
	DIR *dir = opendir(folder);
	char **names;
	size_t count;
	int rc = 0, why;

	if (dir == NULL) {
		error_set(err, "cannot read the folder %s: %s", folder, strerror(errno));
		return -1;
	}
	names = list_dated(dir, ending, newest, &count, &why);
	if (why != 0) {
		error_set(err, "cannot read the folder %s: %s", folder, strerror(why));
		rc = -1;
	}
	for (size_t i = 0; i < count; i++) {
		if (rc == 0 && count - i > keep - 1 && unlinkat(dirfd(dir), names[i], 0) != 0 &&
		    errno != ENOENT) {
			error_set(
			    err, "cannot remove %s/%s: %s", folder, names[i], strerror(errno));
			rc = -1;
		}
		free(names[i]);
	}
	free(names);
	(void)closedir(dir);
	return rc;
}

int
output_file_write_dated(const char *folder, int64_t time_us, const char *ending, size_t keep,
    struct span content, struct error *err)
{
	struct buf name = { 0 }, path = { 0 };
	int rc;

	if (folder[0] == '\0') {
		error_set(err, "the name of the folder to write to is empty");
		return -1;
	}
	dated_name(time_us, ending, &name);
	buf_addf(&path, "%s/%s", folder, buf_text(&name));
	rc = output_file_write(buf_text(&path), content, err);
	if (rc == 0 && keep > 0)
		rc = remove_oldest(folder, ending, buf_text(&name), keep, err);
	buf_release(&name);
	buf_release(&path);
	return rc;
}
