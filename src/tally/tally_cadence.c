/* How regularly each client comes: briefly, until that is too little. */
#include "tally/tally_internal.h"

#include "base/banned.h"

static void
init_brief(struct tally_brief *b)
{
	*b = (struct tally_brief){ .full = TALLY_NONE };
}

/* False, and nothing changes: there is no room for another hour. */
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
begin_brief(struct tally *t, struct tally_client_entry *c)
{
	struct tally_brief *b;

	c->cadence = (uint32_t)t->brief_count;
	t->briefs = tally_make_room(t->briefs, c->cadence, &t->brief_room, sizeof(*t->briefs));
	t->brief_count++;
	t->bytes += sizeof(*t->briefs);
	b = &t->briefs[c->cadence];
	init_brief(b);
	(void)add_time_briefly(b, c->first_us);
	return b;
}

static void
write_out(struct tally *t, struct tally_brief *b)
{
	b->full = (uint32_t)t->cadence_count;
	t->cadences = tally_make_room(t->cadences, b->full, &t->cadence_room, sizeof(*t->cadences));
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

void
tally_count_cadence(struct tally *t, struct tally_client_entry *c, int64_t time_us)
{
	int64_t gap_us = time_us - c->last_us;
	struct tally_brief *b;

	if (c->event_count == 0 || (c->cadence == TALLY_NONE && tally_is_full(t)))
		return;
	b = c->cadence == TALLY_NONE ? begin_brief(t, c) : &t->briefs[c->cadence];
	if (b->full == TALLY_NONE) {
		if (add_briefly(b, time_us, gap_us) || tally_is_full(t))
			return;
		write_out(t, b);
	}
	cadence_add_time(&t->cadences[b->full], time_us);
	cadence_add_gap(&t->cadences[b->full], gap_us);
}

void
tally_tell_cadence(const struct tally *t, const struct tally_client_entry *c, struct cadence *out)
{
	const struct tally_brief *b;

	*out = (struct cadence){ 0 };
	if (c->cadence == TALLY_NONE) {
		if (c->event_count > 0)
			cadence_add_time(out, c->first_us);
		return;
	}
	b = &t->briefs[c->cadence];
	if (b->full != TALLY_NONE)
		*out = t->cadences[b->full];
	else
		tell_brief(b, out);
}
