/* One client's findings: what is stored of it, joined with what the tally brings. */
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "store/store_internal.h"

#include "base/banned.h"

/* New ones are taken in by so many, which bounds the memory for a client that floods. */
#define SLICE 4096
/*
 * Of rows under STORE_OTHER_SERVERS so many keep their port and the rest of the key; beyond, only
 * protocol, mode, version and outcome tell them apart, which is bounded by itself.
 */
#define OTHER_SERVERS_MAX 1024

void
store_set_release(struct finding_set *set)
{
	free(set->items);
	free(set->judged);
	free(set->stored);
	free(set->changes);
	*set = (struct finding_set){ 0 };
}

void
store_set_clear(struct finding_set *set)
{
	set->count = set->stored_count = 0;
}

static void
make_room(struct finding_set *set, size_t count)
{
	size_t room = set->room < 64 ? 64 : set->room;

	if (count <= set->room)
		return;
	while (room < count)
		room *= 2;
	set->items = xreallocarray(set->items, room, sizeof(*set->items));
	set->judged = xreallocarray(set->judged, room, sizeof(*set->judged));
	set->stored = xreallocarray(set->stored, room, sizeof(*set->stored));
	set->changes = xreallocarray(set->changes, room, 1);
	set->room = room;
}

int
store_set_load(struct store *s, int64_t client_id, const struct addr *ip, struct error *err)
{
	sqlite3_stmt *st = store_statement(s, STATEMENT_FINDING_LOAD, err);
	struct finding_set *set = &s->set;
	int status;

	if (st == NULL)
		return -1;
	(void)sqlite3_bind_int64(st, 1, client_id);
	while ((status = sqlite3_step(st)) == SQLITE_ROW) {
		make_room(set, set->count + 1);
		if (!store_finding_read(
			st, 0, ip, &set->items[set->count], &set->stored[set->count])) {
			store_error_damaged(s, err);
			break;
		}
		set->changes[set->count++] = FINDING_SAME;
	}
	set->stored_count = set->count;
	if (status != SQLITE_DONE && status != SQLITE_ROW)
		store_error(s, "read", err);
	(void)sqlite3_reset(st);
	return status == SQLITE_DONE ? 0 : -1;
}

static int
compare_items(const void *a, const void *b)
{
	const struct finding *x = a, *y = b;

	return tally_key_compare(&x->key, &y->key);
}

/* True when `from` says of the latest one what `into` does not. */
static bool
brings_news(const struct finding *into, const struct finding *from)
{
	if (from->count == 0)
		return false;
	return !addr_equals(&from->server_ip, &into->server_ip) ||
	       from->server_name_source != into->server_name_source ||
	       (from->has_cipher_suite &&
		   (!into->has_cipher_suite || from->cipher_suite != into->cipher_suite)) ||
	       (from->has_ja4 &&
		   (!into->has_ja4 || memcmp(from->ja4, into->ja4, EVENT_JA4_LEN) != 0)) ||
	       (from->limited_by != SIDE_NONE && from->limited_by != into->limited_by) ||
	       (from->certificate_subject.len > 0 &&
		   (!span_equals(event_text_span(&from->certificate_subject),
			event_text_span(&into->certificate_subject)) ||
		       from->has_certificate_not_after != into->has_certificate_not_after ||
		       from->certificate_not_after_us != into->certificate_not_after_us)) ||
	       from->offers_aead != into->offers_aead || from->offers_ecdhe != into->offers_ecdhe ||
	       (into->suites_all & ~from->suites_all) != 0 ||
	       (from->suites_any & ~into->suites_any) != 0;
}

/* Puts `count` findings in order and joins those that have become the same; returns how many. */
static size_t
sort_unique(struct finding *items, size_t count)
{
	size_t kept = 0, i = 1;

	while (i < count && compare_items(&items[i - 1], &items[i]) < 0)
		i++;
	if (i >= count) /* as they come from a tally, but for names that were escaped */
		return count;
	qsort(items, count, sizeof(*items), compare_items);
	for (i = 1; i < count; i++) {
		if (compare_items(&items[kept], &items[i]) == 0)
			tally_finding_merge(&items[kept], &items[i]);
		else if (++kept != i)
			items[kept] = items[i];
	}
	return kept + 1;
}

static bool
join_known(struct finding_set *set, const struct finding *f)
{
	size_t stored = set->stored_count;
	struct finding *found =
	    stored > 0 ? bsearch(f, set->items, stored, sizeof(*f), compare_items) : NULL;

	if (found != NULL) {
		uint8_t *change = &set->changes[found - set->items];

		if (brings_news(found, f))
			*change = FINDING_RENEWED;
		else if (*change == FINDING_SAME)
			*change = FINDING_COUNTED;
	} else if (set->count > stored) {
		found =
		    bsearch(f, set->items + stored, set->count - stored, sizeof(*f), compare_items);
	}
	if (found != NULL)
		tally_finding_merge(found, f);
	return found != NULL;
}

