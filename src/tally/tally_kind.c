/* Kinds, each kept once: what of a finding's key many clients have in common. */
#include <string.h>

#include "tally/tally_internal.h"

#include "base/banned.h"

static uint64_t
hash_of(const struct tally *t, const struct tally_kind *k)
{
	uint64_t hash = hash_quick(&t->key, k->server.data, k->server.len);

	return hash_words(&t->key,
	    hash ^ ((uint64_t)k->server_port << 32 | (uint32_t)k->tls_version << 16 |
		       k->offered_version),
	    (uint64_t)k->protocol << 40 | (uint64_t)k->tls_mode << 32 | (uint32_t)k->outcome << 24 |
		(uint32_t)k->refused_by << 16 | (uint32_t)k->refusal << 8 | k->refusal_alert);
}

static bool
equals(const struct tally_kind *a, const struct tally_kind *b)
{
	return a->server_port == b->server_port && a->tls_version == b->tls_version &&
	       a->offered_version == b->offered_version && a->protocol == b->protocol &&
	       a->tls_mode == b->tls_mode && a->outcome == b->outcome &&
	       a->refused_by == b->refused_by && a->refusal == b->refusal &&
	       a->refusal_alert == b->refusal_alert && a->server.len == b->server.len &&
	       memcmp(a->server.data, b->server.data, a->server.len) == 0;
}

/* By its hash, which is set. */
static void
find(const struct tally *t, struct tally_wanted_kind *wanted)
{
	uint32_t probe = 0;

	do {
		wanted->number = tally_index_next(&t->kind_index, wanted->hash, &probe);
	} while (wanted->number != TALLY_NONE && !equals(&t->kinds[wanted->number], &wanted->kind));
}

static size_t
lower(const char *in, size_t len, char *out)
{
	for (size_t i = 0; i < len; i++)
		out[i] = in[i] >= 'A' && in[i] <= 'Z' ? (char)(in[i] + 32) : in[i];
	return len;
}

uint16_t
tally_server_text(struct span name, const struct addr *ip, char out[EVENT_NAME_MAX])
{
	char text[ADDR_TEXT_LEN];

	if (name.len > 0)
		return (uint16_t)lower((const char *)name.data, name.len, out);
	(void)addr_to_text(ip, text);
	return (uint16_t)lower(text, strlen(text), out);
}

/* In its place: a copy would be read before it is written. */
static void
kind_as_named(const struct event *ev, struct tally_kind *out)
{
	out->server.data = ev->server_name.data;
	out->server.len = ev->server_name.len;
	out->server_port = ev->server_port;
	out->tls_version = ev->tls_version;
	out->offered_version = ev->offered_version;
	out->protocol = (uint8_t)ev->protocol;
	out->tls_mode = (uint8_t)ev->tls_mode;
	out->outcome = (uint8_t)ev->outcome;
	out->refused_by = (uint8_t)ev->refused_by;
	out->refusal = (uint8_t)ev->refusal;
	out->refusal_alert = ev->refusal_alert;
	out->rank = 0;
}

uint64_t
tally_kind_hash(const struct tally *t, const struct event *ev)
{
	struct tally_kind kind;

	kind_as_named(ev, &kind);
	return hash_of(t, &kind);
}

void
tally_find_kind(
    const struct tally *t, const struct event *ev, uint64_t hash, struct tally_wanted_kind *out)
{
	kind_as_named(ev, &out->kind);
	out->hash = hash;
	/* Names that are known are in lower case; so nearly all are found as they are. */
	if (ev->server_name.len > 0)
		find(t, out);
	if (ev->server_name.len > 0 && out->number != TALLY_NONE)
		return;
	out->kind.server.data = out->text;
	out->kind.server.len =
	    tally_server_text(event_text_span(&ev->server_name), &ev->server_ip, out->text);
	out->hash = hash_of(t, &out->kind);
	find(t, out);
}

void
tally_find_key_kind(
    const struct tally *t, const struct finding_key *key, struct tally_wanted_kind *out)
{
	out->kind = tally_kind_of(key);
	out->hash = hash_of(t, &out->kind);
	find(t, out);
}

uint32_t
tally_keep_kind(struct tally *t, const struct tally_wanted_kind *wanted)
{
	uint32_t i = wanted->number;

	if (i != TALLY_NONE)
		return i;
	tally_drop_order(t);
	i = (uint32_t)t->kind_count++;
	t->kinds = xgrow(t->kinds, i, &t->kind_room, sizeof(*t->kinds));
	t->kinds[i] = wanted->kind;
	t->kinds[i].server = tally_keep_text(t, wanted->kind.server.data, wanted->kind.server.len);
	t->bytes += TALLY_KIND_LEN;
	tally_index_add(&t->kind_index, wanted->hash, i);
	return i;
}
