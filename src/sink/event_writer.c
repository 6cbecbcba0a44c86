#include "sink/event_writer.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/output_file.h"
#include "base/xalloc.h"
#include "event/event_form.h"
#include "event/event_lines.h"
#include "sink/log_socket.h"

#include "base/banned.h"

#define WRITE_AT 262144             /* bytes of JSON per write */
#define HOLD_MAX ((size_t)16 << 20) /* bytes held back while nothing can be written */
#define LINE_MAX_LEN 65536          /* more than any line of JSON has */

/* The writer waits so long for a slow reader where it must not block: at a time, and at the end. */
#define PATIENCE_US INT64_C(100000)
#define LAST_PATIENCE_US INT64_C(5000000)

struct event_writer {
	struct event_writer_options options;
	char *path;
	char *sensor;
	struct event_lines *lines;
	int fd;
	struct log_socket log; /* instead of `fd` */
	struct buf held;       /* begins with a line */
	struct buf own;        /* a record that is put into another form */
	size_t sent;           /* bytes of that line that are written already */
	uint64_t lost;
	int last_errno; /* of a write that failed; 0: the last one went well */
};

/* A writer that was killed may have left the beginning of a line at the end of the file. */
static void
mend_end(int fd)
{
	char end[LINE_MAX_LEN];
	struct stat st;
	ssize_t count, keep;
	off_t from;

	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
		return;
	from = st.st_size > (off_t)sizeof(end) ? st.st_size - (off_t)sizeof(end) : 0;
	count = keep = pread(fd, end, sizeof(end), from);
	while (keep > 0 && end[keep - 1] != '\n')
		keep--;
	/* Only what looks like ours is touched. */
	if (keep < count && (keep > 0 || from == 0) && end[keep] == '{')
		(void)!ftruncate(fd, from + keep);
}

/* A capture or a database given by mistake is neither written over nor added to. */
static bool
holds_something_else(int fd)
{
	struct stat st;
	char first;

	return fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && pread(fd, &first, 1, 0) == 1 &&
	       first != '{';
}

static int
begin(int fd, const char *path, bool append, struct error *err)
{
	struct stat st;

	if (holds_something_else(fd)) {
		error_set(err, "%s holds something other than events; give another name", path);
		return -1;
	}
	if (append) {
		mend_end(fd);
		return 0;
	}
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && ftruncate(fd, 0) != 0) {
		error_set(err, "cannot write events to %s: %s", path, strerror(errno));
		return -1;
	}
	return 0;
}

static int
open_file(const struct event_writer *w, struct error *err)
{
	int flags = (w->options.append ? O_APPEND : 0) | O_CREAT | O_CLOEXEC;
	struct stat st;
	bool read;
	int fd;

	if (strcmp(w->path, "-") == 0)
		return STDOUT_FILENO;
	if (output_file_is_of_database(w->path)) {
		error_set(err, "%s is a database, or belongs to one; give another name", w->path);
		return -1;
	}
	/* What can only be written to, a pipe for one, may be a target as well. */
	read = w->options.append || stat(w->path, &st) != 0 || S_ISREG(st.st_mode);
	fd = open(w->path, (read ? O_RDWR : O_WRONLY) | flags, 0640);
	if (fd < 0 && read && errno == EACCES)
		fd = open(w->path, O_WRONLY | flags, 0640);
	if (fd < 0) {
		error_set(err, "cannot write events to %s: %s", w->path, strerror(errno));
	} else if (begin(fd, w->path, w->options.append, err) != 0) {
		(void)close(fd);
		return -1;
	}
	return fd;
}

struct event_writer *
event_writer_new(const struct event_writer_options *options, struct error *err)
{
	struct event_writer *w = xcalloc(1, sizeof(*w));

	w->options = *options;
	w->sensor = xstrdup(options->sensor);
	w->lines = event_lines_new(options->sensor);
	w->fd = -1;
	if (options->target == EVENT_TARGET_SYSLOG) {
		openlog("tlstally", LOG_PID, LOG_DAEMON);
		w->path = xstrdup(options->path != NULL ? options->path : _PATH_LOG);
		log_socket_init(&w->log, w->path);
		return w;
	}
	w->path = xstrdup(options->path);
	w->fd = open_file(w, err);
	if (w->fd >= 0)
		return w;
	event_writer_free(w);
	return NULL;
}

/* Takes back the part of a line that was written: the whole line goes to where the next ones go. */
static void
take_back_part(struct event_writer *w)
{
	struct stat st;

	if (w->sent > 0 && fstat(w->fd, &st) == 0 && S_ISREG(st.st_mode) &&
	    st.st_size >= (off_t)w->sent && ftruncate(w->fd, st.st_size - (off_t)w->sent) == 0)
		w->sent = 0;
}

static void
close_file(int fd)
{
	if (fd >= 0 && fd != STDOUT_FILENO)
		(void)close(fd);
}

void
event_writer_free(struct event_writer *w)
{
	if (w == NULL)
		return;
	if (w->options.target == EVENT_TARGET_SYSLOG) {
		log_socket_release(&w->log);
	} else {
		take_back_part(w);
		close_file(w->fd);
	}
	buf_release(&w->held);
	buf_release(&w->own);
	event_lines_free(w->lines);
	free(w->path);
	free(w->sensor);
	free(w);
}

/*
 * How much can be written without waiting longer than until `deadline_us`.  A blocking pipe is left
 * blocking, because others may use it too; to a pipe with room, a write of PIPE_BUF bytes returns
 * at once.
 */
