#include "tally/tally.h"

#include <stdlib.h>
#include <string.h>

#include "base/timestamp.h"
#include "base/xalloc.h"
#include "tally/tally_internal.h"

#include "base/banned.h"

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
	free(t->clients);
	free(t->findings);
	free(t->days);
	free(t);
}

void
tally_clear(struct tally *t)
{
	tally_drop_texts(t);
	tally_index_clear(&t->client_index);
	tally_index_clear(&t->finding_index);
	tally_index_clear(&t->day_index);
	t->client_count = t->finding_count = t->day_count = 0;
	t->sorted = false;
	t->bytes = 0;
	t->event_count = 0;
}

/* Over the client's address, not its number: so it is known before the client was looked up. */
static uint64_t
finding_hash(const struct tally *t, const struct addr *ip, const struct tally_finding_entry *e)
{
	const uint16_t numbers[] = { e->server_port, e->tls_version, e->offered_version };
	const uint8_t kinds[] = { e->protocol, e->tls_mode, e->outcome, e->refused_by, e->refusal,
		e->refusal_alert };
	uint8_t key[sizeof(ip->bytes) + sizeof(numbers) + sizeof(kinds) + EVENT_NAME_MAX];
	size_t len = 0;

	memcpy(key, ip->bytes, sizeof(ip->bytes));
	len += sizeof(ip->bytes);
	memcpy(key + len, numbers, sizeof(numbers));
	len += sizeof(numbers);
	memcpy(key + len, kinds, sizeof(kinds));
	len += sizeof(kinds);
	memcpy(key + len, e->server.data, e->server.len);
	return hash_bytes(&t->key, key, len + e->server.len);
}

