/*
 * log_socket - lines to the system's log, without waiting for it longer than is said.
 *
 * syslog(3) waits for as long as nobody reads, and loses what it cannot write without a word.
 *
 * Sources: syslog(3), unix(7); RFC 3164, section 4.1, for the form.
 */
#ifndef TLSTALLY_SINK_LOG_SOCKET_H
#define TLSTALLY_SINK_LOG_SOCKET_H

#include <stdint.h>

#include "base/span.h"

struct log_socket {
	const char *path; /* borrowed */
	int fd;           /* -1: not connected */
};

void log_socket_init(struct log_socket *s, const char *path);
void log_socket_release(struct log_socket *s);

/*
 * Sends a line.  Returns 0, or the errno of what is in the way: EAGAIN where nobody has read until
 * `deadline_us` of the monotonic clock, EMSGSIZE where the line can never be sent.
 */
int log_socket_send(struct log_socket *s, struct span line, int64_t deadline_us);

#endif
