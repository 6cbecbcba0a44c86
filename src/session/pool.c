/* Where sessions come from, and where they go. */
#include <stdlib.h>
#include <string.h>

#include "base/pool.h"
#include "base/xalloc.h"
#include "session/session_internal.h"

#include "base/banned.h"

/* From so many on, their memory is given back when none of them is in use. */
#define KEPT_MAX 256

struct session_pool {
	struct pool sessions, dialogues;
	size_t count, most; /* in use now, and at most since the pool was empty */
};

struct session_pool *
session_pool_new(void)
{
	struct session_pool *pool = xcalloc(1, sizeof(*pool));

	pool_init(&pool->sessions, sizeof(struct session));
	pool_init(&pool->dialogues, sizeof(struct mail_dialogue));
	return pool;
}

void
session_pool_free(struct session_pool *pool)
{
	if (pool == NULL)
		return;
	pool_release(&pool->sessions);
	pool_release(&pool->dialogues);
	free(pool);
}

static struct session *
take(struct session_pool *pool)
{
	if (pool == NULL)
		return xcalloc_aligned(sizeof(struct session));
	if (++pool->count > pool->most)
		pool->most = pool->count;
	return pool_take(&pool->sessions);
}

static void
clear_side(struct session_side *side)
{
	memset(side, 0, offsetof(struct session_side, records));
	tls_record_stream_init(&side->records);
	side->proxy_header = (struct proxy_header){ 0 };
	evidence_side_init(&side->evidence);
}

struct session *
session_alloc(struct session_pool *pool)
{
	struct session *s = take(pool);

	memset(s, 0, offsetof(struct session, side));
	clear_side(&s->side[0]);
	clear_side(&s->side[1]);
	return s;
}

void
session_give_back(struct session_pool *pool, struct session *s)
{
	if (pool == NULL) {
		xfree_aligned(s);
		return;
	}
	pool_give_back(&pool->sessions, s);
	if (--pool->count == 0 && pool->most > KEPT_MAX) {
		pool_release(&pool->sessions);
		pool_release(&pool->dialogues);
		pool->most = 0;
	}
}

struct mail_dialogue *
session_alloc_mail(struct session_pool *pool)
{
	return pool != NULL ? pool_take(&pool->dialogues) : xmalloc(sizeof(struct mail_dialogue));
}

void
session_give_back_mail(struct session_pool *pool, struct mail_dialogue *mail)
{
	if (pool != NULL)
		pool_give_back(&pool->dialogues, mail);
	else
		free(mail);
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
	__builtin_prefetch(side);
	__builtin_prefetch(side + CACHE_LINE);
	__builtin_prefetch(side + 2 * CACHE_LINE);
	__builtin_prefetch(side + 3 * CACHE_LINE);
}