static size_t
room(const struct event_writer *w, size_t len, int64_t deadline_us)
{
	struct pollfd p = { .fd = w->fd, .events = POLLOUT };
	struct stat st;

	if (!w->options.must_not_wait || (fstat(w->fd, &st) == 0 && S_ISREG(st.st_mode)))
		return len;
	for (;;) {
		int64_t left_us = deadline_us - clock_monotonic_us();
		int count = poll(&p, 1, left_us > 0 ? (int)(left_us / 1000) : 0);

		if (count > 0)
			return len < PIPE_BUF ? len : PIPE_BUF;
		if (count == 0 || errno != EINTR)
			return 0;
	}
}

/* Who shares standard output may have made it one that does not wait. */
static bool
must_wait(const struct event_writer *w)
{
	struct pollfd p = { .fd = w->fd, .events = POLLOUT };

	if (errno == EINTR)
		return true;
	if (errno != EAGAIN || w->options.must_not_wait)
		return false;
	return poll(&p, 1, -1) > 0 || errno == EINTR;
}

/* Who empties the file takes the part of a line away, too: the whole line is written once more. */
static void
look_for_part(struct event_writer *w)
{
	struct stat st;

	if (w->sent > 0 && fstat(w->fd, &st) == 0 && S_ISREG(st.st_mode) &&
	    st.st_size < (off_t)w->sent)
		w->sent = 0;
}

static void
drop_held(struct event_writer *w, size_t len)
{
	memmove(w->held.data, w->held.data + len, w->held.len - len);
	w->held.len -= len;
}

/* Each line is a message of its own. */
static void
log_held(struct event_writer *w, int64_t deadline_us)
{
	size_t done = 0;

	w->last_errno = 0;
	while (done < w->held.len && w->last_errno == 0) {
		const char *line = (const char *)w->held.data + done;
		size_t len = (size_t)((const char *)memchr(line, '\n', w->held.len - done) - line);

		w->last_errno = log_socket_send(&w->log, span_from(line, len), deadline_us);
		if (w->last_errno == EMSGSIZE) {
			w->lost++;
			w->last_errno = 0;
		}
		done += w->last_errno == 0 ? len + 1 : 0;
	}
	drop_held(w, done);
}

static void
write_held(struct event_writer *w, int64_t patience_us)
{
	int64_t deadline_us = clock_monotonic_us() + patience_us;
	size_t done, keep;

	if (w->options.target == EVENT_TARGET_SYSLOG) {
		log_held(w, deadline_us);
		return;
	}
	look_for_part(w);
	done = w->sent;
	w->last_errno = 0;
	while (done < w->held.len) {
		size_t len = room(w, w->held.len - done, deadline_us);
		ssize_t n;

		if (len == 0) {
			w->last_errno = EAGAIN;
			break;
		}
		n = write(w->fd, w->held.data + done, len);
		if (n < 0 && must_wait(w))
			continue;
		if (n <= 0) {
			w->last_errno = n < 0 ? errno : EIO;
			break;
		}
		done += (size_t)n;
	}
	for (keep = done; keep > 0 && w->held.data[keep - 1] != '\n'; keep--)
		;
	w->sent = done - keep;
	drop_held(w, keep);
}

static void
write_line(struct event_writer *w, const struct event *ev, const char *source)
{
	if (w->options.form == RECORD_FORM_TLSTALLY) {
		event_lines_add(w->lines, ev, source, &w->held);
		return;
	}
	buf_clear(&w->own);
	event_lines_add(w->lines, ev, source, &w->own);
	event_form_write(w->options.form, ev, w->sensor,
	    span_from(w->own.data, w->own.len - 1), /* without its newline */
	    &w->held);
}

void
event_writer_add(struct event_writer *w, const struct event *ev, const char *source)
{
	if (w->held.len >= HOLD_MAX) {
		w->lost++;
		return;
	}
	write_line(w, ev, source);
	if (w->held.len >= WRITE_AT && w->last_errno == 0)
		write_held(w, PATIENCE_US);
}

static int
flush(struct event_writer *w, int64_t patience_us, struct error *err)
{
	if (w->held.len > 0)
		write_held(w, patience_us);
	if (w->held.len == 0)
		return 0;
	error_set(err, "cannot write events to %s: %s",
	    w->options.target == EVENT_TARGET_SYSLOG ? "the system's log"
	    : strcmp(w->path, "-") == 0              ? "standard output"
						     : w->path,
	    w->last_errno == EAGAIN ? "who reads them does not keep up" : strerror(w->last_errno));
	return -1;
}

int
event_writer_flush(struct event_writer *w, struct error *err)
{
	return flush(w, PATIENCE_US, err);
}

int
event_writer_finish(struct event_writer *w, struct error *err)
{
	int result = flush(w, LAST_PATIENCE_US, err);

	for (size_t i = 0; i < w->held.len; i++)
		w->lost += w->held.data[i] == '\n';
	buf_clear(&w->held);
	return result;
}

/* Whether both lead to the reader who has the beginning of a line already. */
static bool
is_same_pipe(int a, int b)
{
	struct stat x, y;

	return fstat(a, &x) == 0 && fstat(b, &y) == 0 && S_ISFIFO(x.st_mode) &&
	       x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

int
event_writer_reopen(struct event_writer *w, struct error *err)
{
	int fd;

	if (w->options.target == EVENT_TARGET_SYSLOG || strcmp(w->path, "-") == 0)
		return 0;
	/* First, because it may be the same file: opening it takes the part of a line away, too. */
	if (w->sent > 0)
		write_held(w, PATIENCE_US);
	take_back_part(w);
	fd = open_file(w, err);
	if (fd < 0)
		return -1;
	if (!is_same_pipe(fd, w->fd))
		w->sent = 0;
	close_file(w->fd);
	w->fd = fd;
	return 0;
}

uint64_t
event_writer_lost(const struct event_writer *w)
{
	return w->lost;
}
