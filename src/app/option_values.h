/*
 * option_values - values of options that several commands have, read alike everywhere.
 *
 * Each that reads returns -1 after it has logged what is wrong and what can be given.
 */
#ifndef TLSTALLY_APP_OPTION_VALUES_H
#define TLSTALLY_APP_OPTION_VALUES_H

#include <stdint.h>

#include "base/record_form.h"

/* The database of a command that is told of none. */
#define OPTION_DEFAULT_DB "tlstally.db"

/* A version by its name: TLS_VERSION_*. */
int option_version(const char *option, const char *text, uint16_t *out);
/* How events or rows of an export are written. */
int option_form(const char *option, const char *text, enum record_form *out);
/* Decimal digits and nothing else. */
int option_number(
    const char *option, const char *text, uint64_t least, uint64_t most, uint64_t *out);
/* What option_number reads, without a word. */
int option_number_from_text(const char *text, uint64_t least, uint64_t most, uint64_t *out);

/* Behind a message: where the options are explained.  Returns the exit status. */
int option_usage_error(const char *command);

#endif
