#include "event/device_name.h"

#include <string.h>
#include <strings.h>

#include "base/timestamp.h"

#include "base/banned.h"

#define OLD_AFTER_US (30 * USEC_PER_DAY)
#define RANK_NOTHING 200

/* RFC 4343: host names are compared without regard to case. */
static bool
is_localhost(struct span name)
{
	static const char localhost[] = "localhost";
	size_t len = sizeof(localhost) - 1;

	return name.len >= len && strncasecmp((const char *)name.data, localhost, len) == 0 &&
	       (name.len == len || name.data[len] == '.');
}

/* RFC 4007, section 11: behind a '%' stands the zone of an IPv6 address. */
static bool
is_address(struct span name)
{
	bool colon = memchr(name.data, ':', name.len) != NULL;

	for (size_t i = 0; i < name.len; i++) {
		uint8_t c = name.data[i], letter = c | 0x20;

		if (colon && c == '%')
			return true;
		if (c != '.' && c != ':' && (c < '0' || c > '9') &&
		    (!colon || letter < 'a' || letter > 'f'))
			return false;
	}
	return true;
}

bool
device_name_says_nothing(struct span name)
{
	return name.len == 0 || name.data[0] == '[' || is_localhost(name) || is_address(name);
}

uint8_t
device_name_rank(enum name_source source, struct span name)
{
	static const enum name_source order[] = { NAME_SOURCE_EHLO, NAME_SOURCE_DHCP,
		NAME_SOURCE_MDNS, NAME_SOURCE_NBNS, NAME_SOURCE_IMAP_ID };
	uint8_t rank = 0;

	if (device_name_says_nothing(name))
		return RANK_NOTHING;
	while (rank < sizeof(order) / sizeof(order[0]) && order[rank] != source)
		rank++;
	return rank;
}

bool
device_name_replaces(uint8_t rank, int64_t time_us, uint8_t old_rank, int64_t old_time_us)
{
	if (rank == old_rank)
		return time_us >= old_time_us;
	if (rank < old_rank)
		return time_us >= old_time_us - OLD_AFTER_US;
	return time_us - OLD_AFTER_US > old_time_us;
}
