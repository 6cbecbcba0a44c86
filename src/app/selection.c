#include "app/selection.h"

#include <string.h>
#include <sys/stat.h>

#include "base/log.h"
#include "base/timestamp.h"
#include "policy/verdict.h"

#include "base/banned.h"

int
selection_parse_verdicts(const char *option, const char *text, uint32_t *out)
{
	const char *p = text;
	uint32_t bits = 0;

	for (;;) {
		size_t len = strcspn(p, ",");
		char name[32] = "";
		enum verdict verdict;

		if (len < sizeof(name))
			memcpy(name, p, len);
		if (!verdict_from_text(name, &verdict)) {
			log_error("--%s: '%.*s' is no verdict: give broken, will-break, legacy, "
				  "server-limited, cleartext, unclear or ok",
			    option, (int)(len < 64 ? len : 64), p);
			return -1;
		}
		bits |= 1U << verdict;
		if (p[len] == '\0')
			break;
		p += len + 1;
	}
	*out |= bits;
	return 0;
}

int
selection_parse_time(const char *option, const char *text, bool *has, int64_t *out)
{
	if (!timestamp_from_text(text, timestamp_now(), out)) {
		log_error(
		    "--%s: '%.40s' is no time: give 2026-11-19T22:00:00Z, 2026-11-19 or an age "
		    "like 24h or 7d",
		    option, text);
		return -1;
	}
	*has = true;
	return 0;
}

int
selection_check_times(bool has_since, int64_t since_us, bool has_until, int64_t until_us)
{
	if (!has_since || !has_until || since_us < until_us)
		return 0;
	log_error("--since is not before --until, so nothing lies between them");
	return -1;
}

int
selection_parse_clients(const char *text, struct network_set *clients)
{
	struct error err;

	if (network_set_add_text(clients, text, &err) == 0)
		return 0;
	log_error("--client: %s", err.text);
	return -1;
}

int
selection_check_output(
    const char *option, const char *output, const char *const inputs[], size_t count)
{
	struct stat out, in;

	if (output == NULL || stat(output, &out) != 0 || !S_ISREG(out.st_mode))
		return 0;
	for (size_t i = 0; i < count; i++) {
		if (inputs[i] == NULL || stat(inputs[i], &in) != 0 || in.st_dev != out.st_dev ||
		    in.st_ino != out.st_ino)
			continue;
		log_error("--%s: %s is what is read; give another name", option, output);
		return -1;
	}
	return 0;
}
