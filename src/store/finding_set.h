/*
 * finding_set - one client's findings, from the rows that they are stored in and back.
 *
 * finding_row.c knows what a row looks like, finding_load.c reads those of a client, and
 * finding_set.c brings them up to date and writes what has changed.
 */
#ifndef TLSTALLY_STORE_FINDING_SET_H
#define TLSTALLY_STORE_FINDING_SET_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/span.h"
#include "event/finding.h"
#include "store/store.h"

struct store;         /* store_internal.h */
struct tally_numbers; /* tally_numbers.h */

/* What has to be written of a finding that was stored before. */
enum finding_change {
	FINDING_SAME,    /* nothing */
	FINDING_COUNTED, /* its counts and times */
	FINDING_RENEWED, /* its story, too */
};

/* Where a finding is stored: the numbers of its rows; 0: the row has yet to be found, or made. */
struct store_finding_place {
	int64_t client, kind, story;
	bool apart; /* in a row of `finding`, and not packed in the client's row */
};

/*
 * One client's findings while they are brought up to date, in arrays with an element for each: the
 * `own_count` that came from the client's own row, then up to `stored_count` those that came from
 * rows of `finding`, both in the order of kinds; then up to `count` the new ones.
 */
struct finding_set {
	struct finding *items;
	struct store_finding_place *places; /* without the client's number */
	struct store_judgement *judged;     /* what the judge says now */
	struct store_judgement *stored;     /* up to stored_count: what was stored */
	uint8_t *changes;                   /* up to stored_count: enum finding_change */
	struct span *packed;                /* up to own_count: as it stands in `row` */
	struct buf row;                     /* copy of the findings in the client's own row */
	size_t own_count, stored_count, count, room;
	struct set_loading *loading; /* set while rows are read */
	/* Results of store_set_write, for the client's row. */
	struct buf text;                      /* the findings that it has itself, packed */
	bool has_apart;                       /* others are in rows of `finding` */
	uint16_t worst_version, best_version; /* of all findings; 0: none */
};

/* --- finding_row.c: what a row looks like --- */

/* Puts a finding into the next batch of rows of `finding`.  All numbers of `place` are set. */
int store_finding_write(struct store *s, const struct store_finding_place *place,
    const struct finding *f, struct store_judgement judged, struct error *err);
/* True if all the finding's numbers have room in its client's row. */
bool store_finding_fits(const struct store_finding_place *place, const struct finding *f);
/* Adds such a finding to those of its client's row, in `out`. */
void store_finding_pack(struct buf *out, const struct store_finding_place *place,
    const struct finding *f, struct store_judgement judged);
/*
 * Read such a finding, a name and a number: first the place from the name's front, then the rest,
 * which sets no member of `out` that kind and story tell.  False: no tlstally writes that.
 */
bool store_finding_unpack_place(struct span *name, struct store_finding_place *out);
bool store_finding_unpack(
    struct span name, uint64_t number, struct finding *out, struct store_judgement *judged);
/*
 * Read the columns of a row: STORE_FINDING_OWN_COLUMNS, STORE_FINDING_MORE_COLUMNS, or those from
 * column `first` on.  Each sets what its columns tell, and leaves the rest of `out` as it is.
 * `more`: the finding has a row of `finding_more` as well.  False: the row holds what no tlstally
 * writes; `out` may be used all the same.
 */
bool store_finding_read_own(
    sqlite3_value *const *values, struct finding *out, struct store_judgement *judged, bool *more);
void store_finding_read_more(sqlite3_value *const *values, struct finding *out);
bool store_kind_read(sqlite3_stmt *st, int first, struct finding_key *out);
bool store_story_read(sqlite3_stmt *st, int first, struct finding *out);

/* --- finding_load.c: reading a client's findings --- */

/* Makes a new connection ready for the next two; -1: it cannot be. */
int store_set_prepare(struct store *s);
/*
 * Load the findings of the client with that address into s->set, which is clear: first those of its
 * own row, `packed`, then its rows of `finding`.
 */
int store_set_load_own(
    struct store *s, struct span packed, const struct addr *ip, struct error *err);
int store_set_load_apart(
    struct store *s, int64_t client_id, const struct addr *ip, struct error *err);

/* --- finding_set.c: bringing them up to date --- */

void store_set_release(struct finding_set *set);
void store_set_clear(struct finding_set *set);
/* Makes room for `count` findings in all; one or more. */
void store_set_make_room(struct finding_set *set, size_t count);
/* The finding of that kind among those that were stored; NULL: there is none. */
struct finding *store_set_find_stored(struct finding_set *set, int64_t kind);
/*
 * Removes findings of the client's own row that were last seen before `before_us`, `max` at most;
 * returns how many.
 */
size_t store_set_drop(struct store *s, int64_t before_us, size_t max);
/* Puts the items in the order of keys, for who only reads them: the other arrays stay. */
void store_set_sort(struct finding_set *set);
/* Adds the findings that the tally has of a client; `numbers`: those of its kinds and stories. */
int store_set_add(struct store *s, struct tally_numbers *numbers, const struct tally_client *c,
    struct error *err);
/* Adds findings of another database; `bounded`: they are few enough, and none is folded. */
int store_set_add_findings(
    struct store *s, const struct finding *findings, size_t count, bool bounded, struct error *err);
/*
 * Writes the findings that are new or have changed, with their judgements: those for the client's
 * own row into set.text, the others into the next batch.
 */
int store_set_write(struct store *s, int64_t client_id, struct error *err);

#endif
