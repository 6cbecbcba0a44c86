/*
 * Kinds and stories: what many findings have in common, each in a row of its own.
 *
 * A kind is a finding's key but for the client, a story what the latest handshakes told.  They are
 * found by their content, a story by a digest of it first, and go with the last finding that has
 * them: references.c while writing, a trigger of the schema where findings are removed.
 */
#include <string.h>

#include "base/hash.h"
#include "store/columns.h"
#include "store/store_internal.h"

#include "base/banned.h"

/* As on the wire, and in views.c. */
#define VERSION_SSL2 0x0002

static int64_t
pack_service(const struct finding_key *k)
{
	return (int64_t)k->server_port << 16 | (int64_t)k->protocol << 8 | (int64_t)k->tls_mode;
}

static int64_t
pack_way(const struct finding_key *k)
{
	return (int64_t)(k->tls_version & STORE_VERSION_MAX) << 48 |
	       (int64_t)k->offered_version << 32 | (int64_t)k->outcome << 24 |
	       (int64_t)k->refused_by << 16 | (int64_t)k->refusal << 8 | k->refusal_alert;
}

static void
bind_text(sqlite3_stmt *st, int index, const char *text)
{
	(void)sqlite3_bind_text(st, index, text, -1, SQLITE_STATIC);
}

/* A text that is empty is still part of the key, which is never NULL. */
static void
bind_kind(sqlite3_stmt *st, const struct finding_key *k)
{
	(void)sqlite3_bind_text(st, 1, k->server.data, k->server.len, SQLITE_STATIC);
	(void)sqlite3_bind_int64(st, 2, pack_service(k));
	(void)sqlite3_bind_int64(st, 3, pack_way(k));
}

int
store_set_digest_key(struct store *s, struct error *err)
{
	struct hash_key *key = &s->digest_key;
	sqlite3_stmt *st = NULL;
	struct span uid;

	if (s->has_digest_key)
		return 0;
	if (sqlite3_prepare_v2(s->db, "SELECT uid FROM origin WHERE id = 1", -1, &st, NULL) ==
		SQLITE_OK &&
	    sqlite3_step(st) == SQLITE_ROW) {
		uid = store_column_span(st, 0);
		key->k0 = hash_bytes(key, uid.data, uid.len);
		key->k1 = hash_bytes(key, uid.data, uid.len);
	}
	if (st == NULL || sqlite3_finalize(st) != SQLITE_OK) {
		store_error(s, "read", err);
		return -1;
	}
	s->has_digest_key = true;
	return 0;
}

/*
 * The number of the row that was just made.  Nothing refers to it yet: store_references_write
 * removes it if that stays so.
 */
static int64_t
new_row(struct store *s, enum store_shared which)
{
	int64_t id = sqlite3_last_insert_rowid(s->db);

	store_reference(s, which, id, 0);
	return id;
}

static int
make_kind(struct store *s, const struct finding_key *key, int64_t *id, struct error *err)
{
	sqlite3_stmt *st = store_statement(s, STATEMENT_KIND_INSERT, err);
	const struct event ev = {
		.tls_version = key->tls_version,
		.refusal = key->refusal,
		.refusal_alert = key->refusal_alert,
	};
	char refusal[EVENT_REFUSAL_TEXT_LEN];

	if (st == NULL)
		return -1;
	bind_kind(st, key);
	bind_text(st, 4, event_refusal_text(&ev, refusal));
	if (store_step(s, st, err) != 0)
		return -1;
	*id = new_row(s, STORE_SHARED_KIND);
	if (*id <= STORE_KIND_MAX)
		return 0;
	store_error_used_up(s, err);
	return -1;
}

static int
look_up_kind(struct store *s, const struct finding_key *key, int64_t *id, struct error *err)
{
	sqlite3_stmt *st = store_statement(s, STATEMENT_KIND_FIND, err);

	*id = 0;
	if (st == NULL)
		return -1;
	bind_kind(st, key);
	return store_step_number(s, st, id, err);
}

static bool
same_kind(const struct finding_key *a, const struct finding_key *b)
{
	return pack_service(a) == pack_service(b) && pack_way(a) == pack_way(b) &&
	       span_equals(event_text_span(&a->server), event_text_span(&b->server));
}

