#include "base/record_form.h"

#include <string.h>

#include "base/banned.h"

static const char *const names[RECORD_FORM_COUNT] = {
	[RECORD_FORM_TLSTALLY] = "tlstally",
	[RECORD_FORM_ECS] = "ecs",
	[RECORD_FORM_ZEEK] = "zeek",
	[RECORD_FORM_EVE] = "eve",
	[RECORD_FORM_SPLUNK] = "splunk",
};

const char *
record_form_name(enum record_form form)
{
	return names[form];
}

bool
record_form_from_text(const char *text, enum record_form *out)
{
	for (int i = 0; i < RECORD_FORM_COUNT; i++) {
		if (strcmp(text, names[i]) != 0)
			continue;
		*out = (enum record_form)i;
		return true;
	}
	return false;
}
