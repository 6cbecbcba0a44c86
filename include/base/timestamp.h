/*
 * timestamp - times as text.
 *
 * Source: RFC 3339; UTC throughout, microseconds.
 */
#ifndef TLSTALLY_BASE_TIMESTAMP_H
#define TLSTALLY_BASE_TIMESTAMP_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#define TIMESTAMP_TEXT_LEN 40
#define USEC_PER_SEC INT64_C(1000000)
#define USEC_PER_HOUR (INT64_C(3600) * USEC_PER_SEC)
#define USEC_PER_DAY (INT64_C(86400) * USEC_PER_SEC)

/* Hours since 1970-01-01 UTC, rounded down. */
static inline int64_t
timestamp_hour(int64_t time_us)
{
	return time_us / USEC_PER_HOUR - (time_us % USEC_PER_HOUR < 0);
}

/* "2026-11-20T18:38:17.000001Z"; returns `out`. */
const char *timestamp_to_text(int64_t time_us, char out[TIMESTAMP_TEXT_LEN]);
/* The same without a NUL; returns where it ends. */
char *timestamp_put(char *out, int64_t time_us);
#define TIMESTAMP_DATE_LEN 10
#define TIMESTAMP_DATES 64
/* Dates that were written lately: to work one out is half of the work of a whole timestamp. */
struct timestamp_dates {
	struct {
		int64_t day;
		char text[TIMESTAMP_DATE_LEN]; /* all zero: none yet */
	} by_day[TIMESTAMP_DATES];
};
/* As timestamp_put. */
char *timestamp_put_again(char *out, int64_t time_us, struct timestamp_dates *dates);
/* "2026-11-20" of the UTC day; returns `out`. */
const char *timestamp_to_date(int64_t time_us, char out[TIMESTAMP_TEXT_LEN]);
/*
 * Of a date that exists and a time of that day, UTC: as timegm, but for all years, where time_t
 * ends in 2038, too.
 */
int64_t timestamp_from_tm(const struct tm *tm);
/*
 * RFC 3339, a date (its first microsecond, UTC), or an age before `now_us`: "24h", "7d", "30m",
 * "90s", "2w".  False for anything else.
 */
bool timestamp_from_text(const char *text, int64_t now_us, int64_t *out);
/* The machine's clock, for the user's "since" and for log lines only; never for packets. */
int64_t timestamp_now(void);

#endif
