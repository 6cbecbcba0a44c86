/*
 * Looking ahead: where events go is worked out, and fetched, for several of them at once.  Each
 * pass asks the memory for what the next one needs.
 */
#include <assert.h>

#include "tally/tally_internal.h"
#include "tally/tally_log.h"

#include "base/banned.h"

#define LINE_LEN 64

/* Where an event seems to go, by hashes alone; TALLY_NONE: nowhere yet. */
struct guess {
	uint32_t client, kind, story;
};

void
tally_work_out(const struct tally *t, const struct event *ev, struct tally_ahead *out)
{
	out->client_hash = tally_client_hash(t, &ev->client_ip);
	out->kind_hash = tally_kind_hash(t, ev);
	out->story_hash = 0;
	if (ev->kind == EVENT_SESSION_END)
		return;
	tally_story_of(ev, &out->story);
	out->story_hash = tally_story_hash(t, &out->story);
}

static void
fetch_slot(const struct tally_index *index, uint64_t hash)
{
	__builtin_prefetch(&index->slots[(uint32_t)hash & index->mask]);
}

static uint32_t
guess_entry(const struct tally_index *index, uint64_t hash)
{
	uint32_t probe = 0;

	return tally_index_next(index, hash, &probe);
}

static void
fetch_entries(const struct tally *t, const struct tally_ahead *ahead, struct guess *out)
{
	out->client = guess_entry(&t->client_index, ahead->client_hash);
	out->kind = guess_entry(&t->kind_index, ahead->kind_hash);
	out->story = guess_entry(&t->story_index, ahead->story_hash);
	if (out->client != TALLY_NONE)
		__builtin_prefetch(&t->clients[out->client], 1);
	if (out->kind != TALLY_NONE)
		__builtin_prefetch(&t->kinds[out->kind]);
	if (out->story == TALLY_NONE)
		return;
	for (size_t at = 0; at < sizeof(*t->stories); at += LINE_LEN)
		__builtin_prefetch((const char *)&t->stories[out->story] + at);
}

static void
fetch_around(const struct tally *t, const struct guess *g)
{
	if (g->kind == TALLY_NONE)
		return;
	__builtin_prefetch(t->kinds[g->kind].server.data);
	if (g->client == TALLY_NONE)
		return;
	__builtin_prefetch(tally_newest_place(t, g->client, g->kind), 1);
	if (t->clients[g->client].newest_hour != TALLY_NONE)
		__builtin_prefetch(&t->hours[t->clients[g->client].newest_hour], 1);
}

/* The end of a session is counted where its beginning is. */
static void
fetch_record(const struct tally *t, const struct guess *g)
{
	uint32_t record;

	if (g->client == TALLY_NONE || g->kind == TALLY_NONE)
		return;
	record = *tally_newest_place(t, g->client, g->kind);
	if (record != TALLY_NONE)
		__builtin_prefetch(&t->records[record], 1);
}

void
tally_look_ahead(struct tally *t, const struct event *events, size_t count)
{
	struct tally_ahead *out = t->ahead;
	struct guess guesses[TALLY_AHEAD_MAX];

	assert(count <= TALLY_AHEAD_MAX);
	for (size_t i = 0; i < count; i++) {
		tally_work_out(t, &events[i], &out[i]);
		fetch_slot(&t->client_index, out[i].client_hash);
		fetch_slot(&t->kind_index, out[i].kind_hash);
		fetch_slot(&t->story_index, out[i].story_hash);
	}
	for (size_t i = 0; i < count; i++)
		fetch_entries(t, &out[i], &guesses[i]);
	for (size_t i = 0; i < count; i++)
		fetch_around(t, &guesses[i]);
	for (size_t i = 0; i < count; i++) {
		if (events[i].kind == EVENT_SESSION_END)
			fetch_record(t, &guesses[i]);
	}
}
