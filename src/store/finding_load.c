/* What is stored of one client's findings, into s->set. */
#include <string.h>

#include "store/columns.h"
#include "store/packed.h"
#include "store/store_internal.h"

#include "base/banned.h"

struct set_loading {
	const struct addr *ip; /* the client's */
	bool more;             /* some have a row of finding_more */
	int result;            /* -1: nothing more is read */
	struct error *err;
};

/* The next two copy no more of a text than there is, which is a tenth of its room. */
static void
set_key(struct finding_key *to, const struct finding_key *kind, const struct addr *ip)
{
	to->client_ip = *ip;
	to->protocol = kind->protocol;
	to->tls_mode = kind->tls_mode;
	event_text_set(&to->server, event_text_span(&kind->server));
	to->server_port = kind->server_port;
	to->tls_version = kind->tls_version;
	to->offered_version = kind->offered_version;
	to->outcome = kind->outcome;
	to->refused_by = kind->refused_by;
	to->refusal = kind->refusal;
	to->refusal_alert = kind->refusal_alert;
}

/* Nothing is counted yet. */
static void
set_story(struct finding *to, const struct finding *story)
{
	to->count = to->gap_count = to->login_count = to->scsv_count = to->fallback_count = 0;
	to->fallback_from = story->fallback_from;
	to->first_us = to->last_us = 0;
	to->ended_count = to->dropped_early_count = to->dropped_early_len = 0;
	to->dropped_early_us = 0;
	to->server_ip = story->server_ip;
	to->server_name_source = story->server_name_source;
	to->has_cipher_suite = story->has_cipher_suite;
	to->cipher_suite = story->cipher_suite;
	to->has_ja4 = story->has_ja4;
	memcpy(to->ja4, story->ja4, sizeof(to->ja4));
	to->limited_by = story->limited_by;
	to->suites_all = story->suites_all;
	to->suites_any = story->suites_any;
	event_text_set(&to->certificate_subject, event_text_span(&story->certificate_subject));
	to->has_certificate_not_after = story->has_certificate_not_after;
	to->certificate_not_after_us = story->certificate_not_after_us;
	to->offers_aead = story->offers_aead;
	to->offers_ecdhe = story->offers_ecdhe;
}

/* Room for one more of those that are stored; what is shared of it is filled in. NULL: `err`. */
static struct finding *
begin_stored(
    struct store *s, const struct addr *ip, int64_t kind_id, int64_t story_id, struct error *err)
{
	struct finding_set *set = &s->set;
	const struct finding_key *kind;
	const struct finding *story;
	struct finding *f;

	store_set_make_room(set, set->count + 1);
	f = &set->items[set->count];
	kind = store_cached_kind(s, kind_id, err);
	story = kind != NULL ? store_cached_story(s, story_id, err) : NULL;
	if (story == NULL)
		return NULL;
	set_key(&f->key, kind, ip);
	set_story(f, story);
	set->changes[set->count] = FINDING_SAME;
	set->places[set->count] =
	    (struct store_finding_place){ .kind = kind_id, .story = story_id, .apart = true };
	return f;
}

/* A row of STATEMENT_FINDING_LOAD: number, story, and STORE_FINDING_OWN_COLUMNS. */
static int
load_row(struct store *s, sqlite3_value *const *values, struct error *err)
{
	struct finding_set *set = &s->set;
	struct finding *f = begin_stored(s, set->loading->ip,
	    sqlite3_value_int64(values[0]) & STORE_KIND_MAX, sqlite3_value_int64(values[1]), err);
	bool more;

	if (f == NULL)
		return -1;
	if (store_finding_read_own(values + 2, f, &set->stored[set->count++], &more)) {
		set->loading->more = set->loading->more || more;
		return 0;
	}
	store_error_damaged(s, err);
	return -1;
}

static void
take_row(sqlite3_context *context, int count, sqlite3_value **values)
{
	struct store *s = sqlite3_user_data(context);
	struct set_loading *loading = s->set.loading;

	(void)count;
	if (loading != NULL && loading->result == 0)
		loading->result = load_row(s, values, loading->err);
}

