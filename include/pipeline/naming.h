/*
 * naming - names that were seen on the mirror, and the events that lack one.
 *
 * One for all pipelines of a sensor, at the place where their events come together: a DNS answer
 * and the connection that follows it may have gone to different threads.  Names count from their
 * packet's time on, and an event is named as of its own time.  So all that matters is that a name
 * that was seen before an event is added before naming_apply is called for the event.
 *
 * A server without SNI is named by what this client last heard from DNS about its address, else by
 * what anyone did where that was one name only, else by its certificate, else by the one name that
 * certificates of the same address and port showed lately.  SPEC section 6.
 * A client is named by EHLO, DHCP, mDNS, NBNS, IMAP ID, in this order; an EHLO that names nobody
 * (an address, localhost) comes last.
 *
 * Memory:  bounded by NAMING_BYTES_MAX; what was learned longest ago gives way.
 * Threads: one at a time.
 */
#ifndef TLSTALLY_PIPELINE_NAMING_H
#define TLSTALLY_PIPELINE_NAMING_H

#include <stddef.h>

#include "event/event.h"
#include "names/observe.h"

#define NAMING_BYTES_MAX ((size_t)18 << 20)

struct naming; /* opaque */

struct naming *naming_new(void);
void naming_free(struct naming *naming);

void naming_add(struct naming *naming, const struct name_seen *seen);
/* Fills in what is known of the event's server and client, and learns its certificate's name. */
void naming_apply(struct naming *naming, struct event *ev);

size_t naming_bytes(const struct naming *naming);

#endif
