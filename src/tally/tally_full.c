/*
 * What a full tally still takes: events of findings that it has, each in a record that is there.
 * Such a record may need a sum for it; the room for that was set aside with each record.
 */
#include "tally/tally_internal.h"
#include "tally/tally_log.h"

#include "base/banned.h"

static bool
counts_day(const struct tally *t, uint32_t number, int64_t day)
{
	const struct tally_record *r = &t->records[number];

	return tally_is_attempt(t, r) && tally_day_of(tally_record_time(t, r)) == day;
}

/* The place of a client's finding among all; false: there is none. */
static bool
find_finding(const struct tally *t, uint32_t client, uint32_t kind, size_t *out)
{
	const struct tally_share *share = &t->order.shares[t->order.ranks[client]];
	size_t low = share->first_finding, high = share[1].first_finding;
	uint32_t rank = t->kinds[kind].rank;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		uint32_t number = t->order.findings[middle] & ~TALLY_MORE;

		*out = middle;
		if (t->records[number].kind == kind)
			return true;
		if (t->kinds[t->records[number].kind].rank < rank)
			low = middle + 1;
		else
			high = middle;
	}
	return false;
}

struct tally_record *
tally_find_record(struct tally *t, uint32_t client, uint32_t kind, int64_t day, bool any_day)
{
	const struct tally_order *o = &t->order;
	const uint32_t *more;
	uint32_t first;
	size_t finding, count;

	if (!o->valid)
		tally_sort(t);
	if (!find_finding(t, client, kind, &finding))
		return NULL;
	first = o->findings[finding] & ~TALLY_MORE;
	if (any_day || counts_day(t, first, day))
		return &t->records[first];
	more = tally_more_of(t, finding, &count);
	for (size_t i = 0; i < count; i++) {
		if (counts_day(t, more[i], day))
			return &t->records[more[i]];
	}
	return NULL;
}

bool
tally_may_widen(const struct tally *t, const struct tally_record *r)
{
	return (r->what & TALLY_SUM) != 0 ||
	       t->spare_used * sizeof(*t->sums) <= t->record_count * TALLY_RECORD_SPARE;
}

void
tally_take_spare(struct tally *t, const struct tally_record *r)
{
	if ((r->what & TALLY_SUM) != 0)
		return;
	t->spare_used++;
	t->bytes -= sizeof(*t->sums); /* it was counted with the records */
}

bool
tally_add_known(struct tally *t, uint32_t client, uint32_t kind, const struct event *ev)
{
	struct tally_record *r;
	struct tally_joint j;
	struct tally_story story;
	struct tally_sum *sum;
	uint32_t story_number;

	if (client == TALLY_NONE || kind == TALLY_NONE || !tally_client_fits(t, client, ev))
		return false;
	r = tally_find_record(t, client, kind, tally_day_of(ev->timestamp_us), false);
	if (r == NULL || !tally_may_widen(t, r))
		return false;
	tally_joint_begin(t, &j, r);
	tally_story_of(ev, &story);
	tally_story_join(
	    &j.story, &story, ev->offered_version != 0, ev->timestamp_us >= j.sum.last_us);
	story_number = tally_story_find(t, &j.story);
	if (story_number == TALLY_NONE)
		return false;
	r->story = story_number & TALLY_NUMBER_MAX;
	tally_take_spare(t, r);
	sum = tally_widen(t, r);
	tally_sum_add(sum, &(struct tally_sum){ .first_us = ev->timestamp_us,
			       .last_us = ev->timestamp_us,
			       .count = 1,
			       .gap_count = ev->capture_gap,
			       .login_count = ev->login,
			       .scsv_count = ev->fallback_scsv == TRI_TRUE });
	t->order.outdated = true;
	tally_update_client(t, client, ev);
	return true;
}
