#include "tally/tally.h"

#include <stdlib.h>
#include <string.h>

#include "base/timestamp.h"
#include "base/xalloc.h"
#include "event/device_name.h"
#include "tally/tally_internal.h"

#include "base/banned.h"

/* An entry, its place in the index, which is a quarter to three quarters full, and in the order. */
#define ENTRY_LEN(type) (sizeof(struct type) + 2 * sizeof(struct tally_slot) + sizeof(uint32_t))
#define CLIENT_LEN ENTRY_LEN(tally_client_entry)
#define FINDING_LEN ENTRY_LEN(tally_finding_entry)
#define DAY_LEN ENTRY_LEN(tally_day_entry)

struct tally *
tally_new(const struct tally_options *options)
{
	struct tally *t = xcalloc(1, sizeof(*t));

	t->max_bytes = options != NULL && options->max_bytes != 0 ? options->max_bytes
								  : TALLY_DEFAULT_MAX_BYTES;
	t->key = hash_key_random();
	tally_index_init(&t->client_index);
	tally_index_init(&t->finding_index);
	tally_index_init(&t->day_index);
	tally_index_init(&t->hour_index);
	tally_index_init(&t->kind_index);
	tally_index_init(&t->story_index);
	return t;
}

void
tally_free(struct tally *t)
{
	if (t == NULL)
		return;
	tally_drop_texts(t);
	free(t->client_index.slots);
	free(t->finding_index.slots);
	free(t->day_index.slots);
	free(t->hour_index.slots);
	free(t->kind_index.slots);
	free(t->story_index.slots);
	free(t->clients);
	free(t->findings);
	free(t->days);
	free(t->hours);
	free(t->kinds);
	free(t->stories);
	tally_drop_order(t);
	free(t->briefs);
	free(t->cadences);
	free(t);
}

void
tally_clear(struct tally *t)
{
	tally_drop_texts(t);
	tally_index_clear(&t->client_index);
	tally_index_clear(&t->finding_index);
	tally_index_clear(&t->day_index);
	tally_index_clear(&t->hour_index);
	tally_index_clear(&t->kind_index);
	tally_index_clear(&t->story_index);
	t->client_count = t->finding_count = t->day_count = t->hour_count = 0;
	t->kind_count = t->story_count = 0;
	t->brief_count = t->cadence_count = 0;
	tally_drop_order(t);
	t->bytes = 0;
	t->event_count = t->ending_count = 0;
}

/* Over the client's address, not its number: so it is known before the client was looked up. */
static uint64_t
finding_hash(const struct tally *t, uint64_t client_hash, uint32_t kind)
{
	return hash_words(&t->key, client_hash, kind);
}

static uint64_t
day_hash(const struct tally *t, const struct addr *ip, const struct tally_day_entry *d)
{
	int64_t key[4] = { d->day, (int64_t)d->tls_version << 8 | d->outcome };

	_Static_assert(sizeof(ip->bytes) == 2 * sizeof(key[0]), "the address fits behind");
	memcpy(&key[2], ip->bytes, sizeof(ip->bytes));
	return hash_bytes(&t->key, key, sizeof(key));
}

static uint64_t
addr_hash(const struct tally *t, const struct addr *a)
{
	return hash_bytes(&t->key, a->bytes, a->family == 4 ? 4 : 16);
}

static uint32_t
find_client(const struct tally *t, uint64_t hash, const struct addr *ip)
{
	uint32_t probe = 0, i;

	do {
		i = tally_index_next(&t->client_index, hash, &probe);
	} while (i != TALLY_NONE && !addr_equals(&t->clients[i].ip, ip));
	return i;
}

static uint32_t
find_finding(const struct tally *t, uint64_t hash, uint32_t client, uint32_t kind)
{
	uint32_t probe = 0, i;

	do {
		i = tally_index_next(&t->finding_index, hash, &probe);
	} while (
	    i != TALLY_NONE && (t->findings[i].client != client || t->findings[i].kind != kind));
	return i;
}

