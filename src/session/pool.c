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
	struct pool sessions, with_dialogue, dialogues;
	size_t count, most; /* sessions in use now, and at most since the pool was empty */
};

struct session_pool *
session_pool_new(void)
{
	struct session_pool *pool = xcalloc(1, sizeof(*pool));

	pool_init(&pool->sessions, sizeof(struct session));
	pool_init(&pool->with_dialogue, sizeof(struct session_with_dialogue));
	pool_init(&pool->dialogues, sizeof(struct mail_dialogue));
	return pool;
}

static void
release_pools(struct session_pool *pool)
{
	pool_release(&pool->sessions);
	pool_release(&pool->with_dialogue);
	pool_release(&pool->dialogues);
}

void
session_pool_free(struct session_pool *pool)
{
	if (pool == NULL)
		return;
	release_pools(pool);
	free(pool);
}

static struct session *
take(struct session_pool *pool, bool with_dialogue)
{
	if (pool == NULL)
		return xcalloc_aligned(
		    with_dialogue ? sizeof(struct session_with_dialogue) : sizeof(struct session));
	if (++pool->count > pool->most)
		pool->most = pool->count;
	return pool_take(with_dialogue ? &pool->with_dialogue : &pool->sessions);
}

static void
clear_side(struct session_side *side)
{
	memset(side, 0, offsetof(struct session_side, evidence));
	evidence_side_init(&side->evidence);
	side->preamble_len = side->no_hello_len = 0;
	side->words = side->reset = side->fin_implied = side->lacks_fin = side->replied = false;
	side->proxy_header = (struct proxy_header){ 0 };
	tls_record_stream_init(&side->records);
}

struct session *
session_alloc(struct session_pool *pool, bool with_dialogue)
{
	struct session *s = take(pool, with_dialogue);

	memset(s, 0, offsetof(struct session, side));
	s->with_dialogue = with_dialogue;
	clear_side(&s->side[0]);
	clear_side(&s->side[1]);
	return s;
}

struct mail_dialogue *
session_alloc_mail(struct session *s)
{
	struct session_pool *pool = s->options->pool;

	if (s->with_dialogue)
		return &((struct session_with_dialogue *)s)->dialogue;
	return pool != NULL ? pool_take(&pool->dialogues) : xmalloc(sizeof(struct mail_dialogue));
}

static void
give_back_mail(struct session_pool *pool, struct session *s)
{
	if (s->mail == NULL || s->with_dialogue)
		return;
	if (pool != NULL)
		pool_give_back(&pool->dialogues, s->mail);
	else
		free(s->mail);
}

void
session_give_back(struct session_pool *pool, struct session *s)
{
	give_back_mail(pool, s);
	if (pool == NULL) {
		xfree_aligned(s);
		return;
	}
	pool_give_back(s->with_dialogue ? &pool->with_dialogue : &pool->sessions, s);
	if (--pool->count == 0 && pool->most > KEPT_MAX) {
		release_pools(pool);
		pool->most = 0;
	}
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
	__builtin_prefetch(s);
	__builtin_prefetch(s + 1); /* the dialogue, where there is one */
	__builtin_prefetch(&s->side[dir]);
	__builtin_prefetch(&s->side[dir].records);
}
