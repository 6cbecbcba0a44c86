#include "app/report_logins.h"

#include <errno.h>
#include <stdlib.h>

#include "base/log.h"

#include "base/banned.h"

int
report_logins_parse(const char *option, const char *text, uint64_t *out)
{
	char *end;
	unsigned long value;

	errno = 0;
	value = strtoul(text, &end, 10);
	if (errno != 0 || end == text || *end != '\0' || text[0] == '-' || value == 0 ||
	    value > 1000000) {
		log_error("--%s: \"%s\" is no number from 1 to 1000000", option, text);
		return -1;
	}
	*out = value;
	return 0;
}
