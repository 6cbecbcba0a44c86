#include "tls/cache.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/short_copy.h"
#include "base/xalloc.h"
#include "tls/hello_internal.h"
#include "tls/names.h"

#include "base/banned.h"

/* Two places for each hash; of the two the one that was found or filled last stays. */
#define WAYS 2
#define HELLO_SETS 1024
/* A miss costs as much as a hundred hits, so more certificates of one hash have a place. */
#define CERTIFICATE_SETS 32
#define CERTIFICATE_WAYS 4
/* The fingerprints of a browser's hello are made from about 70 numbers. */
#define HELLO_KEY_MAX 224
#define KEY_STEP 8
#define GREASE 0x0a0a /* RFC 8701: any of them */

_Static_assert(HELLO_KEY_MAX % KEY_STEP == 0, "a key is gone through in steps");
#define CERTIFICATE_LEN_MAX 6144
/*
 * So many bytes of a certificate's beginning (its serial number) and of its end (its signature)
 * tell it from others well enough to find its place.
 */
#define CERTIFICATE_HASHED 64

/*
 * All that struct tls_fingerprints depends on, as numbers, each list with its count in front.
 * Numbers keep the byte order of the wire, as they are only compared; any GREASE becomes GREASE.
 */
struct hello_key {
	size_t count; /* HELLO_KEY_MAX + 1: too many */
	uint16_t items[HELLO_KEY_MAX + KEY_STEP];
};

struct hello_entry {
	struct hello_key key; /* count 0: empty */
	struct tls_fingerprints fingerprints;
};

struct certificate_entry {
	uint8_t *der; /* owned; NULL: empty */
	size_t len;
	bool valid; /* the answer of tls_certificate_parse */
	struct tls_certificate certificate;
};

struct tls_cache {
	struct hash_key hash_key;
	uint8_t last_hello[HELLO_SETS]; /* the way that was of use last */
	uint8_t last_certificate[CERTIFICATE_SETS];
	struct hello_entry hellos[HELLO_SETS][WAYS];
	struct certificate_entry certificates[CERTIFICATE_SETS][CERTIFICATE_WAYS];
};

struct tls_cache *
tls_cache_new(void)
{
	struct tls_cache *cache = xcalloc(1, sizeof(*cache));

	cache->hash_key = hash_key_random();
	return cache;
}

void
tls_cache_free(struct tls_cache *cache)
{
	if (cache == NULL)
		return;
	for (size_t i = 0; i < CERTIFICATE_SETS; i++) {
		for (unsigned way = 0; way < CERTIFICATE_WAYS; way++)
			free(cache->certificates[i][way].der);
	}
	free(cache);
}

/* Where `count` items of a list have room, behind their number; NULL: they have not. */
static uint16_t *
key_begin_list(struct hello_key *key, size_t count)
{
	if (key->count + 1 + count <= HELLO_KEY_MAX)
		return key->items + key->count + 1;
	key->count = HELLO_KEY_MAX + 1;
	return NULL;
}

static void
key_end_list(struct hello_key *key, const uint16_t *end)
{
	size_t begin = key->count;

	key->count = (size_t)(end - key->items);
	key->items[begin] = (uint16_t)(key->count - begin);
}

static __attribute__((noinline)) void
key_add_list(struct hello_key *key, struct span list)
{
	uint16_t *out = key_begin_list(key, list.len / 2);

	if (out == NULL)
		return;
	short_copy(out, list.data, list.len & ~(size_t)1);
	key_end_list(key, out + list.len / 2);
}

static void
key_add_extension_types(struct hello_key *key, struct span extensions)
{
	uint16_t *out = key_begin_list(key, 0);
	const uint16_t *end = key->items + HELLO_KEY_MAX;
	struct span data;
	uint16_t type;

	if (out == NULL)
		return;
	while (hello_next_extension(&extensions, &type, &data)) {
		if (out == end) {
			key->count = HELLO_KEY_MAX + 1;
			return;
		}
		*out++ = type;
	}
	key_end_list(key, out);
}

/* Eight numbers at a time: a loop of known length is one that compilers turn into vector code. */
static inline void
make_grease_equal(uint16_t items[KEY_STEP])
{
	for (size_t i = 0; i < KEY_STEP; i++) {
		uint16_t item = items[i];
		bool grease = (item & 0x0f0f) == 0x0a0a && (uint8_t)item == item >> 8;

		items[i] = grease ? GREASE : item;
	}
}

