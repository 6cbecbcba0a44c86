#include "tally/cadence.h"

#include <string.h>

#include "base/timestamp.h"

#include "base/banned.h"

#define CADENCE_FORM 1 /* first byte */

/* Gaps of the classes below, up to 4 s: connections of one visit, as mail programs make them. */
#define BURST_CLASSES 5
/* A bit for each class that has one above it. */
#define PAIRS ((UINT64_C(1) << (CADENCE_CLASSES - 1)) - 1)
/* Unless nearly all gaps are so short: one longer gap to so many of these is enough to tell. */
#define BURST_MAX 20

#define GAPS_MIN 3
#define SHARE_REGULAR 70
#define SHARE_MOSTLY 40
/* A hundred years; more is in no database but a damaged one. */
#define INTERVAL_MS_MAX (UINT64_C(36525) * 86400 * 1000)
/* Hours with less than this share of the attempts are chance. */
#define HOUR_SHARE 200
#define HOURS_DAY_AND_NIGHT 20
#define HOURS_RANGE_MAX 14

unsigned
cadence_hour(int64_t time_us)
{
	int64_t in_day = time_us % (86400 * USEC_PER_SEC);

	if (in_day < 0)
		in_day += 86400 * USEC_PER_SEC;
	return (unsigned)(in_day / (3600 * USEC_PER_SEC));
}

void
cadence_add_time(struct cadence *c, int64_t time_us)
{
	c->hours[cadence_hour(time_us)]++;
}

unsigned
cadence_class(int64_t gap_us)
{
	uint64_t seconds = (uint64_t)gap_us / USEC_PER_SEC;
	unsigned doubling;

	if (seconds == 0)
		return 0;
	doubling = 63 - (unsigned)__builtin_clzll(seconds);
	if (doubling >= 20)
		return CADENCE_CLASSES - 1;
	/* The upper half begins at the root of two. */
	return 1 + 2 * doubling + (gap_us >= INT64_C(1414214) << doubling);
}

void
cadence_add_gap(struct cadence *c, int64_t gap_us)
{
	unsigned class;

	if (gap_us < 0)
		return;
	class = cadence_class(gap_us);
	c->gap_count[class]++;
	c->gap_sum_ms[class] += (uint64_t)gap_us / 1000;
}

static uint32_t
add_capped(uint32_t a, uint32_t b)
{
	return a > UINT32_MAX - b ? UINT32_MAX : a + b;
}

void
cadence_merge(struct cadence *into, const struct cadence *from)
{
	for (unsigned i = 0; i < CADENCE_HOURS; i++)
		into->hours[i] = add_capped(into->hours[i], from->hours[i]);
	for (unsigned i = 0; i < CADENCE_CLASSES; i++) {
		/* Count and sum stay together. */
		if (into->gap_count[i] > UINT32_MAX - from->gap_count[i])
			continue;
		into->gap_count[i] += from->gap_count[i];
		into->gap_sum_ms[i] += from->gap_sum_ms[i];
	}
}

void
cadence_subtract(struct cadence *c, const struct cadence *before)
{
	for (unsigned i = 0; i < CADENCE_HOURS; i++)
		c->hours[i] -= before->hours[i] < c->hours[i] ? before->hours[i] : c->hours[i];
	for (unsigned i = 0; i < CADENCE_CLASSES; i++) {
		/* `before` is no earlier state of this one, so nothing can be told. */
		if (before->gap_count[i] >= c->gap_count[i] ||
		    before->gap_sum_ms[i] > c->gap_sum_ms[i]) {
			c->gap_count[i] = 0;
			c->gap_sum_ms[i] = 0;
			continue;
		}
		c->gap_count[i] -= before->gap_count[i];
		c->gap_sum_ms[i] -= before->gap_sum_ms[i];
	}
}

/*
 * A bit for each of `number` counts, a multiple of six, that is not 0.  Most clients have few such
 * counts, so six are looked at together.
 */
static uint64_t
counted(const uint32_t *counts, unsigned number)
{
	uint64_t seen = 0;

	_Static_assert(CADENCE_HOURS % 6 == 0 && CADENCE_CLASSES % 6 == 0, "none is left over");
	for (unsigned i = 0; i < number; i += 6) {
		uint64_t pairs[3];

		memcpy(pairs, counts + i, sizeof(pairs));
		if ((pairs[0] | pairs[1] | pairs[2]) == 0)
			continue;
		for (unsigned n = i; n < i + 6; n++)
			seen |= (uint64_t)(counts[n] > 0) << n;
	}
	return seen;
}

