/* A finding as a row, and back. */
#include <string.h>

#include "store/store_internal.h"

#include "base/banned.h"

static bool
is_plain(struct span text)
{
	for (size_t i = 0; i < text.len; i++) {
		if (text.data[i] < 0x20 || text.data[i] >= 0x7f)
			return false;
	}
	return true;
}

struct span
store_printable(struct buf *scratch, struct span text)
{
	static const char digits[] = "0123456789abcdef";

	if (is_plain(text))
		return text;
	buf_clear(scratch);
	for (size_t i = 0; i < text.len; i++) {
		uint8_t c = text.data[i];

		if (c >= 0x20 && c < 0x7f) {
			buf_add_char(scratch, (char)c);
		} else {
			buf_add_text(scratch, "\\x");
			buf_add_char(scratch, digits[c >> 4]);
			buf_add_char(scratch, digits[c & 15]);
		}
	}
	return span_from(scratch->data, scratch->len);
}

/* The texts of codes that plain SQL cannot name. */
static void
bind_names(sqlite3_stmt *st, int first, const struct finding *f)
{
	struct event ev = {
		.tls_version = f->key.tls_version,
		.refusal = f->key.refusal,
		.refusal_alert = f->key.refusal_alert,
		.has_cipher_suite = f->has_cipher_suite,
		.cipher_suite = f->cipher_suite,
	};
	char refusal[EVENT_REFUSAL_TEXT_LEN], cipher[EVENT_CIPHER_TEXT_LEN];

	store_bind_text(st, first, event_refusal_text(&ev, refusal));
	store_bind_text(st, first + 1, event_cipher_text(&ev, cipher));
}

void
store_finding_bind(
    sqlite3_stmt *st, int first, const struct finding *f, struct buf *scratch, uint8_t verdict)
{
	const struct finding_key *k = &f->key;
	char ip[ADDR_TEXT_LEN];
	int i = first;

	store_bind_span(st, i++, store_printable(scratch, event_text_span(&k->server)));
	(void)sqlite3_bind_int(st, i++, k->server_port);
	(void)sqlite3_bind_int(st, i++, (int)k->protocol);
	(void)sqlite3_bind_int(st, i++, (int)k->tls_mode);
	(void)sqlite3_bind_int(st, i++, k->tls_version);
	(void)sqlite3_bind_int(st, i++, k->offered_version);
	(void)sqlite3_bind_int(st, i++, (int)k->outcome);
	(void)sqlite3_bind_int(st, i++, (int)k->refused_by);
	(void)sqlite3_bind_int(st, i++, (int)k->refusal);
	(void)sqlite3_bind_int(st, i++, k->refusal_alert);
	store_bind_u64(st, i++, f->count);
	store_bind_u64(st, i++, f->gap_count);
	store_bind_u64(st, i++, f->login_count);
	store_bind_u64(st, i++, f->scsv_count);
	(void)sqlite3_bind_int64(st, i++, f->first_us);
	(void)sqlite3_bind_int64(st, i++, f->last_us);
	store_bind_span(st, i++, span_from_text(addr_to_text(&f->server_ip, ip)));
	(void)sqlite3_bind_int(st, i++, (int)f->server_name_source);
	if (f->has_cipher_suite)
		(void)sqlite3_bind_int64(st, i++, f->cipher_suite);
	else
		(void)sqlite3_bind_null(st, i++);
	store_bind_span(
	    st, i++, store_printable(scratch, span_from(f->ja4, f->has_ja4 ? EVENT_JA4_LEN : 0)));
	(void)sqlite3_bind_int(st, i++, (int)f->limited_by);
	store_bind_span(
	    st, i++, store_printable(scratch, event_text_span(&f->certificate_subject)));
	if (f->has_certificate_not_after)
		(void)sqlite3_bind_int64(st, i++, f->certificate_not_after_us);
	else
		(void)sqlite3_bind_null(st, i++);
	(void)sqlite3_bind_int(st, i++, (int)f->offers_aead | (int)f->offers_ecdhe << 1);
	(void)sqlite3_bind_int(st, i++, verdict);
	bind_names(st, i, f);
}

static struct span
column_text(sqlite3_stmt *st, int column)
{
	const void *text = sqlite3_column_text(st, column);

	return span_from(text, text != NULL ? (size_t)sqlite3_column_bytes(st, column) : 0);
}

static void
read_key(sqlite3_stmt *st, int i, struct finding_key *k)
{
	event_text_set(&k->server, column_text(st, i++));
	k->server_port = (uint16_t)sqlite3_column_int(st, i++);
	k->protocol = (enum protocol)sqlite3_column_int(st, i++);
	k->tls_mode = (enum tls_mode)sqlite3_column_int(st, i++);
	k->tls_version = (uint16_t)sqlite3_column_int(st, i++);
	k->offered_version = (uint16_t)sqlite3_column_int(st, i++);
	k->outcome = (enum outcome)sqlite3_column_int(st, i++);
	k->refused_by = (enum event_side)sqlite3_column_int(st, i++);
	k->refusal = (enum refusal_kind)sqlite3_column_int(st, i++);
	k->refusal_alert = (uint8_t)sqlite3_column_int(st, i++);
}

void
store_finding_read(
    sqlite3_stmt *st, int first, const struct addr *client, struct finding *out, uint8_t *verdict)
{
	int i = first + 10, offers;
	struct span text;

	*out = (struct finding){ .key = { .client_ip = *client } };
	read_key(st, first, &out->key);
	out->count = store_column_u64(st, i++);
	out->gap_count = store_column_u64(st, i++);
	out->login_count = store_column_u64(st, i++);
	out->scsv_count = store_column_u64(st, i++);
	out->first_us = sqlite3_column_int64(st, i++);
	out->last_us = sqlite3_column_int64(st, i++);
	text = column_text(st, i++);
	if (text.len > 0)
		(void)addr_from_text((const char *)text.data, &out->server_ip);
	out->server_name_source = (enum name_source)sqlite3_column_int(st, i++);
	out->has_cipher_suite = sqlite3_column_type(st, i) != SQLITE_NULL;
	out->cipher_suite = (uint32_t)sqlite3_column_int64(st, i++);
	text = column_text(st, i++);
	out->has_ja4 = text.len == EVENT_JA4_LEN;
	if (out->has_ja4)
		memcpy(out->ja4, text.data, EVENT_JA4_LEN);
	out->limited_by = (enum event_side)sqlite3_column_int(st, i++);
	event_text_set(&out->certificate_subject, column_text(st, i++));
	out->has_certificate_not_after = sqlite3_column_type(st, i) != SQLITE_NULL;
	out->certificate_not_after_us = sqlite3_column_int64(st, i++);
	offers = sqlite3_column_int(st, i++);
	out->offers_aead = (offers & 1) != 0;
	out->offers_ecdhe = (offers & 2) != 0;
	*verdict = (uint8_t)sqlite3_column_int(st, i);
}
