/*
 * observe - one packet of a name service → what it says about names.
 *
 * Without a memory of its own, so that any thread may read any packet; names/name_cache.h keeps
 * what was seen.  Of DNS over TCP each segment is read by itself: an answer that begins with a
 * segment counts as far as that segment goes.
 *
 * Source: ports of the IANA registry; RFC 1035 section 4.2.2 (DNS over TCP).
 */
#ifndef TLSTALLY_NAMES_OBSERVE_H
#define TLSTALLY_NAMES_OBSERVE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/span.h"

#define NAME_SEEN_MAX 253

enum name_seen_kind {
	NAME_SEEN_DNS,  /* `client` was told that `name` is at `addr` */
	NAME_SEEN_DHCP, /* the device `mac` has `addr`, or calls itself `name`, or both */
	NAME_SEEN_MDNS, /* the device at `addr` calls itself `name` */
	NAME_SEEN_NBNS, /* the same */
};

/* One thing that was seen.  What is behind `name_len` bytes of the name is not touched. */
struct name_seen {
	enum name_seen_kind kind;
	int64_t time_us;          /* packet time */
	uint32_t ttl;             /* seconds; 0: not told */
	struct addr client;       /* NAME_SEEN_DNS */
	struct addr addr;         /* family 0: not told (NAME_SEEN_DHCP) */
	bool from_server;         /* NAME_SEEN_DHCP: what the server calls the device */
	uint8_t mac[6];           /* NAME_SEEN_DHCP */
	uint8_t name_len;         /* 0: not told (NAME_SEEN_DHCP) */
	char name[NAME_SEEN_MAX]; /* any bytes */
};

struct name_packet {
	struct addr src, dst;
	uint16_t src_port, dst_port;
	bool tcp;
	struct span payload; /* as captured */
	int64_t time_us;
};

typedef void (*name_seen_fn)(void *arg, const struct name_seen *seen);

void names_observe(const struct name_packet *packet, name_seen_fn fn, void *arg);
/* Copies what is in use. */
void name_seen_copy(struct name_seen *to, const struct name_seen *from);

#endif
