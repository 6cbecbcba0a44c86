/*
 * tally_numbers - where the kinds and stories of a tally are in the database, looked up once each.
 */
#ifndef TLSTALLY_STORE_TALLY_NUMBERS_H
#define TLSTALLY_STORE_TALLY_NUMBERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "event/finding.h"
#include "store/finding_set.h"
#include "tally/tally.h"

struct store; /* store_internal.h */

struct tally_number {
	int64_t id; /* 0: there is no row yet, as far as is known */
	bool seen;  /* and so it is known whether it is plain: */
	bool plain; /* it is kept as it is, without anything that cannot be printed */
};

struct tally_numbers {
	const struct tally *tally;
	struct tally_number *kinds, *stories; /* by their numbers in the tally */
};

void tally_numbers_init(struct tally_numbers *n, const struct tally *tally);
void tally_numbers_release(struct tally_numbers *n);
/* Makes those that are not there, and asks nothing of the database later. */
int tally_numbers_find_all(struct store *s, struct tally_numbers *n, struct error *err);
/*
 * A finding of the tally as it is to be stored, and where.  place->kind is 0 for a key that had to
 * be changed for that; and, without `keep`, for one that no finding has yet.
 */
int tally_numbers_finding(struct store *s, struct tally_numbers *n, size_t index, bool keep,
    struct finding *out, struct store_finding_place *place, struct error *err);

#endif
