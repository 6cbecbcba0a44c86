/*
 * common_name - of the subject of a certificate, as text.
 *
 * Source: RFC 4514.
 */
#ifndef TLSTALLY_EVENT_COMMON_NAME_H
#define TLSTALLY_EVENT_COMMON_NAME_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/span.h"

/* Appends the first CN of "CN=mail,O=Example", without escapes; false where there is none. */
bool common_name_add(struct span subject, struct buf *out);

#endif
