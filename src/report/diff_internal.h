/*
 * diff_internal - what the files of the diff share.
 */
#ifndef TLSTALLY_REPORT_DIFF_INTERNAL_H
#define TLSTALLY_REPORT_DIFF_INTERNAL_H

#include "report/diff.h"
#include "report/sensor_days.h"

/* diff_side.c: growing a side. */
struct diff_client *diff_side_add_client(struct diff_side *side);
struct diff_row *diff_client_add_row(struct diff_client *c);
struct diff_day *diff_client_add_day(struct diff_client *c);
/* `sensor` is copied; NULL: not known. */
void diff_side_add_interval(
    struct diff_side *side, const char *sensor, int64_t begin_us, int64_t end_us);
/* Forgets the intervals of which it is not known whose they are, but not how long they were. */
void diff_side_drop_unnamed(struct diff_side *side);
/* Puts everything in order. */
void diff_side_finish(struct diff_side *side);

int diff_client_compare(const struct diff_client *a, const struct diff_client *b);
/* By server, port and the rest of what makes a row one row. */
int diff_row_compare(const struct diff_row *a, const struct diff_row *b);
int diff_day_compare(const struct diff_day *a, const struct diff_day *b);

/* A verdict that somebody has to act on. */
bool diff_is_bad(enum verdict verdict);
/* A handshake that went through at or above the minimum. */
bool diff_is_good(const struct diff_row *row);

/* diff_cadence.c */
/* What was captured for either side; `b` may be NULL. */
void diff_observed_init(
    struct sensor_days *observed, const struct diff_side *a, const struct diff_side *b);
/* Of what `row` counts, as known before `at_day`. */
void diff_silence_of(const struct diff_client *c, const struct diff_row *row,
    const struct observed_days *observed, int64_t at_day, struct silence *out);

#endif
