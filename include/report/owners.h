/*
 * owners - the user's own list of names: whose device is at which address.
 *
 * CSV (RFC 4180): address or network, name, owner, note; the last two may be left out.  A line's
 * end inside a quoted field is read as a blank.  Semicolons or tabs may stand for the commas, as in
 * the first line.  Lines that begin with # are comments, and a first line whose first field is
 * "address" or "network" names the columns.  Of several networks the one with the longest prefix
 * counts.
 *
 * A bad line is reported with its number and left out: the others are no worse for it.
 *
 * Memory: a file of at most OWNERS_FILE_MAX bytes.
 */
#ifndef TLSTALLY_REPORT_OWNERS_H
#define TLSTALLY_REPORT_OWNERS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/addr.h"
#include "base/error.h"
#include "base/span.h"

#define OWNERS_FILE_MAX ((size_t)16 << 20)

/* Texts: any bytes; NULL where the field is empty. */
struct owner {
	bool is_network; /* of several devices: its name is not that of one of them */
	const char *name, *owner, *note;
};

struct owners; /* opaque */

/* `what`: a sentence without its full stop. */
typedef void (*owners_fault_fn)(void *arg, unsigned line, const char *what);

/* NULL, and `err` says why, when the file cannot be read. */
struct owners *owners_read_file(
    const char *path, owners_fault_fn fault, void *arg, struct error *err);
struct owners *owners_from_text(struct span text, owners_fault_fn fault, void *arg);
void owners_free(struct owners *o);

/* Lines that were left out. */
size_t owners_bad_count(const struct owners *o);
/* NULL: not in the list.  Borrowed. */
const struct owner *owners_find(const struct owners *o, const struct addr *a);

#endif
