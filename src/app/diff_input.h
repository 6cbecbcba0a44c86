/*
 * diff_input - the sides of a diff from files: a database, or an export of one.
 */
#ifndef TLSTALLY_APP_DIFF_INPUT_H
#define TLSTALLY_APP_DIFF_INPUT_H

#include <stdbool.h>

#include "report/diff.h"

/* A larger export is taken for a mistake: it is held in memory. */
#define DIFF_INPUT_MAX ((size_t)1 << 30)

/*
 * Loads the whole file as a side, and appends what was observed in it, in sentences.  `side` may be
 * released also after -1.
 */
int diff_input_load(struct diff_side *side, const char *path, const struct diff_options *options,
    struct buf *coverage, struct error *err);

/* Appends what a database says was observed between the two; INT64_MIN and INT64_MAX: at all. */
int diff_input_coverage(struct store *s, const struct diff_options *options, int64_t from_us,
    int64_t to_us, struct buf *coverage, struct error *err);

struct diff_input_times {
	int64_t before_us;
	bool any; /* false: nothing was captured */
	int64_t begin_us, end_us;
	int64_t heard_us; /* end of the latest run with a packet; INT64_MIN: there is none */
};

/* Of what was captured before that moment. */
int diff_input_times(
    struct store *s, int64_t before_us, struct diff_input_times *out, struct error *err);

#endif
