/*
 * tally_log - records and their sums.
 *
 * A record stands for one attempt, as its flags say; in several cases it has a sum instead
 * (TALLY_SUM), which stands for several of them or has more to tell.
 */
#ifndef TLSTALLY_TALLY_TALLY_LOG_H
#define TLSTALLY_TALLY_TALLY_LOG_H

#include "tally/tally_internal.h"

/* Where the number of the finding's record stands that was added last; others may share the place.
 */
uint32_t *tally_newest_place(const struct tally *t, uint32_t client, uint32_t kind);
/* The finding's record that was added last; NULL where that is not known any more. */
struct tally_record *tally_newest_record(struct tally *t, uint32_t client, uint32_t kind);
/* Adds one that is no attempt yet. */
struct tally_record *tally_add_record(
    struct tally *t, uint32_t client, uint32_t kind, uint32_t story);
/* Lets tally_newest_record find nothing any more, before the records' numbers change. */
void tally_forget_newest(struct tally *t);
/* Makes the record an attempt, with further flags. */
void tally_set_attempt(struct tally *t, struct tally_record *r, int64_t time_us, unsigned flags);
/* The record's sum; gives it one, with what its flags say, if it has none. */
struct tally_sum *tally_widen(struct tally *t, struct tally_record *r);
/* Gives the record's sum back, if it has one. */
void tally_drop_sum(struct tally *t, const struct tally_record *r);
void tally_sum_add(struct tally_sum *into, const struct tally_sum *from);
/* True if the record's flags cannot say how its session ended. */
bool tally_ending_needs_sum(const struct tally_record *r, const struct event_ending *ending);
void tally_add_ending(struct tally *t, struct tally_record *r, const struct event_ending *ending);

/* A record has room for times four years before and after the first; others are kept in sums. */
#define TALLY_TIME_BITS 48
#define TALLY_TIME_MIDDLE (UINT64_C(1) << (TALLY_TIME_BITS - 1))

static inline int64_t
tally_unpack_time(const struct tally *t, const struct tally_record *r)
{
	uint64_t offset = (uint64_t)r->high << 40 | (uint64_t)r->middle << 32 | r->low;

	return (int64_t)((uint64_t)t->base_us + offset - TALLY_TIME_MIDDLE);
}

/* How many attempts the record stands for. */
static inline uint32_t
tally_attempts(const struct tally *t, const struct tally_record *r)
{
	return (r->what & TALLY_SUM) != 0 ? t->sums[r->low].count : r->what & TALLY_ATTEMPT;
}

static inline bool
tally_is_attempt(const struct tally *t, const struct tally_record *r)
{
	return tally_attempts(t, r) > 0;
}

/* The time of the record's attempt, of several that of the earliest. */
static inline int64_t
tally_record_time(const struct tally *t, const struct tally_record *r)
{
	return (r->what & TALLY_SUM) != 0 ? t->sums[r->low].first_us : tally_unpack_time(t, r);
}

/* The same of the latest. */
static inline int64_t
tally_record_last(const struct tally *t, const struct tally_record *r)
{
	return (r->what & TALLY_SUM) != 0 ? t->sums[r->low].last_us : tally_unpack_time(t, r);
}

/* What several records of one finding say together. */
struct tally_joint {
	struct tally_sum sum;
	struct tally_story story;
	uint32_t story_number; /* TALLY_NONE: it may be none of the tally's */
};

/* Begins with one record, and adds the finding's others in the order of time. */
void tally_joint_begin(const struct tally *t, struct tally_joint *j, const struct tally_record *r);
void tally_joint_add(const struct tally *t, struct tally_joint *j, const struct tally_record *r);

/*
 * Asks the processor for the records with these numbers.  Records lie in the order of time, so
 * those of one client are all over the log.
 */
static PREFETCHES void
tally_ask_for_records(const struct tally *t, const uint32_t *numbers, size_t count)
{
	enum { MANY = 64 };

	for (size_t i = 0; i < count && i < MANY; i++)
		__builtin_prefetch(&t->records[numbers[i] & ~TALLY_MORE]);
}

#endif
