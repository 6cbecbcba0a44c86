/*
 * How regularly each client comes: from the times in the log, as long as they are there; before
 * records are joined their times are counted, briefly until that is too little.
 */
#include "tally/tally_internal.h"
#include "tally/tally_log.h"

#include "base/banned.h"

static void
init_brief(struct tally_brief *b)
{
	*b = (struct tally_brief){ .full = TALLY_NONE };
}

/* False, and nothing changes, where another hour has no room. */
static bool
add_time_briefly(struct tally_brief *b, int64_t time_us)
{
	uint8_t hour = (uint8_t)cadence_hour(time_us);

	if (b->hour_count == 0)
		b->hour = hour;
	if (b->hour != hour || b->hour_count == UINT32_MAX)
		return false;
	b->hour_count++;
	return true;
}

/* The same for another class of gaps. */
static bool
add_gap_briefly(struct tally_brief *b, int64_t gap_us)
{
	struct tally_brief_class *c;
	uint64_t gap_ms;
	uint8_t class;
	unsigned i = 0;

	if (gap_us < 0)
		return true;
	class = (uint8_t)cadence_class(gap_us);
	gap_ms = (uint64_t)gap_us / 1000;
	while (i < b->class_count && b->classes[i].class != class)
		i++;
	if (i == TALLY_BRIEF_CLASSES)
		return false;
	c = &b->classes[i];
	if (c->count == UINT16_MAX || gap_ms > UINT32_MAX - c->sum_ms)
		return false;
	if (i == b->class_count) {
		b->class_count++;
		c->class = class;
	}
	c->count++;
	c->sum_ms += (uint32_t)gap_ms;
	return true;
}

static void
tell_brief(const struct tally_brief *b, struct cadence *out)
{
	out->hours[b->hour] = b->hour_count;
	for (unsigned i = 0; i < b->class_count; i++) {
		out->gap_count[b->classes[i].class] = b->classes[i].count;
		out->gap_sum_ms[b->classes[i].class] = b->classes[i].sum_ms;
	}
}

static struct tally_brief *
brief_of(struct tally *t, uint32_t client)
{
	uint32_t i = t->clients[client].cadence;

	if (i != TALLY_NONE)
		return &t->briefs[i];
	i = t->clients[client].cadence = (uint32_t)t->brief_count;
	t->briefs = xgrow(t->briefs, i, &t->brief_room, sizeof(*t->briefs));
	t->brief_count++;
	t->bytes += sizeof(*t->briefs);
	init_brief(&t->briefs[i]);
	return &t->briefs[i];
}

static void
write_out(struct tally *t, struct tally_brief *b)
{
	b->full = (uint32_t)t->cadence_count;
	t->cadences = xgrow(t->cadences, b->full, &t->cadence_room, sizeof(*t->cadences));
	t->cadence_count++;
	t->bytes += sizeof(*t->cadences);
	t->cadences[b->full] = (struct cadence){ 0 };
	tell_brief(b, &t->cadences[b->full]);
}

static bool
add_briefly(struct tally_brief *b, int64_t time_us, int64_t gap_us)
{
	struct tally_brief more = *b;

	if (!add_time_briefly(&more, time_us) || !add_gap_briefly(&more, gap_us))
		return false;
	*b = more;
	return true;
}

/* Where nothing has room for more, one gap more or less does not matter. */
static void
count(struct tally *t, uint32_t client, int64_t time_us, int64_t gap_us, bool may_grow)
{
	struct tally_brief *b = brief_of(t, client);

	if (b->full == TALLY_NONE) {
		if (add_briefly(b, time_us, gap_us) || !may_grow)
			return;
		write_out(t, b);
	}
	cadence_add_time(&t->cadences[b->full], time_us);
	cadence_add_gap(&t->cadences[b->full], gap_us);
}

/* Attempts of a client, one after the other. */
struct visits {
	bool any;
	int64_t last_us;
};

/*
 * False for what is no attempt, or was counted before.  `gap_us` is negative for the first visit.
 */
static bool
next_visit(const struct tally *t, struct visits *v, const struct tally_record *r, int64_t *gap_us)
{
	int64_t last_us;

	if (!tally_is_attempt(t, r))
		return false;
	last_us = tally_record_last(t, r);
	*gap_us = v->any ? tally_record_time(t, r) - v->last_us : -1;
	v->last_us = !v->any || last_us > v->last_us ? last_us : v->last_us;
	v->any = true;
	return (r->what & TALLY_PACED) == 0;
}

void
tally_pace(
    struct tally *t, uint32_t client, const uint32_t *numbers, size_t number_count, bool may_grow)
{
	struct visits v = { 0 };
	int64_t gap_us;

	for (size_t i = 0; i < number_count; i++) {
		struct tally_record *r = &t->records[numbers[i]];

		if (next_visit(t, &v, r, &gap_us))
			count(t, client, tally_record_time(t, r), gap_us, may_grow);
		r->what |= TALLY_PACED;
	}
}

void
tally_tell_cadence(const struct tally *t, uint32_t client, const uint32_t *numbers,
    size_t number_count, struct cadence *out)
{
	const struct tally_client_entry *c = &t->clients[client];
	struct visits v = { 0 };
	int64_t gap_us;

	*out = (struct cadence){ 0 };
	if (c->cadence != TALLY_NONE) {
		const struct tally_brief *b = &t->briefs[c->cadence];

		if (b->full != TALLY_NONE)
			*out = t->cadences[b->full];
		else
			tell_brief(b, out);
	}
	for (size_t i = 0; i < number_count; i++) {
		const struct tally_record *r = &t->records[numbers[i]];

		if (!next_visit(t, &v, r, &gap_us))
			continue;
		cadence_add_time(out, tally_record_time(t, r));
		cadence_add_gap(out, gap_us);
	}
}
