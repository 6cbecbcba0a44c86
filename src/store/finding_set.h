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
enum finding_change { FINDING_SAME, FINDING_COUNTED, FINDING_RENEWED };

/* Where a finding is stored; kind and story 0: their rows have yet to be found, or made. */
struct store_finding_place {
	int64_t client, kind, story;
	bool apart; /* in a row of its own, not in the client's */
};

/*
 * One client's findings while they are brought up to date.  First those that were stored before,
 * the `own_count` of the client's own row and then the others, both in the order of kinds; then the
 * new ones.
 */
struct finding_set {
	struct finding *items;
	struct store_finding_place *places; /* the client's number is not set */
	struct store_judgement *judged;
	struct store_judgement *stored; /* of those that were stored, and `changes` too */
	uint8_t *changes;               /* enum finding_change */
	struct span *packed; /* of those of the client's own row: as they stand there, in `row` */
	struct buf row;
	size_t own_count, stored_count, count, room;
	struct set_loading *loading; /* while it is read */
	/* By store_set_write, for the client's row: its own findings, packed, and what all tell. */
	struct buf text;
	bool has_apart;
	uint16_t worst_version, best_version; /* 0: none */
};

/* finding_row.c */
/* Writes it with the next batch; `place` is whole. */
int store_finding_write(struct store *s, const struct store_finding_place *place,
    const struct finding *f, struct store_judgement judged, struct error *err);
/* True when it can be one of those in its client's row; then adds it to them. */
bool store_finding_fits(const struct store_finding_place *place, const struct finding *f);
void store_finding_pack(struct buf *out, const struct store_finding_place *place,
    const struct finding *f, struct store_judgement judged);
/* The beginning of such a name; then the rest, which leaves what is of kind and story. */
bool store_finding_unpack_place(struct span *name, struct store_finding_place *out);
bool store_finding_unpack(
    struct span name, uint64_t number, struct finding *out, struct store_judgement *judged);
/*
 * These, of STORE_FINDING_OWN_COLUMNS, of STORE_FINDING_MORE_COLUMNS or from column `first` on,
 * fill in what is theirs and leave the rest of `out` as it is.  *more: there are those, too. False,
 * with `out` fit to be used: the row holds what no tlstally writes.
 */
bool store_finding_read_own(
    sqlite3_value *const *values, struct finding *out, struct store_judgement *judged, bool *more);
void store_finding_read_more(sqlite3_value *const *values, struct finding *out);
bool store_kind_read(sqlite3_stmt *st, int first, struct finding_key *out);
bool store_story_read(sqlite3_stmt *st, int first, struct finding *out);

/* finding_load.c */
int store_set_prepare(struct store *s);
/* Into a set that is clear: what its own row has of a client; then, its rows of `finding`. */
int store_set_load_own(
    struct store *s, struct span packed, const struct addr *ip, struct error *err);
int store_set_load_apart(
    struct store *s, int64_t client_id, const struct addr *ip, struct error *err);

/* finding_set.c */
void store_set_release(struct finding_set *set);
void store_set_clear(struct finding_set *set);
/* For `count` in all, one at least. */
void store_set_make_room(struct finding_set *set, size_t count);
/* Among those that were stored, by its kind; NULL: it is none of them. */
struct finding *store_set_find_stored(struct finding_set *set, int64_t kind);
/* Removes findings of the client's own row that were last seen before that, `max` at most; returns
 * how many. */
size_t store_set_drop(struct store *s, int64_t before_us, size_t max);
/* Puts what was loaded in the order of keys, for who only reads it. */
void store_set_sort(struct finding_set *set);
/* What the tally holds of it. */
int store_set_add(struct store *s, struct tally_numbers *numbers, const struct tally_client *c,
    struct error *err);
/* Findings from elsewhere, that are as they are stored; `bounded`: none of them is folded. */
int store_set_add_findings(
    struct store *s, const struct finding *findings, size_t count, bool bounded, struct error *err);
/* Writes what is new or has changed, with its rank; what is the client's own into set.text. */
int store_set_write(struct store *s, int64_t client_id, struct error *err);

#endif
