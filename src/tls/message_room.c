/* The room in which an unfinished message is kept. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "tls/record_internal.h"

#include "base/banned.h"

#define USUAL_MESSAGE_MAX 4096

void
tls_message_pools_init(struct pool pools[TLS_MESSAGE_POOLS])
{
	for (unsigned i = 0; i < TLS_MESSAGE_POOLS; i++)
		pool_init(&pools[i], (size_t)TLS_MESSAGE_ROOM << i);
}

void
tls_message_pools_release(struct pool pools[TLS_MESSAGE_POOLS])
{
	for (unsigned i = 0; i < TLS_MESSAGE_POOLS; i++)
		pool_release(&pools[i]);
}

/* Where a room comes from, and goes back to; NULL: malloc's. */
static struct pool *
pool_of(const struct tls_record_stream *s, size_t room)
{
	if (s->budget == NULL || s->budget->rooms == NULL)
		return NULL;
	for (unsigned i = 0; i < TLS_MESSAGE_POOLS; i++) {
		if (room == (size_t)TLS_MESSAGE_ROOM << i)
			return &s->budget->rooms[i];
	}
	return NULL;
}

static void
free_room(struct tls_record_stream *s)
{
	struct pool *pool = pool_of(s, s->kept_room);

	if (pool != NULL)
		pool_give_back(pool, s->kept);
	else
		free(s->kept);
}

void
tls_record_stream_release(struct tls_record_stream *s)
{
	s->kept_len = 0;
	if (s->kept_room == 0)
		return;
	free_room(s);
	if (s->budget != NULL)
		s->budget->kept_len -= s->kept_room;
	s->kept = NULL;
	s->kept_room = 0;
}

/*
 * How much room to take for `len` bytes of the message.  A message tells its length beforehand, but
 * room beyond that of a usual chain of certificates is taken only as the bytes come.
 */
static size_t
room_for(const struct tls_record_stream *s, size_t len)
{
	size_t expected = s->kept_want < USUAL_MESSAGE_MAX ? s->kept_want : USUAL_MESSAGE_MAX;
	size_t room = TLS_MESSAGE_ROOM;

	if (len < expected)
		len = expected;
	while (room < len)
		room *= 2;
	return room;
}

/* False when the budget has no room for so many bytes. */
static __attribute__((noinline)) bool
grow(struct tls_record_stream *s, size_t len)
{
	struct tls_record_budget *budget = s->budget;
	size_t want = room_for(s, len);
	struct pool *pool = pool_of(s, want);
	uint8_t *kept;

	if (budget != NULL && want - s->kept_room > budget->max_kept_len - budget->kept_len) {
		budget->exceeded_count++;
		return false;
	}
	if (budget != NULL)
		budget->kept_len += want - s->kept_room;
	kept = pool != NULL ? pool_take(pool) : xmalloc(want);
	if (s->kept_room > 0) {
		memcpy(kept, s->kept, s->kept_len);
		free_room(s);
	}
	s->kept = kept;
	s->kept_room = (uint32_t)want;
	return true;
}

void
tls_message_keep(struct tls_record_stream *s, struct span bytes)
{
	size_t room = TLS_MESSAGE_MAX - s->kept_len;
	size_t len = bytes.len < room ? bytes.len : room;

	if (s->kept_full)
		return;
	if (s->kept_len + len > s->kept_room && !grow(s, s->kept_len + len)) {
		s->kept_full = true;
		return;
	}
	if (len == 0)
		return;
	assert(s->kept != NULL);
	memcpy(s->kept + s->kept_len, bytes.data, len);
	s->kept_len += (uint32_t)len;
}
