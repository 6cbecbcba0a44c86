#include "base/hostname.h"

#include <stddef.h>
#include <string.h>

#include "base/banned.h"

#define LABEL_LEN_MAX 63

static bool
is_label_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

bool
hostname_is_valid(const char *name)
{
	size_t label = 0, len = 0;
	bool letter = false; /* in the last label */

	for (; name[len] != '\0'; len++) {
		char c = name[len];

		if (c == '.') {
			if (label == 0)
				return false;
			label = 0;
			letter = false;
		} else if (!is_label_char(c) || ++label > LABEL_LEN_MAX) {
			return false;
		} else {
			letter = letter || c < '0' || c > '9';
		}
	}
	return label > 0 && letter && len <= HOSTNAME_LEN_MAX;
}

bool
hostname_pattern_is_valid(const char *pattern)
{
	return hostname_is_valid(strncmp(pattern, "*.", 2) == 0 ? pattern + 2 : pattern);
}

void
hostname_to_lower(char *name)
{
	for (char *p = name; *p != '\0'; p++) {
		if (*p >= 'A' && *p <= 'Z')
			*p = (char)(*p - 'A' + 'a');
	}
}
