#include "sink/log_socket.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

#include "base/banned.h"

void
log_socket_init(struct log_socket *s, const char *path)
{
	*s = (struct log_socket){ .path = path, .fd = -1 };
}

void
log_socket_release(struct log_socket *s)
{
	if (s->fd >= 0)
		(void)close(s->fd);
	s->fd = -1;
}

/* Returns 0 or an errno. */
static int
open_socket(struct log_socket *s)
{
	struct sockaddr_un name = { .sun_family = AF_UNIX };
	int why;

	(void)snprintf(name.sun_path, sizeof(name.sun_path), "%s", s->path);
	s->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (s->fd < 0)
		return errno;
	if (connect(s->fd, (const struct sockaddr *)(const void *)&name, sizeof(name)) == 0)
		return 0;
	why = errno;
	log_socket_release(s);
	return why;
}

/* The priority, the time and who it is. */
static size_t
write_header(char *out, size_t size)
{
	time_t now = time(NULL);
	char text[32] = "";
	struct tm parts;

	if (localtime_r(&now, &parts) != NULL)
		(void)strftime(text, sizeof(text), "%b %e %T", &parts);
	return (size_t)snprintf(
	    out, size, "<%d>%s tlstally[%ld]: ", LOG_DAEMON | LOG_INFO, text, (long)getpid());
}

static int
send_once(struct log_socket *s, struct span line)
{
	char header[96];
	struct iovec parts[2] = {
		{ .iov_base = header, .iov_len = write_header(header, sizeof(header)) },
		{ .iov_base = (void *)(uintptr_t)line.data, .iov_len = line.len },
	};
	const struct msghdr message = { .msg_iov = parts, .msg_iovlen = 2 };

	return sendmsg(s->fd, &message, MSG_NOSIGNAL) >= 0 ? 0 : errno;
}

/* False: the time is over. */
static bool
wait_for_room(const struct log_socket *s, int64_t deadline_us)
{
	struct pollfd p = { .fd = s->fd, .events = POLLOUT };
	int64_t left_us = deadline_us - clock_monotonic_us();

	return poll(&p, 1, left_us > 0 ? (int)(left_us / 1000) : 0) > 0;
}

int
log_socket_send(struct log_socket *s, struct span line, int64_t deadline_us)
{
	bool is_new = s->fd < 0;
	int why = is_new ? open_socket(s) : 0;

	/* A log that is a stream, as few are, is left to the library. */
	if (why == EPROTOTYPE) {
		syslog(LOG_INFO, "%.*s", (int)line.len, (const char *)line.data);
		return 0;
	}
	while (why == 0) {
		why = send_once(s, line);
		if (why == 0 || why == EMSGSIZE)
			return why;
		if (why == EINTR || (why == EAGAIN && wait_for_room(s, deadline_us))) {
			why = 0;
		} else if (why != EAGAIN && !is_new) {
			/* Who reads has begun anew. */
			log_socket_release(s);
			why = open_socket(s);
			is_new = true;
		}
	}
	return why == ENOBUFS ? EAGAIN : why;
}
