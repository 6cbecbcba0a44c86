/* One client's findings: what is stored of it, joined with what the tally brings. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/few.h"
#include "base/xalloc.h"
#include "store/columns.h"
#include "store/packed.h"
#include "store/store_internal.h"
#include "store/tally_numbers.h"

#include "base/banned.h"

/* New findings are taken in so many at a time, which bounds the memory for a client that floods. */
#define SLICE 4096
/*
 * Of rows under STORE_OTHER_SERVERS so many keep their port and the rest of the key; beyond, only
 * protocol, mode, version and outcome tell them apart, which is bounded by itself.
 */
#define OTHER_SERVERS_MAX 1024

void
store_set_release(struct finding_set *set)
{
	free(set->items);
	free(set->places);
	free(set->judged);
	free(set->stored);
	free(set->changes);
	free(set->packed);
	buf_release(&set->row);
	buf_release(&set->text);
	*set = (struct finding_set){ 0 };
}

void
store_set_clear(struct finding_set *set)
{
	set->count = set->stored_count = set->own_count = 0;
}

void
store_set_make_room(struct finding_set *set, size_t count)
{
	size_t room = set->room < 64 ? 64 : set->room;

	while (room < count)
		room *= 2;
	if (room > set->room) {
		set->items = xreallocarray(set->items, room, sizeof(*set->items));
		set->places = xreallocarray(set->places, room, sizeof(*set->places));
		set->judged = xreallocarray(set->judged, room, sizeof(*set->judged));
		set->stored = xreallocarray(set->stored, room, sizeof(*set->stored));
		set->changes = xreallocarray(set->changes, room, 1);
		set->packed = xreallocarray(set->packed, room, sizeof(*set->packed));
		set->room = room;
	}
	assert(set->items != NULL);
}

/*
 * The finding of that kind among those from `low` up to `high`, which are in the order of kinds;
 * NULL: there is none.
 */
static struct finding *
find_between(struct finding_set *set, size_t low, size_t high, int64_t kind)
{
	size_t end = high;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (set->places[middle].kind < kind)
			low = middle + 1;
		else
			high = middle;
	}
	return low < end && set->places[low].kind == kind ? &set->items[low] : NULL;
}

struct finding *
store_set_find_stored(struct finding_set *set, int64_t kind)
{
	struct finding *own = find_between(set, 0, set->own_count, kind);

	return own != NULL ? own : find_between(set, set->own_count, set->stored_count, kind);
}

static int
compare_items(const void *a, const void *b)
{
	const struct finding *x = a, *y = b;

	return tally_key_compare(&x->key, &y->key);
}

void
store_set_sort(struct finding_set *set)
{
	if (set->count > 0)
		qsort(set->items, set->count, sizeof(*set->items), compare_items);
}

/* True when the latest handshakes of `from` tell something that is not in `into`. */
static bool
brings_news(const struct finding *into, const struct finding *from)
{
	if (from->fallback_from > into->fallback_from)
		return true;
	if (from->count == 0)
		return false;
	return !addr_equals(&from->server_ip, &into->server_ip) ||
	       from->server_name_source != into->server_name_source ||
	       (from->has_cipher_suite &&
		   (!into->has_cipher_suite || from->cipher_suite != into->cipher_suite)) ||
	       (from->has_ja4 &&
		   (!into->has_ja4 || memcmp(from->ja4, into->ja4, EVENT_JA4_LEN) != 0)) ||
	       (from->limited_by != SIDE_NONE && from->limited_by != into->limited_by) ||
	       (finding_has_certificate(from) &&
		   (!span_equals(event_text_span(&from->certificate_subject),
			event_text_span(&into->certificate_subject)) ||
		       from->has_certificate_not_after != into->has_certificate_not_after ||
		       from->certificate_not_after_us != into->certificate_not_after_us)) ||
	       from->offers_aead != into->offers_aead || from->offers_ecdhe != into->offers_ecdhe ||
	       (into->suites_all & ~from->suites_all) != 0 ||
	       (from->suites_any & ~into->suites_any) != 0;
}