static void
end_rows(sqlite3_context *context)
{
	sqlite3_result_null(context);
}

/* SQLite hands the rows of a client to a function: asked for, column by column, they cost more. */
int
store_set_prepare(struct store *s)
{
	return sqlite3_create_function(s->db, "load_finding", 2 + STORE_FINDING_OWN_COUNT,
		   SQLITE_UTF8 | SQLITE_DIRECTONLY, s, NULL, take_row, end_rows) == SQLITE_OK
		   ? 0
		   : -1;
}

static int
load_more(struct store *s, int64_t client_id, struct error *err)
{
	sqlite3_stmt *st = store_statement(s, STATEMENT_FINDING_LOAD_MORE, err);
	int status;

	if (st == NULL)
		return -1;
	(void)sqlite3_bind_int64(st, 1, client_id);
	while ((status = sqlite3_step(st)) == SQLITE_ROW) {
		struct finding *f =
		    store_set_find_stored(&s->set, sqlite3_column_int64(st, 0) & STORE_KIND_MAX);
		sqlite3_value *values[STORE_FINDING_MORE_COUNT];

		for (int i = 0; i < STORE_FINDING_MORE_COUNT; i++)
			values[i] = sqlite3_column_value(st, 1 + i);
		if (f != NULL)
			store_finding_read_more(values, f);
	}
	if (status != SQLITE_DONE)
		store_error(s, "read", err);
	(void)sqlite3_reset(st);
	return status == SQLITE_DONE ? 0 : -1;
}

/* One of those in the client's row. */
static int
load_named(struct store *s, struct span item, struct span name, uint64_t number,
    const struct addr *ip, struct error *err)
{
	struct finding_set *set = &s->set;
	size_t i = set->count;
	struct store_finding_place place;
	struct finding *f;

	/* In the order of kinds, each once. */
	if (!store_finding_unpack_place(&name, &place) ||
	    (i > 0 && set->places[i - 1].kind >= place.kind)) {
		store_error_damaged(s, err);
		return -1;
	}
	f = begin_stored(s, ip, place.kind, place.story, err);
	if (f == NULL)
		return -1;
	set->places[i].apart = false;
	set->packed[i] = item;
	set->count++;
	if (store_finding_unpack(name, number, f, &set->stored[i]))
		return 0;
	store_error_damaged(s, err);
	return -1;
}

int
store_set_load_own(struct store *s, struct span packed, const struct addr *ip, struct error *err)
{
	struct finding_set *set = &s->set;
	struct span item, name;
	uint64_t number;
	bool damaged = false;

	/* SQLite's own text does not stay. */
	buf_clear(&set->row);
	buf_add(&set->row, packed.data, packed.len);
	packed = span_from(set->row.data, packed.len);
	while (store_packed_next_named(&packed, &item, &name, &number, &damaged)) {
		if (load_named(s, item, name, number, ip, err) != 0)
			return -1;
	}
	set->own_count = set->stored_count = set->count;
	if (!damaged && set->count <= STORE_OWN_FINDINGS_MAX)
		return 0;
	store_error_damaged(s, err);
	return -1;
}

int
store_set_load_apart(struct store *s, int64_t client_id, const struct addr *ip, struct error *err)
{
	sqlite3_stmt *st = store_statement(s, STATEMENT_FINDING_LOAD, err);
	struct set_loading loading = { .ip = ip, .err = err };
	struct finding_set *set = &s->set;
	int status;

	if (st == NULL)
		return -1;
	(void)sqlite3_bind_int64(st, 1, client_id);
	set->loading = &loading;
	status = sqlite3_step(st);
	set->loading = NULL;
	set->stored_count = set->count;
	if (loading.result == 0 && status != SQLITE_ROW) {
		store_error(s, "read", err);
		loading.result = -1;
	}
	(void)sqlite3_reset(st);
	return loading.result == 0 && loading.more ? load_more(s, client_id, err) : loading.result;
}
