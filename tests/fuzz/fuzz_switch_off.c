/* The list of services, and one of cipher suites: whatever they hold is read, or named. */
#include <stdint.h>
#include <stdlib.h>

#include "policy/switch_off.h"
#include "policy/what_if.h"

#include "base/banned.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void
must(bool fact)
{
	if (!fact)
		abort();
}

static void
count_fault(void *arg, unsigned line, const char *text)
{
	size_t *count = arg;

	must(line > 0 && text[0] != '\0');
	(*count)++;
}

static void
look_up(const struct switch_off *list, struct span name)
{
	const uint8_t bytes[4] = { 192, 0, 2, 1 };
	const struct addr addr = addr_from_v4(bytes);
	struct switch_off_match match;

	if (!switch_off_find(list, name, &addr, 993, PROTOCOL_IMAP, &match))
		return;
	must(match.service != NULL && match.has_version);
	must(match.by_address ? !match.legacy_endpoint : name.len > 0);
	must(!match.has_date || match.below != 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct switch_off *list = switch_off_new();
	struct what_if question = { 0 };
	struct span text = span_from(data, len);
	size_t faults = 0;

	must(switch_off_read(list, text, count_fault, &faults) == faults);
	look_up(list, span_from_text("imap.outlook.example"));
	look_up(list, span_from(NULL, 0));
	look_up(list, span_first(text, 100));
	switch_off_free(list);
	faults = 0;
	must(what_if_read_suites(&question, text, count_fault, &faults) == faults);
	must(question.suite_count > 0 || faults > 0);
	return 0;
}
