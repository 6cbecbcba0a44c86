/*
 * proxy_header - the PROXY protocol's header, which a load balancer puts in front of a client's own
 * bytes to tell the server for whom it speaks.  It is neither mail nor TLS, and is passed over.
 *
 * Source: HAProxy's "The PROXY protocol", versions 1 and 2, section 2.
 * Memory: a few bytes, embedded.
 */
#ifndef TLSTALLY_SESSION_PROXY_HEADER_H
#define TLSTALLY_SESSION_PROXY_HEADER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"

/* All zero: nothing was read yet. */
struct proxy_header {
	uint8_t version; /* 0: not known yet, or none */
	uint8_t len;     /* of what was read; of version 2 its fixed part at most */
	bool done;       /* what follows is the client's own */
	bool again;      /* this is the second one */
	uint16_t left;   /* version 2: bytes of addresses to come */
};

/* True where a header's whole signature stands at the beginning. */
bool proxy_header_is_at(struct span bytes);

/*
 * Reads on; `bytes` is left with what does not belong to the header.  Returns what was read in
 * earlier calls and turns out to be no header: the client's own words, in front of `bytes`.
 */
struct span proxy_header_read(struct proxy_header *h, struct span *bytes);

#endif
