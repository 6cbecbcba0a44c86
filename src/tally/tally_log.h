/*
 * tally_log - adding to the log, and reading what a record counts.
 *
 * What a record counts is in its flags, or in its sum (TALLY_SUM): the functions here hide which.
 */
#ifndef TLSTALLY_TALLY_TALLY_LOG_H
#define TLSTALLY_TALLY_TALLY_LOG_H

#include "tally/tally_internal.h"

/*
 * The place in tally.newest for the number of the record that was added last for this client and
 * kind.  Others may have the same place, so the record there may be one of theirs.
 */
uint32_t *tally_newest_place(const struct tally *t, uint32_t client, uint32_t kind);
/* The record that was added last for this client and kind; NULL: not known any more. */
struct tally_record *tally_newest_record(struct tally *t, uint32_t client, uint32_t kind);
/* Adds a record that is no attempt yet.  Borrowed until the next one is added. */
struct tally_record *tally_add_record(
    struct tally *t, uint32_t client, uint32_t kind, uint32_t story);
/* Empties tally.newest, as the records' numbers are about to change. */
void tally_forget_newest(struct tally *t);
/* Makes the record an attempt at packet time `time_us`, with further TALLY_* flags. */
void tally_set_attempt(struct tally *t, struct tally_record *r, int64_t time_us, unsigned flags);
/*
 * The record's sum; if it has none, it gets one that counts what its flags say.  Borrowed until the
 * next call.
 */
struct tally_sum *tally_widen(struct tally *t, struct tally_record *r);
/* Frees the record's sum, if it has one, for others; the record is of no use then. */
void tally_drop_sum(struct tally *t, const struct tally_record *r);
/* Adds up what two sums count; of the longest and the largest it keeps the larger one. */
void tally_sum_add(struct tally_sum *into, const struct tally_sum *from);
/* True if the record has no sum, and needs one to count this ending as well. */
bool tally_ending_needs_sum(const struct tally_record *r, const struct event_ending *ending);
/* Counts how a session ended. */
void tally_add_ending(struct tally *t, struct tally_record *r, const struct event_ending *ending);

/*
 * A record without a sum has its time as microseconds after tally.base_us, in 48 bits of which the
 * middle is 0: four years before and after.  Other times are kept in sums.
 */
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

/* Packet time of the record's attempt, or of the earliest of several. */
static inline int64_t
tally_record_time(const struct tally *t, const struct tally_record *r)
{
	return (r->what & TALLY_SUM) != 0 ? t->sums[r->low].first_us : tally_unpack_time(t, r);
}

/* The same for the latest. */
static inline int64_t
tally_record_last(const struct tally *t, const struct tally_record *r)
{
	return (r->what & TALLY_SUM) != 0 ? t->sums[r->low].last_us : tally_unpack_time(t, r);
}

/* What several records of one finding say together. */
struct tally_joint {
	struct tally_sum sum;
	struct tally_story story;
	uint32_t story_number; /* of `story`; TALLY_NONE: the tally may not have it */
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
