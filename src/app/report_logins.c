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

int
report_logins_run(const char *db, const struct logins_options *options, struct buf *out)
{
	struct error err;
	struct store *store = store_open(db, STORE_READ, &err);
	size_t count;
	int rc = -1;

	if (store != NULL)
		rc = logins_report(store, options, out, &count, &err);
	if (rc != 0)
		log_error("%s", err.text);
	store_close(store);
	return rc;
}
