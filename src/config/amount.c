/* Numbers with a unit.  The unit is required, so that nobody has to know what a bare 30 is. */
#include <string.h>

#include "config/config_internal.h"

#include "base/banned.h"

struct unit {
	const char *name;
	uint64_t factor;
};

/* From the smallest to the largest. */
static const struct unit size_units[] = {
	{ "B", 1 },
	{ "KiB", UINT64_C(1) << 10 },
	{ "MiB", UINT64_C(1) << 20 },
	{ "GiB", UINT64_C(1) << 30 },
};

static const struct unit time_units[] = {
	{ "ms", UINT64_C(1000) },
	{ "s", UINT64_C(1000000) },
	{ "m", UINT64_C(60000000) },
	{ "h", UINT64_C(3600000000) },
	{ "d", UINT64_C(86400000000) },
	{ "w", UINT64_C(604800000000) },
};

#define SIZE_UNIT_COUNT (sizeof(size_units) / sizeof(size_units[0]))
#define TIME_UNIT_COUNT (sizeof(time_units) / sizeof(time_units[0]))

/* Digits only: no sign, no blank, no overflow.  Returns what follows them, NULL for no number. */
static const char *
read_digits(const char *text, uint64_t *out)
{
	const char *p = text;
	uint64_t value = 0;

	for (; *p >= '0' && *p <= '9'; p++) {
		unsigned digit = (unsigned)(*p - '0');

		if (value > (UINT64_MAX - digit) / 10)
			return NULL;
		value = value * 10 + digit;
	}
	if (p == text)
		return NULL;
	*out = value;
	return p;
}

static bool
amount_from_text(const char *text, const struct unit *units, size_t count, uint64_t *out)
{
	uint64_t number;
	const char *unit = read_digits(text, &number);

	for (size_t i = 0; unit != NULL && i < count; i++) {
		if (strcmp(unit, units[i].name) != 0)
			continue;
		if (number > UINT64_MAX / units[i].factor)
			return false;
		*out = number * units[i].factor;
		return true;
	}
	return false;
}

/* In the largest unit that needs no fraction. */
static void
amount_to_text(uint64_t value, const struct unit *units, size_t count, struct buf *out)
{
	size_t i = count - 1;

	while (i > 0 && (value == 0 || value % units[i].factor != 0))
		i--;
	buf_add_u64(out, value / units[i].factor);
	buf_add_text(out, units[i].name);
}

bool
config_number_from_text(const char *text, uint64_t *out)
{
	uint64_t number;
	const char *end = read_digits(text, &number);

	if (end == NULL || *end != '\0')
		return false;
	*out = number;
	return true;
}

bool
config_size_from_text(const char *text, uint64_t *out)
{
	return amount_from_text(text, size_units, SIZE_UNIT_COUNT, out);
}

bool
config_time_from_text(const char *text, uint64_t *out)
{
	return amount_from_text(text, time_units, TIME_UNIT_COUNT, out);
}

void
config_size_to_text(uint64_t bytes, struct buf *out)
{
	amount_to_text(bytes, size_units, SIZE_UNIT_COUNT, out);
}

void
config_time_to_text(uint64_t time_us, struct buf *out)
{
	amount_to_text(time_us, time_units, TIME_UNIT_COUNT, out);
}
