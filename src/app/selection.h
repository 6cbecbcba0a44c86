/*
 * selection - the options that say what of a database is looked at, for the commands that show it.
 *
 * Each returns -1 after it has logged what is wrong.
 */
#ifndef TLSTALLY_APP_SELECTION_H
#define TLSTALLY_APP_SELECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"

/* Adds the named ones to *out: bit 1 << verdict each. */
int selection_parse_verdicts(const char *option, const char *text, uint32_t *out);
int selection_parse_time(const char *option, const char *text, bool *has, int64_t *out);
/* Both times may be given, or one, or none. */
int selection_check_times(bool has_since, int64_t since_us, bool has_until, int64_t until_us);
/* Adds the networks. */
int selection_parse_clients(const char *text, struct network_set *clients);
/* What is written (NULL: nothing) must be none of the files that are read for it (NULL: none). */
int selection_check_output(
    const char *option, const char *output, const char *const inputs[], size_t count);

#endif
