/*
 * switch_off - which services are switching old versions of TLS off, and which server belongs to
 * one of them.
 *
 * What is known of services comes from a data file with dates and sources (etc/switching-off.conf
 * describes its form), never from the code, and from the user's configuration.  A server is
 * recognised by its name; by its address only where no name is known that the client itself has
 * used, because an address says less.
 *
 * Memory:  as much as the file has, which is at most SWITCH_OFF_FILE_MAX bytes.
 * Threads: one at a time while it is filled; any number while it is only asked.
 */
#ifndef TLSTALLY_POLICY_SWITCH_OFF_H
#define TLSTALLY_POLICY_SWITCH_OFF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/error.h"
#include "base/service.h"
#include "base/span.h"
#include "event/finding.h"

#define SWITCH_OFF_FILE_MAX ((size_t)1 << 20)
/* In place of a service's name. */
#define SWITCH_OFF_OWN "a server named in the configuration"

struct switch_off; /* opaque */

/* What is known of the service that a server belongs to. */
struct switch_off_match {
	const char *service;  /* its name, for people; borrowed from the list */
	bool legacy_endpoint; /* an opt-in host, which takes old versions on purpose */
	bool by_address;      /* recognised by its address: which host it is, is not known */
	uint16_t below;       /* versions below this are switched off; 0: none are, it only has a
				 name */
	bool own;             /* the configuration names it, too: so are all others */
	bool has_date;
	int64_t date_us;    /* 00:00 UTC of the day from which on they are */
	bool has_version;   /* false: named by the configuration alone, and no service */
	int64_t version_us; /* of what is known of the service, as its source dates it */
};

struct switch_off *switch_off_new(void);
void switch_off_free(struct switch_off *s);

/*
 * A line that cannot be used.  `text` says what is wrong, what would be right, and what of the file
 * is used all the same.
 */
typedef void (*switch_off_fault_fn)(void *arg, unsigned line, const char *text);
/*
 * Adds what the file says.  A host or network that is wrong is left out; a service of which
 * anything else is wrong is left out whole, because it could be taken for more than was meant.
 * Returns how many lines were wrong.
 */
size_t switch_off_read(
    struct switch_off *s, struct span text, switch_off_fault_fn fault, void *arg);

/*
 * The user's own servers, for any protocol and port: a host name or "*.example.com", and networks.
 * `host` is one that hostname_pattern_is_valid().
 */
void switch_off_add_host(struct switch_off *s, const char *host);
void switch_off_add_networks(struct switch_off *s, const struct network_set *networks);

/*
 * Looks a server up.  `name` may be empty; case and a dot at its end do not count.  The port counts
 * for addresses only.  False: it belongs to none that is known.
 */
bool switch_off_find(const struct switch_off *s, struct span name, const struct addr *address,
    uint16_t port, enum protocol protocol, struct switch_off_match *out);
/* The same for the server of a finding; `s` may be NULL. */
bool switch_off_find_server(
    const struct switch_off *s, const struct finding *f, struct switch_off_match *out);

/* Of the services from files. */
size_t switch_off_service_count(const struct switch_off *s);
/* The oldest version among them; false where there is none. */
bool switch_off_oldest(const struct switch_off *s, int64_t *version_us);

#endif
