#include "tally/login_names.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/timestamp.h"
#include "base/xalloc.h"

#include "base/banned.h"

#define SETS 4096 /* a power of two */
#define WAYS 4    /* places in which a set may stand */

struct name_set {
	struct addr client;
	int64_t hour;
	uint32_t count; /* 0: a free place */
	uint32_t names[LOGIN_NAMES_MAX];
};

struct login_names {
	struct hash_key key;
	struct name_set *sets; /* NULL: nobody has failed yet */
};

struct login_names *
login_names_new(void)
{
	struct login_names *n = xcalloc(1, sizeof(*n));

	n->key = hash_key_random();
	return n;
}

void
login_names_free(struct login_names *n)
{
	if (n == NULL)
		return;
	free(n->sets);
	free(n);
}

static struct name_set *
find_set(struct login_names *n, const struct addr *client, int64_t hour)
{
	uint8_t key[sizeof(client->bytes) + sizeof(hour)];
	struct name_set *oldest = NULL;
	uint64_t hash;

	memcpy(key, client->bytes, sizeof(client->bytes));
	memcpy(key + sizeof(client->bytes), &hour, sizeof(hour));
	hash = hash_bytes(&n->key, key, sizeof(key));
	for (unsigned i = 0; i < WAYS; i++) {
		struct name_set *set = &n->sets[(hash + i) & (SETS - 1)];

		if (set->count > 0 && set->hour == hour && addr_equals(&set->client, client))
			return set;
		if (oldest == NULL ||
		    (oldest->count > 0 && (set->count == 0 || set->hour < oldest->hour)))
			oldest = set;
	}
	*oldest = (struct name_set){ .client = *client, .hour = hour };
	return oldest;
}

static void
add_name(struct name_set *set, uint32_t name)
{
	for (uint32_t i = 0; i < set->count; i++) {
		if (set->names[i] == name)
			return;
	}
	if (set->count < LOGIN_NAMES_MAX)
		set->names[set->count++] = name;
}

void
login_names_apply(struct login_names *n, struct event *ev)
{
	struct event_ending *e = &ev->ending;
	struct name_set *set;

	e->names_in_hour = 0;
	if (e->failed_name_count == 0)
		return;
	if (n->sets == NULL)
		n->sets = xcalloc(SETS, sizeof(*n->sets));
	set = find_set(n, &ev->client_ip, timestamp_hour(ev->timestamp_us));
	for (unsigned i = 0; i < e->failed_name_count; i++)
		add_name(set, e->failed_names[i]);
	e->names_in_hour = (uint16_t)set->count;
}
