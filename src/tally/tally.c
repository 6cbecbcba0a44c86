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

static void
index_clear(struct tally_index *index)
{
	if (index->used > 0)
		memset(index->slots, 0xff, (index->mask + 1) * sizeof(*index->slots));
	index->used = 0;
}

void
tally_clear(struct tally *t)
{
	tally_drop_texts(t);
	index_clear(&t->client_index);
	index_clear(&t->finding_index);
	index_clear(&t->day_index);
	t->client_count = t->finding_count = t->day_count = 0;
	t->sorted = false;
	t->bytes = 0;
	t->event_count = 0;
}

/* The key of a finding, as bytes to hash. */
static size_t
write_key(const struct tally_finding_entry *e, uint8_t *out)
{
	const uint16_t numbers[] = { e->server_port, e->tls_version, e->offered_version };
	const uint8_t kinds[] = { e->protocol, e->tls_mode, e->outcome, e->refused_by, e->refusal,
		e->refusal_alert };
	size_t len = 0;

	memcpy(out, &e->client, sizeof(e->client));
	len += sizeof(e->client);
	memcpy(out + len, numbers, sizeof(numbers));
	len += sizeof(numbers);
	memcpy(out + len, kinds, sizeof(kinds));
	len += sizeof(kinds);
	memcpy(out + len, e->server.data, e->server.len);
	return len + e->server.len;
}

static bool
same_key(const struct tally_finding_entry *a, const struct tally_finding_entry *b)
{
	return a->hash == b->hash && a->client == b->client && a->server_port == b->server_port &&
	       a->tls_version == b->tls_version && a->offered_version == b->offered_version &&
	       a->protocol == b->protocol && a->tls_mode == b->tls_mode &&
	       a->outcome == b->outcome && a->refused_by == b->refused_by &&
	       a->refusal == b->refusal && a->refusal_alert == b->refusal_alert &&
	       a->server.len == b->server.len &&
	       memcmp(a->server.data, b->server.data, a->server.len) == 0;
}

static uint64_t
day_hash(const struct tally *t, const struct tally_day_entry *d)
{
	const int64_t key[] = { d->day, d->client, (int64_t)d->tls_version << 8 | d->outcome };

	return hash_bytes(&t->key, key, sizeof(key));
}

static uint64_t
addr_hash(const struct tally *t, const struct addr *a)
{
	return hash_bytes(&t->key, a->bytes, a->family == 4 ? 4 : 16);
}

/* What an index's entries are, to look them up and to move them when it grows. */
enum entry_kind { ENTRY_CLIENT, ENTRY_FINDING, ENTRY_DAY };

static uint64_t
hash_of(const struct tally *t, enum entry_kind kind, uint32_t i)
{
	switch (kind) {
	case ENTRY_CLIENT:
		return addr_hash(t, &t->clients[i].ip);
	case ENTRY_FINDING:
		return t->findings[i].hash;
	case ENTRY_DAY:
		return day_hash(t, &t->days[i]);
	}
	return 0;
}

static void
index_grow(const struct tally *t, struct tally_index *index, enum entry_kind kind)
{
	struct tally_index old = *index;
	size_t slots = old.slots == NULL ? 256 : (old.mask + 1) * 2;

	index->slots = xmalloc(slots * sizeof(*index->slots));
	memset(index->slots, 0xff, slots * sizeof(*index->slots));
	index->mask = slots - 1;
	for (size_t i = 0; old.slots != NULL && i <= old.mask; i++) {
		size_t at;

		if (old.slots[i] == TALLY_NONE)
			continue;
		at = hash_of(t, kind, old.slots[i]) & index->mask;
		while (index->slots[at] != TALLY_NONE)
			at = (at + 1) & index->mask;
		index->slots[at] = old.slots[i];
	}
	free(old.slots);
}

