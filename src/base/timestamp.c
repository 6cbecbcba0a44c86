#include "base/timestamp.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/digits.h"

#include "base/banned.h"

/* Days since 1970-01-01 into a date of the proleptic Gregorian calendar, and back (Hinnant). */
static void
date_from_days(int64_t days, int64_t *year, int *month, int *day)
{
	int64_t z = days + 719468;
	int64_t era = (z >= 0 ? z : z - 146096) / 146097;
	uint32_t doe = (uint32_t)(z - era * 146097); /* below 146097, which divides quickly */
	uint32_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	uint32_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	uint32_t mp = (5 * doy + 2) / 153;

	*day = (int)(doy - (153 * mp + 2) / 5 + 1);
	*month = (int)(mp < 10 ? mp + 3 : mp - 9);
	*year = (int64_t)yoe + era * 400 + (*month <= 2);
}

static int64_t
days_from_date(int64_t year, int month, int day)
{
	int64_t y = month <= 2 ? year - 1 : year;
	int64_t era = (y >= 0 ? y : y - 399) / 400;
	int64_t yoe = y - era * 400;
	int64_t doy = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
	int64_t doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;

	return era * 146097 + doe - 719468;
}

static int64_t
floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

static char *
put_date(char *out, int64_t days)
{
	int64_t year;
	int month, day;

	date_from_days(days, &year, &month, &day);
	/* RFC 3339 has four digits for the year; packet times outside 0000-9999 are nonsense. */
	if (year < 0 || year > 9999) {
		year = year < 0 ? 0 : 9999;
	}
	out = digits_put_two(out, (unsigned)year / 100);
	out = digits_put_two(out, (unsigned)year % 100);
	*out++ = '-';
	out = digits_put_two(out, (unsigned)month);
	*out++ = '-';
	return digits_put_two(out, (unsigned)day);
}

/* The part behind the date; `days`: from 1970-01-01 to that date. */
static inline char *
put_time_of_day(char *p, int64_t time_us, int64_t days)
{
	/* Unsigned: the earliest day begins before the first time that int64_t holds. */
	uint64_t rest = (uint64_t)time_us - (uint64_t)days * (uint64_t)USEC_PER_DAY;
	unsigned secs = (unsigned)(rest / USEC_PER_SEC);
	unsigned us = (unsigned)(rest - secs * USEC_PER_SEC);

	*p++ = 'T';
	p = digits_put_two(p, secs / 3600);
	*p++ = ':';
	p = digits_put_two(p, secs / 60 % 60);
	*p++ = ':';
	p = digits_put_two(p, secs % 60);
	*p++ = '.';
	p = digits_put_two(p, us / 10000);
	p = digits_put_two(p, us / 100 % 100);
	p = digits_put_two(p, us % 100);
	*p++ = 'Z';
	return p;
}

char *
timestamp_put(char *out, int64_t time_us)
{
	int64_t days = floor_div(time_us, USEC_PER_DAY);

	return put_time_of_day(put_date(out, days), time_us, days);
}

char *
timestamp_put_again(char *out, int64_t time_us, struct timestamp_dates *dates)
{
	int64_t days = floor_div(time_us, USEC_PER_DAY);
	size_t i = (uint64_t)days % TIMESTAMP_DATES;
	char *date = dates->by_day[i].text;

	if (dates->by_day[i].day != days || date[0] == '\0') {
		dates->by_day[i].day = days;
		(void)put_date(date, days);
	}
	memcpy(out, date, TIMESTAMP_DATE_LEN);
	return put_time_of_day(out + TIMESTAMP_DATE_LEN, time_us, days);
}

const char *
timestamp_to_text(int64_t time_us, char out[TIMESTAMP_TEXT_LEN])
{
	*timestamp_put(out, time_us) = '\0';
	return out;
}

const char *
timestamp_to_date(int64_t time_us, char out[TIMESTAMP_TEXT_LEN])
{
	*put_date(out, floor_div(time_us, USEC_PER_DAY)) = '\0';
	return out;
}

