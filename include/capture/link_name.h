/*
 * link_name - names of link types, also of those that this program cannot read.
 */
#ifndef TLSTALLY_CAPTURE_LINK_NAME_H
#define TLSTALLY_CAPTURE_LINK_NAME_H

#include <stdint.h>

#include "base/buf.h"

/* "105 (IEEE802_11)"; the number alone where libpcap knows no name for it. */
void link_name_add(uint32_t link_type, struct buf *out);

#endif