/*
 * Puts the `count` candidates behind the set in order, and joins those that have become the same;
 * returns how many there are then.
 */
static size_t
sort_unique(struct finding_set *set, size_t count)
{
	struct finding *items = set->items + set->count;
	size_t kept = 0, i = 1;

	while (i < count && compare_items(&items[i - 1], &items[i]) < 0)
		i++;
	if (i >= count) /* as they come from a tally, but for names that were escaped */
		return count;
	qsort(items, count, sizeof(*items), compare_items);
	for (i = 1; i < count; i++) {
		if (compare_items(&items[kept], &items[i]) == 0)
			tally_finding_merge(&items[kept], &items[i]);
		else if (++kept != i)
			items[kept] = items[i];
	}
	memset(set->places + set->count, 0, (kept + 1) * sizeof(*set->places));
	return kept + 1;
}

/* The like of `f` among what earlier slices have brought; NULL: there is none. */
static struct finding *
find_new(struct finding_set *set, const struct finding *f)
{
	size_t stored = set->stored_count;

	assert(f != NULL);
	return set->count > stored
		   ? bsearch(f, set->items + stored, set->count - stored, sizeof(*f), compare_items)
		   : NULL;
}

static void
mark_change(struct store *s, size_t index, const struct finding *f)
{
	struct finding_set *set = &s->set;
	uint8_t *change = &set->changes[index];

	if (brings_news(&set->items[index], f)) {
		if (*change != FINDING_RENEWED)
			store_reference(s, STORE_SHARED_STORY, set->places[index].story, -1);
		*change = FINDING_RENEWED;
	} else if (*change == FINDING_SAME) {
		*change = FINDING_COUNTED;
	}
}

/* Adds a candidate to the finding that it belongs to; false: the set has none. */
static bool
join_known(struct store *s, const struct finding *f, const struct store_finding_place *place)
{
	struct finding_set *set = &s->set;
	struct finding *found = store_set_find_stored(set, place->kind);
	size_t index;
	bool is_new = found == NULL;

	if (is_new)
		found = find_new(set, f);
	if (found == NULL)
		return false;
	index = (size_t)(found - set->items);
	if (!is_new)
		mark_change(s, index, f);
	tally_finding_merge(found, f);
	if (is_new || set->changes[index] == FINDING_RENEWED)
		set->places[index].story = store_same_story(found, f) ? place->story : 0;
	return true;
}

/* Of the candidates behind the set, the kinds that are not known yet. */
static int
find_kinds(struct store *s, size_t count, struct error *err)
{
	struct finding_set *set = &s->set;

	for (size_t i = set->count; i < set->count + count && set->stored_count > 0; i++) {
		if (set->places[i].kind == 0 &&
		    store_find_kind(s, &set->items[i].key, &set->places[i].kind, err) != 0)
			return -1;
	}
	return 0;
}

/* Of the candidates behind the set, adds those that it has to their like; *count: how many stay. */
static int
join_candidates(struct store *s, size_t *count, struct error *err)
{
	struct finding_set *set = &s->set;
	size_t first = set->count, kept = first;

	*count = sort_unique(set, *count);
	if (find_kinds(s, *count, err) != 0)
		return -1;
	for (size_t i = first; i < first + *count; i++) {
		/* A mark, or the end of sessions: nothing by itself, if the row is gone. */
		if (join_known(s, &set->items[i], &set->places[i]) || set->items[i].count == 0)
			continue;
		if (kept != i) {
			set->items[kept] = set->items[i];
			set->places[kept] = set->places[i];
		}
		kept++;
	}
	*count = kept - first;
	return 0;
}

static void
fold(struct finding_key *k, bool coarse)
{
	event_text_set(&k->server, span_from_text(STORE_OTHER_SERVERS));
	if (!coarse)
		return;
	k->server_port = k->offered_version = 0;
	k->refused_by = SIDE_NONE;
	k->refusal = REFUSAL_NONE;
	k->refusal_alert = 0;
}

