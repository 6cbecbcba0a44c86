/*
 * Numbers of clients that were found lately: to search for an address in the database costs as much
 * as to write a row.  True as long as no client is removed and nobody else writes.
 */
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "store/client_row.h"
#include "store/columns.h"

#include "base/banned.h"

#define FIRST_SLOTS 1024
/* 3 MiB.  When more clients come, all are forgotten. */
#define SLOTS_MAX (1 << 17)

struct client_number {
	struct addr ip;
	uint32_t id; /* STORE_CLIENT_MAX has room; 0: free */
};

struct client_numbers {
	int64_t sensor_id;
	bool complete;              /* it knows all clients of the sensor */
	const struct hash_key *key; /* the store's */
	struct client_number *slots;
	size_t count, slot_count;
};

void
store_clients_forget(struct store *s)
{
	s->last_client = 0;
	if (s->clients == NULL)
		return;
	free(s->clients->slots);
	free(s->clients);
	s->clients = NULL;
}

/* Hashed twice: after once, with some keys the addresses of one network would form runs. */
static size_t
hash_address(const struct hash_key *key, const struct addr *ip)
{
	uint64_t words[2];

	_Static_assert(sizeof(words) == sizeof(ip->bytes), "an address is two words");
	memcpy(words, ip->bytes, sizeof(words));
	return (size_t)hash_words(key, hash_words(key, words[0], words[1]), ip->family);
}

/* The place of an address, or where it would be; at least one is free. */
static struct client_number *
place_of(const struct client_numbers *n, const struct addr *ip)
{
	size_t at = hash_address(n->key, ip) & (n->slot_count - 1);

	while (n->slots[at].id != 0 && !addr_equals(&n->slots[at].ip, ip))
		at = (at + 1) & (n->slot_count - 1);
	return &n->slots[at];
}

static void
set_slots(struct client_numbers *n, size_t slot_count)
{
	struct client_number *old = n->slots;
	size_t old_count = n->slot_count;

	n->slots = xcalloc(slot_count, sizeof(*n->slots));
	n->slot_count = slot_count;
	for (size_t i = 0; i < old_count; i++) {
		if (old[i].id != 0)
			*place_of(n, &old[i].ip) = old[i];
	}
	free(old);
}

static void
keep(struct client_numbers *n, const struct addr *ip, int64_t id)
{
	if (4 * (n->count + 1) > 3 * n->slot_count) {
		if (n->slot_count < SLOTS_MAX) {
			set_slots(n, 2 * n->slot_count);
		} else {
			free(n->slots);
			n->slots = NULL;
			n->count = n->slot_count = 0;
			n->complete = false;
			set_slots(n, FIRST_SLOTS);
		}
	}
	*place_of(n, ip) = (struct client_number){ .ip = *ip, .id = (uint32_t)id };
	n->count++;
}

/* Where the sensor has no clients yet, every one that follows will be known. */
static int
begin(struct store *s, int64_t sensor_id, struct error *err)
{
	sqlite3_stmt *st = store_statement(s, STATEMENT_CLIENT_ANY, err);
	int64_t last_client = s->last_client;
	int status;

	if (st == NULL)
		return -1;
	(void)sqlite3_bind_int64(st, 1, sensor_id);
	status = sqlite3_step(st);
	(void)sqlite3_reset(st);
	if (status != SQLITE_ROW && status != SQLITE_DONE) {
		store_error(s, "read", err);
		return -1;
	}
	store_clients_forget(s);
	s->last_client = last_client;
	s->clients = xcalloc(1, sizeof(*s->clients));
	s->clients->sensor_id = sensor_id;
	s->clients->complete = status == SQLITE_DONE;
	s->clients->key = &s->digest_key;
	set_slots(s->clients, FIRST_SLOTS);
	return 0;
}

static int
begin_once(struct store *s, int64_t sensor_id, struct error *err)
{
	if (s->clients != NULL && s->clients->sensor_id == sensor_id)
		return 0;
	return begin(s, sensor_id, err);
}

int
store_clients_none(struct store *s, int64_t sensor_id, bool *none, struct error *err)
{
	if (begin_once(s, sensor_id, err) != 0)
		return -1;
	*none = s->clients->complete && s->clients->count == 0;
	return 0;
}

int
store_clients_find(
    struct store *s, int64_t sensor_id, const struct addr *ip, int64_t *id, struct error *err)
{
	if (begin_once(s, sensor_id, err) != 0)
		return -1;
	*id = place_of(s->clients, ip)->id;
	if (*id != 0 || s->clients->complete)
		return 0;
	if (store_client_number(s, sensor_id, ip, id, err) != 0)
		return -1;
	if (*id != 0)
		keep(s->clients, ip, *id);
	return 0;
}

void
store_clients_keep(struct store *s, int64_t sensor_id, const struct addr *ip, int64_t id)
{
	if (s->clients != NULL && s->clients->sensor_id == sensor_id)
		keep(s->clients, ip, id);
}
