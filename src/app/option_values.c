#include "app/option_values.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "app/app.h"
#include "base/log.h"
#include "tls/names.h"

#include "base/banned.h"

int
option_version(const char *option, const char *text, uint16_t *out)
{
	*out = tls_version_from_text(text);
	if (*out != 0)
		return 0;
	log_error("--%s: '%.40s' is no version: give SSLv2, SSLv3, TLSv1.0, TLSv1.1, TLSv1.2 or "
		  "TLSv1.3",
	    option, text);
	return -1;
}

int
option_form(const char *option, const char *text, enum record_form *out)
{
	if (record_form_from_text(text, out))
		return 0;
	log_error(
	    "--%s: '%.40s' is no form: give tlstally, ecs, zeek, eve or splunk", option, text);
	return -1;
}

int
option_number_from_text(const char *text, uint64_t least, uint64_t most, uint64_t *out)
{
	char *end;
	unsigned long long value;

	/* strtoull takes signs and blanks, an option's number has neither. */
	if (text[0] < '0' || text[0] > '9')
		return -1;
	errno = 0;
	value = strtoull(text, &end, 10);
	if (errno != 0 || *end != '\0' || value < least || value > most)
		return -1;
	*out = value;
	return 0;
}

int
option_number(const char *option, const char *text, uint64_t least, uint64_t most, uint64_t *out)
{
	if (option_number_from_text(text, least, most, out) == 0)
		return 0;
	log_error(
	    "--%s: '%.40s' is no number from %" PRIu64 " to %" PRIu64, option, text, least, most);
	return -1;
}

int
option_usage_error(const char *command)
{
	(void)fprintf(stderr, "Try 'tlstally %s --help'.\n", command);
	return APP_EXIT_USAGE;
}
