/*
 * known_captures - lets a replay ask the store which captures were counted before, without either
 * knowing the other.
 */
#ifndef TLSTALLY_APP_KNOWN_CAPTURES_H
#define TLSTALLY_APP_KNOWN_CAPTURES_H

#include <pthread.h>

#include "capture/saved.h"
#include "store/store.h"

/* Starts as { .store, .sensor_id, .lock }. */
struct known_captures {
	struct store *store;   /* borrowed */
	pthread_mutex_t *lock; /* borrowed; of the store, where other threads use it too, or NULL */
	int64_t sensor_id;
	struct store_identity *items; /* of the file that is being asked about */
	size_t count;
};

void known_captures_release(struct known_captures *k);
/* For saved_options.known; `known_captures` is a struct known_captures. */
bool known_captures_ask(void *known_captures, const struct saved_file *file, uint64_t head_hash,
    size_t index, struct saved_identity *known);

#endif