/* Of the candidates behind the set, folds those beyond what a client may have. */
static int
fold_candidates(struct store *s, size_t *count, struct error *err)
{
	static const size_t limits[] = { STORE_FINDINGS_PER_CLIENT_MAX,
		STORE_FINDINGS_PER_CLIENT_MAX + OTHER_SERVERS_MAX };
	struct finding_set *set = &s->set;

	for (size_t level = 0; level < 2; level++) {
		size_t room = limits[level] > set->count ? limits[level] - set->count : 0;

		if (*count <= room)
			break;
		for (size_t i = set->count + room; i < set->count + *count; i++) {
			fold(&set->items[i].key, level > 0);
			set->places[i].kind = 0;
		}
		if (join_candidates(s, count, err) != 0)
			return -1;
	}
	return 0;
}

/* Takes in the `count` candidates that stand behind the set. */
static int
take_in(struct store *s, size_t count, bool bounded, struct error *err)
{
	if (join_candidates(s, &count, err) != 0 ||
	    (!bounded && fold_candidates(s, &count, err) != 0))
		return -1;
	s->set.count += count;
	return 0;
}

/* Sorts what is new, for the next slice to search. */
static void
sort_new(struct finding_set *set)
{
	size_t stored = set->stored_count, count = set->count - stored;

	qsort(set->items + stored, count, sizeof(*set->items), compare_items);
	memset(set->places + stored, 0, count * sizeof(*set->places));
}

/* Puts candidates from the tally behind the set; *changed: a key had to be changed for storing. */
static int
take_slice(struct store *s, struct tally_numbers *numbers, size_t first, size_t count, bool keep,
    bool *changed, struct error *err)
{
	struct finding_set *set = &s->set;

	store_set_make_room(set, set->count + count);
	for (size_t i = set->count; i < set->count + count; i++) {
		if (tally_numbers_finding(
			s, numbers, first++, keep, &set->items[i], &set->places[i], err) != 0)
			return -1;
		*changed = *changed || set->places[i].kind == 0 || set->items[i].count == 0;
	}
	return 0;
}

int
store_set_add(
    struct store *s, struct tally_numbers *numbers, const struct tally_client *c, struct error *err)
{
	struct finding_set *set = &s->set;
	/* Where a client floods, most findings will be folded: their kinds are not kept yet. */
	bool is_new = set->count == 0, keep = is_new && c->finding_count <= SLICE;
	bool changed = false;
	size_t done = 0;

	while (done < c->finding_count) {
		size_t count = c->finding_count - done < SLICE ? c->finding_count - done : SLICE;

		if (take_slice(s, numbers, c->first_finding + done, count, keep, &changed, err) !=
		    0)
			return -1;
		done += count;
		/* Nothing is stored that it could be joined with, and a tally has each key once. */
		if (keep && !changed) {
			set->count = count;
			return 0;
		}
		if (take_in(s, count, false, err) != 0)
			return -1;
		if (done < c->finding_count)
			sort_new(set);
	}
	return 0;
}

int
store_set_add_findings(
    struct store *s, const struct finding *findings, size_t count, bool bounded, struct error *err)
{
	struct finding_set *set = &s->set;

	for (size_t done = 0, slice; done < count; done += slice) {
		slice = count - done < SLICE ? count - done : SLICE;
		store_set_make_room(set, set->count + slice);
		memcpy(&set->items[set->count], findings + done, slice * sizeof(*findings));
		memset(&set->places[set->count], 0, slice * sizeof(*set->places));
		if (take_in(s, slice, bounded, err) != 0)
			return -1;
		if (done + slice < count)
			sort_new(set);
	}
	return 0;
}

