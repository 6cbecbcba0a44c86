#include "packet/fragments.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/timestamp.h"
#include "base/xalloc.h"
#include "packet/datagram.h"

#include "base/banned.h"

#define DEFAULT_BYTES_MAX ((size_t)4 << 20)
#define DEFAULT_DATAGRAMS_MAX 4096
/* RFC 791, section 3.2, proposes 15 seconds and more; RFC 8200, section 4.5, says 60; Linux waits
 * 30. */
#define DEFAULT_PATIENCE_US (30 * USEC_PER_SEC)
/* So long the fragments of a settled datagram are recognised as copies. */
#define ECHO_US (1 * USEC_PER_SEC)
#define BUCKET_COUNT_MAX ((size_t)1 << 16)
/* What the allocator adds to each block, about. */
#define ALLOCATION_OVERHEAD 16

#define KEY_LEN 38 /* addresses, identification, family, protocol */

enum entry_state {
	ENTRY_OPEN,    /* pieces are missing */
	ENTRY_JOINED,  /* handed out; recognises copies of its pieces */
	ENTRY_SPOILED, /* dropped; swallows the rest of its pieces */
};

struct entry {
	struct entry *chain;           /* the next one of the bucket */
	struct entry *older, *younger; /* in the list of its state */
	struct datagram datagram;
	int64_t time_us; /* of the first fragment; when it was settled */
	size_t held_len; /* counted against the budget */
	enum entry_state state;
	uint8_t key[KEY_LEN];
};

struct entry_list {
	struct entry *oldest, *youngest;
};

struct joined {
	struct joined *next;
	uint8_t bytes[];
};

struct fragment_table {
	struct packet_options options;
	struct packet_fragment_counters counters;
	struct hash_key hash_key;
	struct entry **buckets;
	size_t bucket_mask;
	struct entry_list open, settled;
	size_t count, held_len;
	struct joined *joined;
};

struct fragment_table *
fragment_table_new(const struct packet_options *options)
{
	struct fragment_table *t = xcalloc(1, sizeof(*t));
	size_t bucket_count = 16;

	t->options = *options;
	if (t->options.fragment_bytes_max == 0)
		t->options.fragment_bytes_max = DEFAULT_BYTES_MAX;
	if (t->options.fragment_datagrams_max == 0)
		t->options.fragment_datagrams_max = DEFAULT_DATAGRAMS_MAX;
	if (t->options.fragment_patience_us == 0)
		t->options.fragment_patience_us = DEFAULT_PATIENCE_US;
	while (bucket_count < t->options.fragment_datagrams_max && bucket_count < BUCKET_COUNT_MAX)
		bucket_count *= 2;
	t->buckets = xcalloc(bucket_count, sizeof(struct entry *));
	t->bucket_mask = bucket_count - 1;
	t->hash_key = hash_key_random();
	return t;
}

static struct entry_list *
list_of(struct fragment_table *t, const struct entry *e)
{
	return e->state == ENTRY_OPEN ? &t->open : &t->settled;
}

static void
list_add(struct entry_list *list, struct entry *e)
{
	e->older = list->youngest;
	e->younger = NULL;
	if (list->youngest != NULL)
		list->youngest->younger = e;
	else
		list->oldest = e;
	list->youngest = e;
}

static void
list_remove(struct entry_list *list, struct entry *e)
{
	if (e->older != NULL)
		e->older->younger = e->younger;
	else
		list->oldest = e->younger;
	if (e->younger != NULL)
		e->younger->older = e->older;
	else
		list->youngest = e->older;
}

static struct entry **
bucket_of(const struct fragment_table *t, const uint8_t key[KEY_LEN])
{
	return &t->buckets[hash_bytes(&t->hash_key, key, KEY_LEN) & t->bucket_mask];
}

/* Brings the budget up to date after the datagram changed. */
static void
account(struct fragment_table *t, struct entry *e)
{
	size_t held_len = sizeof(*e) + ALLOCATION_OVERHEAD + datagram_held_len(&e->datagram) +
			  (e->datagram.piece_count + 1) * ALLOCATION_OVERHEAD;

	t->held_len += held_len - e->held_len;
	e->held_len = held_len;
}

static struct entry *
entry_new(struct fragment_table *t, const uint8_t key[KEY_LEN], int64_t time_us)
{
	struct entry *e = xcalloc(1, sizeof(*e));
	struct entry **bucket = bucket_of(t, key);

	memcpy(e->key, key, KEY_LEN);
	e->time_us = time_us;
	e->chain = *bucket;
	*bucket = e;
	list_add(&t->open, e);
	t->count++;
	account(t, e);
	return e;
}

static void
entry_free(struct fragment_table *t, struct entry *e)
{
	struct entry **link = bucket_of(t, e->key);

	while (*link != e)
		link = &(*link)->chain;
	*link = e->chain;
	list_remove(list_of(t, e), e);
	t->count--;
	t->held_len -= e->held_len;
	datagram_release(&e->datagram);
	free(e);
}

static void
settle(struct fragment_table *t, struct entry *e, enum entry_state state, int64_t time_us)
{
	list_remove(&t->open, e);
	e->state = state;
	e->time_us = time_us;
	list_add(&t->settled, e);
	if (state == ENTRY_JOINED)
		datagram_reduce(&e->datagram, &t->hash_key);
	else
		datagram_release(&e->datagram);
	account(t, e);
}

