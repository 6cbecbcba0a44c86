/*
 * shared_names - names that many hold, each kept once.
 *
 * Two names that are equal are therefore the same pointer.
 *
 * Memory: a name's bytes and 24 more, and a bucket, as long as somebody holds it.
 */
#ifndef TLSTALLY_BASE_SHARED_NAMES_H
#define TLSTALLY_BASE_SHARED_NAMES_H

#include "base/span.h"

struct shared_names; /* opaque */
struct shared_name;  /* opaque */

struct shared_names *shared_names_new(void);
/* Frees all names. */
void shared_names_free(struct shared_names *names);

/* To be given back as often as it was taken; at most 65535 bytes.  NULL for an empty name. */
struct shared_name *shared_name_take(struct shared_names *names, struct span text);
/* Takes it once more.  Not NULL. */
void shared_name_hold(struct shared_name *given);
/* NULL: no effect. */
void shared_name_give_back(struct shared_names *names, struct shared_name *given);
/* Borrowed as long as it is held; empty for NULL. */
struct span shared_name_span(const struct shared_name *name);
/* Bytes that all names take, with the table that finds them. */
size_t shared_names_bytes(const struct shared_names *names);

#endif
