/*
 * follow - a folder into which another program rotates captures: gives each finished file once, in
 * the order of their first packets.
 *
 * A file is finished when its writer has closed it or it was moved into the folder, or when it has
 * not changed for FOLLOW_QUIET_US.  Where the kernel can be asked (the file is the caller's own, on
 * a local disk), so is a file that nobody has open for writing; elsewhere one beside which stands a
 * later one.  A file that changes after it was given is given again: what was read of it before
 * is known by its identity (capture/saved.h).  Hidden files, and what is no capture, are passed
 * over; a capture of which nothing can be read is given, so that the caller can say so.
 *
 * Source:  inotify(7); where that does not work (network file systems), the folder is listed every
 *          FOLLOW_LIST_US.
 * Memory:  an entry per file that is in the folder.
 * Threads: one at a time.
 */
#ifndef TLSTALLY_CAPTURE_FOLLOW_H
#define TLSTALLY_CAPTURE_FOLLOW_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

#define FOLLOW_QUIET_US INT64_C(60000000)
#define FOLLOW_LIST_US INT64_C(5000000)

struct follow; /* opaque */

/* NULL, and `err` says why, when the folder cannot be read. */
struct follow *follow_open(const char *folder, struct error *err);
void follow_free(struct follow *f);

/*
 * The path of the next finished file; NULL when there is none after up to `wait_ms`, or a signal
 * came.  Borrowed until the next call.
 */
const char *follow_next(struct follow *f, int wait_ms);
/* Whether the folder could be read when it was looked at last; else `err` says why not. */
bool follow_is_readable(const struct follow *f, struct error *err);

#endif
