/* Where sessions come from, and where they go. */
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "session/session_internal.h"

#include "base/banned.h"

/* Sessions begin about as fast as they end, so that few are waiting at a time. */
#define UNUSED_MAX 256
#define LINE_LEN 64 /* bytes that a processor's cache fetches at once */

struct session_pool {
	struct session *unused; /* the one that was given back last on top */
	size_t count;
};

struct session_pool *
session_pool_new(void)
{
	return xcalloc(1, sizeof(struct session_pool));
}

void
session_pool_free(struct session_pool *pool)
{
	if (pool == NULL)
		return;
	while (pool->unused != NULL) {
		struct session *s = pool->unused;

		pool->unused = s->next_unused;
		free(s);
	}
	free(pool);
}

struct session *
session_alloc(struct session_pool *pool)
{
	struct session *s;

	if (pool == NULL || pool->unused == NULL) {
		s = xmalloc(sizeof(*s));
	} else {
		s = pool->unused;
		pool->unused = s->next_unused;
		pool->count--;
	}
	memset(s, 0, offsetof(struct session, event));
	event_init(&s->event);
	return s;
}

void
session_give_back(struct session_pool *pool, struct session *s)
{
	if (pool == NULL || pool->count == UNUSED_MAX) {
		free(s);
		return;
	}
	s->next_unused = pool->unused;
	pool->unused = s;
	pool->count++;
}

void
session_set_owner(struct session *s, void *owner)
{
	s->owner = owner;
}

void *
session_owner(const struct session *s)
{
	return s->owner;
}

void
session_prefetch(const struct session *s, unsigned dir)
{
	const char *side = (const char *)&s->side[dir];

	__builtin_prefetch(s);
#pragma GCC unroll 16
	for (size_t at = 0; at < offsetof(struct session_side, evidence.recent); at += LINE_LEN)
		__builtin_prefetch(side + at);
	__builtin_prefetch(&s->side[1 - dir].evidence);
	__builtin_prefetch(&s->event);
}