static bool
same_key(const struct tally_finding_entry *a, const struct tally_finding_entry *b)
{
	return a->client == b->client && a->server_port == b->server_port &&
	       a->tls_version == b->tls_version && a->offered_version == b->offered_version &&
	       a->protocol == b->protocol && a->tls_mode == b->tls_mode &&
	       a->outcome == b->outcome && a->refused_by == b->refused_by &&
	       a->refusal == b->refusal && a->refusal_alert == b->refusal_alert &&
	       a->server.len == b->server.len &&
	       memcmp(a->server.data, b->server.data, a->server.len) == 0;
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
find_finding(const struct tally *t, uint64_t hash, const struct tally_finding_entry *wanted)
{
	uint32_t probe = 0, i;

	do {
		i = tally_index_next(&t->finding_index, hash, &probe);
	} while (i != TALLY_NONE && !same_key(&t->findings[i], wanted));
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

/* Room for one more entry in a list of `count`. */
static void *
make_room(void *items, size_t count, size_t *room, size_t item_len)
{
	if (count < *room)
		return items;
	*room = *room == 0 ? 64 : *room * 2;
	return xreallocarray(items, *room, item_len);
}

static uint32_t
client_of(struct tally *t, uint64_t hash, const struct addr *ip)
{
	uint32_t i = find_client(t, hash, ip);

	if (i != TALLY_NONE)
		return i;
	i = (uint32_t)t->client_count;
	t->clients = make_room(t->clients, i, &t->client_room, sizeof(*t->clients));
	t->clients[i] = (struct tally_client_entry){
		.ip = *ip,
		.first_us = INT64_MAX,
		.last_us = INT64_MIN,
		.mac_us = INT64_MIN,
		.name_us = INT64_MIN,
	};
	t->client_count++;
	t->bytes += sizeof(*t->clients) + 2 * sizeof(struct tally_slot);
	tally_index_add(&t->client_index, hash, i);
	return i;
}

static struct tally_finding_entry *
finding_of(struct tally *t, uint64_t hash, const struct tally_finding_entry *wanted)
{
	uint32_t i = find_finding(t, hash, wanted);

	if (i != TALLY_NONE)
		return &t->findings[i];
	i = (uint32_t)t->finding_count;
	t->findings = make_room(t->findings, i, &t->finding_room, sizeof(*t->findings));
	t->findings[i] = *wanted;
	t->findings[i].server = tally_keep_text(t, wanted->server.data, wanted->server.len);
	t->finding_count++;
	t->bytes += sizeof(*t->findings) + 2 * sizeof(struct tally_slot);
	tally_index_add(&t->finding_index, hash, i);
	return &t->findings[i];
}

static void
count_day(struct tally *t, uint64_t hash, const struct tally_day_entry *wanted)
{
	uint32_t i = find_day(t, hash, wanted);

	if (i == TALLY_NONE) {
		i = (uint32_t)t->day_count;
		t->days = make_room(t->days, i, &t->day_room, sizeof(*t->days));
		t->days[i] = *wanted;
		t->day_count++;
		t->bytes += sizeof(*t->days) + 2 * sizeof(struct tally_slot);
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

/* Where an event belongs, and what it is looked up by. */
struct place {
	uint64_t client_hash, finding_hash, day_hash;
	struct tally_finding_entry finding; /* its key; the client's number is to be filled in */
	struct tally_day_entry day;
	char server[EVENT_NAME_MAX]; /* what the key borrows */
};

static void
set_place(const struct tally *t, struct place *p, const struct event *ev)
{
	char text[ADDR_TEXT_LEN];

	p->finding = (struct tally_finding_entry){
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
		.first_us = INT64_MAX,
		.last_us = INT64_MIN,
	};
	if (ev->server_name.len > 0) {
		p->finding.server.len =
		    (uint16_t)lower(ev->server_name.data, ev->server_name.len, p->server);
	} else {
		(void)addr_to_text(&ev->server_ip, text);
		p->finding.server.len = (uint16_t)lower(text, strlen(text), p->server);
	}
	p->day = (struct tally_day_entry){
		.day = ev->timestamp_us / USEC_PER_DAY - (ev->timestamp_us % USEC_PER_DAY < 0),
		.tls_version = ev->tls_version,
		.outcome = (uint8_t)ev->outcome,
	};
	p->client_hash = addr_hash(t, &ev->client_ip);
	p->finding_hash = finding_hash(t, &ev->client_ip, &p->finding);
	p->day_hash = day_hash(t, &ev->client_ip, &p->day);
}

static bool
text_differs(struct tally_text old, const struct event_text *text)
{
	return old.len != text->len || memcmp(old.data, text->data, text->len) != 0;
}

/* True when the event brings a name that is to be kept instead of what is there. */
static bool
brings_name(const struct tally_client_entry *c, const struct event *ev)
{
	return ev->client_name.len > 0 && ev->timestamp_us >= c->name_us;
}

static bool
brings_subject(const struct tally_finding_entry *e, const struct event *ev)
{
	return ev->certificate_subject.len > 0 &&
	       (ev->timestamp_us >= e->last_us || e->subject.len == 0);
}

static void
update_client(struct tally *t, struct tally_client_entry *c, const struct event *ev)
{
	int64_t time_us = ev->timestamp_us;

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
		if (text_differs(c->name, &ev->client_name))
			c->name = tally_keep_text(t, ev->client_name.data, ev->client_name.len);
	}
}

/* What the latest event that knows it decides. */
static void
update_latest(struct tally *t, struct tally_finding_entry *e, const struct event *ev)
{
	bool latest = ev->timestamp_us >= e->last_us;

	if (latest || e->server_ip.family == 0) {
		e->server_ip = ev->server_ip;
		e->server_name_source = (uint8_t)ev->server_name_source;
	}
	if (ev->has_cipher_suite && (latest || !e->has_cipher_suite)) {
		e->has_cipher_suite = true;
		e->cipher_suite = ev->cipher_suite;
	}
	if (ev->has_ja4 && (latest || !e->has_ja4)) {
		e->has_ja4 = true;
		memcpy(e->ja4, ev->ja4, EVENT_JA4_LEN);
	}
	if (ev->limited_by != SIDE_NONE && (latest || e->limited_by == SIDE_NONE))
		e->limited_by = (uint8_t)ev->limited_by;
	if (brings_subject(e, ev)) {
		if (text_differs(e->subject, &ev->certificate_subject))
			e->subject = tally_keep_text(
			    t, ev->certificate_subject.data, ev->certificate_subject.len);
		e->has_not_after = ev->has_certificate_not_after;
		e->not_after_us = ev->certificate_not_after_us;
	}
	if (ev->offered_version != 0 && latest) {
		e->offers_aead = ev->offers_aead;
		e->offers_ecdhe = ev->offers_ecdhe;
	}
}

static void
update_finding(struct tally *t, struct tally_finding_entry *e, const struct event *ev)
{
	update_latest(t, e, ev);
	e->count++;
	e->gap_count += ev->capture_gap;
	e->login_count += ev->login;
	e->scsv_count += ev->fallback_scsv == TRI_TRUE;
	e->first_us = ev->timestamp_us < e->first_us ? ev->timestamp_us : e->first_us;
	e->last_us = ev->timestamp_us > e->last_us ? ev->timestamp_us : e->last_us;
}

/* Sorting has moved all entries; what was counted in vain (a flush that failed) goes on. */
static void
reindex(struct tally *t)
{
	tally_index_clear(&t->client_index);
	tally_index_clear(&t->finding_index);
	tally_index_clear(&t->day_index);
	for (uint32_t i = 0; i < t->client_count; i++)
		tally_index_add(&t->client_index, addr_hash(t, &t->clients[i].ip), i);
	for (uint32_t i = 0; i < t->finding_count; i++) {
		const struct tally_finding_entry *e = &t->findings[i];

		tally_index_add(
		    &t->finding_index, finding_hash(t, &t->clients[e->client].ip, e), i);
	}
	for (uint32_t i = 0; i < t->day_count; i++) {
		const struct tally_day_entry *d = &t->days[i];

		tally_index_add(&t->day_index, day_hash(t, &t->clients[d->client].ip, d), i);
	}
	t->sorted = false;
}

/* True when the event can be counted in what is there, which takes no memory. */
static bool
fits_in(const struct tally *t, struct place *p, const struct event *ev)
{
	uint32_t client = find_client(t, p->client_hash, &ev->client_ip), finding;
	size_t text_len = 0;

	if (client == TALLY_NONE)
		return false;
	p->finding.client = p->day.client = client;
	finding = find_finding(t, p->finding_hash, &p->finding);
	if (finding == TALLY_NONE || find_day(t, p->day_hash, &p->day) == TALLY_NONE)
		return false;
	if (brings_name(&t->clients[client], ev) &&
	    text_differs(t->clients[client].name, &ev->client_name))
		text_len += ev->client_name.len;
	if (brings_subject(&t->findings[finding], ev) &&
	    text_differs(t->findings[finding].subject, &ev->certificate_subject))
		text_len += ev->certificate_subject.len;
	return tally_text_fits(t, text_len);
}

bool
tally_add(struct tally *t, const struct event *ev)
{
	struct place p;
	uint32_t client;

	if (t->sorted)
		reindex(t);
	set_place(t, &p, ev);
	/* Where clients come in no order, most of the time here is waiting for memory. */
	tally_index_prefetch(&t->client_index, p.client_hash);
	tally_index_prefetch(&t->finding_index, p.finding_hash);
	tally_index_prefetch(&t->day_index, p.day_hash);
	if (tally_is_full(t) && !fits_in(t, &p, ev))
		return false;
	client = client_of(t, p.client_hash, &ev->client_ip);
	p.finding.client = p.day.client = client;
	update_client(t, &t->clients[client], ev);
	update_finding(t, finding_of(t, p.finding_hash, &p.finding), ev);
	count_day(t, p.day_hash, &p.day);
	t->event_count++;
	return true;
}

bool
tally_is_full(const struct tally *t)
{
	return t->bytes >= t->max_bytes;
}

bool
tally_is_empty(const struct tally *t)
{
	return t->event_count == 0;
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
