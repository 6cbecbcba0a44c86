/* A finding as a row, and back. */
#include <string.h>

#include "base/digits.h"
#include "store/columns.h"
#include "store/packed.h"
#include "store/store_internal.h"

#include "base/banned.h"

/* Most findings have nothing but 0 here. */
static bool
is_plain(const struct finding *f)
{
	return (f->gap_count | f->login_count | f->scsv_count | f->fallback_count |
		   f->dropped_early_count) == 0;
}

static int64_t
pack_judgement(struct store_judgement judged, bool plain)
{
	int rank = judged.rank < STORE_JUDGED_RANK_NONE ? judged.rank : STORE_JUDGED_RANK_NONE;

	return rank | judged.server << STORE_JUDGED_SERVER_SHIFT | (plain ? 0 : STORE_JUDGED_MORE);
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
	*row++ = pack_judgement(judged, plain);
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

/* How wide each is: STORE_OWN_FINDINGS_MAX. */
enum {
	KIND_WIDTH = 8,
	STORY_WIDTH = 8,
	COUNT_WIDTH = 7,
	LEN_WIDTH = 14, /* at most */
	DROPPED_US_WIDTH = 14,
	DROPPED_LEN_WIDTH = 14,
	MORE_WIDTH = 6 * COUNT_WIDTH + DROPPED_US_WIDTH + DROPPED_LEN_WIDTH,
	NAME_WIDTH_MAX = KIND_WIDTH + STORY_WIDTH + 1 + COUNT_WIDTH + LEN_WIDTH + 1 + MORE_WIDTH,
};
_Static_assert(KIND_WIDTH == 8 && STORY_WIDTH == 8, "eight digits each");
#define BEYOND_COUNT UINT64_C(10000000)
#define BEYOND_NUMBER INT64_C(100000000)
#define BEYOND_LEN UINT64_C(100000000000000)
#define BEYOND_TIME INT64_C(10000000000000000)

bool
store_finding_fits(const struct store_finding_place *place, const struct finding *f)
{
	return place->kind < BEYOND_NUMBER && place->story < BEYOND_NUMBER && f->first_us >= 0 &&
	       f->first_us < BEYOND_TIME && f->last_us >= f->first_us &&
	       (uint64_t)(f->last_us - f->first_us) < BEYOND_LEN && f->count < BEYOND_COUNT &&
	       f->ended_count < BEYOND_COUNT && f->gap_count < BEYOND_COUNT &&
	       f->login_count < BEYOND_COUNT && f->scsv_count < BEYOND_COUNT &&
	       f->fallback_count < BEYOND_COUNT && f->dropped_early_count < BEYOND_COUNT &&
	       f->dropped_early_us >= 0 && (uint64_t)f->dropped_early_us < BEYOND_LEN &&
	       f->dropped_early_len < BEYOND_LEN;
}

static char *
put_more(char *out, const struct finding *f)
{
	*out++ = ' ';
	out = store_packed_put(out, f->ended_count, COUNT_WIDTH);
	out = store_packed_put(out, f->gap_count, COUNT_WIDTH);
	out = store_packed_put(out, f->login_count, COUNT_WIDTH);
	out = store_packed_put(out, f->scsv_count, COUNT_WIDTH);
	out = store_packed_put(out, f->fallback_count, COUNT_WIDTH);
	out = store_packed_put(out, f->dropped_early_count, COUNT_WIDTH);
	out = store_packed_put(out, (uint64_t)f->dropped_early_us, DROPPED_US_WIDTH);
	return store_packed_put(out, f->dropped_early_len, DROPPED_LEN_WIDTH);
}

void
store_finding_pack(struct buf *out, const struct store_finding_place *place,
    const struct finding *f, struct store_judgement judged)
{
	bool all_ended = f->ended_count > 0 && f->ended_count == f->count;
	bool plain = is_plain(f) && (all_ended || f->ended_count == 0);
	bool once = plain && f->count == 1 && f->last_us == f->first_us;
	int64_t packed = pack_judgement(judged, plain) |
			 (all_ended ? STORE_JUDGED_OWN_ALL_ENDED : 0) |
			 (once ? STORE_JUDGED_OWN_ONCE : 0);
	char *end = store_packed_begin_named(out, NAME_WIDTH_MAX);

	end = digits_put_eight(end, (uint32_t)place->kind);
	end = digits_put_eight(end, (uint32_t)place->story);
	if (!once) {
		*end++ = ' ';
		end = store_packed_put(end, f->count, COUNT_WIDTH);
		end = store_packed_put_short(end, (uint64_t)(f->last_us - f->first_us));
	}
	if (!plain)
		end = put_more(end, f);
	store_packed_end_named(out, end, (uint64_t)(packed * BEYOND_TIME + f->first_us));
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
	k->protocol = (enum protocol)unpack(service, 8, 255, PROTOCOL_COUNT - 1, &damaged);
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

static bool
unpack_judgement(int64_t packed, struct store_judgement *judged)
{
	enum { SERVER_MAX = STORE_SERVER_LEGACY_ENDPOINT | STORE_SERVER_BY_RANGE };

	judged->rank = (uint8_t)((uint64_t)packed & STORE_JUDGED_RANK_NONE);
	if (judged->rank == STORE_JUDGED_RANK_NONE)
		judged->rank = STORE_VERDICT_NONE;
	judged->server = (uint8_t)((uint64_t)packed >> STORE_JUDGED_SERVER_SHIFT & SERVER_MAX);
	return packed >= 0 && packed < 2 * STORE_JUDGED_MORE;
}

bool
store_finding_read_own(
    sqlite3_value *const *values, struct finding *out, struct store_judgement *judged, bool *more)
{
	int64_t packed;

	out->count = count(*values++);
	out->first_us = sqlite3_value_int64(*values++);
	out->last_us = sqlite3_value_int64(*values++);
	packed = sqlite3_value_int64(*values++);
	out->ended_count = count(*values);
	*more = (packed & STORE_JUDGED_MORE) != 0;
	return unpack_judgement(packed, judged);
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
store_finding_unpack_place(struct span *name, struct store_finding_place *out)
{
	uint32_t kind, story;

	*out = (struct store_finding_place){ 0 };
	if (name->len < KIND_WIDTH + STORY_WIDTH || !digits_take_eight(name->data, &kind) ||
	    !digits_take_eight(name->data + KIND_WIDTH, &story))
		return false;
	out->kind = kind;
	out->story = story;
	return span_skip(name, KIND_WIDTH + STORY_WIDTH);
}

static bool
take_more(struct span *name, struct finding *out)
{
	uint64_t us;

	if (name->len != 1 + MORE_WIDTH || !span_skip(name, 1) ||
	    !store_packed_take(name, COUNT_WIDTH, &out->ended_count) ||
	    !store_packed_take(name, COUNT_WIDTH, &out->gap_count) ||
	    !store_packed_take(name, COUNT_WIDTH, &out->login_count) ||
	    !store_packed_take(name, COUNT_WIDTH, &out->scsv_count) ||
	    !store_packed_take(name, COUNT_WIDTH, &out->fallback_count) ||
	    !store_packed_take(name, COUNT_WIDTH, &out->dropped_early_count) ||
	    !store_packed_take(name, DROPPED_US_WIDTH, &us) ||
	    !store_packed_take(name, DROPPED_LEN_WIDTH, &out->dropped_early_len))
		return false;
	out->dropped_early_us = (int64_t)us;
	return true;
}

/* Up to a space, or to the end. */
static bool
take_len(struct span *name, uint64_t *value)
{
	unsigned width = 0;

	while (width < name->len && name->data[width] != ' ')
		width++;
	return width > 0 && width <= LEN_WIDTH && store_packed_take(name, width, value);
}

bool
store_finding_unpack(
    struct span name, uint64_t number, struct finding *out, struct store_judgement *judged)
{
	int64_t packed = (int64_t)(number / BEYOND_TIME);
	uint64_t len_us = 0;

	out->count = 1;
	if ((packed & STORE_JUDGED_OWN_ONCE) == 0 &&
	    (!span_skip(&name, 1) || !store_packed_take(&name, COUNT_WIDTH, &out->count) ||
		!take_len(&name, &len_us)))
		return false;
	out->ended_count = (packed & STORE_JUDGED_OWN_ALL_ENDED) != 0 ? out->count : 0;
	if ((packed & STORE_JUDGED_MORE) != 0 && !take_more(&name, out))
		return false;
	out->first_us = (int64_t)(number % BEYOND_TIME);
	out->last_us = out->first_us + (int64_t)len_us;
	packed &= ~(STORE_JUDGED_OWN_ALL_ENDED | STORE_JUDGED_OWN_ONCE);
	return name.len == 0 && unpack_judgement(packed, judged);
}