static uint64_t
hash_kind(struct store *s, const struct finding_key *k)
{
	const struct hash_key *key = &s->digest_key;

	return hash_words(key,
	    hash_bytes(key, k->server.data, k->server.len) ^ (uint64_t)pack_service(k),
	    (uint64_t)pack_way(k));
}

int
store_find_kind(struct store *s, const struct finding_key *key, int64_t *id, struct error *err)
{
	uint64_t hash = hash_kind(s, key);

	*id = store_cache_find(s, STORE_SHARED_KIND, hash);
	if (*id != 0) {
		const struct finding_key *known = store_cached_kind(s, *id, err);

		if (known == NULL)
			return -1;
		if (same_kind(known, key))
			return 0;
	}
	if (look_up_kind(s, key, id, err) != 0)
		return -1;
	if (*id != 0)
		store_cache_keep(s, STORE_SHARED_KIND, hash, *id);
	return 0;
}

int
store_keep_kind(struct store *s, const struct finding_key *key, int64_t *id, struct error *err)
{
	if (store_find_kind(s, key, id, err) != 0)
		return -1;
	return *id != 0 ? 0 : make_kind(s, key, id, err);
}

/*
 * Over all that store_same_story compares.  A machine that computes it in another way stores some
 * rows twice, which does no harm.
 */
static int64_t
digest(struct store *s, const struct finding *f)
{
	const uint64_t numbers[] = {
		(uint64_t)f->server_name_source | (uint64_t)f->limited_by << 8 |
		    (uint64_t)f->offers_aead << 16 | (uint64_t)f->offers_ecdhe << 17 |
		    (uint64_t)f->has_cipher_suite << 18 | (uint64_t)f->server_ip.family << 24 |
		    (uint64_t)f->fallback_from << 32,
		f->has_cipher_suite ? f->cipher_suite : 0,
		f->has_certificate_not_after ? (uint64_t)f->certificate_not_after_us : 0,
		f->suites_all,
		f->suites_any,
	};
	uint8_t
	    bytes[sizeof(numbers) + sizeof(f->server_ip.bytes) + EVENT_JA4_LEN + EVENT_NAME_MAX];
	size_t len = sizeof(numbers);

	memcpy(bytes, numbers, sizeof(numbers));
	memcpy(bytes + len, f->server_ip.bytes, sizeof(f->server_ip.bytes));
	len += sizeof(f->server_ip.bytes);
	if (f->has_ja4) {
		memcpy(bytes + len, f->ja4, EVENT_JA4_LEN);
		len += EVENT_JA4_LEN;
	}
	memcpy(bytes + len, f->certificate_subject.data, f->certificate_subject.len);
	return (int64_t)hash_bytes(&s->digest_key, bytes, len + f->certificate_subject.len);
}

/* True when no column of a story differs. */
bool
store_same_story(const struct finding *a, const struct finding *b)
{
	return addr_equals(&a->server_ip, &b->server_ip) &&
	       a->server_name_source == b->server_name_source &&
	       a->has_cipher_suite == b->has_cipher_suite &&
	       (!a->has_cipher_suite || a->cipher_suite == b->cipher_suite) &&
	       a->has_ja4 == b->has_ja4 &&
	       (!a->has_ja4 || memcmp(a->ja4, b->ja4, EVENT_JA4_LEN) == 0) &&
	       a->limited_by == b->limited_by &&
	       span_equals(event_text_span(&a->certificate_subject),
		   event_text_span(&b->certificate_subject)) &&
	       a->has_certificate_not_after == b->has_certificate_not_after &&
	       (!a->has_certificate_not_after ||
		   a->certificate_not_after_us == b->certificate_not_after_us) &&
	       a->offers_aead == b->offers_aead && a->offers_ecdhe == b->offers_ecdhe &&
	       a->suites_all == b->suites_all && a->suites_any == b->suites_any &&
	       a->fallback_from == b->fallback_from;
}

static int
look_up_story(
    struct store *s, int64_t story_digest, const struct finding *f, int64_t *id, struct error *err)
{
	sqlite3_stmt *st = store_statement(s, STATEMENT_STORY_FIND, err);
	int status;

