/*
 * dns - which addresses a DNS answer gives to the name that was asked for.
 *
 * What the snapshot length cut, or a segment of TCP does not hold, is left out: the records before
 * it count.
 *
 * Source: RFC 1035 section 4 (messages), 2181 section 11 (names are any bytes), 3596 (AAAA), 6762
 *         (mDNS).
 * Memory: none but the caller's; bounded work per message, whatever its pointers say.
 */
#ifndef TLSTALLY_NAMES_DNS_H
#define TLSTALLY_NAMES_DNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/span.h"

#define DNS_NAME_MAX 253 /* labels with dots between them: RFC 1035, section 2.3.4 */
#define DNS_ADDRS_MAX 16 /* more of one answer are left out */

/* In lower case; any bytes but a dot inside a label, which no host has. */
struct dns_name {
	uint8_t len;
	char text[DNS_NAME_MAX];
};

struct dns_address {
	struct addr addr;
	uint32_t ttl; /* seconds */
};

struct dns_addresses {
	struct dns_name name;
	size_t count; /* at least one */
	struct dns_address items[DNS_ADDRS_MAX];
};

/*
 * A response to one question: the question's name, with the addresses to which it leads, directly
 * or by CNAME records in any order.  False for anything else.
 */
bool dns_answer_parse(struct span message, struct dns_addresses *out);
/* What a host says of itself by mDNS: the first owner of address records, with its addresses. */
bool dns_announcement_parse(struct span message, struct dns_addresses *out);

#endif