static uint32_t
hours_seen(const struct cadence *c)
{
	return (uint32_t)counted(c->hours, CADENCE_HOURS);
}

static uint64_t
classes_seen(const struct cadence *c)
{
	return counted(c->gap_count, CADENCE_CLASSES);
}

/* The lowest of these bits, which is taken away. */
static unsigned
take_bit(uint64_t *bits)
{
	unsigned lowest = (unsigned)__builtin_ctzll(*bits);

	*bits &= *bits - 1;
	return lowest;
}

/* Returns where the next one goes. */
static char *
put_u32(char *out, uint32_t value)
{
	*out++ = (char)(value >> 24);
	*out++ = (char)(value >> 16);
	*out++ = (char)(value >> 8);
	*out++ = (char)value;
	return out;
}

void
cadence_write(const struct cadence *c, struct buf *out)
{
	char *begin = buf_reserve(out, CADENCE_BYTES_MAX), *end = begin;
	uint64_t hours = hours_seen(c), classes = classes_seen(c);

	*end++ = CADENCE_FORM;
	end = put_u32(end, (uint32_t)hours);
	while (hours != 0)
		end = put_u32(end, c->hours[take_bit(&hours)]);
	while (classes != 0) {
		unsigned i = take_bit(&classes);

		*end++ = (char)i;
		end = put_u32(end, c->gap_count[i]);
		end = put_u32(end, (uint32_t)(c->gap_sum_ms[i] >> 32));
		end = put_u32(end, (uint32_t)c->gap_sum_ms[i]);
	}
	out->len += (size_t)(end - begin);
}

static bool
read_hours(struct span *bytes, struct cadence *out)
{
	uint32_t seen;

	if (!span_read_u32(bytes, &seen))
		return false;
	for (unsigned i = 0; i < CADENCE_HOURS; i++) {
		if ((seen >> i & 1) != 0 && !span_read_u32(bytes, &out->hours[i]))
			return false;
	}
	return hours_seen(out) == seen;
}

static bool
read_classes(struct span bytes, struct cadence *out)
{
	uint32_t high, low;
	uint8_t class;
	int last = -1;

	while (!span_is_empty(bytes)) {
		if (!span_read_u8(&bytes, &class) || class >= CADENCE_CLASSES ||
		    (int)class <= last || !span_read_u32(&bytes, &out->gap_count[class]) ||
		    !span_read_u32(&bytes, &high) || !span_read_u32(&bytes, &low))
			return false;
		out->gap_sum_ms[class] = (uint64_t)high << 32 | low;
		last = class;
	}
	return true;
}

bool
cadence_read(struct span bytes, struct cadence *out)
{
	uint8_t form = 0;
	bool good;

	*out = (struct cadence){ 0 };
	good = span_read_u8(&bytes, &form) && form == CADENCE_FORM && read_hours(&bytes, out) &&
	       read_classes(bytes, out);
	if (!good)
		*out = (struct cadence){ 0 };
	return good;
}

/*
 * The interval is that of the two neighbouring classes with the most gaps: intervals of about the
 * same length never fall into more than two.
 */
static void
find_interval(const struct cadence *c, struct cadence_summary *out)
{
	uint64_t classes = classes_seen(c), pairs;
	uint64_t short_count = 0, count = 0, best_count = 0, best_ms = 0;
	unsigned first = 0;

	for (uint64_t left = classes; left != 0;) {
		unsigned i = take_bit(&left);

		*(i < BURST_CLASSES ? &short_count : &count) += c->gap_count[i];
	}
	if (count >= short_count / BURST_MAX && count > 0)
		first = BURST_CLASSES;
	else
		count += short_count;
	out->gap_count = count;
	if (count < GAPS_MIN)
		return;
	/* Pairs of which the lower class, or the upper one, has any gaps. */
	pairs = (classes | classes >> 1) & PAIRS & ~UINT64_C(0) << first;
	while (pairs != 0) {
		unsigned i = take_bit(&pairs);
		uint64_t pair = (uint64_t)c->gap_count[i] + c->gap_count[i + 1];

		if (pair <= best_count)
			continue;
		best_count = pair;
		best_ms = (c->gap_sum_ms[i] + c->gap_sum_ms[i + 1]) / pair;
	}
	if (best_count == 0 || best_ms > INTERVAL_MS_MAX)
		return;
	out->share = (unsigned)(best_count * 100 / count);
	if (out->share >= SHARE_MOSTLY)
		out->interval_us = (int64_t)best_ms * 1000;
}

