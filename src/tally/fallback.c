#include "tally/fallback.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/xalloc.h"
#include "tally/tally_internal.h"

#include "base/banned.h"

#define WAYS 4
#define SETS (FALLBACK_ENTRIES / WAYS)
/* TLS 1.3: nothing is higher, so a success with it is no fallback. */
#define HIGHEST_OFFER 0x0304

/* A client at a server. */
struct place {
	struct addr client, server;
	uint16_t port;
};

/* What of a success tells its finding, but for the place. */
struct success {
	uint16_t tls_version, offered_version;
	uint8_t protocol, tls_mode, outcome, refused_by, refusal, refusal_alert;
	uint8_t name_len, name_room;
	char *name; /* the server's, as it came; owned */
};

struct entry {
	struct place place;

	/* Tries that failed and were not yet followed by a success. */
	uint16_t failed_offer; /* the highest; 0: none */
	int64_t failed_us;     /* the latest hello */
	int64_t given_up_us;   /* from when on the next try counts */

	/* The latest success with less than the highest offer. */
	bool has_success, counted;
	uint16_t from; /* as it was told */
	int64_t success_us;
	struct success success;
};

/* What is looked at first stands together. */
struct set {
	uint32_t tags[WAYS];   /* of the places' hashes; 0: free */
	int64_t used_us[WAYS]; /* packet time */
	struct entry entries[WAYS];
};

struct fallback_tracker {
	int64_t window_us;
	struct set sets[SETS];
};

struct fallback_tracker *
fallback_tracker_new(int64_t window_us)
{
	/* Nothing of it is touched before it is needed. */
	struct fallback_tracker *t = xcalloc(1, sizeof(*t));

	t->window_us = window_us;
	return t;
}

void
fallback_tracker_free(struct fallback_tracker *t)
{
	if (t == NULL)
		return;
	for (size_t i = 0; i < SETS; i++) {
		for (size_t k = 0; k < WAYS && t->sets[i].tags[k] != 0; k++)
			free(t->sets[i].entries[k].success.name);
	}
	free(t);
}

void
fallback_tracker_set_window(struct fallback_tracker *t, int64_t window_us)
{
	t->window_us = window_us;
}

static bool
same_place(const struct place *a, const struct place *b)
{
	return a->port == b->port && addr_equals(&a->client, &b->client) &&
	       addr_equals(&a->server, &b->server);
}

/* The first free one, else the oldest. */
static size_t
way_to_replace(const struct set *set)
{
	size_t oldest = 0;

	for (size_t i = 0; i < WAYS; i++) {
		if (set->tags[i] == 0)
			return i;
		if (set->used_us[i] < set->used_us[oldest])
			oldest = i;
	}
	return oldest;
}

/* Keeps the room of the name. */
static void
begin_entry(struct entry *e, const struct place *place)
{
	char *name = e->success.name;
	uint8_t room = e->success.name_room;

	*e = (struct entry){ .place = *place };
	e->success.name = name;
	e->success.name_room = room;
}

/*
 * With a fixed key, so that the same events give the same findings; who makes others collide hides
 * own fallbacks at most.
 */
static uint64_t
place_hash(const struct place *place)
{
	const struct hash_key key = hash_key_fixed();
	uint64_t words[4], hash;

	memcpy(words, place->client.bytes, 16);
	memcpy(words + 2, place->server.bytes, 16);
	hash = hash_words(&key, words[0], words[1]);
	hash = hash_words(&key, hash ^ words[2], words[3]);
	return hash_words(&key, hash, place->port);
}

static struct place
place_of(const struct event *ev)
{
	return (struct place){ ev->client_ip, ev->server_ip, ev->server_port };
}

void
fallback_tracker_look_ahead(
    const struct fallback_tracker *t, const struct event *events, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct place place;

		if (events[i].kind == EVENT_SESSION_END)
			continue;
		place = place_of(&events[i]);
		__builtin_prefetch(&t->sets[place_hash(&place) % SETS], 1);
	}
}

/* The entry, used now, or, with `make`, the oldest of its set made anew. */
static struct entry *
find_entry(struct fallback_tracker *t, const struct place *place, int64_t now_us, bool make)
{
	uint64_t hash = place_hash(place);
	uint32_t tag = (uint32_t)(hash >> 32) | 1;
	struct set *set = &t->sets[hash % SETS];
	size_t way;

	for (way = 0; way < WAYS; way++) {
		if (set->tags[way] == tag && same_place(&set->entries[way].place, place))
			break;
	}
	if (way == WAYS) {
		if (!make)
			return NULL;
		way = way_to_replace(set);
		set->tags[way] = tag;
		begin_entry(&set->entries[way], place);
	}
	set->used_us[way] = now_us;
	return &set->entries[way];
}