static void
key_add_bytes(struct hello_key *key, struct span bytes)
{
	uint16_t *out = key_begin_list(key, bytes.len);

	if (out == NULL)
		return;
	for (size_t i = 0; i < bytes.len; i++)
		*out++ = bytes.data[i];
	key_end_list(key, out);
}

/* False: too long to be kept. */
static bool
make_key(struct hello_key *key, const struct tls_client_hello *ch)
{
	struct span alpn = ch->alpn, name = { 0 };

	key->count = 0;
	key_add_list(key, ch->cipher_suites);
	key_add_extension_types(key, ch->extensions);
	key_add_list(key, ch->supported_groups);
	key_add_bytes(key, ch->ec_point_formats);
	key_add_list(key, ch->supported_versions);
	key_add_list(key, ch->signature_algorithms);
	if (span_read_vec8(&alpn, &name))
		key_add_bytes(key, name);
	if (key->count >= HELLO_KEY_MAX)
		return false;
	/* Neither a fingerprint nor an offer counts GREASE; so far nothing else looks like it. */
	memset(key->items + key->count, 0, KEY_STEP * sizeof(key->items[0]));
	for (size_t i = 0; i < key->count; i += KEY_STEP)
		make_grease_equal(key->items + i);
	key->items[key->count++] = ch->legacy_version;
	return true;
}

static void
work_out(const struct tls_client_hello *ch, struct tls_fingerprints *out)
{
	(void)tls_ja3(ch, out->ja3);
	(void)tls_ja4(ch, out->ja4);
	tls_suite_offers_of(ch, &out->offers);
	out->offered_version = tls_client_hello_offered_version(ch);
	out->fallback_scsv = tls_client_hello_offers_suite(ch, TLS_SUITE_FALLBACK_SCSV);
}

static bool
key_equals(const struct hello_key *a, const struct hello_key *b)
{
	return a->count == b->count && memcmp(a->items, b->items, a->count * sizeof(uint16_t)) == 0;
}

const struct tls_fingerprints *
tls_cache_fingerprints(
    struct tls_cache *cache, const struct tls_client_hello *ch, struct tls_fingerprints *room)
{
	struct hello_key key;
	struct hello_entry *set;
	size_t i;
	uint8_t way;

	if (cache == NULL || !tls_has_fingerprint(ch) || !make_key(&key, ch)) {
		work_out(ch, room);
		return room;
	}
	i = hash_quick(&cache->hash_key, key.items, key.count * sizeof(uint16_t)) % HELLO_SETS;
	set = cache->hellos[i];
	for (way = 0; way < WAYS; way++) {
		if (key_equals(&set[way].key, &key))
			break;
	}
	if (way == WAYS) {
		way = 1 - cache->last_hello[i];
		set[way].key.count = key.count;
		memcpy(set[way].key.items, key.items, key.count * sizeof(uint16_t));
		work_out(ch, &set[way].fingerprints);
	}
	cache->last_hello[i] = way;
	return &set[way].fingerprints;
}

static size_t
certificate_set(const struct tls_cache *cache, struct span der)
{
	size_t len = der.len < CERTIFICATE_HASHED ? der.len : CERTIFICATE_HASHED;
	uint64_t begin = hash_quick(&cache->hash_key, der.data, len);
	uint64_t end = hash_quick(&cache->hash_key, der.data + der.len - len, len);

	return hash_words(&cache->hash_key, begin, end ^ der.len) % CERTIFICATE_SETS;
}

const struct tls_certificate *
tls_cache_certificate(struct tls_cache *cache, struct span der, struct tls_certificate *room)
{
	struct certificate_entry *set, *e;
	size_t i;
	uint8_t way;

	if (cache == NULL || der.len == 0 || der.len > CERTIFICATE_LEN_MAX)
		return tls_certificate_parse(der, room) ? room : NULL;
	i = certificate_set(cache, der);
	set = cache->certificates[i];
	for (way = 0; way < CERTIFICATE_WAYS; way++) {
		if (span_equals(span_from(set[way].der, set[way].len), der))
			break;
	}
	if (way == CERTIFICATE_WAYS) {
		way = (uint8_t)((cache->last_certificate[i] + 1) % CERTIFICATE_WAYS);
		e = &set[way];
		e->der = xreallocarray(e->der, der.len, 1);
		memcpy(e->der, der.data, der.len);
		e->len = der.len;
		e->valid = tls_certificate_parse(der, &e->certificate);
	}
	cache->last_certificate[i] = way;
	return set[way].valid ? &set[way].certificate : NULL;
}
