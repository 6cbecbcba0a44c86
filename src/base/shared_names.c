#include "base/shared_names.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/xalloc.h"

#include "base/banned.h"

#define FIRST_BUCKETS 64

struct shared_name {
	struct shared_name *next; /* in its bucket */
	uint32_t hash;
	uint32_t holders;
	uint16_t len;
	uint8_t bytes[];
};

struct shared_names {
	struct hash_key key;
	struct shared_name **buckets;
	size_t bucket_count; /* a power of two, and at least as many as names */
	size_t count, bytes;
};

struct shared_names *
shared_names_new(void)
{
	struct shared_names *names = xcalloc(1, sizeof(*names));

	names->key = hash_key_random();
	names->bucket_count = FIRST_BUCKETS;
	names->buckets = xcalloc(FIRST_BUCKETS, sizeof(struct shared_name *));
	return names;
}

void
shared_names_free(struct shared_names *names)
{
	if (names == NULL)
		return;
	for (size_t i = 0; i < names->bucket_count; i++) {
		while (names->buckets[i] != NULL) {
			struct shared_name *name = names->buckets[i];

			names->buckets[i] = name->next;
			free(name);
		}
	}
	free(names->buckets);
	free(names);
}

/* As malloc counts it: with a word of its own, and rounded up to a multiple of two words. */
static size_t
len_of(size_t text_len)
{
	return (sizeof(struct shared_name) + text_len + 23) & ~(size_t)15;
}

static struct shared_name **
bucket_of(const struct shared_names *names, uint32_t hash)
{
	return &names->buckets[hash & (names->bucket_count - 1)];
}

static void
put(struct shared_names *names, struct shared_name *name)
{
	struct shared_name **bucket = bucket_of(names, name->hash);

	name->next = *bucket;
	*bucket = name;
}

static void
double_buckets(struct shared_names *names)
{
	struct shared_name **old = names->buckets;
	size_t old_count = names->bucket_count;

	names->bucket_count *= 2;
	names->buckets = xcalloc(names->bucket_count, sizeof(struct shared_name *));
	for (size_t i = 0; i < old_count; i++) {
		while (old[i] != NULL) {
			struct shared_name *name = old[i];

			old[i] = name->next;
			put(names, name);
		}
	}
	free(old);
}

static struct shared_name *
add(struct shared_names *names, struct span text, uint32_t hash)
{
	struct shared_name *name = xmalloc(sizeof(*name) + text.len);

	*name = (struct shared_name){ .hash = hash, .len = (uint16_t)text.len };
	memcpy(name->bytes, text.data, text.len);
	if (names->count == names->bucket_count)
		double_buckets(names);
	put(names, name);
	names->count++;
	names->bytes += len_of(text.len);
	return name;
}

struct shared_name *
shared_name_take(struct shared_names *names, struct span text)
{
	struct shared_name *name;
	uint32_t hash;

	assert(text.len <= UINT16_MAX);
	if (text.len == 0)
		return NULL;
	hash = (uint32_t)hash_quick(&names->key, text.data, text.len);
	name = *bucket_of(names, hash);
	while (name != NULL && (name->hash != hash || !span_equals(shared_name_span(name), text)))
		name = name->next;
	if (name == NULL)
		name = add(names, text, hash);
	name->holders++;
	return name;
}

void
shared_name_hold(struct shared_name *given)
{
	given->holders++;
}

static void
drop(struct shared_names *names, struct shared_name *name)
{
	struct shared_name **link = bucket_of(names, name->hash);

	while (*link != name)
		link = &(*link)->next;
	*link = name->next;
	names->count--;
	names->bytes -= len_of(name->len);
	free(name);
}

void
shared_name_give_back(struct shared_names *names, struct shared_name *given)
{
	if (given != NULL && --given->holders == 0)
		drop(names, given);
}

struct span
shared_name_span(const struct shared_name *name)
{
	return name != NULL ? span_from(name->bytes, name->len) : (struct span){ 0 };
}

size_t
shared_names_bytes(const struct shared_names *names)
{
	return names->bytes + names->bucket_count * sizeof(struct shared_name *);
}