int64_t
timestamp_from_tm(const struct tm *tm)
{
	int64_t days = days_from_date((int64_t)tm->tm_year + 1900, tm->tm_mon + 1, tm->tm_mday);

	return days * USEC_PER_DAY +
	       ((tm->tm_hour * 60 + tm->tm_min) * INT64_C(60) + tm->tm_sec) * USEC_PER_SEC;
}

/* Exactly `width` digits; moves *p behind them. */
static bool
take_digits(const char **p, int width, int *out)
{
	int value = 0;

	for (int i = 0; i < width; i++) {
		if (!isdigit((unsigned char)(*p)[i]))
			return false;
		value = value * 10 + ((*p)[i] - '0');
	}
	*p += width;
	*out = value;
	return true;
}

static bool
take_char(const char **p, const char *any_of)
{
	if (**p == '\0' || strchr(any_of, **p) == NULL)
		return false;
	(*p)++;
	return true;
}

static bool
age_from_text(const char *text, int64_t *out_us)
{
	static const struct {
		char unit;
		int64_t secs;
	} units[] = { { 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 }, { 'w', 604800 } };
	char *end;
	unsigned long value;

	if (!isdigit((unsigned char)text[0]))
		return false;
	value = strtoul(text, &end, 10);
	if (value > 1000000 || end[0] == '\0' || end[1] != '\0')
		return false;
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (units[i].unit == end[0]) {
			*out_us = (int64_t)value * units[i].secs * USEC_PER_SEC;
			return true;
		}
	}
	return false;
}

static bool
days_in_range(int year, int month, int day)
{
	static const int lengths[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	if (month < 1 || month > 12 || day < 1)
		return false;
	return day <= lengths[month - 1] + (month == 2 && leap);
}

/* RFC 3339, section 5.6: the offset, "Z" or "+02:00". */
static bool
take_offset(const char **p, int *minutes)
{
	int sign, h, m;

	*minutes = 0;
	if (take_char(p, "Zz"))
		return true;
	sign = **p == '-' ? -1 : 1;
	if (!take_char(p, "+-") || !take_digits(p, 2, &h) || !take_char(p, ":") ||
	    !take_digits(p, 2, &m) || h > 23 || m > 59)
		return false;
	*minutes = sign * (h * 60 + m);
	return true;
}

bool
timestamp_from_text(const char *text, int64_t now_us, int64_t *out)
{
	const char *p = text;
	int year, month, day, hour, minute, second, offset;
	int64_t us, fraction = 0, scale = 100000;

	if (age_from_text(text, &us)) {
		*out = now_us - us;
		return true;
	}
	if (!take_digits(&p, 4, &year) || !take_char(&p, "-") || !take_digits(&p, 2, &month) ||
	    !take_char(&p, "-") || !take_digits(&p, 2, &day) || !days_in_range(year, month, day))
		return false;
	us = days_from_date(year, month, day) * USEC_PER_DAY;
	if (*p == '\0') {
		*out = us;
		return true;
	}
	if (!take_char(&p, "Tt ") || !take_digits(&p, 2, &hour) || !take_char(&p, ":") ||
	    !take_digits(&p, 2, &minute) || !take_char(&p, ":") || !take_digits(&p, 2, &second))
		return false;
	if (hour > 23 || minute > 59 || second > 60)
		return false;
	if (take_char(&p, ".")) {
		if (!isdigit((unsigned char)*p))
			return false;
		for (; isdigit((unsigned char)*p); p++, scale /= 10)
			fraction += (*p - '0') * scale;
	}
	if (!take_offset(&p, &offset) || *p != '\0')
		return false;
	*out =
	    us + ((hour * 60 + minute - offset) * INT64_C(60) + second) * USEC_PER_SEC + fraction;
	return true;
}

int64_t
timestamp_now(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * USEC_PER_SEC + now.tv_nsec / 1000;
}