static bool
same_entry(const struct tally *t, enum entry_kind kind, uint32_t i, const void *wanted)
{
	switch (kind) {
	case ENTRY_CLIENT:
		return addr_equals(
		    &t->clients[i].ip, &((const struct tally_client_entry *)wanted)->ip);
	case ENTRY_FINDING:
		return same_key(&t->findings[i], wanted);
	case ENTRY_DAY: {
		const struct tally_day_entry *a = &t->days[i], *b = wanted;

		return a->day == b->day && a->client == b->client &&
		       a->tls_version == b->tls_version && a->outcome == b->outcome;
	}
	}
	return false;
}

/* The slot of an entry that is there, or the empty one where it belongs. */
static uint32_t *
index_slot(const struct tally *t, struct tally_index *index, enum entry_kind kind, uint64_t hash,
    const void *wanted)
{
	size_t at;

	if (index->slots == NULL || index->used * 4 >= (index->mask + 1) * 3)
		index_grow(t, index, kind);
	at = hash & index->mask;
	while (index->slots[at] != TALLY_NONE && !same_entry(t, kind, index->slots[at], wanted))
		at = (at + 1) & index->mask;
	return &index->slots[at];
}

static size_t
lower(const char *in, size_t len, char *out)
{
	for (size_t i = 0; i < len; i++)
		out[i] = in[i] >= 'A' && in[i] <= 'Z' ? (char)(in[i] + 32) : in[i];
	return len;
}

static uint32_t
find_client(struct tally *t, const struct event *ev)
{
	struct tally_client_entry wanted = { .ip = ev->client_ip };
	uint32_t *slot =
	    index_slot(t, &t->client_index, ENTRY_CLIENT, addr_hash(t, &ev->client_ip), &wanted);

	if (*slot != TALLY_NONE)
		return *slot;
	if (t->client_count == t->client_room) {
		t->client_room = t->client_room == 0 ? 64 : t->client_room * 2;
		t->clients = xreallocarray(t->clients, t->client_room, sizeof(*t->clients));
	}
	wanted.first_us = INT64_MAX;
	wanted.last_us = wanted.mac_us = wanted.name_us = INT64_MIN;
	t->clients[t->client_count] = wanted;
	t->bytes += sizeof(wanted) + 2 * sizeof(*slot);
	t->client_index.used++;
	*slot = (uint32_t)t->client_count++;
	return *slot;
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
	if (ev->client_name.len > 0 && time_us >= c->name_us) {
		c->name_us = time_us;
		c->name_source = (uint8_t)ev->client_name_source;
		if (c->name.len != ev->client_name.len ||
		    memcmp(c->name.data, ev->client_name.data, c->name.len) != 0)
			c->name = tally_keep_text(t, ev->client_name.data, ev->client_name.len);
	}
}

