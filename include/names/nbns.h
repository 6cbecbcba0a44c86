/*
 * nbns - the name that a Windows host, or a Samba server, claims for its address.
 *
 * Source: RFC 1001 section 14.1 (encoding), RFC 1002 section 4.2 (messages).
 */
#ifndef TLSTALLY_NAMES_NBNS_H
#define TLSTALLY_NAMES_NBNS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/span.h"

#define NBNS_NAME_MAX 15

struct nbns_claim {
	struct addr addr;
	uint8_t name_len;         /* at least one */
	char name[NBNS_NAME_MAX]; /* any bytes */
};

/* A registration, a refresh or a positive answer for the unique name of a host. */
bool nbns_parse(struct span payload, struct nbns_claim *out);

#endif