size_t
store_set_drop(struct store *s, int64_t before_us, size_t max)
{
	struct finding_set *set = &s->set;
	size_t kept = 0, dropped = 0;

	for (size_t i = 0; i < set->count; i++) {
		if (dropped < max && i < set->own_count && set->items[i].last_us < before_us) {
			store_reference(s, STORE_SHARED_KIND, set->places[i].kind, -1);
			store_reference(s, STORE_SHARED_STORY, set->places[i].story, -1);
			dropped++;
			continue;
		}
		if (kept != i) {
			set->items[kept] = set->items[i];
			set->places[kept] = set->places[i];
			set->stored[kept] = set->stored[i];
			set->changes[kept] = set->changes[i];
			if (i < set->own_count)
				set->packed[kept] = set->packed[i];
		}
		kept++;
	}
	set->own_count -= dropped;
	set->count = set->stored_count = kept;
	return dropped;
}

static bool
same_judgement(struct store_judgement a, struct store_judgement b)
{
	return a.rank == b.rank && a.server == b.server;
}

/*
 * For a finding that is new, or tells something else than before: finds or makes its shared rows.
 */
static int
find_shared(struct store *s, size_t index, bool is_new, struct error *err)
{
	struct finding_set *set = &s->set;
	const struct finding *f = &set->items[index];
	struct store_finding_place *place = &set->places[index];

	if ((place->kind == 0 && store_keep_kind(s, &f->key, &place->kind, err) != 0) ||
	    (place->story == 0 && store_keep_story(s, f, &place->story, err) != 0))
		return -1;
	if (is_new)
		store_reference(s, STORE_SHARED_KIND, place->kind, 1);
	store_reference(s, STORE_SHARED_STORY, place->story, 1);
	return 0;
}

static void
note_version(struct finding_set *set, uint16_t version)
{
	if (version == 0)
		return;
	if (set->worst_version == 0 || version < set->worst_version)
		set->worst_version = version;
	if (version > set->best_version)
		set->best_version = version;
}

/* Most findings have not changed, and are written as they were read. */
static void
pack_one(struct finding_set *set, size_t index)
{
	if (index < set->own_count && set->changes[index] == FINDING_SAME &&
	    same_judgement(set->judged[index], set->stored[index]))
		store_packed_add_again(&set->text, set->packed[index]);
	else
		store_finding_pack(
		    &set->text, &set->places[index], &set->items[index], set->judged[index]);
}

/* Packs the findings of the client's own row, in the order of kinds. */
static void
pack_own(struct finding_set *set, const uint16_t *own, size_t count)
{
	uint64_t kinds[STORE_OWN_FINDINGS_MAX];
	uint32_t places[STORE_OWN_FINDINGS_MAX];
	uint16_t order[STORE_OWN_FINDINGS_MAX];

	for (size_t i = 0; i < count; i++)
		kinds[i] = (uint64_t)set->places[own[i]].kind;
	few_places(kinds, count, places);
	for (size_t i = 0; i < count; i++)
		order[places[i]] = own[i];
	buf_clear(&set->text);
	for (size_t i = 0; i < count; i++)
		pack_one(set, order[i]);
	store_packed_end(&set->text);
}

int
store_set_write(struct store *s, int64_t client_id, struct error *err)
{
	struct finding_set *set = &s->set;
	uint16_t own[STORE_OWN_FINDINGS_MAX];
	size_t own_count = 0;

	set->has_apart = false;
	set->worst_version = set->best_version = 0;
	for (size_t i = 0; i < set->count; i++) {
		struct store_finding_place *place = &set->places[i];
		bool is_new = i >= set->stored_count;
		bool renewed = is_new || set->changes[i] == FINDING_RENEWED;

		if (renewed && find_shared(s, i, is_new, err) != 0)
			return -1;
		note_version(set, set->items[i].key.tls_version);
		place->client = client_id;
		if (is_new || !place->apart)
			place->apart = own_count == STORE_OWN_FINDINGS_MAX ||
				       !store_finding_fits(place, &set->items[i]);
		if (!place->apart) {
			own[own_count++] = (uint16_t)i; /* not all, or rows would be many */
			continue;
		}
		set->has_apart = true;
		if ((renewed || set->changes[i] == FINDING_COUNTED ||
			!same_judgement(set->judged[i], set->stored[i])) &&
		    store_finding_write(s, place, &set->items[i], set->judged[i], err) != 0)
			return -1;
	}
	pack_own(set, own, own_count);
	return 0;
}
