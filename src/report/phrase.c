#include "report/phrase.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/timestamp.h"

#include "base/banned.h"

const char *
phrase_minute(int64_t time_us, char out[PHRASE_MINUTE_LEN])
{
	char text[TIMESTAMP_TEXT_LEN];

	timestamp_to_text(time_us, text);
	memcpy(out, text, 16);
	out[10] = ' ';
	out[16] = '\0';
	return out;
}

void
phrase_add_number(struct buf *out, uint64_t value)
{
	char digits[32];
	size_t len = (size_t)snprintf(digits, sizeof(digits), "%" PRIu64, value);

	for (size_t i = 0; i < len; i++) {
		if (i > 0 && (len - i) % 3 == 0)
			buf_add_char(out, ',');
		buf_add_char(out, digits[i]);
	}
}

void
phrase_add_count(struct buf *out, uint64_t value, const char *one, const char *many)
{
	phrase_add_number(out, value);
	buf_add_char(out, ' ');
	buf_add_text(out, value == 1 ? one : many);
}

void
phrase_add_duration(struct buf *out, int64_t us)
{
	static const struct {
		int64_t secs;
		const char *name;
	} units[] = { { 86400, "d" }, { 3600, "h" }, { 60, "min" }, { 1, "s" } };
	int64_t secs = us / USEC_PER_SEC;
	int shown = 0;

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]) && shown < 2; i++) {
		int64_t n = secs / units[i].secs;

		if (n == 0 && shown == 0)
			continue;
		if (n > 0)
			buf_addf(out, "%s%" PRId64 "%s", shown > 0 ? " " : "", n, units[i].name);
		secs -= n * units[i].secs;
		shown++;
	}
	if (shown == 0)
		buf_add_text(out, "less than 1s");
}

void
phrase_add_share(struct buf *out, uint64_t part, uint64_t whole)
{
	double percent = whole == 0 ? 0 : 100.0 * (double)part / (double)whole;

	if (part > 0 && percent < 0.1)
		buf_add_text(out, "<0.1 %");
	else if (part < whole && percent > 99.9)
		buf_add_text(out, ">99.9 %");
	else
		buf_addf(out, "%.1f %%", percent);
}
