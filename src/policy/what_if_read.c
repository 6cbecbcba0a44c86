/* The list of suites of a question. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/what_if.h"
#include "tls/suite_set.h"

#include "base/banned.h"

#define NAME_LEN_MAX 127
#define SHOWN_MAX 60

/* A number as events write a suite without a name: 0x1234. */
static bool
parse_number(const char *text, uint16_t *suite)
{
	if (strncmp(text, "0x", 2) != 0 || strlen(text) != 6 ||
	    strspn(text + 2, "0123456789abcdefABCDEF") != 4)
		return false;
	*suite = (uint16_t)strtoul(text, NULL, 16); /* four digits */
	return true;
}

static struct span
trimmed(struct span line)
{
	const uint8_t *comment = line.len > 0 ? memchr(line.data, '#', line.len) : NULL;

	if (comment != NULL)
		line.len = (size_t)(comment - line.data);
	while (line.len > 0 && (line.data[0] == ' ' || line.data[0] == '\t'))
		line = span_from(line.data + 1, line.len - 1);
	while (line.len > 0 && (line.data[line.len - 1] == ' ' || line.data[line.len - 1] == '\t' ||
				   line.data[line.len - 1] == '\r'))
		line.len--;
	return line;
}

/* False: `text` says what is wrong with it. */
static bool
take_name(struct what_if *question, struct span name, char *text, size_t room)
{
	char copy[NAME_LEN_MAX + 1] = "";
	uint16_t suite;

	if (name.len <= NAME_LEN_MAX)
		memcpy(copy, name.data, name.len);
	if (!tls_cipher_suite_from_name(copy, &suite) && !parse_number(copy, &suite)) {
		(void)snprintf(text, room,
		    "'%.*s' is no cipher suite: give IANA names, such as "
		    "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, or 0xc02f, one a line",
		    (int)span_first(name, SHOWN_MAX).len, (const char *)name.data);
		return false;
	}
	if (question->suite_count == WHAT_IF_SUITES_MAX) {
		(void)snprintf(text, room, "there may be %d suites", WHAT_IF_SUITES_MAX);
		return false;
	}
	question->suites[question->suite_count++] = suite;
	return true;
}

size_t
what_if_read_suites(struct what_if *question, struct span text, what_if_fault_fn fault, void *arg)
{
	size_t faults = 0;
	char why[256];

	question->has_suites = true;
	for (unsigned line = 1; text.len > 0; line++) {
		const uint8_t *end = memchr(text.data, '\n', text.len);
		size_t len = end != NULL ? (size_t)(end - text.data) : text.len;
		struct span name = trimmed(span_first(text, len));

		text = span_from(text.data + len + (end != NULL), text.len - len - (end != NULL));
		if (name.len == 0 || take_name(question, name, why, sizeof(why)))
			continue;
		fault(arg, line, why);
		faults++;
	}
	if (question->suite_count == 0 && faults == 0) {
		fault(arg, 1, "there is no cipher suite in the file");
		faults++;
	}
	return faults;
}