static void
set_key(struct tally_finding_entry *e, uint32_t client, const struct event *ev, char *server)
{
	char text[ADDR_TEXT_LEN];

	*e = (struct tally_finding_entry){
		.client = client,
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
	e->server.data = server;
	if (ev->server_name.len > 0) {
		e->server.len = (uint16_t)lower(ev->server_name.data, ev->server_name.len, server);
	} else {
		(void)addr_to_text(&ev->server_ip, text);
		e->server.len = (uint16_t)lower(text, strlen(text), server);
	}
}

/* What the latest event that knows it decides. */
static void
update_latest(struct tally *t, struct tally_finding_entry *e, const struct event *ev, bool latest)
{
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
	if (ev->certificate_subject.len > 0 && (latest || e->subject.len == 0)) {
		if (e->subject.len != ev->certificate_subject.len ||
		    memcmp(e->subject.data, ev->certificate_subject.data, e->subject.len) != 0)
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
	update_latest(t, e, ev, ev->timestamp_us >= e->last_us);
	e->count++;
	e->gap_count += ev->capture_gap;
	e->login_count += ev->login;
	e->scsv_count += ev->fallback_scsv == TRI_TRUE;
	e->first_us = ev->timestamp_us < e->first_us ? ev->timestamp_us : e->first_us;
	e->last_us = ev->timestamp_us > e->last_us ? ev->timestamp_us : e->last_us;
}

static struct tally_finding_entry *
find_finding(struct tally *t, uint32_t client, const struct event *ev)
{
	struct tally_finding_entry wanted;
	char server[EVENT_NAME_MAX + ADDR_TEXT_LEN];
	uint8_t key[EVENT_NAME_MAX + 32];
	uint32_t *slot;

	set_key(&wanted, client, ev, server);
	wanted.hash = hash_bytes(&t->key, key, write_key(&wanted, key));
	slot = index_slot(t, &t->finding_index, ENTRY_FINDING, wanted.hash, &wanted);
	if (*slot != TALLY_NONE)
		return &t->findings[*slot];
	if (t->finding_count == t->finding_room) {
		t->finding_room = t->finding_room == 0 ? 64 : t->finding_room * 2;
		t->findings = xreallocarray(t->findings, t->finding_room, sizeof(*t->findings));
	}
	wanted.server = tally_keep_text(t, wanted.server.data, wanted.server.len);
	t->findings[t->finding_count] = wanted;
	t->bytes += sizeof(wanted) + 2 * sizeof(*slot);
	t->finding_index.used++;
	*slot = (uint32_t)t->finding_count++;
	return &t->findings[*slot];
}

static void
count_day(struct tally *t, uint32_t client, const struct event *ev)
{
	struct tally_day_entry wanted = {
		.day = ev->timestamp_us / USEC_PER_DAY - (ev->timestamp_us % USEC_PER_DAY < 0),
		.client = client,
		.tls_version = ev->tls_version,
		.outcome = (uint8_t)ev->outcome,
	};
	uint32_t *slot = index_slot(t, &t->day_index, ENTRY_DAY, day_hash(t, &wanted), &wanted);

	if (*slot == TALLY_NONE) {
		if (t->day_count == t->day_room) {
			t->day_room = t->day_room == 0 ? 64 : t->day_room * 2;
			t->days = xreallocarray(t->days, t->day_room, sizeof(*t->days));
		}
		t->days[t->day_count] = wanted;
		t->bytes += sizeof(wanted) + 2 * sizeof(*slot);
		t->day_index.used++;
		*slot = (uint32_t)t->day_count++;
	}
	t->days[*slot].count++;
}

static void
reindex_one(struct tally *t, struct tally_index *index, enum entry_kind kind, size_t count)
{
	index_clear(index);
	for (size_t i = 0; i < count; i++) {
		size_t at = hash_of(t, kind, (uint32_t)i) & index->mask;

		while (index->slots[at] != TALLY_NONE)
			at = (at + 1) & index->mask;
		index->slots[at] = (uint32_t)i;
		index->used++;
	}
}

/* Sorting has moved all entries; what was counted in vain (a flush that failed) goes on. */
static void
reindex(struct tally *t)
{
	uint8_t key[EVENT_NAME_MAX + 32];

	for (size_t i = 0; i < t->finding_count; i++)
		t->findings[i].hash = hash_bytes(&t->key, key, write_key(&t->findings[i], key));
	reindex_one(t, &t->client_index, ENTRY_CLIENT, t->client_count);
	reindex_one(t, &t->finding_index, ENTRY_FINDING, t->finding_count);
	reindex_one(t, &t->day_index, ENTRY_DAY, t->day_count);
	t->sorted = false;
}

bool
tally_add(struct tally *t, const struct event *ev)
{
	uint32_t client;

	/* Strict: an event of known keys would still fit, but the flush is due anyway. */
	if (tally_is_full(t))
		return false;
	if (t->sorted)
		reindex(t);
	client = find_client(t, ev);
	update_client(t, &t->clients[client], ev);
	update_finding(t, find_finding(t, client, ev), ev);
	count_day(t, client, ev);
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
