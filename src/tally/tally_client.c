/* Clients, each found by its address, and what they say of themselves. */
#include <string.h>

#include "event/device_name.h"
#include "tally/tally_internal.h"

#include "base/banned.h"

uint64_t
tally_client_hash(const struct tally *t, const struct addr *ip)
{
	uint64_t words[2];

	_Static_assert(sizeof(words) == sizeof(ip->bytes), "an address is two words");
	memcpy(words, ip->bytes, sizeof(words));
	/* Twice: with some keys the addresses of one network would stand in rows after once. */
	return hash_words(&t->key, hash_words(&t->key, words[0], words[1]), t->key.k0);
}

uint32_t
tally_find_client(const struct tally *t, uint64_t hash, const struct addr *ip)
{
	uint32_t probe = 0, i;

	do {
		i = tally_index_next(&t->client_index, hash, &probe);
	} while (i != TALLY_NONE && !addr_equals(&t->clients[i].ip, ip));
	return i;
}

uint32_t
tally_client_of(struct tally *t, uint64_t hash, const struct addr *ip)
{
	uint32_t i = tally_find_client(t, hash, ip);

	if (i != TALLY_NONE)
		return i;
	tally_drop_order(t);
	i = (uint32_t)t->client_count;
	t->clients = xgrow(t->clients, i, &t->client_room, sizeof(*t->clients));
	t->clients[i] = (struct tally_client_entry){
		.ip = *ip,
		.mac_us = INT64_MIN,
		.cadence = TALLY_NONE,
		.newest_hour = TALLY_NONE,
	};
	t->client_count++;
	t->bytes += TALLY_CLIENT_LEN;
	tally_index_add(&t->client_index, hash, i);
	return i;
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
	return c->name == NULL ||
	       device_name_replaces(rank_of_name(ev), ev->timestamp_us, c->name_rank, c->name_us);
}

static bool
is_named_so(const struct tally_client_entry *c, const struct event_text *text)
{
	return c->name != NULL && c->name_len == text->len &&
	       memcmp(c->name, text->data, text->len) == 0;
}

bool
tally_client_fits(const struct tally *t, uint32_t client, const struct event *ev)
{
	const struct tally_client_entry *c = &t->clients[client];

	return !brings_name(c, ev) || is_named_so(c, &ev->client_name) ||
	       tally_text_fits(t, ev->client_name.len);
}

void
tally_update_client(struct tally *t, uint32_t client, const struct event *ev)
{
	struct tally_client_entry *c = &t->clients[client];

	if (ev->has_client_mac && ev->timestamp_us >= c->mac_us) {
		c->has_mac = true;
		c->mac_us = ev->timestamp_us;
		memcpy(c->mac, ev->client_mac, sizeof(c->mac));
	}
	if (!brings_name(c, ev))
		return;
	c->name_us = ev->timestamp_us;
	c->name_source = (uint8_t)ev->client_name_source;
	c->name_rank = rank_of_name(ev);
	if (is_named_so(c, &ev->client_name))
		return;
	_Static_assert(EVENT_NAME_MAX <= UINT8_MAX, "a length is a byte");
	c->name = tally_keep_text(t, ev->client_name.data, ev->client_name.len).data;
	c->name_len = (uint8_t)ev->client_name.len;
}
