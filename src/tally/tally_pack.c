/*
 * Making room: records of one finding and one day become one, with a sum.  What they say together
 * is what they said one by one.
 */
#include <stdlib.h>

#include "base/xalloc.h"
#include "tally/tally_internal.h"
#include "tally/tally_log.h"

#include "base/banned.h"

/*
 * So many records of one event each take more room than a sum for all, even with a story of its
 * own.
 */
#define ENOUGH 4
/* The client of a record that was joined with another one. */
#define GONE TALLY_NUMBER_MAX
/*
 * After a try, the next one is worth it with so many records more, and a quarter of those there
 * are.
 */
#define NEXT_TRY 1024

static uint64_t
kind_key(const struct tally *t, uint32_t number)
{
	return t->records[number].kind;
}

/* How many records from the first on are of one kind and day; what is no attempt fits any day. */
static size_t
group_len(const struct tally *t, const uint32_t *numbers, size_t count)
{
	const struct tally_record *first = &t->records[numbers[0]];
	bool has_day = false;
	int64_t day = 0;
	size_t i = 0;

	for (; i < count; i++) {
		const struct tally_record *r = &t->records[numbers[i]];

		if (r->kind != first->kind)
			break;
		if (!tally_is_attempt(t, r))
			continue;
		if (has_day && tally_day_of(tally_record_time(t, r)) != day)
			break;
		day = tally_day_of(tally_record_time(t, r));
		has_day = true;
	}
	return i;
}

static bool
is_worth_joining(const struct tally *t, const uint32_t *numbers, size_t count)
{
	bool has_sum = count >= ENOUGH;

	for (size_t i = 0; i < count && !has_sum; i++)
		has_sum = (t->records[numbers[i]].what & TALLY_SUM) != 0;
	return count > 1 && has_sum;
}

/* Makes the first of them stand for all. */
static void
join(struct tally *t, const uint32_t *numbers, size_t count)
{
	struct tally_record *first = &t->records[numbers[0]];
	struct tally_joint j;

	tally_joint_begin(t, &j, first);
	for (size_t i = 1; i < count; i++)
		tally_joint_add(t, &j, &t->records[numbers[i]]);
	if (j.story_number == TALLY_NONE)
		j.story_number = tally_story_find(t, &j.story);
	if (j.story_number == TALLY_NONE) {
		/* A story of its own is worth it for what it makes free at least. */
		if ((count - 1) * TALLY_RECORD_LEN < sizeof(j.sum) + TALLY_STORY_LEN)
			return;
		j.story_number = tally_story_keep(t, &j.story, tally_story_hash(t, &j.story));
	}
	for (size_t i = 1; i < count; i++) {
		tally_drop_sum(t, &t->records[numbers[i]]);
		t->records[numbers[i]].client = GONE;
		t->bytes -= TALLY_RECORD_LEN;
	}
	*tally_widen(t, first) = j.sum;
	first->story = j.story_number & TALLY_NUMBER_MAX;
}

static void
pack_client(struct tally *t, uint32_t client, uint32_t *numbers, size_t count)
{
	size_t freed = 0; /* records, at most */

	tally_sort_numbers(t, kind_key, numbers, count);
	for (size_t i = 0, len; i < count; i += len) {
		len = group_len(t, numbers + i, count - i);
		if (is_worth_joining(t, numbers + i, len))
			freed += len - 1;
	}
	if (freed == 0)
		return;
	tally_sort_numbers(t, tally_own_number, numbers, count);
	tally_pace(
	    t, client, numbers, count, freed * TALLY_RECORD_LEN > 2 * sizeof(struct cadence));
	tally_sort_numbers(t, kind_key, numbers, count);
	for (size_t i = 0, len; i < count; i += len) {
		len = group_len(t, numbers + i, count - i);
		if (is_worth_joining(t, numbers + i, len))
			join(t, numbers + i, len);
	}
}

/* Closes the gaps in the log. */
static void
close_up(struct tally *t)
{
	size_t kept = 0;

	for (size_t i = 0; i < t->record_count; i++) {
		if (t->records[i].client != GONE)
			t->records[kept++] = t->records[i];
	}
	t->record_count = kept;
}

void
tally_pack(struct tally *t)
{
	uint32_t *firsts = xreallocarray(NULL, t->client_count + 1, sizeof(*firsts));
	uint32_t *numbers;

	tally_drop_order(t);
	numbers = tally_group(t, NULL, tally_record_client, t->record_count, firsts);
	for (uint32_t i = 0; i < t->client_count; i++)
		pack_client(t, i, numbers + firsts[i], firsts[i + 1] - firsts[i]);
	tally_forget_newest(t);
	close_up(t);
	t->pack_at = t->record_count + t->record_count / 4 + NEXT_TRY;
	free(numbers);
	free(firsts);
}