/* Whether the hours are one stretch around the clock, of which only one hour is the first. */
static void
find_range(struct cadence_summary *out)
{
	uint32_t all = (UINT32_C(1) << CADENCE_HOURS) - 1, hours = out->hours;
	uint32_t begins = hours & ~(hours << 1 | hours >> (CADENCE_HOURS - 1)) & all;

	out->has_range = begins != 0 && (begins & (begins - 1)) == 0;
	if (begins != 0) /* of several the last one, as nobody asks */
		out->first_hour = 31 - (unsigned)__builtin_clz(begins);
	if (out->has_range)
		out->last_hour = (out->first_hour + out->hour_count - 1) % CADENCE_HOURS;
}

void
cadence_summarise(const struct cadence *c, struct cadence_summary *out)
{
	uint32_t seen = hours_seen(c);
	uint64_t total = 0;

	*out = (struct cadence_summary){ 0 };
	for (uint64_t hours = seen; hours != 0;)
		total += c->hours[take_bit(&hours)];
	for (uint64_t hours = seen; hours != 0;) {
		unsigned h = take_bit(&hours);

		out->hours |= (uint32_t)(c->hours[h] >= total / HOUR_SHARE) << h;
	}
	out->hour_count = (unsigned)__builtin_popcount(out->hours);
	find_range(out);
	find_interval(c, out);
}

/*
 * Two digits, as more would claim too much; below a quarter of an hour in seconds, as people set
 * it.
 */
static void
add_interval(int64_t interval_us, struct buf *out)
{
	static const struct {
		int64_t from_s, unit_s;
		const char *unit;
	} scales[] = { { 2 * 86400, 86400, "days" }, { 2 * 3600, 3600, "hours" },
		{ 900, 60, "min" }, { 0, 1, "s" } };
	int64_t seconds = (interval_us + USEC_PER_SEC / 2) / USEC_PER_SEC, value, step = 1;
	size_t i = 0;

	while (seconds < scales[i].from_s)
		i++;
	value = (seconds + scales[i].unit_s / 2) / scales[i].unit_s;
	if (value == 0) {
		buf_add_text(out, "every second");
		return;
	}
	while (value / step >= 100)
		step *= 10;
	value = (value + step / 2) / step * step;
	buf_add_text(out, "every ");
	buf_add_u64(out, (uint64_t)value);
	buf_add_char(out, ' ');
	buf_add_text(out, scales[i].unit);
}

static void
add_two_digits(unsigned number, struct buf *out)
{
	buf_add_char(out, (char)('0' + number / 10 % 10));
	buf_add_char(out, (char)('0' + number % 10));
}

static void
add_hours_between(unsigned first, unsigned last, struct buf *out)
{
	buf_add_text(out, ", between ");
	add_two_digits(first, out);
	buf_add_text(out, ":00 and ");
	add_two_digits(last, out);
	buf_add_text(out, ":59 UTC");
}

void
cadence_add_text(const struct cadence_summary *summary, struct buf *out)
{
	bool all_day = summary->hour_count >= HOURS_DAY_AND_NIGHT;

	if (summary->gap_count < GAPS_MIN)
		return;
	if (summary->share < SHARE_MOSTLY) {
		buf_add_text(out, "at no fixed interval");
	} else {
		if (summary->share < SHARE_REGULAR)
			buf_add_text(out, "mostly ");
		add_interval(summary->interval_us, out);
	}
	if (all_day)
		buf_add_text(out, ", day and night");
	else if (summary->has_range && summary->hour_count <= HOURS_RANGE_MAX)
		add_hours_between(summary->first_hour, summary->last_hour, out);
	/* An inference: nobody presses a button at three in the morning, every day. */
	if (all_day && summary->share >= SHARE_REGULAR)
		buf_add_text(out, ": unattended");
}

void
cadence_add_hours(const struct cadence_summary *summary, struct buf *out)
{
	const char *between = "";

	for (unsigned h = 0; h < CADENCE_HOURS; h++) {
		unsigned last = h;

		if ((summary->hours >> h & 1) == 0)
			continue;
		while (last + 1 < CADENCE_HOURS && (summary->hours >> (last + 1) & 1) != 0)
			last++;
		buf_add_text(out, between);
		buf_add_u64(out, h);
		if (last > h) {
			buf_add_char(out, '-');
			buf_add_u64(out, last);
		}
		between = ",";
		h = last;
	}
}
