/*
 * printable - text from the network, made safe to show on a terminal.
 *
 * Control characters (C0, DEL, C1), bytes that are no UTF-8, characters that steer the direction of
 * text or have no width, and those that no font can show appear as \xNN, byte by byte.  Text that
 * was made printable once is left as it is.
 *
 * Threads: any.
 */
#ifndef TLSTALLY_POLICY_PRINTABLE_H
#define TLSTALLY_POLICY_PRINTABLE_H

#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/buf.h"
#include "base/span.h"

/* Appends `text`.  What would take more than `max` bytes ends in "...", whole characters only. */
void printable_add(struct buf *out, struct span text, size_t max);

/*
 * Appends "name:993", "192.0.2.1:993" or "[2001:db8::1]:993"; `server` is a name or an address as
 * text.  RFC 5890, section 2.3.2.1: a host name is ASCII on the wire, so whatever is not appears as
 * \xNN too, and a Cyrillic letter cannot pass for a Latin one.
 */
void printable_add_server(struct buf *out, struct span server, uint16_t port, size_t max);

#endif
