/*
 * sole_capture - whether another daemon counts the same packets under the same name already.
 *
 * A socket in Linux's abstract namespace is what they tell each other by: it belongs to the network
 * namespace as interfaces do, leaves no file, and is gone with its process, however that ends.
 *
 * Source: unix(7).
 */
#ifndef TLSTALLY_DAEMON_SOLE_CAPTURE_H
#define TLSTALLY_DAEMON_SOLE_CAPTURE_H

#include <stddef.h>

#include "config/config.h"

/* Begins as zeros. */
struct sole_capture {
	int *claims; /* owned; one for each interface, -1: none */
	size_t count;
};

/*
 * `database`: the name of a file that is there.  Returns a descriptor, to be kept open as long as
 * the capture goes on; -1 with errno, which is EADDRINUSE where there is such a daemon.
 */
int sole_capture_claim(const char *database, const char *sensor, const char *interface);
/* Claims the interfaces of `config`, and logs which of them another daemon has. */
void sole_capture_claim_all(struct sole_capture *s, const struct config *config);
void sole_capture_release(struct sole_capture *s);

#endif