static uint32_t
find_day(const struct tally *t, uint64_t hash, const struct tally_day_entry *wanted)
{
	uint32_t probe = 0, i;

	do {
		i = tally_index_next(&t->day_index, hash, &probe);
	} while (i != TALLY_NONE &&
		 (t->days[i].day != wanted->day || t->days[i].client != wanted->client ||
		     t->days[i].tls_version != wanted->tls_version ||
		     t->days[i].outcome != wanted->outcome));
	return i;
}

/* Where an event belongs, and what it is looked up by. */
struct place {
	uint64_t client_hash, kind_hash, finding_hash, day_hash;
	struct tally_kind kind;
	uint32_t kind_number;        /* TALLY_NONE: not kept yet, and no finding_hash */
	struct tally_day_entry day;  /* the client's number is to be filled in */
	char server[EVENT_NAME_MAX]; /* what the kind borrows */
};

static uint32_t
client_of(struct tally *t, uint64_t hash, const struct addr *ip)
{
	uint32_t i = find_client(t, hash, ip);

	if (i != TALLY_NONE)
		return i;
	i = (uint32_t)t->client_count;
	t->clients = tally_make_room(t->clients, i, &t->client_room, sizeof(*t->clients));
	t->clients[i] = (struct tally_client_entry){
		.ip = *ip,
		.first_us = INT64_MAX,
		.last_us = INT64_MIN,
		.mac_us = INT64_MIN,
		.name_us = INT64_MIN,
		.name_rank = UINT8_MAX,
		.cadence = TALLY_NONE,
	};
	t->client_count++;
	t->bytes += CLIENT_LEN;
	tally_index_add(&t->client_index, hash, i);
	return i;
}

static struct tally_finding_entry *
finding_of(struct tally *t, const struct place *p, uint32_t client)
{
	uint32_t i = find_finding(t, p->finding_hash, client, p->kind_number);

	if (i != TALLY_NONE)
		return &t->findings[i];
	i = (uint32_t)t->finding_count;
	t->findings = tally_make_room(t->findings, i, &t->finding_room, sizeof(*t->findings));
	t->findings[i] = (struct tally_finding_entry){
		.client = client,
		.kind = p->kind_number,
		.story = TALLY_NONE,
		.first_us = INT64_MAX,
		.last_us = INT64_MIN,
	};
	t->finding_count++;
	t->bytes += FINDING_LEN;
	tally_index_add(&t->finding_index, p->finding_hash, i);
	return &t->findings[i];
}

static void
count_day(struct tally *t, uint64_t hash, const struct tally_day_entry *wanted)
{
	uint32_t i = find_day(t, hash, wanted);

	if (i == TALLY_NONE) {
		i = (uint32_t)t->day_count;
		t->days = tally_make_room(t->days, i, &t->day_room, sizeof(*t->days));
		t->days[i] = *wanted;
		t->day_count++;
		t->bytes += DAY_LEN;
		tally_index_add(&t->day_index, hash, i);
	}
	t->days[i].count++;
}

static size_t
lower(const char *in, size_t len, char *out)
{
	for (size_t i = 0; i < len; i++)
		out[i] = in[i] >= 'A' && in[i] <= 'Z' ? (char)(in[i] + 32) : in[i];
	return len;
}

/* The server's name, else its address. */
static uint16_t
server_text(const struct event *ev, char out[EVENT_NAME_MAX])
{
	char text[ADDR_TEXT_LEN];

	if (ev->server_name.len > 0)
		return (uint16_t)lower(ev->server_name.data, ev->server_name.len, out);
	(void)addr_to_text(&ev->server_ip, text);
	return (uint16_t)lower(text, strlen(text), out);
}

void
tally_event_key(const struct event *ev, struct finding_key *out)
{
	out->client_ip = ev->client_ip;
	out->protocol = ev->protocol;
	out->tls_mode = ev->tls_mode;
	out->server.len = server_text(ev, out->server.data);
	out->server_port = ev->server_port;
	out->tls_version = ev->tls_version;
	out->offered_version = ev->offered_version;
	out->outcome = ev->outcome;
	out->refused_by = ev->refused_by;
	out->refusal = ev->refusal;
	out->refusal_alert = ev->refusal_alert;
}

