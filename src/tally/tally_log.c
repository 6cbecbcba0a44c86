/* The log: records, what they count, and what several of them say together. */
#include <string.h>

#include "tally/tally_internal.h"
#include "tally/tally_log.h"

#include "base/banned.h"

uint32_t *
tally_newest_place(const struct tally *t, uint32_t client, uint32_t kind)
{
	uint64_t hash = hash_words(&t->key, client, kind);

	return &t->newest[hash & (TALLY_NEWEST_COUNT - 1)];
}

struct tally_record *
tally_newest_record(struct tally *t, uint32_t client, uint32_t kind)
{
	uint32_t i = *tally_newest_place(t, client, kind);

	if (i == TALLY_NONE || t->records[i].client != client || t->records[i].kind != kind)
		return NULL;
	return &t->records[i];
}

struct tally_record *
tally_add_record(struct tally *t, uint32_t client, uint32_t kind, uint32_t story)
{
	struct tally_record *r;

	tally_drop_order(t);
	t->records = xgrow(t->records, t->record_count, &t->record_room, sizeof(*t->records));
	*tally_newest_place(t, client, kind) = (uint32_t)t->record_count;
	r = &t->records[t->record_count++];
	*r = (struct tally_record){
		.client = client & TALLY_NUMBER_MAX,
		.kind = kind & TALLY_NUMBER_MAX,
		.story = story & TALLY_NUMBER_MAX,
	};
	t->bytes += TALLY_RECORD_LEN;
	return r;
}

uint64_t
tally_record_client(const struct tally *t, uint32_t number)
{
	return t->records[number].client;
}

void
tally_forget_newest(struct tally *t)
{
	if (t->record_count > 0)
		memset(t->newest, 0xff, TALLY_NEWEST_COUNT * sizeof(*t->newest));
}

void
tally_set_attempt(struct tally *t, struct tally_record *r, int64_t time_us, unsigned flags)
{
	uint64_t offset;

	if (!t->has_base) {
		t->has_base = true;
		t->base_us = time_us;
	}
	offset = (uint64_t)time_us - (uint64_t)t->base_us + TALLY_TIME_MIDDLE;
	r->what = (TALLY_ATTEMPT | flags) & 0xff;
	if (offset >> TALLY_TIME_BITS == 0) {
		r->low = (uint32_t)(offset & UINT32_MAX);
		r->middle = offset >> 32 & 0xff;
		r->high = offset >> 40 & 0xff;
	} else {
		struct tally_sum *s = tally_widen(t, r);

		s->first_us = s->last_us = time_us;
	}
}

static struct tally_sum
sum_of(const struct tally *t, const struct tally_record *r)
{
	struct tally_sum s = { .first_us = INT64_MAX, .last_us = INT64_MIN };

	if ((r->what & TALLY_SUM) != 0)
		return t->sums[r->low];
	if ((r->what & TALLY_ATTEMPT) != 0) {
		s.first_us = s.last_us = tally_record_time(t, r);
		s.count = 1;
	}
	s.gap_count = (r->what & TALLY_GAP) != 0;
	s.login_count = (r->what & TALLY_LOGIN) != 0;
	s.scsv_count = (r->what & TALLY_SCSV) != 0;
	s.fallback_count = (r->what & TALLY_FALLBACK) != 0;
	s.ended_count = (r->what & TALLY_ENDED) != 0;
	return s;
}

struct tally_sum *
tally_widen(struct tally *t, struct tally_record *r)
{
	struct tally_sum s;
	uint32_t i = t->free_sum;

	if ((r->what & TALLY_SUM) != 0)
		return &t->sums[r->low];
	s = sum_of(t, r);
	if (i != TALLY_NONE) {
		t->free_sum = t->sums[i].count;
	} else {
		i = (uint32_t)t->sum_count++;
		t->sums = xgrow(t->sums, i, &t->sum_room, sizeof(*t->sums));
	}
	t->sums[i] = s;
	t->bytes += sizeof(*t->sums);
	r->what = TALLY_SUM | (r->what & TALLY_PACED);
	r->low = i;
	return &t->sums[i];
}

void
tally_drop_sum(struct tally *t, const struct tally_record *r)
{
	if ((r->what & TALLY_SUM) == 0)
		return;
	t->sums[r->low].count = t->free_sum;
	t->free_sum = r->low;
	t->bytes -= sizeof(*t->sums);
}

static uint32_t
larger_of(uint32_t known, uint64_t value)
{
	uint32_t small = value < UINT32_MAX ? (uint32_t)value : UINT32_MAX;

	return small > known ? small : known;
}

void
tally_sum_add(struct tally_sum *into, const struct tally_sum *from)
{
	into->first_us = from->first_us < into->first_us ? from->first_us : into->first_us;
	into->last_us = from->last_us > into->last_us ? from->last_us : into->last_us;
	into->count += from->count;
	into->gap_count += from->gap_count;
	into->login_count += from->login_count;
	into->scsv_count += from->scsv_count;
	into->fallback_count += from->fallback_count;
	into->ended_count += from->ended_count;
	into->dropped_early_count += from->dropped_early_count;
	into->dropped_early_ms = larger_of(into->dropped_early_ms, from->dropped_early_ms);
	into->dropped_early_len = larger_of(into->dropped_early_len, from->dropped_early_len);
}

bool
tally_ending_needs_sum(const struct tally_record *r, const struct event_ending *ending)
{
	return ending->how != SESSION_END_UNSEEN && (r->what & TALLY_SUM) == 0 &&
	       (ending->dropped_early || (r->what & TALLY_ENDED) != 0);
}

void
tally_add_ending(struct tally *t, struct tally_record *r, const struct event_ending *ending)
{
	struct tally_sum *s;

	if (ending->how == SESSION_END_UNSEEN)
		return;
	if ((r->what & TALLY_SUM) == 0 && !tally_ending_needs_sum(r, ending)) {
		r->what |= TALLY_ENDED;
		return;
	}
	s = tally_widen(t, r);
	s->ended_count++;
	if (!ending->dropped_early)
		return;
	s->dropped_early_count++;
	s->dropped_early_ms =
	    larger_of(s->dropped_early_ms, ((uint64_t)ending->duration_us + 999) / 1000);
	s->dropped_early_len = larger_of(s->dropped_early_len, ending->server_len);
}

void
tally_joint_begin(const struct tally *t, struct tally_joint *j, const struct tally_record *r)
{
	j->sum = sum_of(t, r);
	j->story = t->stories[r->story];
	j->story_number = r->story;
}

void
tally_joint_add(const struct tally *t, struct tally_joint *j, const struct tally_record *r)
{
	struct tally_sum sum = sum_of(t, r);
	bool latest = sum.count > 0 && sum.last_us >= j->sum.last_us;

	/* A story that is joined with itself stays as it is. */
	if (r->story != j->story_number) {
		tally_story_join(&j->story, &t->stories[r->story],
		    t->kinds[r->kind].offered_version != 0, latest);
		j->story_number = TALLY_NONE;
	}
	tally_sum_add(&j->sum, &sum);
}
