#include "capture/map_choice.h"

#include <string.h>

#include "base/banned.h"

void
map_choice_init(struct map_choice *c)
{
	*c = (struct map_choice){ .stride = 1 };
}

static uint64_t
len_of_turn(const struct map_choice *c)
{
	if (c->turn == 0)
		return MAP_CHOICE_FIRST_LEN;
	return c->turn <= MAP_CHOICE_TURNS ? MAP_CHOICE_TURN_LEN : c->lasts_len;
}

/* Keeps the costs in order, the least first. */
static void
note_turn(struct map_choice *c)
{
	struct map_costs *costs = &c->costs[c->is_mapped];
	double cost = (double)c->spent_ns / (double)c->len;
	size_t i = costs->count++;

	for (; i > 0 && costs->of[i - 1] > cost; i--)
		costs->of[i] = costs->of[i - 1];
	costs->of[i] = cost;
}

/* Every turn of `a` took clearly less than each of `b`. */
static bool
is_clearly_less(const struct map_costs *a, const struct map_costs *b)
{
	return a->of[a->count - 1] * MAP_CHOICE_CLEAR < b->of[0];
}

/*
 * In the middle of the turns: what else the machine does doubles some of them, and some MiB that
 * the page cache has in large pieces are mapped for a third.
 */
static double
usual_cost(const struct map_costs *costs)
{
	return costs->of[(costs->count - 1) / 2] + costs->of[costs->count / 2];
}

/* Found best: again, or for the first time. */
static void
go_on_with(struct map_choice *c, bool is_mapped)
{
	if (c->lasts_len == 0 || is_mapped != c->was_mapped)
		c->lasts_len = MAP_CHOICE_LASTS_LEN_MIN;
	else if (c->lasts_len < MAP_CHOICE_LASTS_LEN_MAX)
		c->lasts_len *= 2;
	c->is_mapped = c->was_mapped = is_mapped;
	c->turn = MAP_CHOICE_TURNS + 1;
}

/* Behind as many turns of one as of the other.  False: more of them have to tell. */
static bool
decide(struct map_choice *c)
{
	const struct map_costs *reading = &c->costs[0], *mapped = &c->costs[1];

	if (c->turn < MAP_CHOICE_TURNS && !is_clearly_less(reading, mapped) &&
	    !is_clearly_less(mapped, reading))
		return false;
	go_on_with(c, usual_cost(mapped) < usual_cost(reading));
	return true;
}

/* Turns of short packets have more readings: expected are as many as there were of late. */
static uint64_t
stride_of_next(const struct map_choice *c)
{
	uint64_t count = c->reading_count * MAP_CHOICE_TURN_LEN / c->len;

	return count > MAP_CHOICE_SAMPLES ? count / MAP_CHOICE_SAMPLES : 1;
}

/* Read, mapped, mapped, read. */
static void
begin_turn(struct map_choice *c, unsigned turn)
{
	if (turn == 1)
		memset(c->costs, 0, sizeof(c->costs));
	c->turn = turn;
	c->is_mapped = (turn & 2) != 0;
}

void
map_choice_add(struct map_choice *c, uint64_t len)
{
	c->len += len;
	if (c->len < len_of_turn(c))
		return;
	if (map_choice_is_trial(c))
		note_turn(c);
	if (!map_choice_is_trial(c) || c->turn % 4 != 0 || !decide(c))
		begin_turn(c, c->turn > MAP_CHOICE_TURNS ? 1 : c->turn + 1);
	c->stride = stride_of_next(c);
	c->reading_count = 0;
	c->len = 0;
	c->spent_ns = 0;
}
