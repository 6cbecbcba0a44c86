/*
 * phrase - numbers, times and lists the way the report writes them.
 */
#ifndef TLSTALLY_REPORT_PHRASE_H
#define TLSTALLY_REPORT_PHRASE_H

#include <stdint.h>

#include "base/buf.h"

#define PHRASE_MINUTE_LEN 17 /* "2026-11-19 22:14" and a NUL */

/* UTC; returns `out`. */
const char *phrase_minute(int64_t time_us, char out[PHRASE_MINUTE_LEN]);
/* "12,345,678" */
void phrase_add_number(struct buf *out, uint64_t value);
/* "1 gap", "12 gaps". */
void phrase_add_count(struct buf *out, uint64_t value, const char *one, const char *many);
/* "3d 4h", "2h 5min", "45s": two units at most. */
void phrase_add_duration(struct buf *out, int64_t us);
/* "1.8 %"; "<0.1 %" where there is some but little. */
void phrase_add_share(struct buf *out, uint64_t part, uint64_t whole);

#endif
