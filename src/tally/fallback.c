#include "tally/fallback.h"

#include <assert.h>
#include <string.h>

#include "base/hash.h"
#include "base/shared_names.h"
#include "base/xalloc.h"
#include "tally/tally_internal.h"

#include "base/banned.h"

#define WAYS 4
#define SETS (FALLBACK_ENTRIES / WAYS)
/* TLS 1.3: nothing is higher, so a success with it is no fallback. */
#define HIGHEST_OFFER 0x0304
/* A connection that was closed is settled so much later, lest something was delayed. */
#define SETTLING_US INT64_C(2000000)
/* Successes besides the latest: mail programs open several connections at once. */
#define EARLIER_MAX 7

/* In place of an address's family: the bytes are a hash of the server's name. */
#define BY_NAME 0xff

/*
 * A client at a server: its failed tries, and its latest successes with what their finding is found
 * by.
 */
struct entry {
	_Alignas(CACHE_LINE) struct addr client;
	struct addr server;
	uint16_t port;

	/* Tries that failed and were not yet followed by a success. */
	uint16_t failed_offer; /* the highest; 0: none */

	/* The latest success with less than the highest offer. */
	bool has_success;
	uint8_t counted; /* bit 0: it was told; 1 and up: of `earlier` */
	uint8_t protocol, tls_mode, outcome, refused_by, refusal, refusal_alert;
	uint16_t tls_version, offered_version;
	uint16_t from; /* the highest that was told */
	uint8_t earlier_count;
	int64_t success_us;
	struct shared_name *name; /* the server's, as it came; held */
	/* Those of the same finding within the window before it, the latest first: how long. */
	uint32_t earlier[EARLIER_MAX];

	int64_t failed_us;   /* the latest hello */
	int64_t given_up_us; /* from when on the next try counts */
	int64_t through_us;  /* the latest success, whatever it offered; INT64_MIN: none */
};

/* What is looked at first is one line of memory, and an entry two. */
struct set {
	_Alignas(CACHE_LINE) uint32_t tags[WAYS]; /* of the places' hashes; 0: free */
	int64_t used_us[WAYS];                    /* packet time */
	_Alignas(CACHE_LINE) struct entry entries[WAYS];
};

_Static_assert(sizeof(struct entry) == 2 * CACHE_LINE, "two lines");
_Static_assert(EARLIER_MAX < 8, "a bit each, and one for the latest");

struct fallback_tracker {
	int64_t window_us;
	struct shared_names *names;
	struct set sets[SETS];
};

struct fallback_tracker *
fallback_tracker_new(int64_t window_us)
{
	struct fallback_tracker *t = xcalloc_aligned(sizeof(*t));

	t->window_us = window_us;
	t->names = shared_names_new();
	return t;
}

void
fallback_tracker_free(struct fallback_tracker *t)
{
	if (t == NULL)
		return;
	shared_names_free(t->names);
	xfree_aligned(t);
}

void
fallback_tracker_set_window(struct fallback_tracker *t, int64_t window_us)
{
	t->window_us = window_us;
}

/* Capitals or not: of the bytes that names of hosts have, only letters differ by this bit. */
static uint64_t
hash_of_name(struct span name)
{
	const uint64_t small = UINT64_C(0x2020202020202020);
	const struct hash_key key = hash_key_fixed();
	uint64_t hash = name.len;

	while (name.len > 0) {
		uint64_t pair[2] = { 0 };
		size_t len = name.len < sizeof(pair) ? name.len : sizeof(pair);

		memcpy(pair, name.data, len);
		hash = hash_words(&key, hash ^ (pair[0] | small), pair[1] | small);
		name = span_from(name.data + len, name.len - len);
	}
	return hash_words(&key, hash, key.k0);
}

/*
 * A name may have many addresses, and the next try goes to any of them: so where the client said
 * whom it wants, that name is the server, in capitals or not, as DNS tells it of a hello without
 * one, and without the root's dot.
 */
