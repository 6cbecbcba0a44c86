/*
 * service - which TCP port carries which mail protocol, and what is usual there.
 *
 * The mode is a hint: what is recorded is what was seen on the wire.
 */
#ifndef TLSTALLY_BASE_SERVICE_H
#define TLSTALLY_BASE_SERVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/port_set.h"

enum protocol {
	PROTOCOL_NONE, /* the port is no service */
	PROTOCOL_TLS,  /* a service that is none of the mail protocols */
	PROTOCOL_IMAP,
	PROTOCOL_POP3,
	PROTOCOL_SMTP,
};
#define PROTOCOL_COUNT (PROTOCOL_SMTP + 1)

struct service {
	enum protocol protocol;
	bool starttls; /* STARTTLS or STLS is usual here */
};

struct service_set {
	uint8_t ports[65536];    /* what is there, and what is usual */
	struct port_set members; /* those with anything, for the question asked for every packet */
};

/* 993, 995, 465, 587, 143, 110: SPEC section 2. */
void service_set_init_defaults(struct service_set *set);
/* "PORT=imap|pop3|smtp|tls[+starttls]".  Returns -1 and says what is wrong; `set` unchanged. */
int service_set_add_text(struct service_set *set, const char *text, struct error *err);

static inline bool
service_set_has(const struct service_set *set, uint16_t port)
{
	return port_set_has(&set->members, port);
}

/* PROTOCOL_NONE for a port that the set does not have. */
struct service service_set_find(const struct service_set *set, uint16_t port);

/* "IMAP", "POP3", "SMTP", "TLS"; "" for PROTOCOL_NONE. */
const char *protocol_name(enum protocol protocol);
/* "imap" and so on, as options and files have it; "" for PROTOCOL_NONE. */
const char *protocol_to_text(enum protocol protocol);
/* Upper and lower case are the same; false, and `out` unchanged, for anything else. */
bool protocol_from_text(const char *text, size_t len, enum protocol *out);

#endif