/* Of the candidates behind the set, adds those that it has to their like; returns how many stay. */
static size_t
join_candidates(struct finding_set *set, size_t count)
{
	struct finding *candidates = set->items + set->count;
	size_t kept = 0;

	count = sort_unique(candidates, count);
	for (size_t i = 0; i < count; i++) {
		/* A mark, or the end of sessions: nothing by itself, if the row is gone. */
		if (join_known(set, &candidates[i]) || candidates[i].count == 0)
			continue;
		if (kept != i)
			candidates[kept] = candidates[i];
		kept++;
	}
	return kept;
}

static void
fold(struct finding_key *k, bool coarse)
{
	event_text_set(&k->server, span_from_text(STORE_OTHER_SERVERS));
	if (!coarse)
		return;
	k->server_port = k->offered_version = 0;
	k->refused_by = SIDE_NONE;
	k->refusal = REFUSAL_NONE;
	k->refusal_alert = 0;
}

/* Takes in the `count` candidates that stand behind the set. */
static void
take_in(struct finding_set *set, size_t count)
{
	static const size_t limits[] = { STORE_FINDINGS_PER_CLIENT_MAX,
		STORE_FINDINGS_PER_CLIENT_MAX + OTHER_SERVERS_MAX };

	count = join_candidates(set, count);
	for (size_t level = 0; level < 2; level++) {
		size_t room = limits[level] > set->count ? limits[level] - set->count : 0;

		if (count <= room)
			break;
		for (size_t i = room; i < count; i++)
			fold(&set->items[set->count + i].key, level > 0);
		count = join_candidates(set, count);
	}
	set->count += count;
}

/* For the next slice, which searches them. */
static void
sort_new(struct finding_set *set)
{
	qsort(set->items + set->stored_count, set->count - set->stored_count, sizeof(*set->items),
	    compare_items);
}

void
store_set_add(struct store *s, const struct tally *tally, const struct tally_client *c)
{
	struct finding_set *set = &s->set;
	size_t done = 0;

	while (done < c->finding_count) {
		size_t count = c->finding_count - done < SLICE ? c->finding_count - done : SLICE;

		make_room(set, set->count + count);
		for (size_t i = 0; i < count; i++) {
			struct finding *f = &set->items[set->count + i];

			tally_finding_at(tally, c->first_finding + done + i, f);
			if (f->key.tls_version > STORE_VERSION_MAX) /* nothing speaks it */
				f->key.tls_version = 0;
			store_make_printable(&s->scratch, &f->key.server, CHARSET_ASCII);
			store_make_printable(&s->scratch, &f->certificate_subject, CHARSET_UTF8);
		}
		done += count;
		take_in(set, count);
		if (done < c->finding_count)
			sort_new(set);
	}
}

void
store_set_add_findings(struct store *s, const struct finding *findings, size_t count)
{
	struct finding_set *set = &s->set;

	for (size_t done = 0, slice; done < count; done += slice) {
		slice = count - done < SLICE ? count - done : SLICE;
		make_room(set, set->count + slice);
		memcpy(&set->items[set->count], findings + done, slice * sizeof(*findings));
		take_in(set, slice);
		if (done + slice < count)
			sort_new(set);
	}
}

static int
write_counts(struct store *s, int64_t client_id, const struct finding *f,
    struct store_judgement judged, struct error *err)
{
	sqlite3_stmt *st = store_statement(s, STATEMENT_FINDING_COUNT, err);

	if (st == NULL)
		return -1;
	(void)sqlite3_bind_int64(st, 1, client_id);
	(void)store_finding_bind_counts(st, 2, f, judged);
	return store_step(s, st, err);
}

static bool
same_judgement(struct store_judgement a, struct store_judgement b)
{
	return a.rank == b.rank && a.server == b.server;
}

int
store_set_write(struct store *s, int64_t client_id, struct error *err)
{
	const struct finding_set *set = &s->set;

	for (size_t i = 0; i < set->count; i++) {
		const struct finding *f = &set->items[i];
		bool is_new = i >= set->stored_count;
		int result = 0;

		if (is_new || set->changes[i] == FINDING_RENEWED)
			result = store_finding_write(s, client_id, f, set->judged[i], err);
		else if (set->changes[i] == FINDING_COUNTED ||
			 !same_judgement(set->judged[i], set->stored[i]))
			result = write_counts(s, client_id, f, set->judged[i], err);
		if (result != 0)
			return -1;
	}
	return 0;
}
