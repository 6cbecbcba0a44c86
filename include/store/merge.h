/*
 * merge - another database's sensors, taken into this one.
 *
 * Rows are sums, so nothing in them says what they were counted from.  Therefore a database has a
 * random name of its own, and the one that takes it in keeps, beside the sums, a copy of what it
 * took per database and sensor (a part).  Taking the same database in again adds what its rows grew
 * by since; nothing is counted twice.
 *
 * Within one sensor, what cannot be told apart is refused: the same capture counted in both, live
 * captures of the same interface at the same time, and two copies of one database that have each
 * grown on their own.  Sensors with different names are kept apart and never compared.
 */
#ifndef TLSTALLY_STORE_MERGE_H
#define TLSTALLY_STORE_MERGE_H

#include "store/store.h"

struct store_merged {
	size_t sensor_count;    /* in the other database */
	size_t unchanged_count; /* of these, with nothing that is not here already */
	size_t run_count;       /* new, or gone on */
	uint64_t event_count;   /* new handshakes and sessions in cleartext */
};

/*
 * Between store_begin and store_commit of `into`, whose judge is asked for each client that has
 * something new.  `from` is only read.  -1: roll back; `err` has one sentence.
 */
int store_merge(
    struct store *into, struct store *from, struct store_merged *out, struct error *err);

#endif
