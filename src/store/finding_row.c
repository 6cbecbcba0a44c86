/* A finding as a row, and back. */
#include <string.h>

#include "store/store_internal.h"

#include "base/banned.h"

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

int
store_finding_bind_counts(
    sqlite3_stmt *st, int first, const struct finding *f, struct store_judgement judged)
{
	const struct finding_key *k = &f->key;
	int i = first;

	/* A text that is empty is still part of the key, which is never NULL. */
	(void)sqlite3_bind_text(st, i++, k->server.data, k->server.len, SQLITE_STATIC);
	(void)sqlite3_bind_int64(st, i++, pack_service(k));
	(void)sqlite3_bind_int64(st, i++, pack_way(k));
	store_bind_u64(st, i++, f->count);
	store_bind_u64(st, i++, f->gap_count);
	store_bind_u64(st, i++, f->login_count);
	store_bind_u64(st, i++, f->scsv_count);
	store_bind_u64(st, i++, f->fallback_count);
	(void)sqlite3_bind_int(st, i++, f->fallback_from);
	(void)sqlite3_bind_int64(st, i++, f->first_us);
	(void)sqlite3_bind_int64(st, i++, f->last_us);
	(void)sqlite3_bind_int(st, i++, judged.rank);
	(void)sqlite3_bind_int(st, i++, judged.server);
	store_bind_u64(st, i++, f->ended_count);
	store_bind_u64(st, i++, f->dropped_early_count);
	(void)sqlite3_bind_int64(st, i++, f->dropped_early_us);
	store_bind_u64(st, i++, f->dropped_early_len);
	return i;
}

static void
bind_borrowed_text(sqlite3_stmt *st, int index, const char *text)
{
	(void)sqlite3_bind_text(st, index, text, -1, SQLITE_STATIC);
}

/* What the latest one told. */
static int
bind_latest(sqlite3_stmt *st, int i, const struct finding *f, const char *server_ip)
{
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
	return i;
}

int
store_finding_write(struct store *s, int64_t client_id, const struct finding *f,
    struct store_judgement judged, struct error *err)
{
	sqlite3_stmt *st = store_statement(s, STATEMENT_FINDING_WRITE, err);
	/* The texts of codes that plain SQL cannot name. */
	struct event ev;
	char refusal[EVENT_REFUSAL_TEXT_LEN], cipher[EVENT_CIPHER_TEXT_LEN];
	char server_ip[ADDR_TEXT_LEN];
	int i;

	if (st == NULL)
		return -1;
	ev.tls_version = f->key.tls_version;
	ev.refusal = f->key.refusal;
	ev.refusal_alert = f->key.refusal_alert;
	ev.has_cipher_suite = f->has_cipher_suite;
	ev.cipher_suite = f->cipher_suite;
	(void)sqlite3_bind_int64(st, 1, client_id);
	i = store_finding_bind_counts(st, 2, f, judged);
	i = bind_latest(st, i, f, addr_to_text(&f->server_ip, server_ip));
	bind_borrowed_text(st, i++, event_refusal_text(&ev, refusal));
	bind_borrowed_text(st, i, event_cipher_text(&ev, cipher));
	return store_step(s, st, err);
}

/* A part of a packed number: a value from 0 to `last`. */
static int
unpack(int64_t packed, unsigned shift, int mask, int last, bool *damaged)
{
	int value = (int)(packed >> shift & mask);

	if (value <= last)
		return value;
	*damaged = true;
	return 0;
}

static void
read_key(sqlite3_stmt *st, int i, struct finding_key *k, bool *damaged)
{
	int64_t service = sqlite3_column_int64(st, i + 1), way = sqlite3_column_int64(st, i + 2);

	event_text_set(&k->server, store_column_span(st, i));
	if (service < 0 || service > UINT32_MAX || way < 0)
		*damaged = true;
	k->server_port = (uint16_t)unpack(service, 16, UINT16_MAX, UINT16_MAX, damaged);
	k->protocol = (enum protocol)unpack(service, 8, 255, PROTOCOL_SMTP, damaged);
	k->tls_mode = (enum tls_mode)unpack(service, 0, 255, TLS_MODE_STARTTLS, damaged);
	k->tls_version = (uint16_t)unpack(way, 48, UINT16_MAX, UINT16_MAX, damaged);
	k->offered_version = (uint16_t)unpack(way, 32, UINT16_MAX, UINT16_MAX, damaged);
	k->outcome = (enum outcome)unpack(way, 24, 255, OUTCOME_CLEARTEXT, damaged);
	k->refused_by = (enum event_side)unpack(way, 16, 255, SIDE_SERVER, damaged);
	k->refusal = (enum refusal_kind)unpack(way, 8, 255, REFUSAL_SSLV2_ERROR, damaged);
	k->refusal_alert = (uint8_t)unpack(way, 0, 255, UINT8_MAX, damaged);
}

static void
read_latest(sqlite3_stmt *st, int i, struct finding *out, bool *damaged)
{
	struct span text = store_column_span(st, i++);
	int offers;

	if (text.len > 0 && !addr_from_text((const char *)text.data, &out->server_ip))
		*damaged = true;
	out->server_name_source =
	    (enum name_source)store_column_code(st, i++, NAME_SOURCE_LAST, damaged);
	out->has_cipher_suite = sqlite3_column_type(st, i) != SQLITE_NULL;
	out->cipher_suite = (uint32_t)sqlite3_column_int64(st, i++);
	text = store_column_span(st, i++);
	out->has_ja4 = text.len == EVENT_JA4_LEN;
	if (out->has_ja4)
		memcpy(out->ja4, text.data, EVENT_JA4_LEN);
	out->limited_by = (enum event_side)store_column_code(st, i++, SIDE_SERVER, damaged);
	event_text_set(&out->certificate_subject, store_column_span(st, i++));
	out->has_certificate_not_after = sqlite3_column_type(st, i) != SQLITE_NULL;
	out->certificate_not_after_us = sqlite3_column_int64(st, i++);
	offers = sqlite3_column_int(st, i++);
	out->suites_all = store_column_u64(st, i++);
	out->suites_any = store_column_u64(st, i);
	out->offers_aead = (offers & 1) != 0;
	out->offers_ecdhe = (offers & 2) != 0;
}

bool
store_finding_read(sqlite3_stmt *st, int first, const struct addr *client, struct finding *out,
    struct store_judgement *judged)
{
	int i = first + 3;
	bool damaged = false;

	memset(out, 0, sizeof(*out));
	out->key.client_ip = *client;
	read_key(st, first, &out->key, &damaged);
	out->count = store_column_u64(st, i++);
	out->gap_count = store_column_u64(st, i++);
	out->login_count = store_column_u64(st, i++);
	out->scsv_count = store_column_u64(st, i++);
	out->fallback_count = store_column_u64(st, i++);
	out->fallback_from = (uint16_t)store_column_code(st, i++, UINT16_MAX, &damaged);
	out->first_us = sqlite3_column_int64(st, i++);
	out->last_us = sqlite3_column_int64(st, i++);
	judged->rank = (uint8_t)store_column_code(st, i++, STORE_VERDICT_NONE, &damaged);
	judged->server = (uint8_t)store_column_code(
	    st, i++, STORE_SERVER_LEGACY_ENDPOINT | STORE_SERVER_BY_RANGE, &damaged);
	out->ended_count = store_column_u64(st, i++);
	out->dropped_early_count = store_column_u64(st, i++);
	out->dropped_early_us = sqlite3_column_int64(st, i++);
	out->dropped_early_len = store_column_u64(st, i++);
	read_latest(st, i, out, &damaged);
	return !damaged;
}