static void
set_place(const struct tally *t, struct place *p, const struct event *ev)
{
	p->kind = (struct tally_kind){
		.server = { .data = p->server },
		.server_port = ev->server_port,
		.tls_version = ev->tls_version,
		.offered_version = ev->offered_version,
		.protocol = (uint8_t)ev->protocol,
		.tls_mode = (uint8_t)ev->tls_mode,
		.outcome = (uint8_t)ev->outcome,
		.refused_by = (uint8_t)ev->refused_by,
		.refusal = (uint8_t)ev->refusal,
		.refusal_alert = ev->refusal_alert,
	};
	p->kind.server.len = server_text(ev, p->server);
	p->day = (struct tally_day_entry){
		.day = ev->timestamp_us / USEC_PER_DAY - (ev->timestamp_us % USEC_PER_DAY < 0),
		.tls_version = ev->tls_version,
		.outcome = (uint8_t)ev->outcome,
	};
	p->client_hash = addr_hash(t, &ev->client_ip);
	p->kind_hash = tally_kind_hash(t, &p->kind);
	p->kind_number = tally_kind_find(t, p->kind_hash, &p->kind);
	p->finding_hash = finding_hash(t, p->client_hash, p->kind_number);
	p->day_hash = day_hash(t, &ev->client_ip, &p->day);
}

static bool
text_differs(struct tally_text old, const struct event_text *text)
{
	return old.len != text->len || memcmp(old.data, text->data, text->len) != 0;
}

static uint8_t
rank_of_name(const struct event *ev)
{
	return device_name_rank(ev->client_name_source, event_text_span(&ev->client_name));
}

/* True when the event brings a name that is to be kept instead of what is there. */
static bool
brings_name(const struct tally_client_entry *c, const struct event *ev)
{
	if (ev->client_name.len == 0)
		return false;
	return c->name.len == 0 ||
	       device_name_replaces(rank_of_name(ev), ev->timestamp_us, c->name_rank, c->name_us);
}

static void
update_client(struct tally *t, struct tally_client_entry *c, const struct event *ev)
{
	int64_t time_us = ev->timestamp_us;

	tally_count_cadence(t, c, time_us);
	c->event_count++;
	c->first_us = time_us < c->first_us ? time_us : c->first_us;
	c->last_us = time_us > c->last_us ? time_us : c->last_us;
	if (ev->has_client_mac && time_us >= c->mac_us) {
		c->has_mac = true;
		c->mac_us = time_us;
		memcpy(c->mac, ev->client_mac, sizeof(c->mac));
	}
	if (brings_name(c, ev)) {
		c->name_us = time_us;
		c->name_source = (uint8_t)ev->client_name_source;
		c->name_rank = rank_of_name(ev);
		if (text_differs(c->name, &ev->client_name))
			c->name = tally_keep_text(t, ev->client_name.data, ev->client_name.len);
	}
}

static const struct tally_story no_story = {
	.subject = { .data = "" },
	.suites_all = UINT64_MAX,
};

/* What the latest event that knows it decides; the result borrows from the event, or the tally. */
static struct tally_story
next_story(const struct tally *t, const struct tally_finding_entry *e, const struct event *ev)
{
	struct tally_story s = no_story;
	bool latest = ev->timestamp_us >= e->last_us;

	if (e->story != TALLY_NONE)
		s = t->stories[e->story];
	if (latest || s.server_ip.family == 0) {
		s.server_ip = ev->server_ip;
		s.server_name_source = (uint8_t)ev->server_name_source;
	}
	if (ev->has_cipher_suite && (latest || !s.has_cipher_suite)) {
		s.has_cipher_suite = true;
		s.cipher_suite = ev->cipher_suite;
	}
	if (ev->has_ja4 && (latest || !s.has_ja4)) {
		s.has_ja4 = true;
		memcpy(s.ja4, ev->ja4, EVENT_JA4_LEN);
	}
	if (ev->limited_by != SIDE_NONE && (latest || s.limited_by == SIDE_NONE))
		s.limited_by = (uint8_t)ev->limited_by;
	if (ev->certificate_subject.len > 0 && (latest || s.subject.len == 0)) {
		s.subject = (struct tally_text){ ev->certificate_subject.data,
			ev->certificate_subject.len };
		s.has_not_after = ev->has_certificate_not_after;
		s.not_after_us = ev->certificate_not_after_us;
	}
	if (ev->offered_version != 0) {
		s.suites_all &= ev->suites;
		s.suites_any |= ev->suites;
	}
	if (ev->offered_version != 0 && latest) {
		s.offers_aead = ev->offers_aead;
		s.offers_ecdhe = ev->offers_ecdhe;
	}
	return s;
}

