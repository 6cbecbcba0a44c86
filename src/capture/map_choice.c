#include "capture/map_choice.h"

#include "base/banned.h"

void
map_choice_init(struct map_choice *c)
{
	*c = (struct map_choice){ .is_mapped = true };
}

static uint64_t
len_of_turn(unsigned turn)
{
	if (turn == 0)
		return MAP_CHOICE_FIRST_LEN;
	return turn <= MAP_CHOICE_TURNS ? MAP_CHOICE_TURN_LEN : MAP_CHOICE_LASTS_LEN;
}

/* Whatever else the machine does makes a turn slower and none faster: the least tells most. */
static void
note_turn(struct map_choice *c)
{
	double cost = (double)c->spent_ns / (double)c->len;

	if (c->least[c->is_mapped] == 0 || cost < c->least[c->is_mapped])
		c->least[c->is_mapped] = cost;
}

void
map_choice_add(struct map_choice *c, uint64_t len)
{
	c->len += len;
	if (c->len < len_of_turn(c->turn))
		return;
	if (map_choice_is_trial(c))
		note_turn(c);
	c->turn = c->turn > MAP_CHOICE_TURNS ? 1 : c->turn + 1;
	if (c->turn == 1)
		c->least[0] = c->least[1] = 0;
	c->len = 0;
	c->spent_ns = 0;
	c->is_mapped = c->turn > MAP_CHOICE_TURNS ? c->least[1] < c->least[0] : (c->turn & 2) != 0;
}
