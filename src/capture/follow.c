/* F_SETLEASE and F_SETSIG are Linux's own. */
#define _GNU_SOURCE

#include "capture/follow.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/xalloc.h"
#include "capture/capture_internal.h"

#include "base/banned.h"

#define WINDOW_LEN_PEEK ((size_t)64 << 10)
/* Where it is not told: a file is no longer being written once another changed so much later. */
#define LATER_NS INT64_C(2000000000)
#define EVENTS (IN_CLOSE_WRITE | IN_MOVED_TO)

/* What a file looked like when the folder was listed last. */
struct look {
	uint64_t device, inode, size;
	int64_t changed_ns; /* the file's own time */
	int64_t status_ns;  /* ... and that of its owner, mode and name */
};

/* Whether somebody has a file open for writing. */
enum writer { WRITER_NONE, WRITER_THERE, WRITER_NOT_TOLD };

struct watched {
	char *path; /* owned */
	struct look look;
	int64_t quiet_since_us; /* the monotonic clock */
	int64_t first_us;       /* of the first packet; valid once peeked */
	bool closed;            /* its writer is done with it */
	bool done;              /* given, or nothing to give, as it looks now */
	bool peeked;
	bool unreadable; /* to be given all the same: who reads it says what is wrong with it */
};

struct follow {
	char *folder;
	int inotify_fd;        /* -1: there is none */
	struct watched *files; /* by path */
	size_t count;
	bool listing_is_stale;
	int64_t listed_us;
	bool failing; /* the folder could not be listed: `error` says why */
	struct error error;
};

struct follow *
follow_open(const char *folder, struct error *err)
{
	struct path_list found = { 0 };
	struct follow *f;

	if (folder_list(folder, &found, err) != 0)
		return NULL;
	path_list_release(&found);
	f = xcalloc(1, sizeof(*f));
	f->folder = xstrdup(folder);
	f->listing_is_stale = true;
	f->inotify_fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (f->inotify_fd >= 0 && inotify_add_watch(f->inotify_fd, folder, EVENTS) < 0) {
		(void)close(f->inotify_fd);
		f->inotify_fd = -1;
	}
	return f;
}

void
follow_free(struct follow *f)
{
	if (f == NULL)
		return;
	for (size_t i = 0; i < f->count; i++)
		free(f->files[i].path);
	free(f->files);
	if (f->inotify_fd >= 0)
		(void)close(f->inotify_fd);
	free(f->folder);
	free(f);
}

