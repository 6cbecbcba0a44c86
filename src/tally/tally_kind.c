/* What many findings have in common, kept once. */
#include <string.h>

#include "base/xalloc.h"
#include "tally/tally_internal.h"

#include "base/banned.h"

void *
tally_make_room(void *items, size_t count, size_t *room, size_t item_len)
{
	if (count < *room)
		return items;
	*room = *room == 0 ? 64 : *room * 2;
	return xreallocarray(items, *room, item_len);
}

static bool
text_equals(struct tally_text a, struct tally_text b)
{
	return a.len == b.len && memcmp(a.data, b.data, a.len) == 0;
}

uint64_t
tally_kind_hash(const struct tally *t, const struct tally_kind *k)
{
	uint64_t hash = hash_bytes(&t->key, k->server.data, k->server.len);

	hash = hash_words(&t->key,
	    hash ^ ((uint64_t)k->server_port << 32 | (uint32_t)k->tls_version << 16 |
		       k->offered_version),
	    (uint64_t)k->protocol << 40 | (uint64_t)k->tls_mode << 32 | (uint32_t)k->outcome << 24 |
		(uint32_t)k->refused_by << 16 | (uint32_t)k->refusal << 8 | k->refusal_alert);
	return hash;
}

static bool
kind_equals(const struct tally_kind *a, const struct tally_kind *b)
{
	return a->server_port == b->server_port && a->tls_version == b->tls_version &&
	       a->offered_version == b->offered_version && a->protocol == b->protocol &&
	       a->tls_mode == b->tls_mode && a->outcome == b->outcome &&
	       a->refused_by == b->refused_by && a->refusal == b->refusal &&
	       a->refusal_alert == b->refusal_alert && text_equals(a->server, b->server);
}

uint32_t
tally_kind_find(const struct tally *t, uint64_t hash, const struct tally_kind *wanted)
{
	uint32_t probe = 0, i;

	do {
		i = tally_index_next(&t->kind_index, hash, &probe);
	} while (i != TALLY_NONE && !kind_equals(&t->kinds[i], wanted));
	return i;
}

uint32_t
tally_kind_keep(struct tally *t, uint64_t hash, const struct tally_kind *wanted)
{
	uint32_t i = tally_kind_find(t, hash, wanted);

	if (i != TALLY_NONE)
		return i;
	i = (uint32_t)t->kind_count++;
	t->kinds = tally_make_room(t->kinds, i, &t->kind_room, sizeof(*t->kinds));
	t->kinds[i] = *wanted;
	t->kinds[i].server = tally_keep_text(t, wanted->server.data, wanted->server.len);
	t->bytes += sizeof(*t->kinds) + 2 * sizeof(struct tally_slot);
	tally_index_add(&t->kind_index, hash, i);
	return i;
}

static uint64_t
story_hash(const struct tally *t, const struct tally_story *s)
{
	uint64_t hash = hash_bytes(&t->key, s->subject.data, s->subject.len);

	if (s->has_ja4)
		hash ^= hash_bytes(&t->key, s->ja4, sizeof(s->ja4));
	hash = hash_words(&t->key, hash ^ (uint64_t)s->not_after_us, s->cipher_suite);
	hash ^= hash_bytes(&t->key, s->server_ip.bytes, sizeof(s->server_ip.bytes));
	hash = hash_words(&t->key, hash ^ s->suites_all, s->suites_any);
	return hash_words(&t->key, hash,
	    (uint64_t)s->server_name_source << 8 | s->limited_by |
		(uint64_t)s->has_not_after << 16 | (uint64_t)s->offers_aead << 17 |
		(uint64_t)s->offers_ecdhe << 18 | (uint64_t)s->fallback_from << 32);
}

bool
tally_story_equals(const struct tally_story *a, const struct tally_story *b)
{
	return a->not_after_us == b->not_after_us && a->cipher_suite == b->cipher_suite &&
	       a->server_name_source == b->server_name_source && a->limited_by == b->limited_by &&
	       a->has_cipher_suite == b->has_cipher_suite && a->has_ja4 == b->has_ja4 &&
	       a->has_not_after == b->has_not_after && a->offers_aead == b->offers_aead &&
	       a->offers_ecdhe == b->offers_ecdhe && a->fallback_from == b->fallback_from &&
	       a->suites_all == b->suites_all && a->suites_any == b->suites_any &&
	       addr_equals(&a->server_ip, &b->server_ip) &&
	       memcmp(a->ja4, b->ja4, sizeof(a->ja4)) == 0 && text_equals(a->subject, b->subject);
}

static uint32_t
find_story(const struct tally *t, uint64_t hash, const struct tally_story *wanted)
{
	uint32_t probe = 0, i;

	do {
		i = tally_index_next(&t->story_index, hash, &probe);
	} while (i != TALLY_NONE && !tally_story_equals(&t->stories[i], wanted));
	return i;
}

uint32_t
tally_story_find(const struct tally *t, const struct tally_story *wanted)
{
	return find_story(t, story_hash(t, wanted), wanted);
}

uint32_t
tally_story_keep(struct tally *t, const struct tally_story *wanted)
{
	uint64_t hash = story_hash(t, wanted);
	uint32_t i = find_story(t, hash, wanted);

	if (i != TALLY_NONE)
		return i;
	i = (uint32_t)t->story_count++;
	t->stories = tally_make_room(t->stories, i, &t->story_room, sizeof(*t->stories));
	t->stories[i] = *wanted;
	t->stories[i].subject = tally_keep_text(t, wanted->subject.data, wanted->subject.len);
	t->bytes += sizeof(*t->stories) + 2 * sizeof(struct tally_slot);
	tally_index_add(&t->story_index, hash, i);
	return i;
}
