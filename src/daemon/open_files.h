/*
 * open_files - how many files may be open at once (ulimit -n), looked at before the first one
 * fails.
 *
 * Source: getrlimit(2), RLIMIT_NOFILE.
 */
#ifndef TLSTALLY_DAEMON_OPEN_FILES_H
#define TLSTALLY_DAEMON_OPEN_FILES_H

#include <stddef.h>

#include "base/error.h"

/*
 * Makes sure that so many may be, as far as the hard limit lets the soft one be raised.  Those that
 * are open already count too.
 */
int open_files_allow(size_t count, struct error *err);

#endif
