/*
 * record_form - in whose words a record is written, by name.
 */
#ifndef TLSTALLY_BASE_RECORD_FORM_H
#define TLSTALLY_BASE_RECORD_FORM_H

#include <stdbool.h>

enum record_form {
	RECORD_FORM_TLSTALLY, /* our own */
	RECORD_FORM_ECS,      /* Elastic Common Schema */
	RECORD_FORM_ZEEK,     /* ssl.log as JSON */
	RECORD_FORM_EVE,      /* Suricata's EVE, event_type tls */
	RECORD_FORM_SPLUNK,   /* Splunk's Common Information Model */
};
#define RECORD_FORM_COUNT (RECORD_FORM_SPLUNK + 1)

const char *record_form_name(enum record_form form); /* "tlstally", "ecs", ... */
/* False for a text that names none. */
bool record_form_from_text(const char *text, enum record_form *out);

#endif
