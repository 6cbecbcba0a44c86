/* Stories, each kept once: what handshakes told that only the latest of them decides. */
#include <string.h>

#include "tally/tally_internal.h"

#include "base/banned.h"

/* Members are read as they were written: a wider read would have to wait for several writes. */
uint64_t
tally_story_hash(const struct tally *t, const struct tally_story *s)
{
	const struct tally_facts *f = &s->facts;
	uint64_t ip[2], ja4[(EVENT_JA4_LEN + 7) / 8] = { 0 };
	uint64_t hash = hash_quick(&t->key, s->subject.data, s->subject.len);

	_Static_assert(sizeof(ja4) == 5 * sizeof(uint64_t), "an odd number of words");
	memcpy(ip, f->server_ip.bytes, sizeof(ip));
	memcpy(ja4, f->ja4, sizeof(f->ja4));
	hash = hash_words(&t->key, hash ^ ip[0], ip[1]);
	hash = hash_words(&t->key, hash ^ f->suites_all, f->suites_any);
	hash = hash_words(&t->key, hash ^ (uint64_t)f->not_after_us,
	    (uint64_t)f->cipher_suite << 32 | (uint64_t)f->fallback_from << 16 |
		(uint64_t)f->server_name_source << 8 | f->limited_by);
	hash = hash_words(&t->key, hash ^ ja4[0], ja4[1]);
	hash = hash_words(&t->key, hash ^ ja4[2], ja4[3]);
	return hash_words(&t->key, hash ^ ja4[4],
	    (uint64_t)f->server_ip.family << 40 | (uint64_t)f->has_cipher_suite << 32 |
		(uint64_t)f->has_ja4 << 24 | (uint64_t)f->has_not_after << 16 |
		(uint64_t)f->offers_aead << 8 | f->offers_ecdhe);
}

static bool
equals(const struct tally_story *a, const struct tally_story *b)
{
	_Static_assert(sizeof(struct tally_facts) ==
			   3 * 8 + 4 + 2 + 2 + sizeof(struct addr) + 5 + EVENT_JA4_LEN + 6,
	    "no gaps");
	return a->subject.len == b->subject.len &&
	       memcmp(&a->facts, &b->facts, sizeof(a->facts)) == 0 &&
	       memcmp(a->subject.data, b->subject.data, a->subject.len) == 0;
}

struct tally_story
tally_no_story(void)
{
	return (struct tally_story){ .facts.suites_all = UINT64_MAX, .subject = { .data = "" } };
}

void
tally_story_of(const struct event *ev, struct tally_story *out)
{
	struct tally_facts *f = &out->facts;

	*f = (struct tally_facts){ .suites_all = UINT64_MAX };
	out->subject = (struct tally_text){ .data = "" };
	f->server_ip.family = ev->server_ip.family;
	memcpy(f->server_ip.bytes, ev->server_ip.bytes, sizeof(f->server_ip.bytes));
	f->server_name_source = (uint8_t)ev->server_name_source;
	f->limited_by = (uint8_t)ev->limited_by;
	if (ev->has_cipher_suite) {
		f->has_cipher_suite = true;
		f->cipher_suite = ev->cipher_suite;
	}
	if (ev->has_ja4) {
		f->has_ja4 = true;
		memcpy(f->ja4, ev->ja4, EVENT_JA4_LEN);
	}
	if (ev->certificate_subject.len > 0) {
		out->subject.data = ev->certificate_subject.data;
		out->subject.len = ev->certificate_subject.len;
	}
	if (ev->has_certificate_not_after) {
		f->has_not_after = true;
		f->not_after_us = ev->certificate_not_after_us;
	}
	if (ev->offered_version != 0) {
		f->suites_all = f->suites_any = ev->suites;
		f->offers_aead = ev->offers_aead;
		f->offers_ecdhe = ev->offers_ecdhe;
	}
}

/* As finding_has_certificate(). */
static bool
has_certificate(const struct tally_story *s)
{
	return s->subject.len > 0 || s->facts.has_not_after;
}

void
tally_story_join(struct tally_story *s, const struct tally_story *more, bool has_offer, bool latest)
{
	struct tally_facts *f = &s->facts;
	const struct tally_facts *m = &more->facts;

	if (latest || f->server_ip.family == 0) {
		f->server_ip = m->server_ip;
		f->server_name_source = m->server_name_source;
	}
	if (m->has_cipher_suite && (latest || !f->has_cipher_suite)) {
		f->has_cipher_suite = true;
		f->cipher_suite = m->cipher_suite;
	}
	if (m->has_ja4 && (latest || !f->has_ja4)) {
		f->has_ja4 = true;
		memcpy(f->ja4, m->ja4, EVENT_JA4_LEN);
	}
	if (m->limited_by != SIDE_NONE && (latest || f->limited_by == SIDE_NONE))
		f->limited_by = m->limited_by;
	if (has_certificate(more) && (latest || !has_certificate(s))) {
		s->subject = more->subject;
		f->has_not_after = m->has_not_after;
		f->not_after_us = m->not_after_us;
	}
	if (has_offer && latest) {
		f->offers_aead = m->offers_aead;
		f->offers_ecdhe = m->offers_ecdhe;
	}
	f->suites_all &= m->suites_all;
	f->suites_any |= m->suites_any;
	if (m->fallback_from > f->fallback_from)
		f->fallback_from = m->fallback_from;
}

static uint32_t
find(const struct tally *t, uint64_t hash, const struct tally_story *wanted)
{
	uint32_t probe = 0, i;

	do {
		i = tally_index_next(&t->story_index, hash, &probe);
	} while (i != TALLY_NONE && !equals(&t->stories[i], wanted));
	return i;
}

uint32_t
tally_story_find(const struct tally *t, const struct tally_story *wanted)
{
	return find(t, tally_story_hash(t, wanted), wanted);
}

uint32_t
tally_story_keep(struct tally *t, const struct tally_story *wanted, uint64_t hash)
{
	uint32_t i = find(t, hash, wanted);

	if (i != TALLY_NONE)
		return i;
	tally_drop_order(t);
	i = (uint32_t)t->story_count++;
	t->stories = xgrow(t->stories, i, &t->story_room, sizeof(*t->stories));
	t->stories[i] = *wanted;
	t->stories[i].subject = tally_keep_text(t, wanted->subject.data, wanted->subject.len);
	t->bytes += TALLY_STORY_LEN;
	tally_index_add(&t->story_index, hash, i);
	return i;
}
