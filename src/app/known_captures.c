#include "app/known_captures.h"

#include <stdlib.h>

#include "base/log.h"
#include "base/xalloc.h"
#include "store/query.h"

#include "base/banned.h"

void
known_captures_release(struct known_captures *k)
{
	free(k->items);
	k->items = NULL;
	k->count = 0;
}

static bool
keep(void *arg, const struct store_identity *identity)
{
	struct known_captures *k = arg;

	k->items = xreallocarray(k->items, k->count + 1, sizeof(*k->items));
	k->items[k->count++] = *identity;
	return true;
}

static void
ask_store(struct known_captures *k, uint64_t head_hash)
{
	struct error err;

	k->count = 0;
	if (k->lock != NULL)
		(void)pthread_mutex_lock(k->lock);
	if (store_each_identity(k->store, k->sensor_id, head_hash, keep, k, &err) != 0)
		log_warning("%s", err.text);
	if (k->lock != NULL)
		(void)pthread_mutex_unlock(k->lock);
}

bool
known_captures_ask(void *known_captures, const struct saved_file *file, uint64_t head_hash,
    size_t index, struct saved_identity *known)
{
	struct known_captures *k = known_captures;

	(void)file;
	if (index == 0)
		ask_store(k, head_hash);
	if (index >= k->count)
		return false;
	known->head_hash = k->items[index].head_hash;
	known->packet_count = k->items[index].packet_count;
	known->stream_hash = k->items[index].stream_hash;
	return true;
}
