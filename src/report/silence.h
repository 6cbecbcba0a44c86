/*
 * silence - whether a client is silent for longer than it used to be, counted in days.
 *
 * A day counts as observed for a client when at least half as much was captured on it as on an
 * average day on which the client was seen: a sensor that ran for an hour says nothing about a
 * client that comes once a day.  Where no capture times are known, each day counts; where nothing
 * was captured on the client's own days, because its packets have no times, none does.
 */
#ifndef TLSTALLY_REPORT_SILENCE_H
#define TLSTALLY_REPORT_SILENCE_H

#include "report/report.h"

struct observed_days {
	struct report_day *days; /* in order; those without a capture are left out */
	size_t count;
	int64_t end_us; /* of the last capture */
};

/* Puts the intervals in order.  They may overlap: time that two of them cover counts once. */
void observed_days_init(
    struct observed_days *observed, struct report_interval *intervals, size_t count);
void observed_days_release(struct observed_days *observed);

/* The UTC day of that time, since 1970-01-01. */
int64_t silence_day(int64_t time_us);

/* When a client (or one of its ways to connect) was seen. */
struct silence_seen {
	const int64_t *days; /* different ones, in order; none where they are not known */
	size_t day_count;
	uint64_t times;           /* on all of them */
	int64_t last_day;         /* known in any case */
	unsigned average_cadence; /* in days, where the days do not tell; 0: not known either */
};

struct silence {
	unsigned silent_days;  /* observed days since the last one, before `at_day` */
	unsigned cadence_days; /* it came at least once in so many observed days; 0: not known */
	bool overdue;          /* longer than its own cadence */
	unsigned needed_days;  /* so many silent ones are */
};

/* In whole days, rounded up; 0 for 0. */
unsigned silence_days_of(int64_t interval_us);

void silence_judge(const struct silence_seen *seen, const struct observed_days *observed,
    int64_t at_day, struct silence *out);

/*
 * Whether as much time has passed since it was seen: the last day may not be over, and who comes in
 * the evening is not late at noon.
 */
bool silence_is_long(
    const struct silence *silence, const struct observed_days *observed, int64_t last_us);

/* "silent for 3 observed days, came every day" */
void silence_add_text(const struct silence *silence, struct buf *text);

#endif