	*id = 0;
	if (st == NULL)
		return -1;
	(void)sqlite3_bind_int64(st, 1, story_digest);
	while ((status = sqlite3_step(st)) == SQLITE_ROW) {
		struct finding other = { 0 };

		if (store_story_read(st, 1, &other) && store_same_story(f, &other)) {
			*id = sqlite3_column_int64(st, 0);
			break;
		}
	}
	if (status != SQLITE_ROW && status != SQLITE_DONE)
		store_error(s, "read", err);
	(void)sqlite3_reset(st);
	return status == SQLITE_ROW || status == SQLITE_DONE ? 0 : -1;
}

static int
find_story(
    struct store *s, int64_t story_digest, const struct finding *f, int64_t *id, struct error *err)
{
	*id = store_cache_find(s, STORE_SHARED_STORY, (uint64_t)story_digest);
	if (*id != 0) {
		const struct finding *known = store_cached_story(s, *id, err);

		if (known == NULL)
			return -1;
		if (store_same_story(known, f))
			return 0;
	}
	if (look_up_story(s, story_digest, f, id, err) != 0)
		return -1;
	if (*id != 0)
		store_cache_keep(s, STORE_SHARED_STORY, (uint64_t)story_digest, *id);
	return 0;
}

static void
bind_story(sqlite3_stmt *st, const struct finding *f, const char *server_ip)
{
	int i = 2;

	store_bind_borrowed(st, i++, span_from_text(server_ip));
	(void)sqlite3_bind_int(st, i++, (int)f->server_name_source);
	if (f->has_cipher_suite)
		(void)sqlite3_bind_int64(st, i++, f->cipher_suite);
	else
		(void)sqlite3_bind_null(st, i++);
	store_bind_borrowed(st, i++, span_from(f->ja4, f->has_ja4 ? EVENT_JA4_LEN : 0));
	(void)sqlite3_bind_int(st, i++, (int)f->limited_by);
	store_bind_borrowed(st, i++, event_text_span(&f->certificate_subject));
	if (f->has_certificate_not_after)
		(void)sqlite3_bind_int64(st, i++, f->certificate_not_after_us);
	else
		(void)sqlite3_bind_null(st, i++);
	(void)sqlite3_bind_int(st, i++, (int)f->offers_aead | (int)f->offers_ecdhe << 1);
	store_bind_u64(st, i++, f->suites_all);
	store_bind_u64(st, i++, f->suites_any);
	(void)sqlite3_bind_int(st, i, f->fallback_from);
}

/* The name of the suite in either numbering: which one it is of, the kind's version tells. */
static void
bind_cipher_names(
    sqlite3_stmt *st, int i, const struct finding *f, char room[2][EVENT_CIPHER_TEXT_LEN])
{
	static const uint16_t versions[] = { 0, VERSION_SSL2 };

	for (size_t n = 0; n < 2; n++) {
		const struct event ev = {
			.tls_version = versions[n],
			.has_cipher_suite = f->has_cipher_suite,
			.cipher_suite = f->cipher_suite,
		};

		bind_text(st, i + (int)n, event_cipher_text(&ev, room[n]));
	}
}

static int
make_story(
    struct store *s, int64_t story_digest, const struct finding *f, int64_t *id, struct error *err)
{
	sqlite3_stmt *st = store_statement(s, STATEMENT_STORY_INSERT, err);
	char ciphers[2][EVENT_CIPHER_TEXT_LEN];
	char server_ip[ADDR_TEXT_LEN];

	if (st == NULL)
		return -1;
	(void)sqlite3_bind_int64(st, 1, story_digest);
	bind_story(st, f, addr_to_text(&f->server_ip, server_ip));
	bind_cipher_names(st, 13, f, ciphers);
	if (store_step(s, st, err) != 0)
		return -1;
	*id = new_row(s, STORE_SHARED_STORY);
	return 0;
}

int
store_keep_story(struct store *s, const struct finding *f, int64_t *id, struct error *err)
{
	int64_t story_digest = digest(s, f);

	if (find_story(s, story_digest, f, id, err) != 0)
		return -1;
	return *id != 0 ? 0 : make_story(s, story_digest, f, id, err);
}