static void
update_finding(struct tally *t, struct tally_finding_entry *e, const struct event *ev)
{
	struct tally_story story = next_story(t, e, ev);

	if (e->story == TALLY_NONE || !tally_story_equals(&t->stories[e->story], &story))
		e->story = tally_story_keep(t, &story);
	e->count++;
	e->gap_count = (uint16_t)(e->gap_count + ev->capture_gap);
	e->login_count = (uint16_t)(e->login_count + ev->login);
	e->scsv_count = (uint16_t)(e->scsv_count + (ev->fallback_scsv == TRI_TRUE));
	e->first_us = ev->timestamp_us < e->first_us ? ev->timestamp_us : e->first_us;
	e->last_us = ev->timestamp_us > e->last_us ? ev->timestamp_us : e->last_us;
}

/* One more might not fit into its counters. */
static bool
is_counted_out(const struct tally_finding_entry *e)
{
	return e->count == UINT32_MAX || e->gap_count == UINT16_MAX ||
	       e->login_count == UINT16_MAX || e->scsv_count == UINT16_MAX ||
	       e->fallback_count == UINT16_MAX || e->ended_count == UINT16_MAX;
}

/* Sorting gave the indexes back; what was counted in vain (a flush that failed) goes on. */
static void
reindex(struct tally *t)
{
	for (uint32_t i = 0; i < t->client_count; i++)
		tally_index_add(&t->client_index, addr_hash(t, &t->clients[i].ip), i);
	for (uint32_t i = 0; i < t->finding_count; i++) {
		const struct tally_finding_entry *e = &t->findings[i];
		uint64_t client_hash = addr_hash(t, &t->clients[e->client].ip);

		tally_index_add(&t->finding_index, finding_hash(t, client_hash, e->kind), i);
	}
	for (uint32_t i = 0; i < t->day_count; i++) {
		const struct tally_day_entry *d = &t->days[i];

		tally_index_add(&t->day_index, day_hash(t, &t->clients[d->client].ip, d), i);
	}
	tally_reindex_hours(t);
	tally_drop_order(t);
}

/* True when the event can be counted in what is there, which takes no memory. */
static bool
fits_in(const struct tally *t, struct place *p, uint32_t client, uint32_t finding,
    const struct event *ev)
{
	struct tally_story story;

	if (client == TALLY_NONE || finding == TALLY_NONE)
		return false;
	p->day.client = client;
	if (find_day(t, p->day_hash, &p->day) == TALLY_NONE)
		return false;
	if (brings_name(&t->clients[client], ev) &&
	    text_differs(t->clients[client].name, &ev->client_name) &&
	    !tally_text_fits(t, ev->client_name.len))
		return false;
	story = next_story(t, &t->findings[finding], ev);
	return tally_story_find(t, &story) != TALLY_NONE;
}

static bool
has_room(const struct tally *t, struct place *p, const struct event *ev)
{
	uint32_t client, finding = TALLY_NONE;

	client = find_client(t, p->client_hash, &ev->client_ip);
	if (client != TALLY_NONE && p->kind_number != TALLY_NONE)
		finding = find_finding(t, p->finding_hash, client, p->kind_number);
	if (finding != TALLY_NONE && is_counted_out(&t->findings[finding]))
		return false;
	return !tally_is_full(t) || fits_in(t, p, client, finding, ev);
}

static uint32_t
larger_of(uint32_t known, uint64_t value)
{
	uint32_t small = value < UINT32_MAX ? (uint32_t)value : UINT32_MAX;

	return small > known ? small : known;
}