static bool
look_at(const char *path, struct look *out)
{
	struct stat st;

	if (stat(path, &st) != 0 || !S_ISREG(st.st_mode))
		return false;
	*out = (struct look){
		.device = st.st_dev,
		.inode = st.st_ino,
		.size = (uint64_t)st.st_size,
		.changed_ns = (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec,
		.status_ns = (int64_t)st.st_ctim.tv_sec * 1000000000 + st.st_ctim.tv_nsec,
	};
	return true;
}

/* What could not be read may have become readable. */
static bool
looks_the_same(const struct watched *w, const struct look *look)
{
	const struct look *was = &w->look;

	return was->device == look->device && was->inode == look->inode &&
	       was->size == look->size && was->changed_ns == look->changed_ns &&
	       (!w->unreadable || was->status_ns == look->status_ns);
}

/*
 * What is known of the file from the last listing.  Files come in the order of their paths, so the
 * old entries before *at are done with.
 */
static struct watched
renew(struct follow *f, size_t *at, const char *path, const struct look *look)
{
	struct watched fresh = { .look = *look, .quiet_since_us = clock_monotonic_us() };

	while (*at < f->count && strcmp(f->files[*at].path, path) < 0)
		(*at)++;
	if (*at < f->count && strcmp(f->files[*at].path, path) == 0 &&
	    looks_the_same(&f->files[*at], look))
		fresh = f->files[*at];
	fresh.path = xstrdup(path);
	return fresh;
}

static void
list_folder(struct follow *f)
{
	struct path_list found = { 0 };
	struct watched *files;
	size_t count = 0, at = 0;
	struct look look;

	f->listed_us = clock_monotonic_us();
	f->listing_is_stale = false;
	/* A folder that cannot be read for a while (its disk is gone) is looked at again later. */
	f->failing = folder_list(f->folder, &found, &f->error) != 0;
	if (f->failing)
		return;
	files = xcalloc(found.count + 1, sizeof(*files));
	for (size_t i = 0; i < found.count; i++) {
		if (look_at(found.paths[i], &look))
			files[count++] = renew(f, &at, found.paths[i], &look);
	}
	for (size_t i = 0; i < f->count; i++)
		free(f->files[i].path);
	free(f->files);
	f->files = files;
	f->count = count;
	path_list_release(&found);
}

static int
compare_path(const void *path, const void *file)
{
	return strcmp(path, ((const struct watched *)file)->path);
}

static void
note_closed(struct follow *f, const char *path)
{
	struct watched *w =
	    f->count == 0 ? NULL
			  : bsearch(path, f->files, f->count, sizeof(*f->files), compare_path);

	if (w != NULL)
		w->closed = true;
}

/* The names that inotify has; false when there were none. */
static bool
read_events(struct follow *f, struct path_list *closed)
{
	_Alignas(struct inotify_event) char bytes[4096];
	bool any = false;
	ssize_t len;

	if (f->inotify_fd < 0)
		return false;
	while ((len = read(f->inotify_fd, bytes, sizeof(bytes))) > 0) {
		any = true;
		for (size_t at = 0; at < (size_t)len;) {
			const struct inotify_event *e =
			    (const struct inotify_event *)(const void *)(bytes + at);

			if (e->len > 0 && e->name[0] != '.')
				path_list_add(closed, f->folder, e->name);
			at += sizeof(*e) + e->len;
		}
	}
	return any;
}

static void
refresh(struct follow *f)
{
	struct path_list closed = { 0 };

	if (read_events(f, &closed) || clock_monotonic_us() - f->listed_us >= FOLLOW_LIST_US)
		f->listing_is_stale = true;
	if (f->listing_is_stale)
		list_folder(f);
	for (size_t i = 0; i < closed.count; i++)
		note_closed(f, closed.paths[i]);
	path_list_release(&closed);
}

/*
 * Finds the time of the first packet.  A file without one is done with; one that cannot be read is
 * not, but nobody waits for it.
 */
static void
peek(struct watched *w)
{
	struct reader reader;
	struct frame first;
	struct look look;
	enum reader_open_answer opened = reader_open(&reader, w->path, WINDOW_LEN_PEEK);
	enum reader_answer found =
	    opened == READER_OPEN ? reader_advance(&reader, &first) : READER_END;

	w->peeked = true;
	if (found == READER_FRAME)
		w->first_us = first.time_us;
	else
		w->first_us = INT64_MAX;
	w->unreadable = opened == READER_UNREADABLE || found == READER_BAD ||
			(found == READER_END && reader.left_out_count > 0);
	/* It may also have gone since the folder was listed. */
	w->done = found != READER_FRAME && !(w->unreadable && look_at(w->path, &look));
	reader_close(&reader);
}

static int64_t
latest_change_ns(const struct follow *f)
{
	int64_t latest = INT64_MIN;

	for (size_t i = 0; i < f->count; i++) {
		if (f->files[i].look.changed_ns > latest)
			latest = f->files[i].look.changed_ns;
	}
	return latest;
}

/* There fcntl(2) says EAGAIN for any file, too. */
static bool
is_on_network(int fd)
{
	struct statfs fs;

	return fstatfs(fd, &fs) != 0 || fs.f_type == NFS_SUPER_MAGIC ||
	       (uint32_t)fs.f_type == CIFS_SUPER_MAGIC || (uint32_t)fs.f_type == SMB2_SUPER_MAGIC;
}

/*
 * fcntl(2): a read lease is given only where nobody has the file open for writing, and only to its
 * owner.
 */
static enum writer
look_for_writer(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	enum writer found = WRITER_NOT_TOLD;

	if (fd < 0)
		return found;
	/* Who opens it in between breaks the lease: SIGURG, unlike SIGIO, harms nobody. */
	if (fcntl(fd, F_SETSIG, SIGURG) == 0 && fcntl(fd, F_SETLEASE, F_RDLCK) == 0) {
		(void)fcntl(fd, F_SETLEASE, F_UNLCK);
		found = WRITER_NONE;
	} else if (errno == EAGAIN && !is_on_network(fd)) {
		found = WRITER_THERE;
	}
	(void)close(fd);
	return found;
}

static bool
is_finished(struct watched *w, int64_t latest_ns, int64_t now)
{
	enum writer writer;

	if (now - w->quiet_since_us >= FOLLOW_QUIET_US)
		w->closed = true;
	if (w->closed)
		return true;
	writer = look_for_writer(w->path);
	w->closed = writer == WRITER_NONE ||
		    (writer == WRITER_NOT_TOLD && latest_ns - LATER_NS > w->look.changed_ns);
	return w->closed;
}

/*
 * Rotation goes from one file to the next, so one that began before the finished one `next`, and
 * was not written to after it, will be finished soon, and comes first.
 */
static bool
is_awaited(const struct watched *w, const struct watched *next)
{
	return !w->done && !w->closed && w->first_us < next->first_us &&
	       w->look.changed_ns <= next->look.changed_ns;
}

static struct watched *
find_next(struct follow *f)
{
	int64_t latest_ns = latest_change_ns(f), now = clock_monotonic_us();
	struct watched *next = NULL;

	for (size_t i = 0; i < f->count; i++) {
		struct watched *w = &f->files[i];

		if (!w->done && !w->peeked)
			peek(w);
		if (!w->done && is_finished(w, latest_ns, now) &&
		    (next == NULL || w->first_us < next->first_us))
			next = w;
	}
	for (size_t i = 0; i < f->count && next != NULL; i++) {
		if (is_awaited(&f->files[i], next))
			next = NULL;
	}
	return next;
}

static void
wait_for_change(const struct follow *f, int wait_ms)
{
	struct pollfd change = { .fd = f->inotify_fd, .events = POLLIN };

	/* A negative descriptor is passed over, and the time is waited for. */
	(void)!poll(&change, 1, wait_ms);
}

const char *
follow_next(struct follow *f, int wait_ms)
{
	struct watched *next;

	refresh(f);
	next = find_next(f);
	if (next == NULL && wait_ms > 0) {
		wait_for_change(f, wait_ms);
		refresh(f);
		next = find_next(f);
	}
	if (next == NULL)
		return NULL;
	next->done = true;
	return next->path;
}

bool
follow_is_readable(const struct follow *f, struct error *err)
{
	if (f->failing)
		*err = f->error;
	return !f->failing;
}
