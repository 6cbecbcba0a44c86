/* A finding as a row, and back. */
#include <string.h>

#include "store/store_internal.h"

#include "base/banned.h"

/* Most findings have nothing but 0 here. */
static bool
is_plain(const struct finding *f)
{
	return (f->gap_count | f->login_count | f->scsv_count | f->fallback_count |
		   f->dropped_early_count) == 0;
}

int
store_finding_write(struct store *s, const struct store_finding_place *place,
    const struct finding *f, struct store_judgement judged, struct error *err)
{
	int64_t id = place->client << STORE_KIND_BITS | place->kind;
	bool plain = is_plain(f);
	int64_t *row = store_batch_next(s, STORE_BATCH_FINDINGS, err);

	if (row == NULL)
		return -1;
	/* All 64 bits are kept; counters never reach the sign. */
	*row++ = id;
	*row++ = place->story;
	*row++ = (int64_t)f->count;
	*row++ = f->first_us;
	*row++ = f->last_us;
	*row++ = judged.rank | judged.server << STORE_JUDGED_SERVER_SHIFT |
		 (plain ? 0 : STORE_JUDGED_MORE);
	*row = (int64_t)f->ended_count;
	if (plain)
		return 0;
	row = store_batch_next(s, STORE_BATCH_FINDINGS_MORE, err);
	if (row == NULL)
		return -1;
	*row++ = id;
	*row++ = (int64_t)f->gap_count;
	*row++ = (int64_t)f->login_count;
	*row++ = (int64_t)f->scsv_count;
	*row++ = (int64_t)f->fallback_count;
	*row++ = (int64_t)f->dropped_early_count;
	*row++ = f->dropped_early_us;
	*row = (int64_t)f->dropped_early_len;
	return 0;
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

bool
store_kind_read(sqlite3_stmt *st, int i, struct finding_key *k)
{
	int64_t service = sqlite3_column_int64(st, i + 1), way = sqlite3_column_int64(st, i + 2);
	bool damaged = service < 0 || service > UINT32_MAX || way < 0;

	event_text_set(&k->server, store_column_span(st, i));
	k->server_port = (uint16_t)unpack(service, 16, UINT16_MAX, UINT16_MAX, &damaged);
	k->protocol = (enum protocol)unpack(service, 8, 255, PROTOCOL_SMTP, &damaged);
	k->tls_mode = (enum tls_mode)unpack(service, 0, 255, TLS_MODE_STARTTLS, &damaged);
	k->tls_version = (uint16_t)unpack(way, 48, UINT16_MAX, UINT16_MAX, &damaged);
	k->offered_version = (uint16_t)unpack(way, 32, UINT16_MAX, UINT16_MAX, &damaged);
	k->outcome = (enum outcome)unpack(way, 24, 255, OUTCOME_CLEARTEXT, &damaged);
	k->refused_by = (enum event_side)unpack(way, 16, 255, SIDE_SERVER, &damaged);
	k->refusal = (enum refusal_kind)unpack(way, 8, 255, REFUSAL_SSLV2_ERROR, &damaged);
	k->refusal_alert = (uint8_t)unpack(way, 0, 255, UINT8_MAX, &damaged);
	return !damaged;
}

bool
store_story_read(sqlite3_stmt *st, int first, struct finding *out)
{
	bool damaged = false;
	int i = first, offers;
	struct span text = store_column_span(st, i++);

	memset(&out->server_ip, 0, sizeof(out->server_ip));
	if (text.len > 0 && !addr_from_text((const char *)text.data, &out->server_ip))
		damaged = true;
	out->server_name_source =
	    (enum name_source)store_column_code(st, i++, NAME_SOURCE_LAST, &damaged);
	out->has_cipher_suite = sqlite3_column_type(st, i) != SQLITE_NULL;
	out->cipher_suite = (uint32_t)sqlite3_column_int64(st, i++);
	text = store_column_span(st, i++);
	out->has_ja4 = text.len == EVENT_JA4_LEN;
	if (out->has_ja4)
		memcpy(out->ja4, text.data, EVENT_JA4_LEN);
	out->limited_by = (enum event_side)store_column_code(st, i++, SIDE_SERVER, &damaged);
	event_text_set(&out->certificate_subject, store_column_span(st, i++));
	out->has_certificate_not_after = sqlite3_column_type(st, i) != SQLITE_NULL;
	out->certificate_not_after_us = sqlite3_column_int64(st, i++);
	offers = sqlite3_column_int(st, i++);
	out->suites_all = store_column_u64(st, i++);
	out->suites_any = store_column_u64(st, i++);
	out->fallback_from = (uint16_t)store_column_code(st, i, UINT16_MAX, &damaged);
	out->offers_aead = (offers & 1) != 0;
	out->offers_ecdhe = (offers & 2) != 0;
	return !damaged;
}

static uint64_t
count(sqlite3_value *value)
{
	return (uint64_t)sqlite3_value_int64(value);
}

bool
store_finding_read_own(
    sqlite3_value *const *values, struct finding *out, struct store_judgement *judged, bool *more)
{
	enum { SERVER_MAX = STORE_SERVER_LEGACY_ENDPOINT | STORE_SERVER_BY_RANGE };
	int64_t packed;

	out->count = count(*values++);
	out->first_us = sqlite3_value_int64(*values++);
	out->last_us = sqlite3_value_int64(*values++);
	packed = sqlite3_value_int64(*values++);
	out->ended_count = count(*values);
	judged->rank = (uint8_t)packed;
	judged->server = (uint8_t)((uint64_t)packed >> STORE_JUDGED_SERVER_SHIFT & SERVER_MAX);
	*more = (packed & STORE_JUDGED_MORE) != 0;
	return packed >= 0 && packed < 2 * STORE_JUDGED_MORE;
}

void
store_finding_read_more(sqlite3_value *const *values, struct finding *out)
{
	out->gap_count = count(*values++);
	out->login_count = count(*values++);
	out->scsv_count = count(*values++);
	out->fallback_count = count(*values++);
	out->dropped_early_count = count(*values++);
	out->dropped_early_us = sqlite3_value_int64(*values++);
	out->dropped_early_len = count(*values);
}

bool
store_finding_read(sqlite3_stmt *st, const struct addr *client, struct finding *out,
    struct store_judgement *judged)
{
	enum {
		OWN = 0,
		MORE = OWN + STORE_FINDING_OWN_COUNT,
		KIND = MORE + STORE_FINDING_MORE_COUNT,
		STORY = KIND + 3,
	};
	sqlite3_value *values[KIND];
	bool good, more;

	memset(out, 0, sizeof(*out));
	out->key.client_ip = *client;
	for (int i = 0; i < KIND; i++)
		values[i] = sqlite3_column_value(st, i);
	good = store_finding_read_own(values + OWN, out, judged, &more);
	store_finding_read_more(values + MORE, out);
	good = store_kind_read(st, KIND, &out->key) && good;
	return store_story_read(st, STORY, out) && good;
}