static bool
follows(const struct fallback_tracker *t, int64_t success_us, int64_t failed_us, int64_t end_us)
{
	/* A try that was still open when the next one began was given up by then. */
	int64_t from_us = end_us < success_us ? end_us : failed_us;

	return success_us > failed_us && success_us - from_us <= t->window_us;
}

/* A server that is silent takes until the client has had enough; a refusal comes at once. */
static int64_t
end_of(const struct event *ev)
{
	return ev->outcome == OUTCOME_UNANSWERED && ev->settled_us > ev->timestamp_us
		   ? ev->settled_us
		   : ev->timestamp_us;
}

static void
keep_success(struct success *s, const struct event *ev)
{
	uint8_t len = (uint8_t)ev->server_name.len; /* EVENT_NAME_MAX at most */

	s->tls_version = ev->tls_version;
	s->offered_version = ev->offered_version;
	s->protocol = (uint8_t)ev->protocol;
	s->tls_mode = (uint8_t)ev->tls_mode;
	s->outcome = (uint8_t)ev->outcome;
	s->refused_by = (uint8_t)ev->refused_by;
	s->refusal = (uint8_t)ev->refusal;
	s->refusal_alert = ev->refusal_alert;
	if (len > s->name_room) {
		s->name = xreallocarray(s->name, len, 1);
		s->name_room = len;
	}
	if (len > 0)
		memcpy(s->name, ev->server_name.data, len);
	s->name_len = len;
}

static void
tell_key(const struct entry *e, struct finding_key *out)
{
	const struct success *s = &e->success;

	out->client_ip = e->place.client;
	out->protocol = (enum protocol)s->protocol;
	out->tls_mode = (enum tls_mode)s->tls_mode;
	out->server.len =
	    tally_server_text(span_from(s->name, s->name_len), &e->place.server, out->server.data);
	out->server_port = e->place.port;
	out->tls_version = s->tls_version;
	out->offered_version = s->offered_version;
	out->outcome = (enum outcome)s->outcome;
	out->refused_by = (enum event_side)s->refused_by;
	out->refusal = (enum refusal_kind)s->refusal;
	out->refusal_alert = s->refusal_alert;
}

static bool
tell(struct entry *e, uint16_t from, struct fallback_mark *out)
{
	if (e->counted && e->from >= from)
		return false;
	tell_key(e, &out->key);
	out->count = !e->counted;
	out->from = from;
	e->counted = true;
	e->from = from;
	return true;
}

static bool
add_failure(
    struct fallback_tracker *t, struct entry *e, const struct event *ev, struct fallback_mark *out)
{
	int64_t end_us = end_of(ev);

	/* It may be settled only when the next try is over. */
	if (e->has_success && ev->offered_version > e->success.offered_version &&
	    follows(t, e->success_us, ev->timestamp_us, end_us))
		return tell(e, ev->offered_version, out);
	if (e->failed_offer == 0 || ev->timestamp_us - e->given_up_us > t->window_us) {
		e->failed_offer = ev->offered_version;
		e->failed_us = ev->timestamp_us;
		e->given_up_us = end_us;
		return false;
	}
	if (ev->offered_version > e->failed_offer)
		e->failed_offer = ev->offered_version;
	if (ev->timestamp_us > e->failed_us)
		e->failed_us = ev->timestamp_us;
	if (end_us > e->given_up_us)
		e->given_up_us = end_us;
	return false;
}

static bool
add_success(
    struct fallback_tracker *t, struct entry *e, const struct event *ev, struct fallback_mark *out)
{
	bool after = e->failed_offer > ev->offered_version &&
		     follows(t, ev->timestamp_us, e->failed_us, e->given_up_us);
	uint16_t from = after ? e->failed_offer : 0;

	/* What failed has gone through since, or has been taken into account. */
	if (ev->timestamp_us > e->failed_us)
		e->failed_offer = 0;
	e->has_success = true;
	e->counted = false;
	e->from = 0;
	e->success_us = ev->timestamp_us;
	keep_success(&e->success, ev);
	return (after || ev->fallback_scsv == TRI_TRUE) && tell(e, from, out);
}

bool
fallback_tracker_add(struct fallback_tracker *t, const struct event *ev, struct fallback_mark *out)
{
	const struct place place = place_of(ev);
	bool success = ev->outcome == OUTCOME_ESTABLISHED || ev->outcome == OUTCOME_NEGOTIATED;
	bool lower = ev->offered_version < HIGHEST_OFFER;
	struct entry *e;

	if (ev->outcome == OUTCOME_CLEARTEXT || ev->offered_version == 0)
		return false;
	e = find_entry(t, &place, ev->timestamp_us, !success || lower);
	if (e == NULL)
		return false;
	if (!success)
		return add_failure(t, e, ev, out);
	if (lower)
		return add_success(t, e, ev, out);
	if (ev->timestamp_us > e->failed_us)
		e->failed_offer = 0;
	return false;
}