static void
add_ending(struct tally_finding_entry *e, const struct event_ending *ending)
{
	if (ending->how == SESSION_END_UNSEEN)
		return;
	e->ended_count++;
	if (!ending->dropped_early)
		return;
	e->dropped_early_count++;
	e->dropped_early_ms =
	    larger_of(e->dropped_early_ms, ((uint64_t)ending->duration_us + 999) / 1000);
	e->dropped_early_len = larger_of(e->dropped_early_len, ending->server_len);
}

/* Of the session's end, which says nothing new of client, server or day. */
static bool
count_ending(struct tally *t, struct place *p, const struct event *ev)
{
	uint32_t client = find_client(t, p->client_hash, &ev->client_ip), finding = TALLY_NONE;
	struct tally_finding_entry *e;

	if (client != TALLY_NONE && p->kind_number != TALLY_NONE)
		finding = find_finding(t, p->finding_hash, client, p->kind_number);
	if (finding == TALLY_NONE ? tally_is_full(t) : is_counted_out(&t->findings[finding]))
		return false;
	if (p->kind_number == TALLY_NONE) {
		p->kind_number = tally_kind_keep(t, p->kind_hash, &p->kind);
		p->finding_hash = finding_hash(t, p->client_hash, p->kind_number);
	}
	client = client_of(t, p->client_hash, &ev->client_ip);
	if (!tally_count_hour(t, client, ev))
		return false;
	e = finding_of(t, p, client);
	if (e->story == TALLY_NONE)
		e->story = tally_story_keep(t, &no_story);
	add_ending(e, &ev->ending);
	t->ending_count++;
	return true;
}

bool
tally_add(struct tally *t, const struct event *ev)
{
	struct place p;
	uint32_t client;

	if (t->sorted)
		reindex(t);
	set_place(t, &p, ev);
	if (ev->kind == EVENT_SESSION_END)
		return count_ending(t, &p, ev);
	/* Where clients come in no order, most of the time here is waiting for memory. */
	tally_index_prefetch(&t->client_index, p.client_hash);
	tally_index_prefetch(&t->finding_index, p.finding_hash);
	tally_index_prefetch(&t->day_index, p.day_hash);
	if (!has_room(t, &p, ev))
		return false;
	if (p.kind_number == TALLY_NONE) {
		p.kind_number = tally_kind_keep(t, p.kind_hash, &p.kind);
		p.finding_hash = finding_hash(t, p.client_hash, p.kind_number);
	}
	client = client_of(t, p.client_hash, &ev->client_ip);
	p.day.client = client;
	update_client(t, &t->clients[client], ev);
	update_finding(t, finding_of(t, &p, client), ev);
	count_day(t, p.day_hash, &p.day);
	t->event_count++;
	return true;
}

static struct tally_kind
kind_of(const struct finding_key *k)
{
	return (struct tally_kind){
		.server = { .data = k->server.data, .len = k->server.len },
		.server_port = k->server_port,
		.tls_version = k->tls_version,
		.offered_version = k->offered_version,
		.protocol = (uint8_t)k->protocol,
		.tls_mode = (uint8_t)k->tls_mode,
		.outcome = (uint8_t)k->outcome,
		.refused_by = (uint8_t)k->refused_by,
		.refusal = (uint8_t)k->refusal,
		.refusal_alert = k->refusal_alert,
	};
}

bool
tally_mark_fallback(struct tally *t, const struct fallback_mark *mark)
{
	const struct addr *ip = &mark->key.client_ip;
	struct tally_story story = no_story;
	struct tally_finding_entry *e;
	struct place p;

	if (tally_is_full(t))
		return false;
	if (t->sorted)
		reindex(t);
	p.kind = kind_of(&mark->key);
	p.client_hash = addr_hash(t, ip);
	p.kind_number = tally_kind_keep(t, tally_kind_hash(t, &p.kind), &p.kind);
	p.finding_hash = finding_hash(t, p.client_hash, p.kind_number);
	e = finding_of(t, &p, client_of(t, p.client_hash, ip));
	if (e->fallback_count == UINT16_MAX)
		return false;
	e->fallback_count = (uint16_t)(e->fallback_count + mark->count);
	if (e->story != TALLY_NONE)
		story = t->stories[e->story];
	if (mark->from > story.fallback_from)
		story.fallback_from = mark->from;
	e->story = tally_story_keep(t, &story);
	return true;
}