/* Packet time may jump either way, by any amount. */
static bool
is_far(int64_t a, int64_t b, int64_t limit)
{
	uint64_t distance = a > b ? (uint64_t)a - (uint64_t)b : (uint64_t)b - (uint64_t)a;

	return distance > (uint64_t)limit;
}

static bool
is_over(const struct fragment_table *t, const struct entry *e, int64_t now)
{
	return is_far(
	    e->time_us, now, e->state == ENTRY_OPEN ? t->options.fragment_patience_us : ECHO_US);
}

static void
give_up(struct fragment_table *t, struct entry *e, uint64_t *counter)
{
	if (e->state == ENTRY_OPEN)
		(*counter)++;
	entry_free(t, e);
}

static void
expire(struct fragment_table *t, int64_t now)
{
	while (t->settled.oldest != NULL && is_over(t, t->settled.oldest, now))
		entry_free(t, t->settled.oldest);
	while (t->open.oldest != NULL && is_over(t, t->open.oldest, now))
		give_up(t, t->open.oldest, &t->counters.timed_out);
}

/* What is settled goes first, then the oldest. */
static void
evict(struct fragment_table *t)
{
	give_up(t, t->settled.oldest != NULL ? t->settled.oldest : t->open.oldest,
	    &t->counters.evicted);
}

static void
write_key(const struct fragment *f, uint8_t key[KEY_LEN])
{
	memcpy(key, f->src.bytes, 16);
	memcpy(key + 16, f->dst.bytes, 16);
	for (unsigned i = 0; i < 4; i++)
		key[32 + i] = (uint8_t)(f->id >> (8 * i));
	key[36] = f->src.family;
	/* RFC 8200, section 4.5: the next header is no part of the key in IPv6. */
	key[37] = f->src.family == 4 ? f->proto : 0;
}

static struct entry *
find(const struct fragment_table *t, const uint8_t key[KEY_LEN])
{
	struct entry *e = *bucket_of(t, key);

	while (e != NULL && memcmp(e->key, key, KEY_LEN) != 0)
		e = e->chain;
	return e;
}

static void
join(struct fragment_table *t, struct entry *e, int64_t time_us, struct fragment_whole *out)
{
	struct joined *joined = xmalloc(sizeof(*joined) + e->datagram.bytes_held);

	joined->next = t->joined;
	t->joined = joined;
	out->bytes = span_from(joined->bytes, datagram_join(&e->datagram, joined->bytes));
	out->wire_len = e->datagram.wire_len;
	out->proto = e->datagram.proto;
	settle(t, e, ENTRY_JOINED, time_us);
	t->counters.reassembled++;
}

/* The datagram that the fragment belongs to; NULL: the fragment adds nothing to what is known. */
static struct entry *
entry_for(struct fragment_table *t, const struct fragment *f)
{
	uint8_t key[KEY_LEN];
	struct entry *e;

	write_key(f, key);
	e = find(t, key);
	if (e != NULL && is_over(t, e, f->time_us)) {
		give_up(t, e, &t->counters.timed_out);
		e = NULL;
	}
	if (e != NULL && e->state == ENTRY_JOINED) {
		if (datagram_knows(&e->datagram, f, &t->hash_key)) {
			t->counters.duplicates++;
			return NULL;
		}
		/* The sender uses the identification again. */
		entry_free(t, e);
		e = NULL;
	}
	if (e != NULL)
		return e->state == ENTRY_OPEN ? e : NULL;
	while (t->count >= t->options.fragment_datagrams_max)
		evict(t);
	return entry_new(t, key, f->time_us);
}

bool
fragment_table_add(struct fragment_table *t, const struct fragment *f, struct fragment_whole *out)
{
	struct entry *e;
	bool whole = false;

	t->counters.seen++;
	expire(t, f->time_us);
	e = entry_for(t, f);
	if (e == NULL)
		return false;
	switch (datagram_add(&e->datagram, f)) {
	case DATAGRAM_ADDED:
		break;
	case DATAGRAM_WHOLE:
		join(t, e, f->time_us, out);
		whole = true;
		break;
	case DATAGRAM_DUPLICATE:
		t->counters.duplicates++;
		break;
	case DATAGRAM_OVERLAP:
		t->counters.overlapping++;
		settle(t, e, ENTRY_SPOILED, f->time_us);
		break;
	case DATAGRAM_TOO_MANY:
		t->counters.too_many++;
		settle(t, e, ENTRY_SPOILED, f->time_us);
		break;
	}
	account(t, e);
	while (t->held_len > t->options.fragment_bytes_max)
		evict(t);
	return whole;
}

void
fragment_table_forget_joined(struct fragment_table *t)
{
	while (t->joined != NULL) {
		struct joined *next = t->joined->next;

		free(t->joined);
		t->joined = next;
	}
}

void
fragment_table_finish(struct fragment_table *t)
{
	/* Each call takes the entry off its list, which the analyzer does not see. */
	while (t->settled.oldest != NULL)
		entry_free(t, t->settled.oldest); /* NOLINT(clang-analyzer-unix.Malloc) */
	while (t->open.oldest != NULL)
		give_up(t, t->open.oldest, /* NOLINT(clang-analyzer-unix.Malloc) */
		    &t->counters.timed_out);
}

void
fragment_table_free(struct fragment_table *t)
{
	if (t == NULL)
		return;
	fragment_table_finish(t);
	fragment_table_forget_joined(t);
	free(t->buckets);
	free(t);
}

const struct packet_fragment_counters *
fragment_table_counters(const struct fragment_table *t)
{
	return &t->counters;
}

size_t
fragment_table_held_len(const struct fragment_table *t)
{
	return t->held_len;
}
