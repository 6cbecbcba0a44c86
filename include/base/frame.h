/*
 * frame - one captured frame: bytes, time, link type.
 */
#ifndef TLSTALLY_BASE_FRAME_H
#define TLSTALLY_BASE_FRAME_H

#include <stdint.h>

#include "base/span.h"

struct frame {
	struct span bytes;  /* as captured; borrowed until the next read from the source */
	uint32_t wire_len;  /* bytes on the wire; more than bytes.len when the snap length cut it */
	uint32_t link_type; /* LINKTYPE_ value of the capture file formats (not a DLT_ value) */
	uint32_t source;    /* index of the file or interface, for the event's `source` */
	int64_t time_us;    /* microseconds since 1970-01-01 UTC */
};

#endif
