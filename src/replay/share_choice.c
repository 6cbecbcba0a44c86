#include "replay/share_choice.h"

#include "base/banned.h"

void
share_choice_init(struct share_choice *c)
{
	*c = (struct share_choice){ .patience = SHARE_PATIENCE_MIN };
}

static void
begin_anew(struct share_choice *c)
{
	c->count = 0;
	c->frame_count = 0;
	c->spent_ns = 0;
}

/* The first one is left out: what it needs lies in another processor's caches, or is new. */
static void
count_stretch(struct share_choice *c, const struct share_stretch *stretch)
{
	if (c->is_shared != stretch->is_shared)
		begin_anew(c);
	c->is_shared = stretch->is_shared;
	if (c->count++ == 0)
		return;
	c->frame_count += stretch->frame_count;
	c->spent_ns += stretch->spent_ns;
}

/* True, and *cost, where there are stretches enough; others are counted from now on. */
static bool
tell_cost(struct share_choice *c, double *cost)
{
	unsigned needed = c->is_shared ? SHARE_STRETCHES_SHARED : SHARE_STRETCHES_ALONE;

	if (c->count <= needed || c->frame_count == 0)
		return false;
	*cost = (double)c->spent_ns / (double)c->frame_count;
	begin_anew(c);
	c->count = 1;
	return true;
}

static void
judge_sharing(struct share_choice *c)
{
	double cost;

	if (!tell_cost(c, &cost))
		return;
	if (cost <= SHARE_COST_MAX * c->alone_cost) {
		c->patience = SHARE_PATIENCE_MIN;
		return;
	}
	c->wait = c->patience;
	if (c->patience < SHARE_PATIENCE_MAX)
		c->patience *= 2;
}

static void
note_alone(struct share_choice *c)
{
	double cost;

	if (c->wait > 0)
		c->wait--;
	if (tell_cost(c, &cost))
		c->alone_cost = cost;
}

bool
share_choice_add(struct share_choice *c, const struct share_stretch *stretch)
{
	if (stretch->event_count == 0 ||
	    stretch->frame_count / stretch->event_count >= SHARE_FRAMES_PER_EVENT_MAX) {
		begin_anew(c);
		return false;
	}
	count_stretch(c, stretch);
	if (c->is_shared)
		judge_sharing(c);
	else
		note_alone(c);
	return c->alone_cost > 0 && c->wait == 0;
}