static struct addr
server_of(const struct event *ev)
{
	struct addr server = { .family = BY_NAME };
	struct span name = event_text_span(&ev->server_name);
	uint64_t hash;

	if (ev->server_name_source != NAME_SOURCE_SNI && ev->server_name_source != NAME_SOURCE_DNS)
		return ev->server_ip;
	if (name.len > 0 && name.data[name.len - 1] == '.')
		name = span_first(name, name.len - 1);
	hash = hash_of_name(name);
	memcpy(server.bytes, &hash, sizeof(hash));
	return server;
}

static bool
is_place_of(const struct entry *e, const struct event *ev, const struct addr *server)
{
	return e->port == ev->server_port && addr_equals(&e->client, &ev->client_ip) &&
	       addr_equals(&e->server, server);
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

/* The name of the entry's last success is given back when the next one is kept. */
static void
begin_entry(struct entry *e, const struct event *ev, const struct addr *server)
{
	e->client = ev->client_ip;
	e->server = *server;
	e->port = ev->server_port;
	e->failed_offer = 0;
	e->failed_us = e->given_up_us = 0;
	e->through_us = INT64_MIN;
	e->has_success = false;
}

/*
 * With a fixed key, so that the same events give the same findings; a client that makes others
 * collide hides at most fallbacks of its own.
 */
static uint64_t
place_hash(const struct event *ev, const struct addr *server)
{
	const struct hash_key key = hash_key_fixed();
	uint64_t from[2], to[2], hash;

	memcpy(from, ev->client_ip.bytes, sizeof(from));
	memcpy(to, server->bytes, sizeof(to));
	hash = hash_words(&key, from[0], from[1]);
	hash = hash_words(&key, hash ^ to[0], to[1]);
	return hash_words(&key, hash, ev->server_port);
}

static uint32_t
tag_of(uint64_t hash)
{
	return (uint32_t)(hash >> 32) | 1;
}

/* WAYS: none. */
static size_t
way_with(const struct set *set, uint32_t tag)
{
	size_t way = 0;

	while (way < WAYS && set->tags[way] != tag)
		way++;
	return way;
}

static bool
is_try(const struct event *ev)
{
	return ev->kind != EVENT_SESSION_END && ev->outcome != OUTCOME_CLEARTEXT &&
	       ev->offered_version != 0;
}

static bool
is_success(const struct event *ev)
{
	return ev->outcome == OUTCOME_ESTABLISHED || ev->outcome == OUTCOME_NEGOTIATED;
}

/* The entry of that tag, or the one whose place it would take. */
static PREFETCHES void
prefetch_entry(const struct set *set, uint32_t tag)
{
	size_t way = way_with(set, tag);
	const struct entry *e = &set->entries[way < WAYS ? way : way_to_replace(set)];

	__builtin_prefetch(e, 1);
	__builtin_prefetch(&e->given_up_us, 1);
}

void
fallback_tracker_look_ahead(
    const struct fallback_tracker *t, const struct event *events, size_t count)
{
	uint64_t hashes[FALLBACK_AHEAD_MAX];
	size_t tries = 0;

	assert(count <= FALLBACK_AHEAD_MAX);
	for (size_t i = 0; i < count; i++) {
		struct addr server;

		if (!is_try(&events[i]))
			continue;
		server = server_of(&events[i]);
		hashes[tries] = place_hash(&events[i], &server);
		__builtin_prefetch(&t->sets[hashes[tries++] % SETS], 1);
	}
	for (size_t i = 0; i < tries; i++)
		prefetch_entry(&t->sets[hashes[i] % SETS], tag_of(hashes[i]));
}

/*
 * The entry, marked as used now; with `make`, where there is none, the oldest of its set is
 * replaced.
 */
static struct entry *
find_entry(struct fallback_tracker *t, const struct event *ev, const struct addr *server, bool make)
{
	uint64_t hash = place_hash(ev, server);
	uint32_t tag = tag_of(hash);
	struct set *set = &t->sets[hash % SETS];
	size_t way;

	for (way = 0; way < WAYS; way++) {
		if (set->tags[way] == tag && is_place_of(&set->entries[way], ev, server))
			break;
	}
	if (way == WAYS) {
		if (!make)
			return NULL;
		way = way_to_replace(set);
		set->tags[way] = tag;
		begin_entry(&set->entries[way], ev, server);
	}
	set->used_us[way] = ev->timestamp_us;
	return &set->entries[way];
}

static bool
follows(const struct fallback_tracker *t, int64_t success_us, int64_t failed_us, int64_t end_us)
{
	int64_t from_us = end_us;

	if (success_us <= failed_us)
		return false;
	/*
	 * A try that was still open when the next one began was given up by then: for that next
	 * one, if it was settled at once.
	 */
	if (end_us >= success_us)
		from_us = end_us - success_us <= SETTLING_US ? success_us : failed_us;
	return success_us - from_us <= t->window_us;
}

/* A try without an answer lasts until the client has had enough; a refusal comes at once. */
static int64_t
end_of(const struct event *ev)
{
	return ev->outcome == OUTCOME_UNANSWERED && ev->settled_us > ev->timestamp_us
		   ? ev->settled_us
		   : ev->timestamp_us;
}

static bool
is_of_same_finding(const struct entry *e, const struct event *ev)
{
	return e->has_success && e->tls_version == ev->tls_version &&
	       e->offered_version == ev->offered_version && e->protocol == ev->protocol &&
	       e->tls_mode == ev->tls_mode && e->outcome == ev->outcome &&
	       span_equals(shared_name_span(e->name), event_text_span(&ev->server_name));
}

static void
begin_successes(struct fallback_tracker *t, struct entry *e, const struct event *ev)
{
	struct span name = event_text_span(&ev->server_name);

	e->has_success = true;
	e->counted = 0;
	e->earlier_count = 0;
	e->from = 0;
	e->success_us = ev->timestamp_us;
	e->tls_version = ev->tls_version;
	e->offered_version = ev->offered_version;
	e->protocol = (uint8_t)ev->protocol;
	e->tls_mode = (uint8_t)ev->tls_mode;
	e->outcome = (uint8_t)ev->outcome;
	e->refused_by = (uint8_t)ev->refused_by;
	e->refusal = (uint8_t)ev->refusal;
	e->refusal_alert = ev->refusal_alert;
	if (span_equals(shared_name_span(e->name), name))
		return;
	shared_name_give_back(t->names, e->name);
	e->name = shared_name_take(t->names, name);
}

/* Packet time of a success: 0 is the latest, then the earlier ones. */
static int64_t
success_at(const struct entry *e, unsigned index)
{
	return index == 0 ? e->success_us : e->success_us - e->earlier[index - 1];
}

/* The latest success becomes the first of the earlier ones, which are of use for `window_us`. */
static void
move_latest(struct entry *e, int64_t time_us, int64_t window_us)
{
	int64_t passed_us = time_us - e->success_us;
	int64_t max_us = window_us < UINT32_MAX ? window_us : UINT32_MAX;
	unsigned count = 0;

	e->success_us = time_us;
	e->counted = (uint8_t)(e->counted << 1 & 0xff);
	if (passed_us > max_us) {
		e->earlier_count = 0;
		return;
	}
	while (count < e->earlier_count && count < EARLIER_MAX - 1 &&
	       e->earlier[count] + passed_us <= max_us)
		count++;
	for (unsigned i = count; i > 0; i--)
		e->earlier[i] = e->earlier[i - 1] + (uint32_t)passed_us;
	e->earlier[0] = (uint32_t)passed_us;
	e->earlier_count = (uint8_t)(count + 1);
}

/* Returns its place as in success_at; beyond all: it is not kept. */
static unsigned
keep_success(struct fallback_tracker *t, struct entry *e, const struct event *ev)
{
	/* The clock may have been set back. */
	if (!is_of_same_finding(e, ev) || e->success_us - ev->timestamp_us > t->window_us)
		begin_successes(t, e, ev);
	else if (ev->timestamp_us >= e->success_us)
		move_latest(e, ev->timestamp_us, t->window_us);
	else
		return EARLIER_MAX + 1;
	return 0;
}

static void
tell_key(const struct entry *e, struct finding_key *out)
{
	out->client_ip = e->client;
	out->protocol = (enum protocol)e->protocol;
	out->tls_mode = (enum tls_mode)e->tls_mode;
	out->server.len =
	    tally_server_text(shared_name_span(e->name), &e->server, out->server.data);
	out->server_port = e->port;
	out->tls_version = e->tls_version;
	out->offered_version = e->offered_version;
	out->outcome = (enum outcome)e->outcome;
	out->refused_by = (enum event_side)e->refused_by;
	out->refusal = (enum refusal_kind)e->refusal;
	out->refusal_alert = e->refusal_alert;
}

static bool
tell(struct entry *e, unsigned index, uint16_t from, struct fallback_mark *out)
{
	unsigned bit = index <= EARLIER_MAX ? 1U << index : 0;
	bool counted = (e->counted & bit) != 0;

	if (counted && e->from >= from)
		return false;
	tell_key(e, &out->key);
	out->count = !counted;
	out->from = from;
	e->counted |= (uint8_t)bit;
	if (from > e->from)
		e->from = from;
	return true;
}

/* The first success behind that time; false: there is none. */
static bool
first_success_since(const struct entry *e, int64_t time_us, unsigned *index)
{
	unsigned count = 0;

	while (e->has_success && count <= e->earlier_count && success_at(e, count) > time_us)
		count++;
	*index = count - 1;
	return count > 0;
}

/*
 * Tries that failed have gone through by the next success.  One that comes from a time at which the
 * try was not over yet, or after it was settled, by a clock that was set back, says nothing.
 */
static bool
has_gone_through(const struct entry *e, int64_t end_us, int64_t settled_us)
{
	return e->through_us > end_us && e->through_us <= settled_us;
}

static bool
add_failure(
    struct fallback_tracker *t, struct entry *e, const struct event *ev, struct fallback_mark *out)
{
	int64_t end_us = end_of(ev);
	unsigned index;

	/* A failed try may be settled only after the success that followed it. */
	if (first_success_since(e, ev->timestamp_us, &index) &&
	    ev->offered_version > e->offered_version &&
	    follows(t, success_at(e, index), ev->timestamp_us, end_us))
		return tell(e, index, ev->offered_version, out);
	if (has_gone_through(e, end_us, ev->settled_us))
		return false;
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
	unsigned index;

	/* Tries that failed before this success have gone through by it, or are told with it. */
	if (ev->timestamp_us > e->failed_us)
		e->failed_offer = 0;
	index = keep_success(t, e, ev);
	return (after || ev->fallback_scsv == TRI_TRUE) && tell(e, index, from, out);
}

/*
 * The hello of an old version often has no name: that try is found by the address.  What has gone
 * through by the name has gone through there, too.
 */
static bool
add_failure_at_address(struct fallback_tracker *t, const struct event *ev, int64_t through_us,
    struct fallback_mark *out)
{
	struct entry *e = find_entry(t, ev, &ev->server_ip, true);

	if (through_us > e->through_us)
		e->through_us = through_us;
	return add_failure(t, e, ev, out);
}

static void
go_through_at_address(struct fallback_tracker *t, const struct event *ev)
{
	struct entry *e = find_entry(t, ev, &ev->server_ip, false);

	if (e != NULL && ev->timestamp_us > e->failed_us)
		e->failed_offer = 0;
}

bool
fallback_tracker_add(struct fallback_tracker *t, const struct event *ev, struct fallback_mark *out)
{
	bool success = is_success(ev), lower = ev->offered_version < HIGHEST_OFFER;
	struct addr server;
	struct entry *e;

	if (!is_try(ev))
		return false;
	server = server_of(ev);
	e = find_entry(t, ev, &server, !success || lower);
	if (e == NULL)
		return false;
	if (!success)
		return add_failure(t, e, ev, out) ||
		       (server.family == BY_NAME &&
			   add_failure_at_address(t, ev, e->through_us, out));
	if (server.family == BY_NAME && e->failed_offer != 0)
		go_through_at_address(t, ev);
	e->through_us = ev->timestamp_us;
	if (lower)
		return add_success(t, e, ev, out);
	if (ev->timestamp_us > e->failed_us)
		e->failed_offer = 0;
	return false;
}
