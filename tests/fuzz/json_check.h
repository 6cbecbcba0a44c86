/*
 * json_check - is this line one JSON object in UTF-8, and nothing else?
 *
 * Source: RFC 8259; RFC 3629 (UTF-8).
 */
#ifndef TLSTALLY_TESTS_FUZZ_JSON_CHECK_H
#define TLSTALLY_TESTS_FUZZ_JSON_CHECK_H

#include <stdbool.h>

#include "base/span.h"

/* `line` without its newline.  Control characters, DEL and the C1 controls must be escaped. */
bool json_check_line(struct span line);

#endif
