/*
 * services_file - finds and reads the data file of services that are switching old versions off.
 */
#ifndef TLSTALLY_APP_SERVICES_FILE_H
#define TLSTALLY_APP_SERVICES_FILE_H

#include <stddef.h>

#include "base/error.h"
#include "config/config.h"
#include "policy/switch_off.h"

struct services_file {
	struct switch_off *list; /* owned */
	char *path;         /* owned; NULL: there is none, and `list` has no service of a file */
	size_t fault_count; /* lines of it that were wrong; they have been logged */
};

/*
 * Reads `given`; where that is NULL, the administrator's own, else the one beside the program (in
 * its build folder), else the installed one; then adds the servers that the configuration names
 * (`config` may be NULL).
 *
 * Returns -1 when a file that was given cannot be read; `out` is to be released either way.
 */
int services_file_load(
    struct services_file *out, const char *given, const struct config *config, struct error *err);
/* The list, now the caller's. */
struct switch_off *services_file_detach(struct services_file *f);
void services_file_release(struct services_file *f);
/* Logs that none was found: nothing can be said to break then. */
void services_file_warn_if_missing(const struct services_file *f);

#endif
