#include "app/event_writer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "base/xalloc.h"

#include "base/banned.h"

#define WRITE_AT 262144             /* bytes of JSON per write */
#define HOLD_MAX ((size_t)16 << 20) /* bytes held back while nothing can be written */

struct event_writer {
	struct event_writer_options options;
	char *path;
	char *sensor;
	int fd;
	struct buf held;
	uint64_t lost;
	int last_errno; /* of a write that failed; 0: the last one went well */
};

static int
open_file(const struct event_writer *w, struct error *err)
{
	int flags = O_WRONLY | O_CREAT | O_CLOEXEC | (w->options.append ? O_APPEND : O_TRUNC);
	int fd;

	if (strcmp(w->path, "-") == 0)
		return STDOUT_FILENO;
	fd = open(w->path, flags, 0640);
	if (fd < 0)
		error_set(err, "cannot write events to %s: %s", w->path, strerror(errno));
	return fd;
}

struct event_writer *
event_writer_new(const struct event_writer_options *options, struct error *err)
{
	struct event_writer *w = xcalloc(1, sizeof(*w));

	w->options = *options;
	w->sensor = xstrdup(options->sensor);
	w->fd = -1;
	if (options->target == EVENT_TARGET_SYSLOG) {
		openlog("tlstally", LOG_PID, LOG_DAEMON);
		return w;
	}
	w->path = xstrdup(options->path);
	w->fd = open_file(w, err);
	if (w->fd >= 0)
		return w;
	event_writer_free(w);
	return NULL;
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
	close_file(w->fd);
	buf_release(&w->held);
	free(w->path);
	free(w->sensor);
	free(w);
}

static void
write_held(struct event_writer *w)
{
	size_t done = 0;

	w->last_errno = 0;
	while (done < w->held.len) {
		ssize_t n = write(w->fd, w->held.data + done, w->held.len - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			w->last_errno = n < 0 ? errno : EIO;
			break;
		}
		done += (size_t)n;
	}
	/* The rest of a line that went out in part comes first next time. */
	memmove(w->held.data, w->held.data + done, w->held.len - done);
	w->held.len -= done;
}

void
event_writer_add(struct event_writer *w, const struct event *ev, const char *source)
{
	if (w->options.target == EVENT_TARGET_SYSLOG) {
		buf_clear(&w->held);
		event_write_json(ev, w->sensor, source, &w->held);
		syslog(LOG_INFO, "%.*s", (int)w->held.len - 1, w->held.data);
		buf_clear(&w->held);
		return;
	}
	if (w->held.len >= HOLD_MAX) {
		w->lost++;
		return;
	}
	event_write_json(ev, w->sensor, source, &w->held);
	if (w->held.len >= WRITE_AT && w->last_errno == 0)
		write_held(w);
}

int
event_writer_flush(struct event_writer *w, struct error *err)
{
	if (w->held.len > 0)
		write_held(w);
	if (w->held.len == 0)
		return 0;
	error_set(err, "cannot write events to %s: %s",
	    strcmp(w->path, "-") == 0 ? "standard output" : w->path, strerror(w->last_errno));
	return -1;
}

int
event_writer_reopen(struct event_writer *w, struct error *err)
{
	int fd;

	if (w->options.target == EVENT_TARGET_SYSLOG)
		return 0;
	fd = open_file(w, err);
	if (fd < 0)
		return -1;
	close_file(w->fd);
	w->fd = fd;
	return 0;
}

uint64_t
event_writer_lost(const struct event_writer *w)
{
	return w->lost;
}
