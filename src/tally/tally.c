#include "tally/tally.h"

#include <stdlib.h>
#include <string.h>

#include "base/timestamp.h"
#include "base/xalloc.h"
#include "tally/tally_internal.h"
#include "tally/tally_log.h"

#include "base/banned.h"

/* No number is larger than the budget has room for entries, and a kind takes least of all. */
#define BYTES_MAX ((size_t)TALLY_NUMBER_MAX / 2 * TALLY_KIND_LEN)
_Static_assert(TALLY_KIND_LEN <= TALLY_CLIENT_LEN && TALLY_KIND_LEN <= TALLY_STORY_LEN, "least");
/* Fewer records than this are not worth joining. */
#define FIRST_PACK 1024

struct tally *
tally_new(const struct tally_options *options)
{
	struct tally *t = xcalloc(1, sizeof(*t));

	t->max_bytes = options != NULL && options->max_bytes != 0 ? options->max_bytes
								  : TALLY_DEFAULT_MAX_BYTES;
	if (t->max_bytes > BYTES_MAX)
		t->max_bytes = BYTES_MAX;
	t->key = hash_key_random();
	tally_index_init(&t->client_index);
	tally_index_init(&t->kind_index);
	tally_index_init(&t->story_index);
	t->newest = xreallocarray(NULL, TALLY_NEWEST_COUNT, sizeof(*t->newest));
	memset(t->newest, 0xff, TALLY_NEWEST_COUNT * sizeof(*t->newest));
	t->free_sum = TALLY_NONE;
	t->pack_at = FIRST_PACK;
	return t;
}

void
tally_free(struct tally *t)
{
	if (t == NULL)
		return;
	tally_drop_texts(t);
	tally_drop_order(t);
	free(t->client_index.slots);
	free(t->kind_index.slots);
	free(t->story_index.slots);
	free(t->clients);
	free(t->kinds);
	free(t->stories);
	free(t->records);
	free(t->newest);
	free(t->sums);
	free(t->hours);
	free(t->briefs);
	free(t->cadences);
	free(t);
}

void
tally_clear(struct tally *t)
{
	tally_drop_texts(t);
	tally_drop_order(t);
	tally_forget_newest(t);
	tally_index_clear(&t->client_index);
	tally_index_clear(&t->kind_index);
	tally_index_clear(&t->story_index);
	t->client_count = t->kind_count = t->story_count = 0;
	t->record_count = t->sum_count = t->hour_count = 0;
	t->brief_count = t->cadence_count = 0;
	t->free_sum = TALLY_NONE;
	t->spare_used = 0;
	t->has_base = false;
	t->pack_at = FIRST_PACK;
	t->bytes = 0;
	t->event_count = t->ending_count = 0;
}

bool
tally_is_full(const struct tally *t)
{
	return t->bytes >= t->max_bytes;
}

bool
tally_is_empty(const struct tally *t)
{
	return t->event_count == 0 && t->ending_count == 0;
}

size_t
tally_bytes(const struct tally *t)
{
	return t->bytes;
}

uint64_t
tally_event_count(const struct tally *t)
{
	return t->event_count;
}

/* Room for another record and what is new with it, if need be by joining others. */
static bool
has_room(struct tally *t)
{
	if (!tally_is_full(t) && t->record_count < TALLY_RECORDS_MAX)
		return true;
	if (t->record_count < t->pack_at)
		return false;
	tally_pack(t);
	return !tally_is_full(t);
}

/* Where an event is counted: its client and kind, by number; TALLY_NONE: new. */
struct place {
	uint64_t client_hash;
	uint32_t client;
	struct tally_wanted_kind kind;
};

static void
make_place(struct tally *t, struct place *p, const struct addr *ip)
{
	p->kind.number = tally_keep_kind(t, &p->kind);
	if (p->client == TALLY_NONE)
		p->client = tally_client_of(t, p->client_hash, ip);
}

static bool
add_attempt(
    struct tally *t, struct place *p, const struct event *ev, const struct tally_ahead *ahead)
{
	struct tally_record *r;

	if (!has_room(t))
		return tally_add_known(t, p->client, p->kind.number, ev);
	make_place(t, p, &ev->client_ip);
	tally_update_client(t, p->client, ev);
	r = tally_add_record(
	    t, p->client, p->kind.number, tally_story_keep(t, &ahead->story, ahead->story_hash));
	tally_set_attempt(t, r, ev->timestamp_us,
	    (ev->capture_gap ? TALLY_GAP : 0) | (ev->login ? TALLY_LOGIN : 0) |
		(ev->fallback_scsv == TRI_TRUE ? TALLY_SCSV : 0));
	return true;
}

