/*
 * whole_file - a file read at once, up to a bound.
 */
#ifndef TLSTALLY_BASE_WHOLE_FILE_H
#define TLSTALLY_BASE_WHOLE_FILE_H

#include <stddef.h>

#include "base/buf.h"

/*
 * Appends the whole file to `out`.  Returns -1 with errno when it cannot be opened or read, or has
 * more than `max` bytes (EFBIG); `out` then has what was read, which is one byte more than `max` of
 * a longer file.
 */
int whole_file_read(const char *path, size_t max, struct buf *out);

#endif