static struct tally_record *
add_without_story(struct tally *t, const struct place *p)
{
	struct tally_story none = tally_no_story();

	return tally_add_record(
	    t, p->client, p->kind.number, tally_story_keep(t, &none, tally_story_hash(t, &none)));
}

/* The last record of that client and kind, else a new one, for which there is room. */
static struct tally_record *
record_for(struct tally *t, struct place *p, const struct addr *ip)
{
	struct tally_record *r;

	make_place(t, p, ip);
	r = tally_newest_record(t, p->client, p->kind.number);
	return r != NULL ? r : add_without_story(t, p);
}

static bool
add_ending_to_known(struct tally *t, const struct place *p, const struct event *ev)
{
	struct tally_hour_entry *hour;
	struct tally_record *r;

	if (p->client == TALLY_NONE || p->kind.number == TALLY_NONE)
		return false;
	hour = tally_hour_of(t, p->client, timestamp_hour(ev->timestamp_us), false);
	if (hour == NULL)
		return false;
	r = tally_find_record(t, p->client, p->kind.number, 0, true);
	if (r == NULL)
		return false;
	if (tally_ending_needs_sum(r, &ev->ending)) {
		if (!tally_may_widen(t, r))
			return false;
		tally_take_spare(t, r);
	}
	tally_count_hour(hour, &ev->ending);
	tally_add_ending(t, r, &ev->ending);
	return true;
}

/* Counts the end of a session, which says nothing new of the client, the server or the day. */
static bool
add_ending(struct tally *t, struct place *p, const struct event *ev)
{
	struct tally_record *r;
	struct tally_hour_entry *hour;

	if (!has_room(t))
		return add_ending_to_known(t, p, ev);
	r = record_for(t, p, &ev->client_ip);
	tally_add_ending(t, r, &ev->ending);
	hour = tally_hour_of(t, p->client, timestamp_hour(ev->timestamp_us), true);
	tally_count_hour(hour, &ev->ending);
	return true;
}

static bool
add(struct tally *t, const struct event *ev, const struct tally_ahead *ahead)
{
	struct place p;

	/* No counter of a finding or an hour can be larger than that. */
	if (t->event_count + t->ending_count == UINT32_MAX)
		return false;
	p.client_hash = ahead->client_hash;
	p.client = tally_find_client(t, p.client_hash, &ev->client_ip);
	tally_find_kind(t, ev, ahead->kind_hash, &p.kind);
	if (ev->kind == EVENT_SESSION_END) {
		if (!add_ending(t, &p, ev))
			return false;
		t->ending_count++;
		t->order.outdated = true; /* that hour may have been joined with another entry */
	} else {
		if (!add_attempt(t, &p, ev, ahead))
			return false;
		t->event_count++;
	}
	return true;
}

bool
tally_add(struct tally *t, const struct event *ev)
{
	struct tally_ahead ahead;

	tally_work_out(t, ev, &ahead);
	return add(t, ev, &ahead);
}

bool
tally_add_ahead(struct tally *t, const struct event *ev, size_t index)
{
	return add(t, ev, &t->ahead[index]);
}

bool
tally_mark_fallback(struct tally *t, const struct fallback_mark *mark)
{
	const struct addr *ip = &mark->key.client_ip;
	struct tally_story story;
	struct tally_record *r;
	struct place p;

	if (!has_room(t))
		return false;
	p.client_hash = tally_client_hash(t, ip);
	p.client = tally_find_client(t, p.client_hash, ip);
	tally_find_key_kind(t, &mark->key, &p.kind);
	r = record_for(t, &p, ip);
	if (mark->count == 1 && (r->what & (TALLY_SUM | TALLY_FALLBACK)) == 0)
		r->what |= TALLY_FALLBACK;
	else if (mark->count > 0)
		tally_widen(t, r)->fallback_count += mark->count;
	story = t->stories[r->story];
	if (mark->from > story.facts.fallback_from)
		story.facts.fallback_from = mark->from;
	r->story = tally_story_keep(t, &story, tally_story_hash(t, &story)) & TALLY_NUMBER_MAX;
	t->order.outdated = true;
	return true;
}
